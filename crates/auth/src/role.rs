//! Lets only callers of a role through.

use std::sync::Arc;

use bartizan_core::{Call, Filter, Filtered, Flow, Note, Principal, Refusal, RefusalKind, Role};
use http::request::Parts;

use crate::refuse;

/// Applies a role: refuses with 403 every request whose principal has it not, and with 401 one without a principal.
///
/// A proxy admin has every role. It goes inside [`AuthLayer`](crate::AuthLayer).
///
/// ```
/// use bartizan_auth::RequireRoleLayer;
/// use bartizan_core::Role;
///
/// let admins_only = RequireRoleLayer::new(Role::ProxyAdmin);
/// # let _ = admins_only;
/// ```
#[derive(Clone, Debug)]
pub struct RequireRoleLayer(Arc<RequireRole>);

/// The filter of [`RequireRoleLayer`].
#[derive(Clone, Copy, Debug)]
pub struct RequireRole(Role);

impl RequireRoleLayer {
    /// Creates a layer that lets callers with `role` through.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self(Arc::new(RequireRole(role)))
    }
}

impl<S> tower_layer::Layer<S> for RequireRoleLayer {
    type Service = Filtered<S, RequireRole>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::clone(&self.0))
    }
}

impl Filter for RequireRole {
    const NAME: &'static str = "role";
    type Tap = ();

    async fn request(&self, call: &mut Call) -> Result<Flow<()>, Refusal> {
        match require_role(call.parts(), self.0) {
            Ok(_) => Ok(Flow::Pass(())),
            Err(refusal) => {
                call.note(Note::new(Self::NAME, "refused").word("needs", self.0.as_str()));
                Err(refusal)
            }
        }
    }
}

/// Gives the request's principal when it has `role`, for a handler that checks for itself.
///
/// # Errors
/// 401 without a principal, 403 when it has not the role.
pub fn require_role(parts: &Parts, role: Role) -> Result<&Principal, Refusal> {
    let principal = parts.extensions.get::<Principal>().ok_or_else(|| {
        Refusal::new(
            RefusalKind::Unauthorized,
            "unauthenticated",
            "This needs an API key.",
        )
    })?;
    if principal.role().covers(role) {
        Ok(principal)
    } else {
        Err(refuse::role_required())
    }
}

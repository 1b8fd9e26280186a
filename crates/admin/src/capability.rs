//! What a handler needs, in its type.

use std::fmt;
use std::marker::PhantomData;

use bartizan_auth::{Action, Reach, allowed};
use bartizan_core::{Principal, Refusal, RefusalKind};
use bartizan_limit::spend::Spend;
use http::request::Parts;

/// Something that a handler does for a caller, named in the handler's type.
///
/// Who may do it stands in one table, [`bartizan_auth::reach`].
pub trait Capability: Send + Sync + 'static {
    /// What it is in the table.
    const ACTION: Action;
}

/// A caller who may do what `C` names, to some things at least.
///
/// Nothing but the router makes one: it asks the table for the route's capability and the verified caller, after it has matched the route and
/// before the handler runs. What the caller may do it to is [`reach`](Self::reach), which [`Keys`](bartizan_auth::Keys) goes by.
pub struct Permitted<C> {
    by: Principal,
    reach: Reach,
    spend: Option<Spend>,
    capability: PhantomData<fn() -> C>,
}

impl<C: Capability> Permitted<C> {
    /// Asks the table.
    pub(crate) fn check(parts: &Parts) -> Result<Self, Refusal> {
        let by = parts.extensions.get::<Principal>().ok_or_else(|| {
            Refusal::new(
                RefusalKind::Unauthorized,
                "unauthenticated",
                "This needs an API key.",
            )
        })?;
        match allowed(by, C::ACTION) {
            Reach::None => Err(Refusal::new(
                RefusalKind::Forbidden,
                "not_allowed",
                format!(
                    "not allowed: {} needs another role, or a key for it",
                    C::ACTION.as_str()
                ),
            )),
            reach => Ok(Self {
                by: by.clone(),
                reach,
                spend: parts.extensions.get::<Spend>().cloned(),
                capability: PhantomData,
            }),
        }
    }

    /// Who asks.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        &self.by
    }

    /// Where it is known what was spent, if anywhere.
    pub(crate) const fn spend(&self) -> Option<&Spend> {
        self.spend.as_ref()
    }

    /// To whose things it reaches.
    #[must_use]
    pub const fn reach(&self) -> Reach {
        self.reach
    }
}

impl<C: Capability> fmt::Debug for Permitted<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permitted")
            .field("by", &self.by)
            .field("action", &C::ACTION)
            .field("reach", &self.reach)
            .finish()
    }
}

macro_rules! capabilities {
    ($($name:ident)*) => {$(
        #[doc = concat!("[`Action::", stringify!($name), "`].")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Capability for $name {
            const ACTION: Action = Action::$name;
        }
    )*};
}

capabilities! {
    SeeKeys GenerateKey UpdateKey RegenerateKey RevokeKey BlockKey PurgeKey
    SeeOrganizations CreateOrganization UpdateOrganization BoundOrganization ManageOrganizationMembers DeleteOrganization
    SeeTeams CreateTeam UpdateTeam BoundTeam ManageTeamMembers DeleteTeam
    SeeUsers CreateUser UpdateUser BoundUser DeleteUser
    SeeSpend ResetSpend EraseSpend SeeSightings SeeAudit SeeSettings
}

//! Callers that are known by something other than a key of this gateway.

use std::pin::Pin;

use http::request::Parts;

use crate::keys::{Claims, Denied};

/// Tells who calls by a token, a certificate, or a trusted peer's word. [`AuthLayer::outside`](crate::AuthLayer::outside) asks it.
///
/// What it claims it has verified: the layer only looks up what binds the one that it names.
pub trait Outside: Send + Sync + 'static {
    /// Gives what a verified credential says, or `None` when the request bears none of the kind that it knows: then the next is asked.
    ///
    /// `credential` is what stood in the headers of keys, which were taken out of `parts`: no text that claims to be a virtual key, and `None`
    /// where there was nothing.
    ///
    /// # Errors
    /// [`Denied`] for a credential of its kind that is not good, or that can't be checked: nobody else is asked.
    fn claims(
        &self,
        parts: &Parts,
        credential: Option<&str>,
    ) -> impl Future<Output = Result<Option<Claims>, Denied>> + Send;
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Option<Claims>, Denied>> + Send + 'a>>;

/// [`Outside`] with its type forgotten.
pub(crate) trait AnyOutside: Send + Sync {
    fn claims<'a>(&'a self, parts: &'a Parts, credential: Option<&'a str>) -> Answer<'a>;
}

impl<O: Outside> AnyOutside for O {
    fn claims<'a>(&'a self, parts: &'a Parts, credential: Option<&'a str>) -> Answer<'a> {
        Box::pin(Outside::claims(self, parts, credential))
    }
}

//! How an issuer's keys are had, without knowing of any client.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use http::{StatusCode, Uri};

/// Gets a document of an issuer. This crate opens no connection: whoever sets up [`Jwt`](super::Jwt) says how.
///
/// An implementation follows no redirect, sends no credential, and connects only to where it may: what it is asked for may come out of a document
/// that the issuer published. Time-outs, the bound on size and the demand for `https` are [`Jwt`](super::Jwt)'s; an implementation should stop reading
/// at the bound.
///
/// ```
/// use bartizan_auth::jwt::{Fetch, FetchError, Fetched};
/// use http::{StatusCode, Uri};
///
/// /// Serves what was read from a file, for a network without a way out.
/// struct Pinned(Vec<u8>);
///
/// impl Fetch for Pinned {
///     async fn get(&self, _: &Uri, _: usize) -> Result<Fetched, FetchError> {
///         Ok(Fetched::new(StatusCode::OK, self.0.clone()))
///     }
/// }
/// # let _ = Pinned(Vec::new());
/// ```
pub trait Fetch: Send + Sync + 'static {
    /// Gets `url` by GET, and reads no more than `most` bytes of the answer.
    fn get(
        &self,
        url: &Uri,
        most: usize,
    ) -> impl Future<Output = Result<Fetched, FetchError>> + Send;
}

/// What came back.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// The answer's status, as it came: a redirect is 302.
    pub status: StatusCode,
    /// The body.
    pub body: Vec<u8>,
}

impl Fetched {
    /// Creates an answer.
    #[must_use]
    pub fn new(status: StatusCode, body: Vec<u8>) -> Self {
        Self { status, body }
    }
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish()
    }
}

/// Nothing came back, or too much.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(#[source] Box<dyn Error + Send + Sync>);

impl FetchError {
    /// Says what happened.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

pub(super) type Answer<'a> = Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send + 'a>>;

/// [`Fetch`] as an object.
pub(super) trait AnyFetch: Send + Sync + 'static {
    fn get<'a>(&'a self, url: &'a Uri, most: usize) -> Answer<'a>;
}

impl<T: Fetch> AnyFetch for T {
    fn get<'a>(&'a self, url: &'a Uri, most: usize) -> Answer<'a> {
        Box::pin(Fetch::get(self, url, most))
    }
}

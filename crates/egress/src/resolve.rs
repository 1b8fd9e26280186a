//! From names to addresses.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;

/// What a [`Resolver`] gives.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Resolves names.
///
/// It is asked once a connection. What it answers is checked, and the connection goes to what was checked: a second, other
/// answer can't matter, since there is no second question.
pub trait Resolver: fmt::Debug + Send + Sync + 'static {
    /// The addresses of `host`, a name in lower case, in the order in which to try them.
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a>;
}

/// The operating system's resolver (`getaddrinfo`), on threads where blocking is allowed.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemResolver;

impl SystemResolver {
    /// Creates it.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((host, 0))
                .await?
                .map(|address| address.ip())
                .collect())
        })
    }
}

//! From names to addresses.

use std::fmt;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;

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

/// A lookup can't be given up once it runs, and a resolver that hangs must not take every thread on which blocking is allowed:
/// other work, such as writing the audit journal, needs some too.
const MOST_LOOKUPS: usize = 64;

/// The operating system's resolver (`getaddrinfo`), on threads where blocking is allowed, at most 64 lookups at once. Clones
/// share the limit.
#[derive(Clone, Debug)]
pub struct SystemResolver {
    lookups: Arc<Semaphore>,
}

impl SystemResolver {
    /// Creates it.
    #[must_use]
    pub fn new() -> Self {
        Self {
            lookups: Arc::new(Semaphore::new(MOST_LOOKUPS)),
        }
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            let permit = Arc::clone(&self.lookups)
                .acquire_owned()
                .await
                .map_err(io::Error::other)?;
            let host = host.to_owned();
            let lookup = tokio::task::spawn_blocking(move || {
                let found = (host.as_str(), 0)
                    .to_socket_addrs()
                    .map(|found| found.map(|address| address.ip()).collect());
                // Held until the lookup itself is over, whoever gave up waiting.
                drop(permit);
                found
            });
            lookup.await.map_err(io::Error::other)?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_knows_this_machine_and_gives_back_its_places() {
        let resolver = SystemResolver::new();
        for _ in 0..MOST_LOOKUPS + 1 {
            let found = resolver.resolve("localhost").await.unwrap();
            assert!(
                !found.is_empty() && found.iter().all(IpAddr::is_loopback),
                "{found:?}"
            );
        }
        assert_eq!(resolver.lookups.available_permits(), MOST_LOOKUPS);
    }
}

//! The checked connector.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use metrics::counter;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tower_layer::Layer;
use tower_service::Service;

use crate::error::{Error, Step};
use crate::origin::{Host, Origin};
use crate::policy::{Policy, Reach, is_localhost};
use crate::resolve::{Resolver, SystemResolver};

/// No honest name needs more tries than this.
const MOST_ADDRESSES: usize = 8;

pub(crate) type Boxed<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Applies a [`Policy`] to a connector: turns one that dials addresses into one that takes URIs and reaches only what is allowed.
///
/// A URI whose origin isn't allowed is refused before anything is resolved. Otherwise its name is resolved once, addresses
/// that the policy doesn't open are struck out, and the inner service dials one that is left.
///
/// The result fits hyper's client and tonic's `Endpoint::connect_with_connector`. TLS belongs outside it, where the name is
/// still known; [`Client`](crate::Client) is such a stack, ready made.
///
/// ```
/// use bartizan_egress::{EgressLayer, Policy, Tcp};
/// use tower_layer::Layer as _;
///
/// let policy = Policy::closed().allow("http://vectors.example".parse()?);
/// let connector = EgressLayer::new(policy).layer(Tcp::new());
/// # Ok::<(), bartizan_egress::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EgressLayer {
    policy: Arc<Policy>,
    resolver: Arc<dyn Resolver>,
    dns: Duration,
    connect: Duration,
}

impl EgressLayer {
    /// Creates the layer, with the system's resolver, and 5 s each to resolve and to connect.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let limit = Duration::from_secs(5);
        Self {
            policy: Arc::new(policy),
            resolver: Arc::new(SystemResolver::new()),
            dns: limit,
            connect: limit,
        }
    }

    /// Sets the resolver.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Sets how long resolving a name may take.
    #[must_use]
    pub fn dns_timeout(mut self, limit: Duration) -> Self {
        self.dns = limit;
        self
    }

    /// Sets how long connecting may take, all addresses of a name together.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect = limit;
        self
    }

    /// The addresses that may be dialled for `uri`, at least one.
    async fn admitted(&self, uri: &Uri) -> Result<Vec<SocketAddr>, Error> {
        let origin = Origin::of(uri)?;
        let reach = self.policy.reach(&origin)?;
        let found = match origin.parsed_host() {
            Host::Address(address) => vec![*address],
            Host::Name(name) if is_localhost(name) => vec![
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::LOCALHOST),
            ],
            Host::Name(name) => {
                let resolved = timeout(self.dns, self.resolver.resolve(name)).await;
                resolved
                    .map_err(|_| Error::TimedOut(Step::Dns))?
                    .map_err(|error| Error::Dns(Arc::new(error)))?
            }
        };
        admit(&origin, reach, &found)
    }
}

fn admit(origin: &Origin, reach: Reach, found: &[IpAddr]) -> Result<Vec<SocketAddr>, Error> {
    let mut forbidden = None;
    let mut admitted = Vec::new();
    for address in found {
        match Policy::admit(origin, reach, *address) {
            Ok(()) => admitted.push(SocketAddr::new(*address, origin.port())),
            Err(class) => {
                tracing::warn!(%origin, %class, "struck out an address that the egress policy doesn't open");
                forbidden = Some(class);
            }
        }
    }
    admitted.truncate(MOST_ADDRESSES);
    match forbidden {
        _ if !admitted.is_empty() => Ok(admitted),
        Some(class) => Err(Error::ForbiddenAddress {
            origin: origin.to_string(),
            class,
        }),
        None => Err(Error::Dns(Arc::new(io::Error::new(
            io::ErrorKind::NotFound,
            "it has no address",
        )))),
    }
}

impl<S> Layer<S> for EgressLayer {
    type Service = Egress<S>;

    fn layer(&self, dial: S) -> Egress<S> {
        Egress {
            layer: self.clone(),
            dial,
        }
    }
}

/// A connector that reaches only what its [`Policy`] allows; made by [`EgressLayer`].
#[derive(Clone)]
pub struct Egress<S> {
    layer: EgressLayer,
    dial: S,
}

impl<S> Egress<S>
where
    S: Service<SocketAddr> + Clone + Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::Future: Send,
{
    async fn connect(mut self, uri: Uri) -> Result<S::Response, Error> {
        let addresses = self.layer.admitted(&uri).await?;
        let deadline = Instant::now() + self.layer.connect;
        let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        let mut last = Error::TimedOut(Step::Connect);
        for address in addresses {
            // An address that swallows packets must not use up the time of those behind it.
            let now = Instant::now();
            let share = now + deadline.saturating_duration_since(now) / left.max(1);
            left = left.saturating_sub(1);
            let dialled = async {
                std::future::poll_fn(|cx| self.dial.poll_ready(cx)).await?;
                self.dial.call(address).await
            };
            match timeout_at(share, dialled).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => last = Error::Connect(Arc::from(error.into())),
                Err(_) => last = Error::TimedOut(Step::Connect),
            }
        }
        Err(last)
    }
}

impl<S> Service<Uri> for Egress<S>
where
    S: Service<SocketAddr> + Clone + Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::Future: Send,
{
    type Response = S::Response;
    type Error = Error;
    type Future = Boxed<S::Response, Error>;

    /// Always ready: the inner service is waited for when its address is known.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.clone().connect(uri);
        Box::pin(async move {
            connecting.await.inspect_err(|error| {
                counter!("bartizan.egress.failed_connections", "reason" => error.code())
                    .increment(1);
                tracing::debug!(%error, "no connection");
            })
        })
    }
}

impl<S> fmt::Debug for Egress<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress")
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}

/// Dials TCP, with `TCP_NODELAY`: without it, a stream's small writes wait 40 ms for acknowledgements.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Tcp;

impl Tcp {
    /// Creates it.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Service<SocketAddr> for Tcp {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Boxed<Self::Response, io::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: SocketAddr) -> Self::Future {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        })
    }
}

#[cfg(test)]
mod tests;

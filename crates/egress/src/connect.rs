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
        Self { policy: Arc::new(policy), resolver: Arc::new(SystemResolver::new()), dns: limit, connect: limit }
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
            Host::Name(name) if is_localhost(name) => vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
            Host::Name(name) => {
                let resolved = timeout(self.dns, self.resolver.resolve(name)).await;
                resolved.map_err(|_| Error::TimedOut(Step::Dns))?.map_err(|error| Error::Dns(Arc::new(error)))?
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
        Some(class) => Err(Error::ForbiddenAddress { origin: origin.to_string(), class }),
        None => Err(Error::Dns(Arc::new(io::Error::new(io::ErrorKind::NotFound, "it has no address")))),
    }
}

impl<S> Layer<S> for EgressLayer {
    type Service = Egress<S>;

    fn layer(&self, dial: S) -> Egress<S> {
        Egress { layer: self.clone(), dial }
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
                counter!("bartizan.egress.refused_connections", "reason" => error.code()).increment(1);
                tracing::debug!(%error, "no connection");
            })
        })
    }
}

impl<S> fmt::Debug for Egress<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("layer", &self.layer).finish_non_exhaustive()
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
mod tests {
    use std::sync::Mutex;

    use tokio::net::TcpListener;

    use super::*;
    use crate::resolve::Resolving;

    /// Answers with the next of its lists, and the last one for ever.
    #[derive(Clone, Debug)]
    struct Stub(Arc<Mutex<(Vec<Vec<IpAddr>>, Vec<String>)>>);

    impl Stub {
        fn new(answers: &[&[&str]]) -> Self {
            let list = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
            Self(Arc::new(Mutex::new((answers.iter().map(list).collect(), Vec::new()))))
        }

        fn asked(&self) -> usize {
            self.0.lock().unwrap().1.len()
        }
    }

    impl Resolver for Stub {
        fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
            let mut stub = self.0.lock().unwrap();
            stub.1.push(host.to_owned());
            let answer = if stub.0.len() > 1 { stub.0.remove(0) } else { stub.0[0].clone() };
            Box::pin(async move { Ok(answer) })
        }
    }

    /// Notes what is dialled, and fails for, hangs on, or takes it.
    #[derive(Clone, Debug, Default)]
    struct Dialled {
        addresses: Arc<Mutex<Vec<SocketAddr>>>,
        fails: Vec<IpAddr>,
        hangs: Vec<IpAddr>,
    }

    impl Service<SocketAddr> for Dialled {
        type Response = SocketAddr;
        type Error = io::Error;
        type Future = Boxed<SocketAddr, io::Error>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, address: SocketAddr) -> Self::Future {
            self.addresses.lock().unwrap().push(address);
            let (fails, hangs) = (self.fails.contains(&address.ip()), self.hangs.contains(&address.ip()));
            Box::pin(async move {
                match (fails, hangs) {
                    (true, _) => Err(io::ErrorKind::ConnectionRefused.into()),
                    (_, true) => std::future::pending().await,
                    _ => Ok(address),
                }
            })
        }
    }

    async fn connect(policy: Policy, stub: &Stub, dial: Dialled, uri: &str) -> Result<SocketAddr, Error> {
        EgressLayer::new(policy).resolver(stub.clone()).layer(dial).call(uri.parse().unwrap()).await
    }

    fn api() -> Policy {
        Policy::closed().allow("https://api.example".parse().unwrap())
    }

    #[tokio::test]
    async fn the_address_that_was_checked_is_the_one_that_is_dialled() {
        let dial = Dialled::default();
        // A rebinding name: public when it is checked, loopback ever after.
        let stub = Stub::new(&[&["93.184.216.34"], &["127.0.0.1"]]);
        let reached = connect(api(), &stub, dial.clone(), "https://api.example/v1").await.unwrap();
        assert_eq!(reached, "93.184.216.34:443".parse().unwrap());
        assert_eq!(stub.asked(), 1);
        let again = connect(api(), &stub, dial.clone(), "https://api.example/v1").await;
        assert!(matches!(again, Err(Error::ForbiddenAddress { class: crate::Class::Loopback, .. })));
        assert_eq!(*dial.addresses.lock().unwrap(), [reached]);
    }

    #[tokio::test]
    async fn forbidden_addresses_are_struck_out_of_an_answer() {
        let dial = Dialled::default();
        let stub = Stub::new(&[&["127.0.0.1", "10.0.0.1", "::1", "::ffff:127.0.0.1", "93.184.216.34", "169.254.169.254"]]);
        let reached = connect(api(), &stub, dial.clone(), "https://api.example/").await.unwrap();
        assert_eq!(*dial.addresses.lock().unwrap(), [reached]);
        assert_eq!(reached, "93.184.216.34:443".parse().unwrap());
    }

    #[tokio::test]
    async fn what_is_not_allowed_is_neither_resolved_nor_dialled() {
        let (dial, stub) = (Dialled::default(), Stub::new(&[&["93.184.216.34"]]));
        for uri in [
            "http://api.example/",
            "https://api.example:444/",
            "https://other.example/",
            "https://api.example@other.example/",
            "https://user@api.example/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://127.1/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "/v1/chat/completions",
        ] {
            assert!(connect(api(), &stub, dial.clone(), uri).await.is_err(), "{uri}");
        }
        assert_eq!((stub.asked(), dial.addresses.lock().unwrap().len()), (0, 0));
    }

    #[tokio::test]
    async fn localhost_is_this_machine_whatever_a_resolver_says() {
        let (dial, stub) = (Dialled::default(), Stub::new(&[&["93.184.216.34"]]));
        let policy = Policy::closed().allow("http://localhost:11434".parse().unwrap());
        let reached = connect(policy, &stub, dial, "http://localhost:11434/").await.unwrap();
        assert_eq!((reached, stub.asked()), ("127.0.0.1:11434".parse().unwrap(), 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_address_is_tried_when_one_refuses_or_hangs() {
        let [a, b, c] = ["93.184.216.1", "93.184.216.2", "93.184.216.3"];
        let stub = Stub::new(&[&[a, b, c]]);
        let dial = Dialled { fails: vec![a.parse().unwrap()], hangs: vec![b.parse().unwrap()], ..Dialled::default() };
        let reached = connect(api(), &stub, dial.clone(), "https://api.example/").await.unwrap();
        assert_eq!(reached.ip(), c.parse::<IpAddr>().unwrap());

        let start = Instant::now();
        let all = [a, b, c].map(|text| text.parse().unwrap()).to_vec();
        let hung = connect(api(), &stub, Dialled { hangs: all.clone(), ..Dialled::default() }, "https://api.example/").await;
        assert!(matches!(hung, Err(Error::TimedOut(Step::Connect))));
        assert!(start.elapsed() < Duration::from_millis(5_100));
        let refused = connect(api(), &stub, Dialled { fails: all, ..Dialled::default() }, "https://api.example/").await;
        assert!(matches!(refused, Err(Error::Connect(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_resolver_that_hangs_fails_or_knows_nothing_is_no_way_in() {
        #[derive(Debug)]
        struct Hangs;
        impl Resolver for Hangs {
            fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
                Box::pin(std::future::pending())
            }
        }
        let dial = Dialled::default();
        let layer = EgressLayer::new(api()).resolver(Hangs).dns_timeout(Duration::from_secs(2));
        let hung = layer.layer(dial.clone()).call(Uri::from_static("https://api.example/")).await;
        assert!(matches!(hung, Err(Error::TimedOut(Step::Dns))));
        let unknown = connect(api(), &Stub::new(&[&[]]), dial.clone(), "https://api.example/").await;
        assert!(matches!(unknown, Err(Error::Dns(_))));
        assert!(dial.addresses.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn upstream_sockets_have_tcp_nodelay() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = Tcp::new().call(listener.local_addr().unwrap()).await.unwrap();
        assert!(stream.inner().nodelay().unwrap());
    }
}

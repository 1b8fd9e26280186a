//! The client: pooled connections through the checked connector, and time limits on everything.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

#[cfg(feature = "aws")]
use bartizan_core::BodyLimit;
use bartizan_core::{Body, BoxError, Dialect, Refusal, RefusalKind, towards_client};
#[cfg(any(feature = "aws", feature = "google"))]
use bartizan_core::{Clock, SystemClock};
use bytes::Bytes;
#[cfg(feature = "google")]
use http::header::AUTHORIZATION;
use http::{Extensions, Request, Response};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use metrics::counter;
use tokio::time::{Instant, timeout};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::connect::{Boxed, Egress, EgressLayer, Tcp};
use crate::error::{Error, Step};
use crate::policy::Policy;
use crate::resolve::Resolver;
use crate::target::Target;
use crate::timed::Timed;
use crate::tls::{Roots, Tls};

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Timeouts {
    pub(crate) head: Duration,
    pub(crate) idle: Duration,
    pub(crate) total: Duration,
}

impl Default for Timeouts {
    /// 10 minutes to the head (an unstreamed answer is generated whole before it), 2 minutes of silence, an hour in all.
    fn default() -> Self {
        Self {
            head: Duration::from_secs(600),
            idle: Duration::from_secs(120),
            total: Duration::from_secs(3_600),
        }
    }
}

impl Timeouts {
    /// Sets how long the answer's head may take from the call's start, connecting included; 10 minutes by default.
    pub fn head(mut self, limit: Duration) -> Self {
        self.head = limit;
        self
    }

    /// Sets how long the answer may be silent between two pieces; 2 minutes by default.
    pub fn idle(mut self, limit: Duration) -> Self {
        self.idle = limit;
        self
    }

    /// Sets how long the whole call may take, to the answer's last byte; an hour by default.
    pub fn total(mut self, limit: Duration) -> Self {
        self.total = limit;
        self
    }
}

/// Settings of a [`Client`].
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    layer: EgressLayer,
    roots: Roots,
    tls: Duration,
    timeouts: Timeouts,
    idle_connections: usize,
    idle_connection: Duration,
    #[cfg(any(feature = "aws", feature = "google"))]
    clock: Arc<dyn Clock>,
}

impl ClientBuilder {
    /// Sets the resolver; the operating system's by default.
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.layer = self.layer.resolver(resolver);
        self
    }

    /// Trusts the roots in `pem` too, beside Mozilla's: a company's own authority.
    ///
    /// # Errors
    /// [`Error::Roots`] when no certificate can be read from it.
    pub fn add_roots(mut self, pem: &[u8]) -> Result<Self, Error> {
        self.roots.add_pem(pem)?;
        Ok(self)
    }

    /// Trusts the roots in `pem` and no others.
    ///
    /// # Errors
    /// [`Error::Roots`] when no certificate can be read from it.
    pub fn only_roots(mut self, pem: &[u8]) -> Result<Self, Error> {
        self.roots = Roots::none();
        self.add_roots(pem)
    }

    /// Sets how long resolving a name may take; 5 s by default.
    pub fn dns_timeout(mut self, limit: Duration) -> Self {
        self.layer = self.layer.dns_timeout(limit);
        self
    }

    /// Sets how long connecting may take; 5 s by default.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.layer = self.layer.connect_timeout(limit);
        self
    }

    /// Sets how long the TLS handshake may take; 5 s by default.
    pub fn tls_timeout(mut self, limit: Duration) -> Self {
        self.tls = limit;
        self
    }

    /// Sets how long a call may take, where its [`Target`] doesn't say.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets how many unused connections are kept for each origin, and for how long; 64 and 50 s by default, under the minute
    /// after which most providers close theirs.
    pub fn keep_idle(mut self, connections: usize, limit: Duration) -> Self {
        (self.idle_connections, self.idle_connection) = (connections, limit);
        self
    }

    /// Sets the clock by which requests are signed and tokens renewed; the machine's own by default.
    #[cfg(any(feature = "aws", feature = "google"))]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`Error::Roots`] when TLS can't be set up.
    pub fn build(self) -> Result<Client, Error> {
        let connector = Tls::new(self.layer.layer(Tcp::new()), self.roots, self.tls)?;
        let inner = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(self.idle_connections)
            .pool_idle_timeout(self.idle_connection)
            .build(connector);
        Ok(Client {
            inner,
            timeouts: self.timeouts,
            #[cfg(any(feature = "aws", feature = "google"))]
            clock: self.clock,
        })
    }
}

/// Sends requests where its [`Policy`] allows, and nowhere else.
///
/// Follows no redirect: the answer that asks for one is the answer. A request that a [`Target`] made gets the target's
/// credential last, if it still goes to the target's origin, and its answer keeps only the headers that
/// [`towards_client`] lets through. As a tower service it never fails: what went wrong is an answer in the
/// request's dialect, with the [`Refusal`] in its extensions. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    inner: legacy::Client<Tls<Egress<Tcp>>, Body>,
    timeouts: Timeouts,
    #[cfg(any(feature = "aws", feature = "google"))]
    clock: Arc<dyn Clock>,
}

impl Client {
    /// Starts a client's settings from their defaults.
    pub fn builder(policy: Policy) -> ClientBuilder {
        ClientBuilder {
            layer: EgressLayer::new(policy),
            roots: Roots::web(),
            tls: Duration::from_secs(5),
            timeouts: Timeouts::default(),
            idle_connections: 64,
            idle_connection: Duration::from_secs(50),
            #[cfg(any(feature = "aws", feature = "google"))]
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// 504 `upstream_timeout`, 502 `upstream_unreachable`, `upstream_failed` or `egress_refused`: which kind of thing went
    /// wrong, and nothing of where.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Refusal> {
        let sent = self.try_send(request).await;
        counter!("bartizan.egress.calls", "outcome" => sent.as_ref().map_or_else(Error::code, |_| "answered")).increment(1);
        sent.map_err(|error| {
            tracing::debug!(%error, "no answer");
            error.refusal()
        })
    }

    pub(crate) async fn try_send(
        &self,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Error> {
        let target = request.extensions_mut().remove::<Target>();
        let timeouts = target
            .as_ref()
            .and_then(Target::own_timeouts)
            .unwrap_or(self.timeouts);
        let deadline = Instant::now() + timeouts.total;
        let call = async {
            if let Some(target) = &target {
                self.authorize(target, &mut request).await?;
            }
            // What the layers told each other must not live on with the connection.
            *request.extensions_mut() = Extensions::new();
            self.inner.request(request).await.map_err(Error::from_hyper)
        };
        let answered = timeout(timeouts.head.min(timeouts.total), call).await;
        let response = answered.map_err(|_| Error::TimedOut(Step::Head))??;
        let mut response =
            response.map(|body| Body::new(Timed::new(body, timeouts.idle, deadline)));
        if target.is_some() {
            *response.headers_mut() = towards_client(response.headers());
        }
        Ok(response)
    }

    /// Puts the target's credential on, as the last thing.
    async fn authorize(&self, target: &Target, request: &mut Request<Body>) -> Result<(), Error> {
        let uri = request.uri().clone();
        target.authorize(&uri, request.headers_mut())?;
        #[cfg(feature = "aws")]
        if let Some(signer) = target.signer() {
            let limit = request.extensions().get::<BodyLimit>().copied();
            let limit = limit.unwrap_or_default().request;
            signer.sign(request, self.clock.unix(), limit).await?;
        }
        #[cfg(feature = "google")]
        if let Some(account) = target.account() {
            let value = account.bearer(self).await?;
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(())
    }

    #[cfg(feature = "google")]
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// A service that sends every request to `target`, at the path that the request has.
    ///
    /// ```
    /// use bartizan_egress::{Client, Policy, Target};
    /// # let secret: secrecy::SecretString = "sk-provider".into();
    /// let target = Target::new("https://api.openai.com")?.bearer(secret)?;
    /// let client = Client::builder(Policy::closed().allow(target.origin().clone())).build()?;
    /// let provider = client.upstream(target);
    /// # Ok::<(), bartizan_egress::Error>(())
    /// ```
    #[must_use]
    pub fn upstream(&self, target: Target) -> Upstream {
        Upstream {
            client: self.clone(),
            target,
        }
    }
}

impl Error {
    /// Finds this crate's own error in what hyper's client made of it.
    fn from_hyper(error: legacy::Error) -> Self {
        let mut source = error.source();
        while let Some(inner) = source {
            if let Some(own) = inner.downcast_ref::<Self>() {
                return own.clone();
            }
            source = inner.source();
        }
        Self::Call(Arc::new(error))
    }
}

impl<B> Service<Request<B>> for Client
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Boxed<Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let client = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let dialect = Dialect::of(&parts);
            let sent = client
                .send(Request::from_parts(parts, Body::new(body)))
                .await;
            Ok(sent.unwrap_or_else(|refusal| refusal.render(dialect)))
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// A service that sends every request to one [`Target`]; made by [`Client::upstream`].
#[derive(Clone, Debug)]
pub struct Upstream {
    client: Client,
    target: Target,
}

impl<B> Service<Request<B>> for Upstream
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Boxed<Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let dialect = Dialect::of(&parts);
        let path = parts.uri.path().to_owned();
        let mut client = self.client.clone();
        match self.target.request(parts, &path, body) {
            Ok(mut request) => {
                request.extensions_mut().insert(dialect);
                client.call(request)
            }
            Err(_) => {
                let refusal = Refusal::new(
                    RefusalKind::BadRequest,
                    "invalid_request",
                    "this method or path can't be sent on to a provider",
                );
                Box::pin(std::future::ready(Ok(refusal.render(dialect))))
            }
        }
    }
}

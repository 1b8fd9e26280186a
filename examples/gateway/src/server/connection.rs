//! One connection: its handshake, its requests, and what ends it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bartizan::core::{Body, ClientCertificate, ClientIp, PeerIp, Refusal, RefusalKind};
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch as signal;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::body::{Answer, Late, Sent};
use super::framing::Strict;
use super::socket::Socket;
use super::watch::{Verdict, Watch};
use super::{Callers, Front, certificate};
use crate::config::Times;

/// Twice what hyper's own parser takes by default; requests of SDKs have some 20.
const MOST_HEADERS: usize = 128;
const MOST_HEADER_BYTES: usize = 64 * 1024;
const MOST_STREAMS: u32 = 128;

/// What one connection needs to be served.
pub(super) struct Connection<F> {
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) times: Times,
    pub(super) callers: Callers,
    pub(super) front: F,
    pub(super) drain: signal::Receiver<()>,
    /// Who is at the other end.
    pub(super) peer: IpAddr,
}

impl<F: Front> Connection<F> {
    pub(super) async fn serve(self, stream: TcpStream) {
        // Nagle's algorithm and a peer's delayed acknowledgement together hold each small event back for 40 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY can't be set");
        }
        let watch = Watch::new();
        let socket = Socket::new(stream, Arc::clone(&watch), self.times.write);
        match self.tls.clone() {
            None => self.requests(socket, None, watch).await,
            Some(tls) => match tokio::time::timeout(self.times.header, tls.accept(socket)).await {
                Ok(Ok(stream)) => {
                    let certificate = caller(&stream);
                    self.requests(stream, certificate, watch).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "the TLS handshake failed"),
                Err(_) => tracing::debug!("the TLS handshake took too long"),
            },
        }
    }

    // ## Serving => Draining: the gateway stops, or the connection is idle. No new request is taken.
    // ## (Serving or Draining) => closed: its last answer is through, it failed, or it was too slow.
    async fn requests<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        mut self,
        stream: T,
        certificate: Option<ClientCertificate>,
        watch: Arc<Watch>,
    ) {
        let (times, front, watched) = (self.times, self.front.clone(), Arc::clone(&watch));
        let (peer, callers) = (self.peer, self.callers.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            let caller = callers.address(peer, request.headers());
            let extensions = request.extensions_mut();
            extensions.insert(PeerIp(peer));
            extensions.insert(ClientIp(caller));
            if let Some(certificate) = &certificate {
                extensions.insert(certificate.clone());
            }
            let let_in = callers.let_in(caller);
            answer(request, let_in, front.clone(), times, Arc::clone(&watched))
        });
        let builder = builder();
        let mut connection =
            std::pin::pin!(builder.serve_connection(TokioIo::new(Strict::new(stream)), service));
        let mut tick = interval(
            (times.header.min(times.idle) / 4)
                .clamp(Duration::from_millis(10), Duration::from_secs(1)),
        );
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut draining = false;
        let mut idle_for = 0_u32;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection failed");
                    }
                    return;
                }
                _ = self.drain.changed(), if !draining => {
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                }
                _ = tick.tick() => match watch.verdict(&times) {
                    Verdict::Fine => idle_for = 0,
                    Verdict::Slow => {
                        tracing::debug!("a request's head took too long");
                        return;
                    }
                    Verdict::Idle => {
                        idle_for += 1;
                        match idle_for {
                            1 => connection.as_mut().graceful_shutdown(),
                            // A peer that was told, and holds on.
                            2..=10 => {}
                            _ => return,
                        }
                    }
                },
            }
        }
    }
}

/// What the caller's certificate says, where it has shown one.
fn caller<T>(stream: &TlsStream<T>) -> Option<ClientCertificate> {
    let (_, session) = stream.get_ref();
    let shown = session.peer_certificates()?.first()?;
    let said = certificate::read(shown);
    if said.is_none() {
        tracing::warn!("a caller's certificate is verified and can't be read: it is nobody's");
    }
    said
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // `Watch` does it better.
        .header_read_timeout(None)
        .max_headers(MOST_HEADERS)
        .max_buf_size(MOST_HEADER_BYTES)
        .half_close(false)
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(64 * 1024)
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

async fn answer<F: Front>(
    request: Request<Incoming>,
    let_in: bool,
    front: F,
    times: Times,
    watch: Arc<Watch>,
) -> Result<Response<Answer>, Infallible> {
    let framed = request.version() == Version::HTTP_2;
    let under_way = watch.request(framed);
    let late = Late::default();
    let place = front.place(request.method(), request.uri().path());
    let dialect = F::dialect(&place);
    if !let_in && !F::is_liveness(&place) {
        tracing::debug!("a call from an address that is not among allowed_ips");
        let refusal = Refusal::new(
            RefusalKind::Forbidden,
            "address_not_allowed",
            "this gateway may not be called from this address",
        );
        let response = refusal.render(dialect);
        return Ok(response.map(|body| Answer::new(body, under_way)));
    }
    let request = request.map(|body| Body::new(Sent::new(body, times, late.clone())));
    let answered = tokio::time::timeout(times.total, front.answer(place, request)).await;
    let mut response = answered.unwrap_or_else(|_| {
        Refusal::new(
            RefusalKind::UpstreamTimeout,
            "gateway_timeout",
            "the answer took too long",
        )
        .render(dialect)
    });
    if late.is() {
        response = Refusal::new(
            RefusalKind::Timeout,
            "request_too_slow",
            "the request's body came too slowly",
        )
        .render(dialect);
        if !framed {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
    Ok(response.map(|body| Answer::new(body, under_way)))
}

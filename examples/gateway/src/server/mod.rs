//! Accepts connections, and serves each within its times until it is told to stop.

mod body;
mod callers;
mod certificate;
mod connection;
mod framing;
mod socket;
mod tls;
mod watch;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bartizan::core::{Body, Dialect};
use http::{Method, Request, Response};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch as signal};
use tokio::task::JoinSet;

use crate::config::Times;

pub(crate) use callers::Callers;
pub(crate) use tls::Tls;

use connection::Connection;

/// What answers behind a listener.
pub(crate) trait Front: Clone + Send + Sync + 'static {
    /// Where a request goes.
    type Place: Send;

    /// Tells it by method and path.
    fn place(&self, method: &Method, path: &str) -> Self::Place;

    /// What callers of a place speak, for what the listener itself must say.
    fn dialect(place: &Self::Place) -> Dialect;

    /// Whether it is where one asks whether the process lives, which whoever reaches it may.
    fn is_liveness(place: &Self::Place) -> bool;

    /// Answers one request.
    fn answer(
        &self,
        place: Self::Place,
        request: Request<Body>,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// A listener, and what answers behind it.
pub(crate) struct Server<F> {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<Tls>,
    pub(crate) times: Times,
    pub(crate) max_connections: usize,
    pub(crate) callers: Callers,
    pub(crate) front: F,
}

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    /// All that was under way came to its end.
    Whole,
    /// So many connections were cut off at the end of the grace period.
    Cut(usize),
}

impl Drained {
    /// How two servers ended together.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Whole, other) => other,
            (Self::Cut(one), Self::Cut(other)) => Self::Cut(one + other),
            (one, Self::Whole) => one,
        }
    }
}

impl<F: Front> Server<F> {
    /// Serves until `stop` is ready; then takes nothing new and lets what is under way end within the grace period.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) -> Drained {
        let (draining, drain) = signal::channel(());
        let room = Arc::new(Semaphore::new(self.max_connections));
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stop => break,
                Some(ended) = connections.join_next(), if !connections.is_empty() => {
                    if let Err(error) = ended && error.is_panic() {
                        tracing::error!("a connection's task panicked");
                    }
                    continue;
                }
                accepted = accept(&self.listener, &room) => accepted,
            };
            let Some((stream, peer, permit)) = accepted else {
                continue;
            };
            let connection = Connection {
                tls: self.tls.as_ref().map(Tls::acceptor),
                times: self.times,
                callers: self.callers.clone(),
                front: self.front.clone(),
                drain: drain.clone(),
                peer,
            };
            connections.spawn(async move {
                connection.serve(stream).await;
                drop(permit);
            });
        }
        drop(self.listener);
        let _ = draining.send(());
        drop(drain);
        tracing::info!(connections = connections.len(), "draining");
        let all = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.times.drain, all).await.is_ok() {
            return Drained::Whole;
        }
        let cut = connections.len();
        // Waits for the tasks to be gone, so that their records reach the journal.
        connections.shutdown().await;
        Drained::Cut(cut)
    }
}

type Accepted = (
    tokio::net::TcpStream,
    IpAddr,
    tokio::sync::OwnedSemaphorePermit,
);

/// Waits for room first: who finds none stays in the operating system's queue, and takes no memory here.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<Accepted> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        // An IPv4 address is one, whichever socket it came by.
        Ok((stream, peer)) => Some((stream, peer.ip().to_canonical(), permit)),
        Err(error) => {
            // Out of file descriptors, as a rule: it passes once others close.
            tracing::warn!(%error, "a connection can't be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

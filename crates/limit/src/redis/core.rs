//! What the store and its background task have in common.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bartizan_core::Clock;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError, Value};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::answer::{self, Answer};
use super::away::Outage;
use super::link::{Holder, Link, is_unknown_script, run};
use super::place::{Places, Trouble};
use super::queue::{Charged, Queue};
use super::words::{self, Named, Space, Texts};
use crate::store::{Charge, Claim, Counter, Kind};

/// How long a decision whose caller has gone is still listened for. After that it is taken for lost, with the connection.
const LATE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) deadline: Duration,
    /// How long a holder lives without a sign of life.
    pub(super) life: Duration,
    pub(super) connections: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// The server is being connected to, and calls wait for it within their deadlines.
    Starting,
    Up(Arc<Link>),
    /// Nobody waits.
    Down,
}

#[derive(Debug)]
pub(super) struct Core {
    pub(super) places: Places,
    pub(super) space: Space,
    pub(super) texts: Texts,
    pub(super) settings: Settings,
    pub(super) process: u64,
    pub(super) queue: Queue,
    /// Batches that are under way.
    pub(super) unsettled: AtomicUsize,
    pub(super) holders: Mutex<Vec<Arc<Holder>>>,
    pub(super) outage: Outage,
    phase: watch::Sender<Phase>,
    stop: watch::Sender<bool>,
    runtime: OnceLock<Handle>,
    clock: Arc<dyn Clock>,
    /// The wall clock's time when the monotonic clock stood at zero.
    start: Duration,
}

impl Core {
    pub(super) fn new(
        places: Places,
        space: Space,
        texts: Texts,
        settings: Settings,
        process: u64,
        outage: Outage,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            places,
            space,
            texts,
            settings,
            process,
            queue: Queue::default(),
            unsettled: AtomicUsize::new(0),
            holders: Mutex::default(),
            outage,
            phase: watch::Sender::new(Phase::Starting),
            stop: watch::Sender::new(false),
            runtime: OnceLock::new(),
            start: clock.unix().saturating_sub(clock.monotonic()),
            clock,
        }
    }

    /// This process's time, which never goes back.
    pub(super) fn now(&self) -> u64 {
        words::millis(self.start + self.clock.monotonic())
    }

    /// Starts the background task, unless it runs.
    pub(super) fn start(self: &Arc<Self>) {
        if self.runtime.get().is_none()
            && let Ok(runtime) = Handle::try_current()
            && self.runtime.set(runtime.clone()).is_ok()
        {
            runtime.spawn(run(Arc::clone(self)));
        }
    }

    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    pub(super) async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // Fails only where the sender is gone, which is ours.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// The link, waiting for the first one until `until`. `None`: it is down.
    pub(super) async fn link(&self, until: Instant) -> Option<Arc<Link>> {
        match &*self.phase.borrow() {
            Phase::Up(link) => return Some(Arc::clone(link)),
            Phase::Down => return None,
            Phase::Starting => {}
        }
        let mut phase = self.phase.subscribe();
        let known = phase.wait_for(|phase| !matches!(phase, Phase::Starting));
        let known = timeout_at(until, known).await;
        match known {
            Ok(Ok(phase)) => match &*phase {
                Phase::Up(link) => Some(Arc::clone(link)),
                _ => None,
            },
            _ => {
                self.stay_down(&Trouble::Late);
                None
            }
        }
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(&*self.phase.borrow(), Phase::Up(_))
    }

    pub(super) fn rise(&self, link: &Arc<Link>) {
        self.outage.over();
        self.phase.send_replace(Phase::Up(Arc::clone(link)));
    }

    /// Gives up a link, unless that has been done.
    pub(super) fn fall(&self, link: &Arc<Link>, trouble: &Trouble) {
        if self.leave(link, Phase::Down) {
            self.outage.begins(trouble, self.now());
        }
    }

    pub(super) fn leave(&self, link: &Arc<Link>, to: Phase) -> bool {
        self.phase.send_if_modified(|phase| {
            let ours = matches!(phase, Phase::Up(up) if Arc::ptr_eq(up, link));
            if ours {
                *phase = to;
            }
            ours
        })
    }

    /// There is no link yet, and nobody is to wait for it any longer.
    pub(super) fn stay_down(&self, trouble: &Trouble) {
        let began = self.phase.send_if_modified(|phase| {
            let starting = matches!(phase, Phase::Starting);
            if starting {
                *phase = Phase::Down;
            }
            starting
        });
        if began {
            self.outage.begins(trouble, self.now());
        }
    }

    /// Ends when `link` has been given up.
    pub(super) async fn left(&self, link: &Arc<Link>) {
        let mut phase = self.phase.subscribe();
        let gone = |phase: &Phase| !matches!(phase, Phase::Up(up) if Arc::ptr_eq(up, link));
        // Fails only where the sender is gone, which is ours.
        let _ = phase.wait_for(gone).await;
    }

    /// One round trip.
    pub(super) async fn ask(
        self: &Arc<Self>,
        link: &Arc<Link>,
        claims: &[Claim],
        until: Instant,
    ) -> Result<Answer, Trouble> {
        let named = Named::of(claims);
        let words = words::decide(
            &link.known.decide,
            &self.space,
            link.holder.name,
            self.settings.life,
            claims,
            &named,
        );
        let connection = link.connection().ok_or(Trouble::Nowhere)?;
        link.holder.calls.fetch_add(1, Ordering::Relaxed);
        let mut flight = Flight {
            core: self,
            by: link.holder.name,
            claims,
            asked: Some(Box::pin(exchange(Arc::clone(self), connection, words))),
        };
        let answer = timeout_at(until, flight.landed()).await;
        let answer = answer.map_err(|_| Trouble::Late)?;
        let read = match &answer {
            Ok(answer) => answer::read(answer, claims, &named, link.holder.name),
            Err(_) => None,
        };
        if let Some(Answer::Decided(crate::store::Decision::Admitted { .. })) = read {
            return read.ok_or(Trouble::Answer);
        }
        self.landed(link.holder.name, claims, &answer);
        match answer {
            Ok(_) => read.ok_or(Trouble::Answer),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives back what a call took that its caller never heard of.
    fn landed(&self, by: u64, claims: &[Claim], answer: &Result<Value, RedisError>) {
        if let Ok(answer) = answer
            && let Some(at) = answer::admitted(answer)
        {
            let nothing = vec![0; claims.len()];
            self.settle(claims, Charge { at, by }, &nothing);
        } else {
            self.ended(by);
        }
    }

    /// Settles what Redis has decided.
    pub(super) fn settle(&self, claims: &[Claim], charge: Charge, used: &[u64]) {
        let charged = Charged::There {
            holder: charge.by,
            at: charge.at,
        };
        self.queue.settle(claims, charged, used, self.now());
        // After it is queued: a holder is ended only after its settlements.
        self.ended(charge.by);
    }

    pub(super) async fn seed(
        &self,
        link: &Link,
        counter: &Counter,
        spent: u64,
        until: Instant,
    ) -> Result<(), Trouble> {
        let end = match counter.kind() {
            Kind::Period { end: Some(end), .. } => end.saturating_mul(1_000),
            _ => 0,
        };
        let mut words = redis::cmd("EVALSHA");
        words.arg(&link.known.seed).arg(2);
        words.arg(self.space.live()).arg(self.space.key(counter));
        words.arg(spent).arg(end);
        let mut connection = link.connection().ok_or(Trouble::Nowhere)?;
        let told = async {
            match words.query_async::<Value>(&mut connection).await {
                Err(error) if is_unknown_script(&error) => {
                    let whole = words::in_full(&words, &self.texts.seed);
                    whole.query_async(&mut connection).await
                }
                told => told,
            }
        };
        timeout_at(until, told).await.map_err(|_| Trouble::Late)??;
        Ok(())
    }
}

async fn exchange(
    core: Arc<Core>,
    mut connection: MultiplexedConnection,
    words: Cmd,
) -> Result<Value, RedisError> {
    match words.query_async::<Value>(&mut connection).await {
        Err(error) if is_unknown_script(&error) => {
            let whole = words::in_full(&words, &core.texts.decide);
            whole.query_async(&mut connection).await
        }
        told => told,
    }
}

type Asked = Pin<Box<dyn Future<Output = Result<Value, RedisError>> + Send>>;

/// A decision that is under way. Whoever drops it leaves a task behind that hears it to its end, and gives back what it took.
struct Flight<'a> {
    core: &'a Arc<Core>,
    by: u64,
    claims: &'a [Claim],
    asked: Option<Asked>,
}

impl Flight<'_> {
    async fn landed(&mut self) -> Result<Value, RedisError> {
        let answer = match &mut self.asked {
            Some(asked) => poll_fn(|context| asked.as_mut().poll(context)).await,
            // Asked once.
            None => std::future::pending().await,
        };
        self.asked = None;
        answer
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let (Some(asked), Some(runtime)) = (self.asked.take(), self.core.runtime.get()) else {
            return;
        };
        let (core, by, claims) = (Arc::clone(self.core), self.by, self.claims.to_vec());
        runtime.spawn(async move {
            match timeout(LATE, asked).await {
                Ok(answer) => core.landed(by, &claims, &answer),
                Err(_) => core.ended(by),
            }
        });
    }
}

//! The connections to the server, and who watches over them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, ServerErrorKind};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::core::{Core, Phase};
use super::place::Trouble;
use super::queue::Batch;
use super::words::Known;
use super::{CONNECTING, words};

/// After a failure the next try waits so long, and twice as long after each further one, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How long what no call waits for may take: a flush, a sign of life.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many batches are under way at a time.
const WINDOW: usize = 8;

/// Under whose name gauges and periods are held: a process has one after another, since of what was held by way of a connection that broke nobody
/// knows whether it is.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) name: u64,
    /// Calls that are under way.
    pub(super) calls: AtomicU64,
}

#[derive(Debug)]
pub(super) struct Link {
    connections: Vec<MultiplexedConnection>,
    /// For what no call waits for.
    aside: MultiplexedConnection,
    next: AtomicUsize,
    pub(super) known: Known,
    pub(super) holder: Arc<Holder>,
}

impl Link {
    pub(super) fn connection(&self) -> Option<MultiplexedConnection> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.connections
            .get(next % self.connections.len().max(1))
            .cloned()
    }
}

pub(super) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// What is being settled. A batch stays until the server has said that it is done, and keeps its number: sent twice, it is settled once.
#[derive(Default)]
struct Settling {
    batches: Vec<(u64, Batch)>,
    last: u64,
    /// What the server's data were known by.
    data: Option<String>,
}

/// Keeps the connections, until the store is dropped.
pub(super) async fn run(core: Arc<Core>) {
    let mut settling = Settling::default();
    let mut pause = FIRST_PAUSE;
    while !core.is_stopped() {
        let began = Instant::now();
        let connected = timeout(CONNECTING, connect(&core, &mut settling));
        match connected.await.unwrap_or(Err(Trouble::Late)) {
            Ok(link) => {
                let link = Arc::new(link);
                core.keep(&link.holder);
                // What was spent meanwhile is told before anyone decides on it.
                let told = timeout(PATIENCE, flush(&core, &link, &mut settling));
                match told.await.unwrap_or(Err(Trouble::Late)) {
                    Ok(()) => {
                        core.rise(&link);
                        serve(&core, &link, &mut settling).await;
                    }
                    Err(trouble) => core.stay_down(&trouble),
                }
            }
            Err(trouble) => core.stay_down(&trouble),
        }
        if began.elapsed() > LONGEST_PAUSE * 4 {
            pause = FIRST_PAUSE;
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = core.stopped() => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn connect(core: &Core, settling: &mut Settling) -> Result<Link, Trouble> {
    let count = core.settings.connections + 1;
    let mut connections = core.places.connect(&core.space.live(), count).await?;
    let mut aside = connections.pop().ok_or(Trouble::Nowhere)?;
    let known = load(core, &mut aside).await?;
    let holder = Arc::new(Holder {
        name: name().ok_or(Trouble::Nowhere)?,
        calls: AtomicU64::new(0),
    });
    let told = beat(core, &mut aside, &known, Some(holder.name), &[], &[]).await?;
    let data = told.first().cloned();
    if settling.data.is_some() && settling.data != data {
        // Counts that are lost are seeded by the ledger, in which this has been.
        core.queue.forget_spent();
        for (_, batch) in &mut settling.batches {
            batch.forget_spent();
        }
    }
    settling.data = data;
    Ok(Link {
        connections,
        aside,
        next: AtomicUsize::new(0),
        known,
        holder,
    })
}

/// A name that nobody else has: 53 bits, which Lua holds, and never a small number.
pub(super) fn name() -> Option<u64> {
    let random = getrandom::u64().ok()?;
    Some((random >> 12) | 1 << 52)
}

async fn load(core: &Core, connection: &mut MultiplexedConnection) -> Result<Known, Trouble> {
    let mut all = redis::pipe();
    let texts = &core.texts;
    for text in [&texts.decide, &texts.settle, &texts.beat, &texts.seed] {
        all.cmd("SCRIPT").arg("LOAD").arg(text);
    }
    let (decide, settle, beat, seed) = all.query_async(connection).await?;
    Ok(Known {
        decide,
        settle,
        beat,
        seed,
    })
}

/// Signs of life of those that hold, and the end of those that hold no more. Answers with what the data are known by, and with those that have been
/// taken for dead.
async fn beat(
    core: &Core,
    connection: &mut MultiplexedConnection,
    known: &Known,
    new: Option<u64>,
    lives: &[u64],
    ends: &[u64],
) -> Result<Vec<String>, Trouble> {
    let mut words = redis::cmd("EVALSHA");
    words.arg(&known.beat).arg(1).arg(core.space.live());
    words.arg(words::millis(core.settings.life));
    match new {
        Some(new) => words.arg(new),
        None => words.arg(""),
    };
    words.arg(lives.len()).arg(lives).arg(ends);
    match words.query_async(connection).await {
        Err(error) if is_unknown_script(&error) => {
            let whole = words::in_full(&words, &core.texts.beat);
            Ok(whole.query_async(connection).await?)
        }
        told => Ok(told?),
    }
}

/// Settles, and shows that this process lives, until the link is given up.
async fn serve(core: &Core, link: &Arc<Link>, settling: &mut Settling) {
    let mut beats = interval(core.settings.life / 3);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let work = async {
            let mut due = false;
            tokio::select! {
                () = core.queue.filled() => {}
                _ = beats.tick() => due = true,
                () = core.stopped() => {}
            }
            // Before the settlements leave: who holds no more by now is ended after them.
            let holders = due.then(|| core.holders_now(&link.holder));
            timeout(PATIENCE, flush(core, link, settling))
                .await
                .unwrap_or(Err(Trouble::Late))?;
            match holders {
                Some((lives, ends)) => signs(core, link, &lives, &ends).await,
                None => Ok(()),
            }
        };
        tokio::select! {
            done = work => if let Err(trouble) = done {
                core.fall(link, &trouble);
                return;
            },
            () = core.left(link) => return,
        }
        if core.is_stopped() && core.queue.is_empty() {
            // What is still held leaves with this process.
            core.end_all();
            let (lives, ends) = core.holders_now(&link.holder);
            let _gone = signs(core, link, &lives, &ends).await;
            return;
        }
    }
}

/// Settles all that there is.
async fn flush(core: &Core, link: &Link, settling: &mut Settling) -> Result<(), Trouble> {
    loop {
        if settling.batches.is_empty() {
            for batch in core.queue.take() {
                settling.last += 1;
                settling.batches.push((settling.last, batch));
            }
        }
        core.unsettled
            .store(settling.batches.len(), Ordering::Relaxed);
        if settling.batches.is_empty() {
            return Ok(());
        }
        let mut all = redis::pipe();
        let sent = settling.batches.len().min(WINDOW);
        for (number, batch) in settling.batches.iter().take(sent) {
            all.add_command(batch.words(
                &link.known.settle,
                &core.space,
                core.process,
                *number,
                words::millis(core.settings.life),
                core.now(),
            ));
        }
        let mut connection = link.aside.clone();
        match all.query_async::<()>(&mut connection).await {
            Ok(()) => {
                settling.batches.drain(..sent);
            }
            Err(error) if is_unknown_script(&error) => {
                load(core, &mut connection).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn signs(core: &Core, link: &Arc<Link>, lives: &[u64], ends: &[u64]) -> Result<(), Trouble> {
    let mut connection = link.aside.clone();
    let told = beat(core, &mut connection, &link.known, None, lives, ends);
    let told = timeout(PATIENCE, told)
        .await
        .unwrap_or(Err(Trouble::Late))?;
    let dead = told
        .iter()
        .skip(1)
        .filter_map(|name| name.parse().ok())
        .collect::<Vec<u64>>();
    core.forget(ends);
    core.forget(&dead);
    if dead.contains(&link.holder.name) {
        core.renew(link);
    }
    Ok(())
}

impl Core {
    fn keep(&self, holder: &Arc<Holder>) {
        self.lock_holders().push(Arc::clone(holder));
    }

    fn forget(&self, names: &[u64]) {
        self.lock_holders()
            .retain(|holder| !names.contains(&holder.name));
    }

    fn end_all(&self) {
        for holder in self.lock_holders().iter() {
            holder.calls.store(0, Ordering::Relaxed);
        }
    }

    /// Who holds, and who holds no more and takes on no calls.
    fn holders_now(&self, current: &Arc<Holder>) -> (Vec<u64>, Vec<u64>) {
        let (mut lives, mut ends) = (Vec::new(), Vec::new());
        for holder in self.lock_holders().iter() {
            let works = Arc::ptr_eq(holder, current) && !self.is_stopped();
            if works || holder.calls.load(Ordering::Relaxed) > 0 {
                lives.push(holder.name);
            } else {
                ends.push(holder.name);
            }
        }
        (lives, ends)
    }

    fn lock_holders(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Holder>>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call of `name` has ended.
    pub(super) fn ended(&self, name: u64) {
        let holders = self.lock_holders();
        if let Some(holder) = holders.iter().find(|holder| holder.name == name) {
            // Never below zero: nothing ends twice, but a holder whose process stops is ended early.
            let _ = holder
                .calls
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |calls| {
                    calls.checked_sub(1)
                });
        }
    }

    /// Gives up `link` for one with another holder; calls wait for it.
    pub(super) fn renew(&self, link: &Arc<Link>) {
        self.leave(link, Phase::Starting);
    }
}

//! Redis stops, freezes, comes back with and without what it held, while calls go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bartizan_testkit::PrivateRedis;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::support::{builder, claim, counter, taken, until, up};
use crate::store::{Claim, Counter, Decision, Kind, LimitStore as _};
use crate::{Fallback, RedisStore};

/// As long as a call may wait for Redis.
const LONGEST: Duration = Duration::from_millis(100);

/// Callers that ask, work a little, and settle, until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    callers: Vec<JoinHandle<()>>,
    /// How late a task of this machine is by itself.
    lateness: JoinHandle<Duration>,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    admitted: AtomicU64,
    degraded: AtomicU64,
    refused: AtomicU64,
    away: AtomicU64,
    spent: AtomicU64,
    longest: AtomicU64,
}

impl Seen {
    fn get(&self) -> [u64; 4] {
        [&self.admitted, &self.degraded, &self.refused, &self.away]
            .map(|count| count.load(Ordering::SeqCst))
    }
}

fn month() -> Counter {
    counter(
        "money",
        Kind::Period {
            start: 0,
            end: None,
        },
    )
}

fn call(limit: u64) -> Vec<Claim> {
    let minute = Kind::Sliding(Duration::from_mins(1));
    vec![
        claim(&counter("requests", minute), 1 << 40, 1),
        claim(&counter("calls", Kind::Gauge), 1 << 20, 1),
        claim(&month(), limit, 10),
    ]
}

impl Load {
    fn start(store: &RedisStore, callers: usize, limit: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Seen::default());
        let callers = (0..callers).map(|_| {
            let (store, stop, seen) = (store.clone(), Arc::clone(&stop), Arc::clone(&seen));
            tokio::spawn(async move {
                let call = call(limit);
                while !stop.load(Ordering::SeqCst) {
                    let began = Instant::now();
                    let decided = store.decide(&call).await;
                    let took = began.elapsed().as_millis() as u64;
                    seen.longest.fetch_max(took, Ordering::SeqCst);
                    match decided {
                        Ok(Decision::Admitted { charge, .. }) => {
                            seen.admitted.fetch_add(1, Ordering::SeqCst);
                            if charge.by < 1 << 52 {
                                seen.degraded.fetch_add(1, Ordering::SeqCst);
                            }
                            sleep(Duration::from_millis(3)).await;
                            store.settle(&call, charge, &[1, 0, 7]);
                            seen.spent.fetch_add(7, Ordering::SeqCst);
                        }
                        Ok(Decision::Refused { .. }) => {
                            seen.refused.fetch_add(1, Ordering::SeqCst);
                            sleep(Duration::from_millis(3)).await;
                        }
                        Ok(Decision::Unseeded(_)) => {
                            let _ = store.seed(&month(), 0).await;
                        }
                        Err(_) => {
                            seen.away.fetch_add(1, Ordering::SeqCst);
                            sleep(Duration::from_millis(3)).await;
                        }
                    }
                }
            })
        });
        let callers = callers.collect();
        let watched = Arc::clone(&stop);
        let lateness = tokio::spawn(async move {
            let mut worst = Duration::ZERO;
            while !watched.load(Ordering::SeqCst) {
                let began = Instant::now();
                sleep(Duration::from_millis(5)).await;
                worst = worst.max(began.elapsed().saturating_sub(Duration::from_millis(6)));
            }
            worst
        });
        Self {
            stop,
            callers,
            lateness,
            seen,
        }
    }

    /// Ends it, and holds it to what a call may wait.
    async fn end(self) -> Arc<Seen> {
        self.stop.store(true, Ordering::SeqCst);
        for caller in self.callers {
            caller.await.unwrap();
        }
        let late = self.lateness.await.unwrap();
        let longest = Duration::from_millis(self.seen.longest.load(Ordering::SeqCst));
        assert!(
            longest <= LONGEST + 2 * late,
            "{longest:?}, late by itself: {late:?}"
        );
        self.seen
    }
}

fn store(redis: &PrivateRedis, fallback: Fallback) -> RedisStore {
    builder(&redis.url())
        .away(fallback)
        .deadline(Duration::from_millis(50))
        .build()
        .unwrap()
}

async fn run(for_so_long: u64) {
    sleep(Duration::from_millis(for_so_long)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_on_while_it_freezes_and_their_spends_are_there_when_it_thaws() {
    let redis = PrivateRedis::start().unwrap();
    let store = store(&redis, Fallback::Local { replicas: 1 });
    up(&store).await;
    let load = Load::start(&store, 20, 1 << 40);
    run(300).await;
    redis.freeze().unwrap();
    until("the store sees it", async || store.degraded()).await;
    run(700).await;
    assert!(store.degraded());
    redis.thaw().unwrap();
    up(&store).await;
    run(300).await;
    let seen = load.end().await;
    let [admitted, degraded, refused, away] = seen.get();
    assert!(degraded > 100 && admitted > degraded, "{seen:?}");
    assert_eq!([refused, away], [0, 0], "{seen:?}");
    assert!(store.flush(Duration::from_secs(5)).await);
    let spent = seen.spent.load(Ordering::SeqCst);
    until("all is told, once", async || {
        taken(&store, &call(1 << 40)).await == [admitted, 0, spent]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_on_while_it_is_killed_and_their_spends_are_there_when_it_is_back_with_its_data() {
    let mut redis = PrivateRedis::durable().unwrap();
    let store = store(&redis, Fallback::Local { replicas: 1 });
    up(&store).await;
    let load = Load::start(&store, 10, 1 << 40);
    run(300).await;
    for _ in 0..2 {
        redis.stop().unwrap();
        until("the store sees it", async || store.degraded()).await;
        run(400).await;
        redis.restart().unwrap();
        up(&store).await;
        run(300).await;
    }
    let seen = load.end().await;
    let [admitted, degraded, refused, away] = seen.get();
    assert!(degraded > 50 && admitted > degraded, "{seen:?}");
    assert_eq!([refused, away], [0, 0], "{seen:?}");
    assert!(store.flush(Duration::from_secs(5)).await);
    let spent = seen.spent.load(Ordering::SeqCst);
    // A call that was decided just before the kill, and whose answer was lost, counts as one more request until its window has left.
    until("all is told, once", async || {
        let [requests, calls, money] = taken(&store, &call(1 << 40)).await[..] else {
            return false;
        };
        (admitted..=admitted + 20).contains(&requests) && calls == 0 && money == spent
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_back_without_its_data_is_seeded_by_the_ledger_and_told_only_what_comes_after()
{
    let mut redis = PrivateRedis::start().unwrap();
    let store = store(&redis, Fallback::Local { replicas: 1 });
    up(&store).await;
    let load = Load::start(&store, 5, 1 << 40);
    run(200).await;
    redis.stop().unwrap();
    until("the store sees it", async || store.degraded()).await;
    run(300).await;
    let seen = load.end().await;
    assert!(seen.get()[1] > 20, "{seen:?}");
    redis.restart().unwrap();
    up(&store).await;
    let call = call(1 << 40);
    let asked = store.decide(&call).await.unwrap();
    assert_eq!(asked, Decision::Unseeded(vec![2]));
    // The ledger knows of all that was spent.
    let spent = seen.spent.load(Ordering::SeqCst);
    store.seed(&month(), spent).await.unwrap();
    assert!(store.flush(Duration::from_secs(5)).await);
    assert_eq!(taken(&store, &call).await[2], spent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_three_processes_lets_in_no_more_than_its_part_of_what_was_left() {
    let redis = PrivateRedis::start().unwrap();
    let limit = 3_000;
    let stores = [0; 3].map(|_| store(&redis, Fallback::Local { replicas: 3 }));
    for store in &stores {
        up(store).await;
        let _ = store.seed(&month(), 300).await;
        // Each sees where the count stands.
        taken(store, &call(limit)).await;
    }
    redis.freeze().unwrap();
    let loads = stores.each_ref().map(|store| Load::start(store, 5, limit));
    run(1_500).await;
    let mut spent = 0;
    for load in loads {
        let seen = load.end().await;
        let own = seen.spent.load(Ordering::SeqCst);
        assert!(seen.refused.load(Ordering::SeqCst) > 0, "{seen:?}");
        // What a call spends is less than what it reserves, so that its part is spent nearly.
        assert!((800..=900).contains(&own), "{seen:?}");
        spent += own;
    }
    redis.thaw().unwrap();
    for store in &stores {
        up(store).await;
        assert!(store.flush(Duration::from_secs(5)).await);
    }
    until("all is told, once", async || {
        taken(&stores[0], &call(limit)).await[2] == 300 + spent
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_lets_nobody_in_and_open_everybody_and_open_tells_what_was_spent() {
    for (fallback, passes) in [(Fallback::Closed, false), (Fallback::Open, true)] {
        let redis = PrivateRedis::start().unwrap();
        let store = store(&redis, fallback);
        up(&store).await;
        store.seed(&month(), 0).await.unwrap();
        redis.freeze().unwrap();
        let load = Load::start(&store, 5, 20);
        run(500).await;
        let seen = load.end().await;
        let [admitted, degraded, refused, away] = seen.get();
        assert_eq!(admitted > 5, passes, "{seen:?}");
        assert_eq!(away > 5, !passes, "{seen:?}");
        assert_eq!([degraded, refused], [admitted, 0], "{seen:?}");
        redis.thaw().unwrap();
        up(&store).await;
        assert!(store.flush(Duration::from_secs(5)).await);
        until("all is told, once", async || {
            taken(&store, &call(1 << 40)).await[2] == seen.spent.load(Ordering::SeqCst)
        })
        .await;
    }
}

#[tokio::test]
async fn a_server_that_was_never_there_is_waited_for_once() {
    let mut redis = PrivateRedis::start().unwrap();
    redis.stop().unwrap();
    let store = store(&redis, Fallback::Open);
    let call = call(100);
    let first = Instant::now();
    store.decide(&call).await.unwrap();
    assert!(first.elapsed() < Duration::from_millis(500));
    let rest = Instant::now();
    for _ in 0..100 {
        store.decide(&call).await.unwrap();
    }
    // None of them has waited for its deadline.
    assert!(
        rest.elapsed() < Duration::from_secs(2),
        "{:?}",
        rest.elapsed()
    );
    redis.restart().unwrap();
    up(&store).await;
}

//! What a change in one process does in another.

#![cfg(all(feature = "postgres", feature = "redis"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_auth::{
    Account, AccountId, AccountKind, Change, Changes, Denied, KeyId, KeyRequest, KeyStore, Keys,
    MemoryStore, PostgresChanges, PostgresSettings, PostgresStore, RedisChanges,
};
use bartizan_testkit::{PrivatePostgres, PrivateRedis};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Connection, PgConnection};
use support::{admin, pepper};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// What is promised.
const SOON: Duration = Duration::from_secs(1);
/// Longer than any test: what is forgotten was forgotten by the feed.
const TTL: Duration = Duration::from_secs(3_600);

/// A process: its keys, and the task that follows.
struct Process {
    keys: Keys,
    following: JoinHandle<()>,
}

impl Process {
    fn start(store: impl KeyStore, changes: impl Changes) -> Self {
        let keys = Keys::builder(store, pepper())
            .cache_ttl(TTL)
            .store_timeout(Duration::from_secs(10))
            .changes(changes)
            .build();
        let follower = keys.clone();
        let following = tokio::spawn(async move { follower.follow().await });
        Self { keys, following }
    }

    /// How long until the key opens nothing.
    async fn refuses(&self, key: &SecretString) -> Duration {
        let start = Instant::now();
        while self.keys.verify(key.expose_secret()).await.is_ok() {
            assert!(start.elapsed() < Duration::from_secs(20), "it still opens");
            sleep(Duration::from_millis(1)).await;
        }
        start.elapsed()
    }

    async fn opens(&self, key: &SecretString) {
        self.keys.verify(key.expose_secret()).await.unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.following.abort();
    }
}

async fn mint(keys: &Keys) -> (SecretString, KeyId) {
    let mut request = KeyRequest::default();
    request.team_id = Some("search".to_owned());
    let minted = keys.generate(&admin(), request).await.unwrap();
    (minted.key, minted.record.key_id)
}

/// What a feed tells, and a look at it.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Change>>>);

impl Heard {
    fn follow(&self, feed: impl Changes) -> JoinHandle<bartizan_auth::StoreError> {
        let heard = self.clone();
        tokio::spawn(async move {
            let on = |change| heard.0.lock().unwrap().push(change);
            feed.follow(&on).await
        })
    }

    fn take(&self, wanted: &Change) -> bool {
        let mut heard = self.0.lock().unwrap();
        let place = heard.iter().position(|change| change == wanted);
        place.is_some_and(|place| heard.drain(..=place).len() > 0)
    }

    /// Waits for that change, and forgets what came before it.
    async fn hears(&self, wanted: &Change) {
        let heard = async {
            while !self.take(wanted) {
                sleep(Duration::from_millis(1)).await;
            }
        };
        let late = timeout(Duration::from_secs(20), heard).await;
        assert!(late.is_ok(), "not told: {wanted:?}");
    }
}

/// A way to a server that can be cut or fall silent.
struct Way {
    address: SocketAddr,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Nothing gets through, and nobody is told.
    Silent,
    /// Connections break, and no new one comes about.
    Cut,
}

impl Way {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (address, (state, watch)) =
            (listener.local_addr().unwrap(), watch::channel(State::Open));
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                if *watch.borrow() != State::Cut {
                    tokio::spawn(carry(near, server, watch.clone()));
                }
            }
        });
        Self { address, state }
    }

    fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

/// A connection that has once been silent stays so.
async fn carry(mut near: TcpStream, server: SocketAddr, mut state: watch::Receiver<State>) {
    let Ok(mut far) = TcpStream::connect(server).await else {
        return;
    };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
        _ = state.wait_for(|state| *state != State::Open) => {}
    }
    let _ = state.wait_for(|state| *state == State::Cut).await;
}

fn postgres_at(address: SocketAddr) -> PostgresSettings {
    let url = format!("postgres://bartizan@{address}/postgres");
    PostgresSettings::from_url(SecretString::from(url)).unwrap()
}

fn redis_at(address: SocketAddr) -> RedisChanges {
    let url = SecretString::from(format!("redis://{address}"));
    RedisChanges::from_url(url, "bartizan:changes").unwrap()
}

async fn by_hand(server: &PrivatePostgres, statement: &'static str) {
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    sqlx::raw_sql(statement)
        .execute(&mut connection)
        .await
        .unwrap();
}

/// Blocking, unblocking, revoking and purging in one are seen in the other, each within a second. Gives the longest.
async fn changes_are_seen(here: &Process, there: &Process) -> Duration {
    let mut longest = Duration::ZERO;
    for round in 0..20 {
        let (key, key_id) = mint(&here.keys).await;
        there.opens(&key).await;
        let start = Instant::now();
        match round % 3 {
            0 => drop(
                here.keys
                    .set_blocked(&admin(), key_id.as_str(), true)
                    .await
                    .unwrap(),
            ),
            1 => drop(here.keys.revoke(&admin(), key_id.as_str()).await.unwrap()),
            _ => drop(here.keys.purge(&admin(), key_id.as_str()).await.unwrap()),
        }
        there.refuses(&key).await;
        longest = longest.max(start.elapsed());
    }
    assert!(longest < SOON, "{longest:?}");
    longest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_seen_in_another_process_over_postgres() {
    let server = PrivatePostgres::start().unwrap();
    let settings = postgres_at(server.address());
    let mut processes = Vec::new();
    for _ in 0..2 {
        let store = PostgresStore::connect(settings.clone()).await.unwrap();
        processes.push(Process::start(
            store,
            PostgresChanges::new(settings.clone()),
        ));
    }
    let heard = Heard::default();
    let following = heard.follow(PostgresChanges::new(settings.clone()));
    heard.hears(&Change::Anything).await;
    let longest = changes_are_seen(&processes[0], &processes[1]).await;
    println!("over PostgreSQL: {longest:?} at most");

    // By hand, a key and an account.
    let (key, key_id) = mint(&processes[0].keys).await;
    heard.hears(&Change::Key(key_id.clone())).await;
    for (block, unblock, told) in [
        (
            "UPDATE keys SET blocked = true",
            "UPDATE keys SET blocked = false",
            Change::Key(key_id),
        ),
        (
            "INSERT INTO accounts SELECT 'team', 'search', NULL, NULL, true, 0, 0, NULL, 1, jsonb_build_object(
                'email', NULL, 'role', 'internal_user', 'members', '[]'::jsonb, 'rights', body->'rights', 'metadata', '{}'::jsonb,
                'created_by', ''
            ) FROM keys LIMIT 1",
            "UPDATE accounts SET blocked = false",
            Change::Account(AccountId::new(AccountKind::Team, "search")),
        ),
        (
            "UPDATE accounts SET blocked = true",
            "DELETE FROM accounts",
            Change::Account(AccountId::new(AccountKind::Team, "search")),
        ),
    ] {
        for process in &processes {
            process.opens(&key).await;
        }
        by_hand(&server, block).await;
        heard.hears(&told).await;
        for process in &processes {
            assert!(process.refuses(&key).await < SOON);
        }
        by_hand(&server, unblock).await;
        heard.hears(&told).await;
        sleep(Duration::from_millis(50)).await;
    }

    // Many at once are told as one.
    for process in &processes {
        process.opens(&key).await;
    }
    heard.0.lock().unwrap().clear();
    by_hand(
        &server,
        "INSERT INTO keys SELECT 'key_' || lpad(n::text, 22, '0'), decode(lpad(to_hex(n), 64, '0'), 'hex'), NULL, NULL, NULL, NULL, NULL,
            '', 0, NULL, NULL, false, NULL, 0, 1, '{}' FROM generate_series(1, 1000) AS n;
        UPDATE keys SET blocked = true",
    )
    .await;
    heard.hears(&Change::Anything).await;
    assert!(heard.0.lock().unwrap().len() < 10);
    assert!(processes[1].refuses(&key).await < SOON);
    by_hand(&server, "TRUNCATE keys").await;
    heard.hears(&Change::Anything).await;

    // A name that no notification holds.
    let store = PostgresStore::connect(settings).await.unwrap();
    let long = Account::new(AccountId::new(AccountKind::User, "x".repeat(2_600)), TTL);
    store.insert_account(long.clone()).await.unwrap();
    heard.hears(&Change::Account(long.id)).await;
    following.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_seen_in_another_process_over_redis() {
    let server = PrivateRedis::start().unwrap();
    let store = MemoryStore::new();
    let here = Process::start(store.clone(), redis_at(server.address()));
    let there = Process::start(store, redis_at(server.address()));
    let heard = Heard::default();
    let following = heard.follow(redis_at(server.address()));
    heard.hears(&Change::Anything).await;
    let longest = changes_are_seen(&here, &there).await;
    println!("over Redis: {longest:?} at most");

    // Another store's channel is another's.
    let url = SecretString::from(server.url());
    let other = RedisChanges::from_url(url, "another:changes").unwrap();
    heard.0.lock().unwrap().clear();
    other.announce(&Change::Anything).await.unwrap();
    let account = Change::Account(AccountId::new(AccountKind::Team, "a:b 🗝"));
    let same = redis_at(server.address());
    same.announce(&account).await.unwrap();
    heard.hears(&account).await;
    assert_eq!(heard.0.lock().unwrap().len(), 0);
    following.abort();
}

/// Blocked while the feed was away: still open there meanwhile, refused as soon as the feed is back.
async fn is_caught_up(
    here: &Process,
    there: &Process,
    away: impl AsyncFnOnce(),
    back: impl AsyncFnOnce(),
) {
    let (key, key_id) = mint(&here.keys).await;
    // What either has just been told of is over.
    sleep(Duration::from_millis(200)).await;
    there.opens(&key).await;
    away().await;
    here.keys
        .set_blocked(&admin(), key_id.as_str(), true)
        .await
        .unwrap();
    sleep(Duration::from_millis(200)).await;
    there.opens(&key).await;
    back().await;
    let late = there.refuses(&key).await;
    assert!(late < Duration::from_secs(3), "{late:?}");
    let denied = there.keys.verify(key.expose_secret()).await;
    assert!(matches!(denied, Err(Denied::Blocked)), "{denied:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_while_redis_was_away_is_seen_when_it_is_back() {
    let server = Mutex::new(PrivateRedis::start().unwrap());
    let address = server.lock().unwrap().address();
    let store = MemoryStore::new();
    let here = Process::start(store.clone(), redis_at(address));
    let there = Process::start(store, redis_at(address));
    for _ in 0..2 {
        is_caught_up(
            &here,
            &there,
            async || server.lock().unwrap().stop().unwrap(),
            async || server.lock().unwrap().restart().unwrap(),
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_while_the_way_to_postgres_was_cut_or_silent_is_seen_when_it_is_back() {
    let server = PrivatePostgres::start().unwrap();
    let way = Way::to(server.address()).await;
    let settings = postgres_at(server.address());
    let store = PostgresStore::connect(settings.clone()).await.unwrap();
    let here = Process::start(store.clone(), PostgresChanges::new(settings));
    let feed = PostgresChanges::new(postgres_at(way.address));
    let there = Process::start(store, feed.keep_alive(Duration::from_millis(500)));
    for away in [State::Cut, State::Silent] {
        is_caught_up(
            &here,
            &there,
            async || way.set(away),
            async || way.set(State::Open),
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_holds_up_no_change_and_hears_of_it_later() {
    let server = PrivateRedis::start().unwrap();
    let keys = Keys::builder(MemoryStore::new(), pepper())
        .changes(redis_at(server.address()))
        .build();
    let (_, key_id) = mint(&keys).await;
    let heard = Heard::default();
    let following = heard.follow(redis_at(server.address()));
    heard.hears(&Change::Anything).await;
    server.freeze().unwrap();
    let start = Instant::now();
    keys.set_blocked(&admin(), key_id.as_str(), true)
        .await
        .unwrap();
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    server.thaw().unwrap();
    heard.hears(&Change::Key(key_id)).await;
    following.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_while_redis_was_silent_is_seen_when_it_is_back() {
    let server = PrivateRedis::start().unwrap();
    let way = Way::to(server.address()).await;
    let store = MemoryStore::new();
    let here = Process::start(store.clone(), redis_at(server.address()));
    let feed = redis_at(way.address).keep_alive(Duration::from_millis(500));
    let there = Process::start(store, feed);
    is_caught_up(
        &here,
        &there,
        async || way.set(State::Silent),
        async || way.set(State::Open),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_is_restarted_is_followed_again() {
    let mut server = PrivatePostgres::start().unwrap();
    let settings = postgres_at(server.address());
    let store = PostgresStore::connect(settings.clone()).await.unwrap();
    let process = Process::start(store, PostgresChanges::new(settings));
    let (key, key_id) = mint(&process.keys).await;
    sleep(Duration::from_millis(200)).await;
    process.opens(&key).await;
    server.stop().unwrap();
    process.opens(&key).await;
    server.restart().unwrap();
    by_hand(&server, "UPDATE keys SET blocked = true").await;
    let late = process.refuses(&key).await;
    assert!(late < Duration::from_secs(3), "{late:?}");
    process
        .keys
        .set_blocked(&admin(), key_id.as_str(), false)
        .await
        .unwrap();
    process.opens(&key).await;
    by_hand(&server, "UPDATE keys SET blocked = true").await;
    assert!(process.refuses(&key).await < SOON, "followed again");
}

#[tokio::test]
async fn a_feed_that_can_not_be_taken_up_ends_with_its_reason() {
    let server = PrivateRedis::start().unwrap();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let silent = silent.local_addr().unwrap();
    let over_tls = SecretString::from(format!("rediss://{}", server.address()));
    let feeds: Vec<(JoinHandle<_>, &str)> = vec![
        (
            Heard::default().follow(RedisChanges::from_url(over_tls, "c").unwrap()),
            "no TLS is spoken there",
        ),
        (
            Heard::default().follow(redis_at(silent)),
            "nothing is said there",
        ),
        (
            Heard::default().follow(PostgresChanges::new(postgres_at(silent))),
            "nothing is said there",
        ),
    ];
    for (feed, why) in feeds {
        let ended = timeout(Duration::from_secs(10), feed).await;
        assert!(ended.is_ok_and(|ended| ended.is_ok()), "{why}");
    }
    let announced = redis_at(silent).announce(&Change::Anything).await;
    assert!(announced.is_err());
}

//! Several gateways on one database: what one is told, the others know.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bartizan_testkit::{MockProvider, PrivatePostgres, PrivateRedis, Script};
use tokio::time::Instant;

use crate::http::ask;
use crate::process::{Gateway, MASTER, PEPPER, Start, chat, config};

const CALLERS: usize = 50;
/// How long another process may go on letting in what one has closed.
const MOST: Duration = Duration::from_secs(1);

fn start(mock: &MockProvider, url: &str, redis: Option<&str>) -> Gateway {
    let general = format!("{{master_key: {MASTER}, database_url: os.environ/DATABASE}}");
    let own = redis.map_or("", |_| "bartizan: {changes: {redis: os.environ/REDIS}}");
    let file = config(mock, own).replace(&format!("{{master_key: {MASTER}}}"), &general);
    Start::with(file)
        .env("DATABASE", url)
        .env("REDIS", redis.unwrap_or_default())
        .env("BARTIZAN_PEPPER", PEPPER)
        .run()
}

/// Calls `gateway` with `key` by fifty callers until they are told to stop. Gives when the last call began that was let in.
struct Load {
    stop: Arc<AtomicBool>,
    callers: Vec<tokio::task::JoinHandle<Option<Instant>>>,
}

impl Load {
    fn start(gateway: &Gateway, key: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let call = |_| {
            let (stop, address) = (Arc::clone(&stop), gateway.address);
            let authorization = format!("Bearer {key}");
            tokio::spawn(async move {
                let mut last = None;
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let headers = [("authorization", authorization.as_str())];
                    let body = chat("gpt", "x", "");
                    let path = "/v1/chat/completions";
                    let answer = ask(address, "POST", path, &headers, &body).await;
                    match answer.status {
                        200 => last = Some(began),
                        401 | 403 => {}
                        other => panic!("{other}: {answer:?}"),
                    }
                }
                last
            })
        };
        Self {
            callers: (0..CALLERS).map(call).collect(),
            stop,
        }
    }

    async fn last(self) -> Option<Instant> {
        self.stop.store(true, Ordering::Relaxed);
        let mut last = None;
        for caller in self.callers {
            last = last.max(caller.await.unwrap());
        }
        last
    }
}

/// Tells one gateway what closes a key, while fifty callers use it at the other. Gives for how long the other went on.
async fn closed(one: &Gateway, other: &Gateway, key: &str, path: &str, body: &str) -> Duration {
    let load = Load::start(other, key);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let told = one.ask_as(MASTER, "POST", path, body).await;
    let answered = Instant::now();
    assert_eq!(told.status, 200, "{path}: {told:?}");
    tokio::time::sleep(MOST + Duration::from_millis(500)).await;
    let last = load.last().await.expect("no call was let in");
    last.saturating_duration_since(answered)
}

async fn named(gateway: &Gateway, fields: &str) -> (String, String) {
    let made = gateway
        .ask_as(MASTER, "POST", "/key/generate", fields)
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("key"), text("key_id"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_closes_is_closed_in_another_within_a_second() {
    let database = PrivatePostgres::start().unwrap();
    let redis = PrivateRedis::start().unwrap();
    let redis = redis.url();
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    for (feed, redis) in [("PostgreSQL", None), ("Redis", Some(redis.as_str()))] {
        let one = start(&mock, &database.url(), redis);
        let other = start(&mock, &database.url(), redis);
        let team = format!("team-of-{feed}");
        let made = format!(r#"{{"team_id":"{team}"}}"#);
        let made = one.ask_as(MASTER, "POST", "/team/new", &made).await;
        assert_eq!(made.status, 200, "{made:?}");
        for (what, path, body) in [
            ("block", "/key/block", r#"{"key_id":"KEY"}"#),
            (
                "narrow",
                "/key/update",
                r#"{"key_id":"KEY","models":["other"]}"#,
            ),
            ("rotate", "/key/regenerate", r#"{"key_id":"KEY"}"#),
            ("delete", "/key/delete", r#"{"keys":["KEY"]}"#),
            (
                "delete the team",
                "/team/delete",
                r#"{"team_ids":["TEAM"]}"#,
            ),
        ] {
            let (key, key_id) = named(&one, &format!(r#"{{"team_id":"{team}"}}"#)).await;
            let body = body.replace("KEY", &key_id).replace("TEAM", &team);
            let took = closed(&one, &other, &key, path, &body).await;
            eprintln!(
                "{feed}: {what}: the other process let the last call in {took:?} after the answer"
            );
            assert!(took <= MOST, "{feed}: {what}: {took:?}");
        }
    }
}

/// The other way round: what is opened in one process is open in another.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_opens_is_open_in_another_within_a_second() {
    let database = PrivatePostgres::start().unwrap();
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let one = start(&mock, &database.url(), None);
    let other = start(&mock, &database.url(), None);
    let (key, key_id) = named(&one, r#"{"models":["other"]}"#).await;
    let call = async || {
        let body = chat("gpt", "x", "");
        let path = "/v1/chat/completions";
        other.ask_as(&key, "POST", path, &body).await.status
    };
    assert_eq!(call().await, 403);
    let body = format!(r#"{{"key_id":"{key_id}","models":["gpt"]}}"#);
    let told = one.ask_as(MASTER, "POST", "/key/update", &body).await;
    assert_eq!(told.status, 200, "{told:?}");
    let began = Instant::now();
    while call().await != 200 {
        assert!(began.elapsed() <= MOST, "widen: {:?}", began.elapsed());
    }
    let took = began.elapsed();
    let body = format!(r#"{{"key_id":"{key_id}","grace_period":"1h"}}"#);
    let told = one.ask_as(MASTER, "POST", "/key/regenerate", &body).await;
    assert_eq!(told.status, 200, "{told:?}");
    let next = told.json()["key"].as_str().unwrap().to_owned();
    for text in [&key, &next] {
        let (path, body) = ("/v1/chat/completions", chat("gpt", "x", ""));
        let answer = other.ask_as(text, "POST", path, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    eprintln!("PostgreSQL: widen: open in the other process {took:?} after the answer");
}

/// What was looked up goes on for its time; what was not waits, and is told when to come back.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_a_gateway_lets_in_whom_it_knew_and_tells_others_to_wait() {
    let mut database = PrivatePostgres::start().unwrap();
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = start(&mock, &database.url(), None);
    let (known, _) = named(&gateway, "{}").await;
    let (unknown, _) = named(&gateway, "{}").await;
    let call = async |key: &str| {
        let body = chat("gpt", "x", "");
        gateway
            .ask_as(key, "POST", "/v1/chat/completions", &body)
            .await
    };
    assert_eq!(call(&known).await.status, 200);
    database.stop().unwrap();
    let refused = call(&unknown).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert_eq!(call(&known).await.status, 200);
    let minted = gateway.ask_as(MASTER, "POST", "/key/generate", "{}").await;
    assert_eq!(minted.status, 503, "{minted:?}");
    database.restart().unwrap();
    let began = Instant::now();
    while call(&unknown).await.status != 200 {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "it does not come back"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The database stays away: a key that was looked up goes on for its time, by the clock of its look-up and not of its use.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_no_key_goes_on_beyond_its_time() {
    let ttl = Duration::from_secs(3);
    let database = PrivatePostgres::start().unwrap();
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let general = format!(
        "{{master_key: {MASTER}, database_url: os.environ/DATABASE, user_api_key_cache_ttl: {}}}",
        ttl.as_secs()
    );
    let file = config(&mock, "").replace(&format!("{{master_key: {MASTER}}}"), &general);
    let gateway = Start::with(file).env("DATABASE", &database.url()).run();
    let (key, _) = named(&gateway, "{}").await;
    let call = async || {
        let body = chat("gpt", "x", "");
        gateway
            .ask_as(&key, "POST", "/v1/chat/completions", &body)
            .await
    };
    let asked = Instant::now();
    assert_eq!(call().await.status, 200);
    let known = Instant::now();
    database.stop().unwrap();
    let mut let_in = 0;
    let refused = loop {
        let began = Instant::now();
        let answer = call().await;
        match answer.status {
            200 => let_in += 1,
            503 => break answer,
            other => panic!("{other}: {answer:?}"),
        }
        assert!(
            began < known + ttl,
            "it goes on after {:?}",
            known.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(let_in > 3, "{let_in} calls while the key was known");
    assert!(asked.elapsed() >= ttl, "refused before its time is over");
    assert_eq!(refused.code(), "auth_unavailable");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    // The master key needs no database to be known, and one to manage.
    let minted = gateway.ask_as(MASTER, "POST", "/key/generate", "{}").await;
    assert_eq!(minted.status, 503, "{minted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_later_version_is_not_touched() {
    use std::process::Command;
    let database = PrivatePostgres::start().unwrap();
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    drop(start(&mock, &database.url(), None));
    let later = Command::new("psql")
        .arg(database.url())
        .args(["-c", "UPDATE bartizan_migrations SET version = 1000 WHERE version = (SELECT max(version) FROM bartizan_migrations)"])
        .output()
        .unwrap();
    assert!(later.status.success(), "{later:?}");
    let general = format!(
        "{{master_key: {MASTER}, database_url: '{}'}}",
        database.url()
    );
    let file = config(&mock, "").replace(&format!("{{master_key: {MASTER}}}"), &general);
    let (code, said) = Start::with(file).fails();
    assert!(
        code == 1 && said.contains("general_settings.database_url"),
        "{said}"
    );
    assert!(
        said.contains("1000") || said.contains("later") || said.contains("newer"),
        "{said}"
    );
}

#[tokio::test]
async fn keys_of_the_pepper_of_before_go_on_and_are_known_by_the_pepper_of_now_then() {
    let next = "7d1f0c5b92e84a6fb3c02d9e61a75f48";
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let at = |folder: &tempfile::TempDir| {
        let journal = folder.path().join(format!(
            "journal-{}",
            folder.path().read_dir().unwrap().count()
        ));
        config(
            &mock,
            &format!("bartizan: {{audit: {{path: '{}'}}}}", journal.display()),
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let gateway = Start::with(at(&folder))
        .env("BARTIZAN_PEPPER", PEPPER)
        .run_in(folder);
    let key = gateway.key("{}").await;
    let mut folder = gateway.stop().await;
    for (pepper, previous, status) in [(next, PEPPER, 200), (next, "", 200), (PEPPER, "", 401)] {
        let gateway = Start::with(at(&folder))
            .env("BARTIZAN_PEPPER", pepper)
            .env("BARTIZAN_PREVIOUS_PEPPER", previous)
            .run_in(folder);
        let body = chat("gpt", "x", "");
        let path = "/v1/chat/completions";
        let answer = gateway.ask_as(&key, "POST", path, &body).await;
        assert_eq!(answer.status, status, "{answer:?}");
        // It is written back behind the answer.
        tokio::time::sleep(Duration::from_millis(300)).await;
        folder = gateway.stop().await;
    }
}

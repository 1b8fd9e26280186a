//! What a client saw whole is in the ledger, exactly once, whatever is killed and whatever goes away meanwhile.

use std::time::Duration;

use bartizan_testkit::{MockProvider, PrivatePostgres, Script};
use serde_json::Value;
use tokio::time::Instant;

use crate::http::ask;
use crate::process::{Gateway, MASTER, PEPPER, Start, chat, config};

/// Answers that came whole, by many callers at once, until the gateway is killed or they are told to end.
struct Load(Vec<tokio::task::JoinHandle<u64>>);

impl Load {
    fn start(gateway: &Gateway, key: &str, callers: usize, calls: u64) -> Self {
        let call = |_| {
            let (address, authorization) = (gateway.address, format!("Bearer {key}"));
            tokio::spawn(async move {
                let mut whole = 0;
                for _ in 0..calls {
                    let (authorization, body) = (authorization.clone(), chat("gpt", "x", ""));
                    let asked = tokio::spawn(async move {
                        let headers = [("authorization", authorization.as_str())];
                        ask(address, "POST", "/v1/chat/completions", &headers, &body).await
                    });
                    // A gateway that is killed in the middle fails the call.
                    match asked.await {
                        Ok(answer) if answer.status == 200 && is_whole(&answer.body) => whole += 1,
                        _ => break,
                    }
                }
                whole
            })
        };
        Self((0..callers).map(call).collect())
    }

    async fn whole(self) -> u64 {
        let mut whole = 0;
        for caller in self.0 {
            whole += caller.await.unwrap();
        }
        whole
    }
}

fn is_whole(body: &str) -> bool {
    serde_json::from_str::<Value>(body).is_ok()
}

/// How many calls the ledger has.
async fn recorded(gateway: &Gateway) -> u64 {
    let told = gateway
        .ask_as(MASTER, "GET", "/global/spend/report", "")
        .await;
    assert_eq!(told.status, 200, "{told:?}");
    told.json()["total"]["api_requests"].as_u64().unwrap()
}

/// Waits until the ledger has so many calls at least, and a little longer for one too many.
async fn settles(gateway: &Gateway, least: u64) -> u64 {
    let until = Instant::now() + Duration::from_secs(20);
    while recorded(gateway).await < least && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    recorded(gateway).await
}

const CALLERS: usize = 8;

fn start(mock: &MockProvider, database: &str) -> Start {
    let general = format!("{{master_key: {MASTER}, database_url: os.environ/DATABASE}}");
    let file = config(mock, "").replace(&format!("{{master_key: {MASTER}}}"), &general);
    Start::with(file)
        .env("DATABASE", database)
        .env("BARTIZAN_PEPPER", PEPPER)
}

/// Kills a gateway under load, starts it again, and compares what callers saw with what the ledger has.
async fn survives_kills(database: &str, mut server: Option<PrivatePostgres>) {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let mut gateway = start(&mock, database).run();
    let key = gateway.key("{}").await;
    let mut whole = 0;
    for round in 1..=3 {
        let load = Load::start(&gateway, &key, CALLERS, 100_000);
        tokio::time::sleep(Duration::from_millis(700)).await;
        if let Some(server) = &server {
            // The database goes away under load; its callers are remembered.
            server.stop().unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let folder = gateway.kill().await;
        whole += load.whole().await;
        if let Some(server) = &mut server {
            server.restart().unwrap();
        }
        gateway = start(&mock, database).run_in(folder);
        let recorded = settles(&gateway, whole).await;
        // A call that was answered and not seen whole counts too: one a caller at most.
        let most = whole + round * CALLERS as u64;
        assert!(
            (whole..=most).contains(&recorded),
            "{recorded} of {whole} to {most}"
        );
    }
    assert!(whole > 30, "only {whole} answers came whole");
    // Once each: by its id.
    let told = gateway
        .ask_as(MASTER, "GET", "/spend/logs?size=500", "")
        .await;
    let logs = told.json();
    let logs = logs["logs"].as_array().unwrap();
    assert!(
        logs.iter()
            .all(|log| log["calls"] == 1 && log["outcome"] == "complete"),
        "{logs:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_in_the_ledger_after_kill_minus_9_with_sqlite() {
    survives_kills("sqlite:bartizan.db", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_in_the_ledger_after_kill_minus_9_with_postgres() {
    let server = PrivatePostgres::start().unwrap();
    survives_kills(&server.url(), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_in_the_ledger_though_postgres_went_away_before_the_kill() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.url();
    survives_kills(&url, Some(server)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_told_to_end_leaves_nothing_in_its_journal() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = start(&mock, "sqlite:bartizan.db").run();
    for _ in 0..3 {
        assert_eq!(gateway.chat("gpt", "x").await.status, 200);
    }
    let folder = gateway.stop().await;
    let journal = folder.path().join("bartizan-data/spend");
    assert_eq!(std::fs::read_dir(&journal).unwrap().count(), 0);
    let gateway = start(&mock, "sqlite:bartizan.db").run_in(folder);
    assert_eq!(recorded(&gateway).await, 3);
}

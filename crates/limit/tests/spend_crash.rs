//! Killed at any moment, with each store, also while that is away: what was recorded is in the ledger afterwards, exactly once. The victim is this test
//! binary itself.

#![cfg(all(feature = "postgres", feature = "sqlite"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bartizan_core::Cost;
use bartizan_database::PostgresSettings;
use bartizan_limit::spend::{
    PostgresSpend, Spend, SpendEntry, SpendFilter, SpendScope, SpendSpan, SpendStore, SqliteSpend,
};
use bartizan_testkit::PrivatePostgres;
use secrecy::SecretString;

const STORE: &str = "BARTIZAN_CRASH_STORE";
const FOLDER: &str = "BARTIZAN_CRASH_FOLDER";
const ROUND: &str = "BARTIZAN_CRASH_ROUND";

const NOW: u64 = 1_900_000_000;

/// What a victim records costs its place in line, so that the sum tells what is missing or twice.
fn cost(n: u64) -> u64 {
    1 + n % 1_000
}

async fn open(folder: &Path, store: &str) -> Spend {
    let builder = Spend::builder().move_every(Duration::from_millis(5));
    match store.strip_prefix("sqlite:") {
        Some(path) => builder.open(folder, SqliteSpend::open(path).unwrap()),
        None => builder.open(folder, postgres(store).await),
    }
    .unwrap()
}

async fn postgres(url: &str) -> PostgresSpend {
    let settings = PostgresSettings::from_url(SecretString::from(url.to_owned())).unwrap();
    PostgresSpend::connect(settings).await.unwrap()
}

/// Runs only as a child of the tests below: records as fast as it can, and prints each entry once it is recorded, as a client would see an answer's
/// end.
#[test]
fn victim() {
    let (Ok(store), Ok(folder), Ok(round)) = (
        std::env::var(STORE),
        std::env::var(FOLDER),
        std::env::var(ROUND),
    ) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let spend = open(Path::new(&folder), &store).await;
        for n in 0_u64..20_000 {
            let mut entry =
                SpendEntry::new(Duration::from_secs(NOW), format!("{round}-{n}"), "gpt-4o");
            entry.cost = Cost::from_femto_dollars(u128::from(cost(n)));
            spend.record(entry);
            println!("recorded {round}-{n} .");
            if n % 50 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        // Killed before it gets here.
        tokio::time::sleep(Duration::from_secs(600)).await;
    });
}

fn spawn(folder: &Path, store: &str, round: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim", "--nocapture", "--test-threads", "1"])
        .envs([
            (STORE, store),
            (FOLDER, folder.to_str().unwrap()),
            (ROUND, &round.to_string()),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills it, and gives what it said was recorded.
fn kill(mut child: Child) -> Vec<String> {
    child.kill().unwrap();
    child.wait().unwrap();
    let mut output = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut output)
        .unwrap();
    // The last line may be cut: only one with its full stop counts.
    let lines = output
        .lines()
        .filter_map(|line| line.split_once("recorded ")?.1.strip_suffix(" ."));
    lines.map(str::to_owned).collect()
}

/// What is in the ledger once all that was left behind is moved.
async fn kept(folder: &Path, store: &str) -> HashMap<String, u64> {
    let spend = open(folder, store).await;
    let mut tries = 0;
    while let Err(error) = spend.flush().await {
        tries += 1;
        assert!(tries < 12, "{error}");
    }
    let mut kept = HashMap::new();
    let (mut before, mut femto) = (None, 0);
    loop {
        let rows = spend
            .rows(SpendFilter::within(SpendSpan::EVER), before, 5_000)
            .await
            .unwrap();
        before = rows.last().map(|row| row.entry.id);
        if rows.is_empty() {
            break;
        }
        for row in rows {
            assert_eq!(row.calls, 1);
            femto += row.entry.cost.femto_dollars();
            *kept.entry(row.entry.key_id).or_default() += 1;
        }
    }
    let spent = spend
        .spent(SpendScope::default(), SpendSpan::EVER)
        .await
        .unwrap();
    assert_eq!(spent.femto_dollars(), femto);
    spend.shutdown().await.unwrap();
    kept
}

fn assert_whole(seen: &[String], kept: &HashMap<String, u64>) {
    let lost: Vec<_> = seen
        .iter()
        .filter(|entry| !kept.contains_key(*entry))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} lost, such as {}",
        lost.len(),
        seen.len(),
        lost[0]
    );
    let twice: Vec<_> = kept.iter().filter(|(_, times)| **times > 1).collect();
    assert!(
        twice.is_empty(),
        "{} twice, such as {:?}",
        twice.len(),
        twice[0]
    );
    println!("{} recorded, {} kept", seen.len(), kept.len());
}

fn rounds() -> usize {
    std::env::var("BARTIZAN_CRASH_ROUNDS").map_or(12, |rounds| rounds.parse().unwrap())
}

fn moment(round: usize) -> Duration {
    // Different moments of start-up, of a transaction, and between them.
    Duration::from_micros(60_000 + (round as u64 * 17_919) % 150_000)
}

async fn survives_kills(store: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (mut seen, mut alive) = (Vec::new(), None);
    for round in 0..rounds() {
        let child = spawn(folder.path(), store, round);
        tokio::time::sleep(moment(round)).await;
        // Every third is killed while the next one runs beside it.
        if let Some(before) = alive.take() {
            seen.extend(kill(before));
        }
        if round % 3 == 0 {
            alive = Some(child);
        } else {
            seen.extend(kill(child));
        }
    }
    seen.extend(alive.into_iter().flat_map(kill));
    let kept = kept(folder.path(), store).await;
    assert!(
        seen.len() > rounds() * 10,
        "only {} recorded: killed too early",
        seen.len()
    );
    assert_whole(&seen, &kept);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_minus_9_loses_nothing_and_counts_nothing_twice_with_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    survives_kills(&format!(
        "sqlite:{}",
        folder.path().join("spend.db").display()
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_minus_9_loses_nothing_and_counts_nothing_twice_with_postgres() {
    let server = PrivatePostgres::start().unwrap();
    survives_kills(&server.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_goes_away_under_load_and_a_kill_then_lose_nothing() {
    let mut server = PrivatePostgres::start().unwrap();
    let (folder, url) = (tempfile::tempdir().unwrap(), server.url());
    drop(postgres(&url).await);
    let mut seen = Vec::new();
    for round in 0..2 {
        let child = spawn(folder.path(), &url, round);
        tokio::time::sleep(Duration::from_millis(150)).await;
        server.stop().unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        if round == 0 {
            // The process dies while the database is away.
            seen.extend(kill(child));
            server.restart().unwrap();
        } else {
            server.restart().unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            seen.extend(kill(child));
        }
    }
    let kept = kept(folder.path(), &url).await;
    assert!(seen.len() > 1_000, "only {} recorded", seen.len());
    assert_whole(&seen, &kept);
    assert_eq!(
        postgres(&url).await.oldest(false).await.unwrap(),
        Some(Duration::from_secs(NOW))
    );
}

//! Promise 11 under kill -9 and a full disk: no acknowledged record is lost. The victim is this test binary itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bartizan_audit::{ChainKey, Entry, FileSink, Intent, Journal, verify};

const JOURNAL: &str = "BARTIZAN_CRASH_JOURNAL";
const ROUND: &str = "BARTIZAN_CRASH_ROUND";
const PERSIST: &str = "BARTIZAN_CRASH_PERSIST";

fn key() -> ChainKey {
    ChainKey::new(&"crash".repeat(7).into()).unwrap()
}

/// Runs only as a child of the tests below: writes as fast as it can, and prints each call once it is durable.
#[test]
fn victim() {
    let (Ok(path), Ok(round)) = (std::env::var(JOURNAL), std::env::var(ROUND)) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let journal = Journal::builder()
            .key(key())
            .patience(Duration::from_secs(1))
            .open(FileSink::new(path))
            .await
            .unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..8 {
            let (journal, round) = (journal.clone(), round.clone());
            writers.spawn(async move {
                for n in 0..100_000 {
                    let call = format!("{round}-{writer}-{n}");
                    let intent = Intent::new(Duration::ZERO, call.clone(), "openai_chat");
                    match journal.record(Entry::Intent(Box::new(intent))).await {
                        Ok(()) => println!("durable {call} ."),
                        Err(_) if std::env::var(PERSIST).is_ok() => {
                            println!("refused");
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                        Err(_) => return,
                    }
                }
            });
        }
        writers.join_all().await;
        println!("refused");
    });
}

fn spawn(path: &Path, round: usize, limits: &str) -> std::process::Child {
    let run = format!(r#"{limits} exec "$0" --exact victim --nocapture --test-threads 1"#);
    Command::new("sh")
        .args(["-c", &run])
        .arg(std::env::current_exe().unwrap())
        .envs([
            (JOURNAL, path.as_os_str()),
            (ROUND, round.to_string().as_ref()),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn acknowledged(output: &str) -> impl Iterator<Item = String> {
    // The last line may be cut: only one with its full stop counts.
    output.lines().filter_map(|line| {
        Some(
            line.split_once("durable ")?
                .1
                .strip_suffix(" .")?
                .to_owned(),
        )
    })
}

fn calls(path: &Path) -> HashSet<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .filter_map(|line| {
            Some(
                line.split_once(r#""call":""#)?
                    .1
                    .split_once('"')?
                    .0
                    .to_owned(),
            )
        })
        .collect()
}

#[test]
fn kill_minus_9_loses_no_acknowledged_record() {
    let rounds =
        std::env::var("BARTIZAN_CRASH_ROUNDS").map_or(50, |rounds| rounds.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let mut seen: Vec<String> = Vec::new();
    let mut torn = 0;
    for round in 0..rounds {
        let mut child = spawn(&path, round, "");
        // Different moments of start-up, of a batch, and between batches.
        std::thread::sleep(Duration::from_micros(
            15_000 + (round as u64 * 7_919) % 40_000,
        ));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut output = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut output)
            .unwrap();
        seen.extend(acknowledged(&output));
        // The whole file each time would make many rounds take their square.
        if path.exists() && (round < 50 || round % 25 == 0) {
            torn += verify(&path, Some(&key()), None)
                .map(|verified| verified.torn_bytes)
                .unwrap_or_else(|error| panic!("round {round}: {error}"));
        }
    }
    let kept = calls(&path);
    let lost: Vec<_> = seen.iter().filter(|call| !kept.contains(*call)).collect();
    assert!(
        lost.is_empty(),
        "{} of {} lost, such as {}",
        lost.len(),
        seen.len(),
        lost[0]
    );
    assert!(
        seen.len() > rounds,
        "only {} acknowledged in {rounds} rounds: the victim was killed too early",
        seen.len()
    );
    println!(
        "{rounds} kills, {} acknowledged, {} kept, {torn} torn bytes",
        seen.len(),
        kept.len()
    );
}

/// A limit on the file's size cuts a write short just as a full disk does.
#[test]
fn a_full_disk_refuses_and_loses_no_acknowledged_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let output = spawn(&path, 0, "trap '' XFSZ; ulimit -f 100;")
        .wait_with_output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(output.contains("refused"), "the disk never filled");
    let seen: Vec<_> = acknowledged(&output).collect();
    let verified = verify(&path, Some(&key()), None).unwrap();
    assert!(seen.len() > 10 && verified.records > seen.len() as u64);
    let kept = calls(&path);
    assert!(seen.iter().all(|call| kept.contains(call)));
    // With room again, the next writer goes on where the last durable record ends.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let journal = Journal::builder()
            .key(key())
            .open(FileSink::new(&path))
            .await
            .unwrap();
        journal.shutdown(Duration::from_secs(5)).await.unwrap();
    });
    assert_eq!(verify(&path, Some(&key()), None).unwrap().torn_bytes, 0);
    assert!(
        calls(&path).is_superset(
            &kept
                .into_iter()
                .filter(|call| seen.contains(call))
                .collect()
        )
    );
}

/// The first write after the disk has room again must not stand behind half of the one that failed.
#[test]
fn a_disk_with_room_again_is_written_where_the_last_durable_record_ends() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let persist = format!("trap '' XFSZ; ulimit -S -f 100; export {PERSIST}=1;");
    let mut child = spawn(&path, 0, &persist);
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut output: Vec<String> = lines
        .by_ref()
        .take_while(|line| line != "refused")
        .collect();
    let full = fs::metadata(&path).unwrap().len();
    let raised = Command::new("prlimit")
        .args(["--pid", &child.id().to_string(), "--fsize=unlimited"])
        .status()
        .unwrap();
    assert!(raised.success());
    let before = output.len();
    // Refusals go on for as long as the writer pauses between tries, two seconds at most.
    let more = lines.take(4_000).filter(|line| line.contains("durable"));
    output.extend(more.take(100));
    assert_eq!(output.len(), before + 100, "the journal doesn't recover");
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = calls(&path);
    let seen: Vec<_> = acknowledged(&output.join("\n")).collect();
    assert!(seen.len() > 100 && seen.iter().all(|call| kept.contains(call)));
    assert!(
        verify(&path, Some(&key()), None).unwrap().records > 100
            && fs::metadata(&path).unwrap().len() > full
    );
}

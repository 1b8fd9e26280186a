//! Promise 11's figure: durable records a second by group commit. Run by hand, on a disk that one means:
//! `cargo test -p bartizan-audit --test throughput -- --ignored --nocapture`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use bartizan_audit::{ChainKey, Entry, FileSink, Intent, Journal, verify};
use tokio::time::Instant;

#[test]
#[ignore = "measures the disk"]
fn five_thousand_durable_records_a_second() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("audit.jsonl");
    let key = ChainKey::new(&"throughput".repeat(4).into()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    for writers in [1, 16, 64, 256] {
        let rate = runtime.block_on(async {
            let journal = Journal::builder()
                .key(key.clone())
                .open(FileSink::new(&path))
                .await
                .unwrap();
            let start = Instant::now();
            let mut tasks = tokio::task::JoinSet::new();
            for writer in 0..writers {
                let journal = journal.clone();
                tasks.spawn(async move {
                    let mut count = 0_u32;
                    while start.elapsed() < Duration::from_secs(2) {
                        let intent = Intent::new(
                            Duration::from_secs(1),
                            format!("call-{writer}-{count}"),
                            "openai_chat",
                        );
                        journal
                            .record(Entry::Intent(Box::new(intent)))
                            .await
                            .unwrap();
                        count += 1;
                    }
                    count
                });
            }
            let count: u32 = tasks.join_all().await.iter().sum();
            let rate = f64::from(count) / start.elapsed().as_secs_f64();
            journal.shutdown(Duration::from_secs(5)).await.unwrap();
            rate
        });
        println!("{writers} writers that wait: {rate:.0} durable records a second");
        assert!(writers < 64 || rate >= 5_000.0);
    }
    println!("{:?}", verify(&path, Some(&key), None).unwrap());
}

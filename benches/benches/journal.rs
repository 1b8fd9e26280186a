//! Durable audit records a second, by how many callers wait at once: `cargo bench -p bartizan-benches --bench journal`.
//!
//! A caller waits until its record is on the disk; those who wait together share one write and one `fdatasync`. The journal lies in cargo's
//! target folder, so that this measures the disk that the folder is on.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::time::Duration;

use bartizan::audit::{ChainKey, Entry, FileSink, Intent, Journal};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::task::JoinSet;
use tokio::time::Instant;

fn durable(criterion: &mut Criterion) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let key = ChainKey::new(&"a-secret-of-a-bench".repeat(4).into()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let mut group = criterion.benchmark_group("durable_records");
    group.sample_size(10);
    group.throughput(Throughput::Elements(1));
    for callers in [1, 16, 64, 256] {
        let path = folder.path().join(format!("{callers}.jsonl"));
        let journal = runtime
            .block_on(
                Journal::builder()
                    .key(key.clone())
                    .open(FileSink::new(&path)),
            )
            .unwrap();
        group.bench_function(format!("{callers} callers"), |bench| {
            bench.iter_custom(|records| runtime.block_on(record(&journal, callers, records)));
        });
        runtime
            .block_on(journal.shutdown(Duration::from_secs(5)))
            .unwrap();
    }
    group.finish();
}

/// How long `callers` take to see `records` records durable.
async fn record(journal: &Journal, callers: u64, records: u64) -> Duration {
    let each = records.div_ceil(callers);
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let journal = journal.clone();
        tasks.spawn(async move {
            for _ in 0..each {
                let intent = Intent::new(Duration::from_secs(1), "a-call", "openai_chat");
                journal
                    .record(Entry::Intent(Box::new(intent)))
                    .await
                    .unwrap();
            }
        });
    }
    tasks.join_all().await;
    start
        .elapsed()
        .mul_f64(records as f64 / (each * callers) as f64)
}

criterion_group!(benches, durable);
criterion_main!(benches);

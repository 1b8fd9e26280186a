//! What a record costs the call that it is of, how many entries a second come to a store, and what a budget's seed costs over a million rows:
//! `cargo bench -p bartizan-benches --bench spend`.
//!
//! The journal and the databases lie in cargo's target folder, so that this measures the disk that the folder is on. `BARTIZAN_BENCH_ROWS` says how
//! many rows the seeds are asked of; a million by default.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench"
)]

use std::time::Duration;

use bartizan::auth::PostgresSettings;
use bartizan::core::{Cost, Usage};
use bartizan::limit::spend::{
    Batch, PostgresSpend, Spend, SpendEntry, SpendScope, SpendSpan, SpendStore, SqliteSpend,
};
use bartizan_testkit::PrivatePostgres;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use secrecy::SecretString;
use tokio::runtime::Runtime;

const NOW: u64 = 1_700_000_000;
const MONTH: u64 = 30 * 86_400;

/// Of a thousand keys, a hundred teams, ten models: as a gateway of a company has them.
fn entry(n: u64) -> SpendEntry {
    let mut entry = SpendEntry::new(
        Duration::from_secs(NOW + n * 7 % MONTH),
        format!("key_{:026}", n * 31 % 1_000),
        format!("model-{}", n % 10),
    );
    entry.user_id = Some(format!("user-{}", n * 31 % 1_000));
    entry.team_id = Some(format!("team-{}", n * 31 % 100));
    entry.organization_id = Some(format!("organization-{}", n % 4));
    entry.provider = Some("openai".into());
    entry.served_model = Some(format!("model-{}-2026", n % 10));
    entry.tags = vec![format!("tag-{}", n % 50)];
    entry.end_user = Some(format!("{:064x}", n * 17 % 5_000));
    entry.usage = Usage {
        input: 900,
        output: 100,
        ..Usage::default()
    };
    entry.cost = Cost::from_femto_dollars(u128::from(2_500_000_000_000 + n));
    entry
}

fn postgres(runtime: &Runtime, server: &PrivatePostgres) -> PostgresSpend {
    let settings = PostgresSettings::from_url(SecretString::from(server.url())).unwrap();
    runtime.block_on(PostgresSpend::connect(settings)).unwrap()
}

fn record(criterion: &mut Criterion) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let runtime = Runtime::new().unwrap();
    let store = bartizan::limit::spend::MemorySpend::new();
    let spend = {
        let _inside = runtime.enter();
        Spend::open(folder.path(), store).unwrap()
    };
    let made = entry(1);
    criterion.bench_function("spend/record", |bench| {
        bench.iter(|| spend.record(made.clone()));
    });
}

fn append(criterion: &mut Criterion) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let runtime = Runtime::new().unwrap();
    let server = PrivatePostgres::start().unwrap();
    let sqlite = SqliteSpend::open(folder.path().join("spend.db")).unwrap();
    let postgres = postgres(&runtime, &server);
    let mut group = criterion.benchmark_group("spend/moved_in_batches_of_2000");
    group.sample_size(10);
    group.throughput(Throughput::Elements(2_000));
    let stores: [(&str, &dyn SpendStore); 2] = [("sqlite", &sqlite), ("postgres", &postgres)];
    for (name, store) in stores {
        let mut at = 0;
        group.bench_function(name, |bench| {
            bench.iter(|| {
                at += 1;
                runtime.block_on(store.append(batch(at))).unwrap();
            });
        });
    }
    group.finish();
}

fn batch(at: u64) -> Batch {
    Batch {
        journal: [1; 16],
        from: at - 1,
        to: at,
        entries: (at * 2_000..(at + 1) * 2_000).map(entry).collect(),
    }
}

/// Every scope that a budget may be of.
fn scopes() -> Vec<(&'static str, SpendScope)> {
    let all = SpendScope::default();
    let some = |text: &str| Some(text.to_owned());
    let key = some("key_00000000000000000000000031");
    vec![
        (
            "key",
            SpendScope {
                key: key.clone(),
                ..all.clone()
            },
        ),
        (
            "key x model",
            SpendScope {
                key,
                model: some("model-1"),
                ..all.clone()
            },
        ),
        (
            "user",
            SpendScope {
                user: some("user-31"),
                ..all.clone()
            },
        ),
        (
            "end user",
            SpendScope {
                end_user: Some(format!("{:064x}", 17)),
                ..all.clone()
            },
        ),
        (
            "team",
            SpendScope {
                team: some("team-31"),
                ..all.clone()
            },
        ),
        (
            "tag",
            SpendScope {
                tag: some("tag-1"),
                ..all.clone()
            },
        ),
        (
            "model",
            SpendScope {
                model: some("model-1"),
                ..all.clone()
            },
        ),
        (
            "organization",
            SpendScope {
                organization: some("organization-1"),
                ..all.clone()
            },
        ),
        ("global", all),
    ]
}

fn seed(criterion: &mut Criterion) {
    let rows = std::env::var("BARTIZAN_BENCH_ROWS").map_or(1_000_000, |rows| rows.parse().unwrap());
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let runtime = Runtime::new().unwrap();
    let server = PrivatePostgres::start().unwrap();
    let sqlite = SqliteSpend::open(folder.path().join("spend.db")).unwrap();
    let postgres = postgres(&runtime, &server);
    let stores: [(&str, &dyn SpendStore); 2] = [("sqlite", &sqlite), ("postgres", &postgres)];
    let mut group = criterion.benchmark_group(format!("spend/seed_of_{rows}_rows"));
    group.sample_size(10);
    let month = SpendSpan {
        from: Duration::from_secs(NOW),
        to: Duration::from_secs(NOW + MONTH),
    };
    for (name, store) in stores {
        for at in 1..=rows / 2_000 {
            runtime.block_on(store.append(batch(at))).unwrap();
        }
        for (what, scope) in scopes() {
            group.bench_function(format!("{name}/{what}"), |bench| {
                bench.iter(|| runtime.block_on(store.spent(scope.clone(), month)).unwrap());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, record, append, seed);
criterion_main!(benches);

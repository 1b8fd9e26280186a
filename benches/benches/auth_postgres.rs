//! What a key costs that is not remembered, where keys are in PostgreSQL: a server of the bench's own, on the same machine.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bartizan::auth::{
    Account, AccountId, AccountKind, KeyId, KeyRequest, KeyStore, Keys, MasterKey, Pepper,
    PostgresSettings, PostgresStore,
};
use bartizan_testkit::PrivatePostgres;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MASTER: &str = "sk-6f0d2b9c4e8a71f3d5b60c9e82a4f71d";
/// Among so many others a key is looked for.
const OTHERS: u64 = 100_000;

/// The keys that are looked up, by what hangs on them.
struct Ground {
    _server: PrivatePostgres,
    runtime: Runtime,
    store: PostgresStore,
    keys: Keys,
    cases: [(&'static str, SecretString); 3],
}

impl Ground {
    fn new() -> Self {
        let server = PrivatePostgres::start().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let settings = PostgresSettings::from_url(server.url().into()).unwrap();
        let store = runtime.block_on(PostgresStore::connect(settings)).unwrap();
        let pepper = Pepper::new(&"b04d8f7e2c6a4915a3e87d50c1f962ab".into()).unwrap();
        let keys = Keys::builder(store.clone(), pepper)
            .cache_ttl(Duration::ZERO)
            .store_timeout(Duration::from_secs(10))
            .build();
        let cases = runtime.block_on(fill(&store, &keys));
        Self {
            _server: server,
            runtime,
            store,
            keys,
            cases,
        }
    }
}

async fn fill(store: &PostgresStore, keys: &Keys) -> [(&'static str, SecretString); 3] {
    let admin = MasterKey::new(MASTER.into())
        .unwrap()
        .verify(MASTER)
        .unwrap();
    let plain = keys.generate(&admin, KeyRequest::default()).await.unwrap();
    for number in 0..OTHERS {
        let mut other = plain.record.clone();
        other.key_id = KeyId::generate().unwrap();
        let mut digest = [7; 32];
        digest[..8].copy_from_slice(&number.to_le_bytes());
        other.digest = bartizan::auth::KeyDigest::from_bytes(digest);
        other.team_id = Some(format!("team {}", number % 1_000));
        store.insert(other).await.unwrap();
    }
    for kind in AccountKind::ALL {
        let account = Account::new(AccountId::new(kind, "reading"), Duration::ZERO);
        store.insert_account(account).await.unwrap();
    }
    let mut request = KeyRequest::default();
    request.organization_id = Some("reading".to_owned());
    request.team_id = Some("reading".to_owned());
    request.user_id = Some("reading".to_owned());
    let member = keys.generate(&admin, request).await.unwrap();
    let mut minter = keys.verify(member.key.expose_secret()).await.unwrap();
    let mut child = member.clone();
    for _ in 0..2 {
        child = keys.generate(&minter, KeyRequest::default()).await.unwrap();
        minter = keys.verify(child.key.expose_secret()).await.unwrap();
    }
    [
        ("a key", plain.key),
        ("a key with three accounts", member.key),
        ("a key with three accounts and two elders", child.key),
    ]
}

fn miss(criterion: &mut Criterion) {
    let ground = Ground::new();
    let mut group = criterion.benchmark_group("auth/postgres");
    group.bench_function("one round trip that reads nothing", |bencher| {
        bencher.iter(|| black_box(ground.runtime.block_on(ground.store.get(&[])).unwrap()));
    });
    for (name, key) in &ground.cases {
        group.bench_function(BenchmarkId::new("miss", name), |bencher| {
            let verify = || ground.keys.verify(key.expose_secret());
            bencher.iter(|| black_box(ground.runtime.block_on(verify()).unwrap()));
        });
    }
    // As many callers as connections, each with the next question as soon as it has its answer.
    const CALLERS: u64 = 10;
    const EACH: u64 = 100;
    group.throughput(Throughput::Elements(CALLERS * EACH));
    let key = Arc::new(ground.cases[1].1.clone());
    group.bench_function("a thousand misses, ten at a time", |bencher| {
        let thousand = async || {
            let callers: Vec<_> = (0..CALLERS)
                .map(|_| {
                    let (keys, key) = (ground.keys.clone(), Arc::clone(&key));
                    tokio::spawn(async move {
                        for _ in 0..EACH {
                            black_box(keys.verify(key.expose_secret()).await.unwrap());
                        }
                    })
                })
                .collect();
            for caller in callers {
                caller.await.unwrap();
            }
        };
        bencher.iter(|| ground.runtime.block_on(thousand()));
    });
    group.finish();
}

criterion_group!(benches, miss);
criterion_main!(benches);

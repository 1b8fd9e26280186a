//! A decision of the store in process and its settlement: six scopes, each with requests, tokens and a budget, so eighteen counts at once. Alone,
//! and on two threads, whose callers share the two widest scopes or nothing.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::future::Future;
use std::hint::black_box;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bartizan::limit::Local;
use bartizan::limit::store::{Claim, Counter, Decision, Kind, LimitStore};
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SCOPES: [&str; 6] = ["global", "organization", "team", "user", "key", "key_model"];
const MOST: u64 = 1 << 50;

/// The store decides at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("it waits for nothing"),
    }
}

/// What one caller claims. `shared` of its scopes are others' too.
fn claims(store: &Local, caller: usize, shared: usize) -> Vec<Claim> {
    let minute = Kind::Sliding(Duration::from_secs(60));
    let month = Kind::Period {
        start: 0,
        end: None,
    };
    SCOPES
        .iter()
        .enumerate()
        .flat_map(|(at, scope)| {
            let whose = if at < shared { 0 } else { caller };
            [
                ("rpm", minute, 1),
                ("tpm", minute, 700),
                ("1mo", month, 2_500_000),
            ]
            .map(|(what, kind, amount)| {
                let counter = Counter::new(format!("{scope}/{whose:08x}/{what}"), kind);
                now(store.seed(&counter, 0)).unwrap();
                Claim {
                    counter,
                    limit: MOST,
                    amount,
                    share: None,
                }
            })
        })
        .collect()
}

fn decide(store: &Local, claims: &[Claim]) -> Decision {
    now(store.decide(black_box(claims))).unwrap()
}

fn settle(store: &Local, claims: &[Claim], decision: Decision, used: &[u64]) {
    let Decision::Admitted { charge, .. } = decision else {
        unreachable!("there is room");
    };
    store.settle(claims, charge, used);
}

/// How long `calls` take on each of so many threads at once.
fn on_threads(threads: usize, shared: usize, calls: u64) -> Duration {
    let store = Local::new();
    let callers = (0..threads)
        .map(|caller| claims(&store, caller, shared))
        .collect::<Vec<_>>();
    let gate = Barrier::new(threads + 1);
    std::thread::scope(|scope| {
        for claims in &callers {
            let (store, gate) = (&store, &gate);
            scope.spawn(move || {
                let used = claims.iter().map(|claim| claim.amount).collect::<Vec<_>>();
                gate.wait();
                for _ in 0..calls {
                    settle(store, claims, decide(store, claims), &used);
                }
                gate.wait();
            });
        }
        gate.wait();
        let start = Instant::now();
        gate.wait();
        start.elapsed()
    })
}

fn limit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("limit");
    let store = Local::new();
    let claims = claims(&store, 0, 0);
    let used = claims.iter().map(|claim| claim.amount).collect::<Vec<_>>();
    group.bench_function("decision/six_scopes", |bencher| {
        bencher.iter(|| decide(&store, &claims));
    });
    group.bench_function("decision_and_settlement/six_scopes", |bencher| {
        bencher.iter(|| settle(&store, &claims, decide(&store, &claims), &used));
    });
    for (name, threads, shared) in [
        ("one_thread", 1, 2),
        ("two_threads/nothing_shared", 2, 0),
        ("two_threads/two_scopes_shared", 2, 2),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|calls| on_threads(threads, shared, calls));
        });
    }
    group.finish();
}

criterion_group!(benches, limit);
criterion_main!(benches);

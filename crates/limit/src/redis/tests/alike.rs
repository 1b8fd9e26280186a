//! In this process and in Redis the same is decided.

use std::sync::Arc;
use std::time::Duration;

use bartizan_core::ManualClock;
use bartizan_testkit::PrivateRedis;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::support::{TOLD, connection, counter, patient, up};
use crate::Local;
use crate::store::{Charge, Claim, Counter, Decision, Kind, LimitStore as _, Share};

const START: u64 = 1_700_000_000_123;

#[derive(Clone, Debug)]
enum Event {
    /// Milliseconds pass.
    Pass(u64),
    /// Which counts are asked for what.
    Call(Vec<(usize, u64, u64)>),
    /// The nth call that is under way uses these.
    End(usize, Vec<u64>),
}

fn counters() -> Vec<Counter> {
    let period = |end| Kind::Period {
        start: START / 1_000 - 100,
        end,
    };
    vec![
        counter("requests", Kind::Sliding(Duration::from_mins(1))),
        counter("tokens", Kind::Sliding(Duration::from_mins(1))),
        counter("second", Kind::Sliding(Duration::from_millis(600))),
        counter("day", Kind::Sliding(Duration::from_hours(24))),
        counter("calls", Kind::Gauge),
        counter("money", period(Some(START / 1_000 + 3_600))),
        counter("altogether", period(None)),
        counter("shared", Kind::Sliding(Duration::from_mins(1))),
    ]
}

fn class(name: usize) -> Counter {
    counter(
        &format!("class {name}"),
        Kind::Sliding(Duration::from_mins(1)),
    )
}

fn claims(wishes: &[(usize, u64, u64)], counters: &[Counter]) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    for (which, limit, amount) in wishes {
        let counter = counters[*which].clone();
        if claims.iter().any(|claim| claim.counter == counter) {
            continue;
        }
        let classes = [20, 30, 0];
        let share = (counter.name() == "shared").then(|| {
            let own = (*limit % 3) as usize;
            let others = (0..3).filter(|other| *other != own);
            Share {
                own: class(own),
                minimum: classes[own],
                others: others
                    .map(|other| (class(other), classes[other]))
                    .collect::<Arc<[_]>>(),
            }
        });
        let limit = if share.is_some() { 60 } else { *limit };
        claims.push(Claim {
            counter,
            limit,
            amount: *amount,
            share,
        });
    }
    claims
}

fn event() -> impl Strategy<Value = Event> {
    let amount = prop_oneof![8 => 0..30_u64, 1 => Just(1 << 44)];
    let limit = prop_oneof![8 => 1..90_u64, 1 => Just(1 << 53)];
    let wish = (0..8_usize, limit, amount.clone());
    prop_oneof![
        3 => prop_oneof![0..1_500_u64, 0..120_000_u64].prop_map(Event::Pass),
        6 => vec(wish, 1..6).prop_map(Event::Call),
        4 => (any::<prop::sample::Index>(), vec(prop_oneof![0..40_u64, amount], 8))
            .prop_map(|(which, used)| Event::End(which.index(1 << 20), used)),
    ]
}

/// What a process says of itself is no part of it.
fn plain(decision: Decision) -> Decision {
    match decision {
        Decision::Admitted { charge, standings } => Decision::Admitted {
            charge: Charge { by: 0, ..charge },
            standings,
        },
        other => other,
    }
}

#[test]
fn both_stores_decide_alike_on_any_schedule() {
    let redis = PrivateRedis::start().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let mut config = Config::with_cases(150);
    config.failure_persistence = None;
    TestRunner::new(config)
        .run(&vec(event(), 1..60), |events| {
            runtime.block_on(follow(&redis, &events))
        })
        .unwrap();
}

async fn follow(redis: &PrivateRedis, events: &[Event]) -> Result<(), TestCaseError> {
    let mut by_hand = connection(&redis.url()).await;
    ::redis::cmd("FLUSHALL")
        .exec_async(&mut by_hand)
        .await
        .unwrap();
    let mut now = START;
    let tell = async |now: u64, connection: &mut ::redis::aio::MultiplexedConnection| {
        let mut told = ::redis::cmd("SET");
        told.arg("now")
            .arg(now)
            .exec_async(connection)
            .await
            .unwrap();
    };
    tell(now, &mut by_hand).await;
    let clock = ManualClock::at(Duration::from_millis(now));
    let local = Local::new().clock(clock.clone());
    // Test time leaps past any sign of life.
    let store = patient(&redis.url())
        .clocked(TOLD, clock.clone(), Duration::from_hours(24 * 365))
        .build()
        .unwrap();
    up(&store).await;
    let counters = counters();
    let mut under_way = Vec::new();
    for event in events {
        match event {
            Event::Pass(by) => {
                now += by;
                clock.advance(Duration::from_millis(*by));
                tell(now, &mut by_hand).await;
            }
            Event::Call(wishes) => {
                let claims = claims(wishes, &counters);
                let mut here = local.decide(&claims).await.unwrap();
                let mut there = store.decide(&claims).await.unwrap();
                prop_assert_eq!(&here, &plain(there.clone()));
                if let Decision::Unseeded(which) = &here {
                    for which in which {
                        local.seed(&claims[*which].counter, 7).await.unwrap();
                        store.seed(&claims[*which].counter, 7).await.unwrap();
                    }
                    here = local.decide(&claims).await.unwrap();
                    there = store.decide(&claims).await.unwrap();
                    prop_assert_eq!(&here, &plain(there.clone()));
                }
                if let (
                    Decision::Admitted { charge: here, .. },
                    Decision::Admitted { charge: there, .. },
                ) = (here, there)
                {
                    under_way.push((claims, here, there));
                }
            }
            Event::End(which, used) if !under_way.is_empty() => {
                let (claims, here, there) = under_way.swap_remove(which % under_way.len());
                local.settle(&claims, here, used);
                store.settle(&claims, there, used);
                prop_assert!(store.flush(Duration::from_secs(5)).await);
            }
            Event::End(..) => {}
        }
    }
    Ok(())
}

//! The store in process, against the plain model of what a store has to answer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

#[path = "support/model.rs"]
mod model;

use std::future::Future;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bartizan_core::{Clock as _, ManualClock};
use bartizan_limit::Local;
use bartizan_limit::store::{
    Away, Charge, Claim, Counter, Decision, Kind, LimitStore, Share, Standing,
};
use proptest::prelude::*;

use self::model::Model;

const START: u64 = 1_700_000_000_000;
const MINUTE: Kind = Kind::Sliding(Duration::from_secs(60));

fn clock() -> ManualClock {
    ManualClock::at(Duration::from_millis(START))
}

fn store(clock: &ManualClock) -> Local {
    Local::new().clock(clock.clone())
}

/// The store decides at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

fn claim(name: &str, kind: Kind, limit: u64, amount: u64) -> Claim {
    Claim {
        counter: Counter::new(name, kind),
        limit,
        amount,
        share: None,
    }
}

fn decide(local: &Local, claims: &[Claim]) -> Decision {
    now(local.decide(claims)).unwrap()
}

fn admitted(local: &Local, claims: &[Claim]) -> Option<Charge> {
    match decide(local, claims) {
        Decision::Admitted { charge, .. } => Some(charge),
        Decision::Refused { .. } => None,
        Decision::Unseeded(places) => {
            for place in places {
                now(local.seed(&claims[place].counter, 0)).unwrap();
            }
            admitted(local, claims)
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Pass(u64),
    /// The counts that a call claims, by their places, with limit and amount.
    Call(Vec<(usize, u64, u64)>),
    /// Ends one of the calls under way; how much of its amounts each used, in quarters.
    Settle(prop::sample::Index, Vec<u64>),
}

fn counters() -> Vec<Counter> {
    let seconds = START / 1_000;
    [
        ("minute", MINUTE),
        ("other minute", MINUTE),
        ("short", Kind::Sliding(Duration::from_millis(60))),
        ("hour", Kind::Sliding(Duration::from_secs(3_600))),
        ("gauge", Kind::Gauge),
        (
            "period",
            Kind::Period {
                start: seconds,
                end: Some(seconds + 1_000_000),
            },
        ),
        (
            "ever",
            Kind::Period {
                start: 0,
                end: None,
            },
        ),
    ]
    .map(|(name, kind)| Counter::new(name, kind))
    .to_vec()
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let one = prop_oneof![
        2 => prop_oneof![0..50_u64, 0..3_000_u64, 0..70_000_u64, Just(3_700_000)].prop_map(Act::Pass),
        4 => prop::collection::btree_map(0..7_usize, (0..40_u64, 0..12_u64), 1..6)
            .prop_map(|claims| Act::Call(claims.into_iter().map(|(at, (limit, amount))| (at, limit, amount)).collect())),
        3 => (any::<prop::sample::Index>(), prop::collection::vec(0..8_u64, 6)).prop_map(|(call, used)| Act::Settle(call, used)),
    ];
    prop::collection::vec(one, 1..80)
}

/// Does the same with both, and compares all answers.
fn compare(acts: Vec<Act>, share: impl Fn(Claim) -> Claim) -> Result<(), TestCaseError> {
    let (clock, mut model, counters) = (clock(), Model::default(), counters());
    let local = store(&clock);
    let mut under_way = Vec::new();
    for act in acts {
        let moment = clock.unix().as_millis() as u64;
        match act {
            Act::Pass(by) => clock.advance(Duration::from_millis(by)),
            Act::Call(wanted) => {
                let claims = wanted
                    .into_iter()
                    .map(|(at, limit, amount)| {
                        share(Claim {
                            counter: counters[at].clone(),
                            limit,
                            amount,
                            share: None,
                        })
                    })
                    .collect::<Vec<_>>();
                let mut expected = model.decide(moment, &claims);
                prop_assert_eq!(&decide(&local, &claims), &expected);
                if let Decision::Unseeded(places) = &expected {
                    for place in places {
                        now(local.seed(&claims[*place].counter, 3)).unwrap();
                        model.seed(&claims[*place].counter, 3);
                    }
                    expected = model.decide(moment, &claims);
                    prop_assert_eq!(&decide(&local, &claims), &expected);
                }
                match expected {
                    Decision::Admitted { charge, .. } => under_way.push((claims, charge)),
                    Decision::Refused {
                        wait: Some(wait), ..
                    } if !wait.is_zero() && claims.iter().all(|claim| claim.share.is_none()) => {
                        // Not a millisecond too long, nor too short: asked of the model, which charges nothing for a refusal.
                        let then = moment + wait.as_millis() as u64;
                        let early = model.decide(then - 1, &claims);
                        let refused = matches!(early, Decision::Refused { .. });
                        prop_assert!(refused, "it passes before it was told to");
                    }
                    _ => {}
                }
            }
            Act::Settle(call, quarters) => {
                if under_way.is_empty() {
                    continue;
                }
                let (claims, charge): (Vec<Claim>, Charge) =
                    under_way.swap_remove(call.index(under_way.len()));
                let used = claims
                    .iter()
                    .zip(quarters)
                    .map(|(claim, quarters)| claim.amount * quarters / 4)
                    .collect::<Vec<_>>();
                local.settle(&claims, charge, &used);
                model.settle(moment, &claims, charge.at, &used);
            }
        }
    }
    for (claims, charge) in under_way {
        local.settle(&claims, charge, &vec![0; claims.len()]);
    }
    prop_assert_eq!(local.held(), 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_answer_is_the_plain_models(acts in acts()) {
        compare(acts, |claim| claim)?;
    }

    #[test]
    fn shares_too_are_the_plain_models(acts in acts(), minima in prop::collection::vec(0..30_u64, 3), class in 0..3_usize) {
        let classes = |kind| ["a", "b", "c"].map(|name| Counter::new(format!("{name}/{kind:?}"), kind));
        compare(acts, |mut claim| {
            if matches!(claim.counter.name(), "minute" | "gauge" | "short") {
                // The class changes with the amount, so that all three call.
                let class = (class + claim.amount as usize) % 3;
                let all = classes(claim.counter.kind());
                let mut others = all.iter().cloned().zip(minima.iter().copied()).collect::<Vec<_>>();
                let (own, minimum) = others.remove(class);
                claim.share = Some(Share { own, minimum, others: others.into() });
            }
            claim
        })?;
    }

    #[test]
    fn in_no_stretch_of_a_windows_length_is_more_taken_than_the_limit(calls in prop::collection::vec((0..9_000_u64, 1..9_u64), 1..120)) {
        let clock = clock();
        let local = store(&clock);
        let mut taken = Vec::new();
        for (pause, amount) in calls {
            clock.advance(Duration::from_millis(pause));
            if admitted(&local, &[claim("k", MINUTE, 20, amount)]).is_some() {
                taken.push((clock.monotonic(), amount));
            }
        }
        for (from, _) in &taken {
            let within = |at: &Duration| *at >= *from && *at - *from <= Duration::from_secs(60);
            let sum = taken.iter().filter(|(at, _)| within(at)).map(|(_, amount)| amount).sum::<u64>();
            prop_assert!(sum <= 20, "{sum} from {from:?}");
        }
    }
}

#[test]
fn a_call_that_waits_as_told_passes_and_a_millisecond_earlier_does_not() {
    for offset in [0, 1, 499, 500, 999, 1_000, 31_234] {
        let clock = clock();
        clock.advance(Duration::from_millis(offset));
        let local = store(&clock);
        let claims = [claim("k", MINUTE, 10, 6), claim("h", MINUTE, 100, 60)];
        admitted(&local, &claims).unwrap();
        let Decision::Refused {
            claim: 0,
            wait: Some(wait),
            ..
        } = decide(&local, &claims)
        else {
            panic!("{offset}: it passes");
        };
        assert!(wait > Duration::from_secs(60) && wait <= Duration::from_secs(61));
        clock.advance(wait - Duration::from_millis(1));
        assert_eq!(admitted(&local, &claims), None, "{offset}");
        clock.advance(Duration::from_millis(1));
        assert!(admitted(&local, &claims).is_some(), "{offset}");
    }
}

#[test]
fn a_thousand_calls_of_many_threads_never_settle_more_than_a_budget_of_a_hundred() {
    const PRICE: u64 = 1_000;
    let local = Local::new();
    let budget = Kind::Period {
        start: 0,
        end: None,
    };
    let (settled, spent) = (AtomicU64::new(0), AtomicU64::new(0));
    let gate = Barrier::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let (local, settled, spent, gate) = (&local, &settled, &spent, &gate);
            scope.spawn(move || {
                gate.wait();
                for call in 0..125 {
                    let claims = [
                        claim("gauge", Kind::Gauge, 5, 1),
                        claim("budget", budget, 100 * PRICE, PRICE),
                        claim(&format!("own {thread}"), MINUTE, 1_000, 1),
                    ];
                    let Some(charge) = admitted(local, &claims) else {
                        std::thread::yield_now();
                        continue;
                    };
                    // Some cost all, some half, some nothing.
                    let used = [PRICE, PRICE / 2, 0][call % 3];
                    if used > 0 {
                        settled.fetch_add(1, Ordering::SeqCst);
                        spent.fetch_add(used, Ordering::SeqCst);
                    }
                    local.settle(&claims, charge, &[0, used, 1]);
                }
            });
        }
    });
    let spent = spent.into_inner();
    assert!(spent <= 100 * PRICE, "{spent}");
    assert!(settled.into_inner() > 0);
    assert_eq!(local.held(), 0);
    let Decision::Refused { standings, .. } = decide(&local, &[claim("budget", budget, 0, 1)])
    else {
        panic!("a limit of nothing lets something pass");
    };
    assert_eq!(standings[0].taken, spent);
}

#[test]
fn calls_that_name_the_same_counts_in_different_orders_never_lock_each_other_out() {
    let local = Local::new();
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let local = &local;
            scope.spawn(move || {
                for round in 0..2_000_usize {
                    let claims = (0..6_usize)
                        .map(|at| (at * 5 + thread + round) % 6)
                        .map(|at| claim(&format!("c{at}"), Kind::Gauge, u64::MAX, 1))
                        .collect::<Vec<_>>();
                    let charge = admitted(local, &claims).unwrap();
                    local.settle(&claims, charge, &[0; 6]);
                }
            });
        }
    });
    assert_eq!(local.held(), 0);
}

#[test]
fn a_call_that_is_dropped_before_it_is_decided_takes_nothing() {
    let local = Local::new();
    let claims = [claim("g", Kind::Gauge, 1, 1)];
    drop(local.decide(&claims));
    assert_eq!((local.held(), local.counters()), (0, 0));
}

#[test]
fn counts_that_stand_as_new_ones_would_leave_when_room_is_needed_and_others_never() {
    let clock = clock();
    let local = Local::new().clock(clock.clone()).max_counters(3);
    let month = Kind::Period {
        start: START / 1_000,
        end: Some(START / 1_000 + 120),
    };
    let spending = [claim("month", month, 10, 1)];
    let charge = admitted(&local, &spending).unwrap();
    local.settle(&spending, charge, &[1]);
    let held = [claim("held", Kind::Gauge, 10, 1)];
    let charge = admitted(&local, &held).unwrap();
    admitted(&local, &[claim("a", MINUTE, 10, 1)]).unwrap();
    let further = [claim("b", MINUTE, 10, 1)];
    assert_eq!(now(local.decide(&further)), Err(Away::Full));
    assert_eq!(
        now(local.seed(&Counter::new("s", month), 0)),
        Err(Away::Full)
    );

    clock.advance(Duration::from_secs(62));
    assert!(admitted(&local, &further).is_some(), "`a` is idle");
    assert_eq!(local.counters(), 3);
    local.settle(&held, charge, &[0]);
    clock.advance(Duration::from_secs(2));
    assert!(admitted(&local, &[claim("c", MINUTE, 10, 1)]).is_some());
    clock.advance(Duration::from_secs(2));
    assert_eq!(
        now(local.decide(&[claim("d", MINUTE, 10, 1)])),
        Err(Away::Full),
        "what is spent this month is not forgotten"
    );
    clock.advance(Duration::from_secs(60));
    assert!(admitted(&local, &[claim("d", MINUTE, 10, 1)]).is_some());
    assert!(local.counters() <= 3);
}

#[test]
fn a_million_names_leave_no_more_than_are_in_use() {
    let clock = clock();
    let local = store(&clock);
    for name in 0..200_000 {
        if name % 100 == 0 {
            clock.advance(Duration::from_secs(1));
        }
        admitted(&local, &[claim(&format!("k{name}"), MINUTE, 1, 1)]).unwrap();
    }
    assert!(local.counters() < 20_000, "{}", local.counters());
}

#[test]
fn a_limit_that_changes_binds_at_once() {
    let clock = clock();
    let local = store(&clock);
    admitted(&local, &[claim("k", MINUTE, 10, 8)]).unwrap();
    assert_eq!(admitted(&local, &[claim("k", MINUTE, 8, 1)]), None);
    let Decision::Admitted { standings, .. } = decide(&local, &[claim("k", MINUTE, 12, 1)]) else {
        panic!("it does not pass");
    };
    assert_eq!(
        standings,
        [Standing {
            taken: 9,
            remaining: 3,
            reset: Duration::from_millis(61_000 - START % 1_000)
        }]
    );
}

#[test]
fn what_a_debt_takes_beyond_a_limit_keeps_the_next_calls_out_until_it_has_left() {
    let clock = clock();
    let local = store(&clock);
    let claims = [claim("k", MINUTE, 10, 2)];
    let charge = admitted(&local, &claims).unwrap();
    clock.advance(Duration::from_secs(90));
    // The slot of the beginning has left: what was more than was taken counts from now.
    local.settle(&claims, charge, &[25]);
    let Decision::Refused {
        wait, standings, ..
    } = decide(&local, &claims)
    else {
        panic!("it passes");
    };
    assert_eq!(standings[0].taken, 23);
    assert_eq!(wait, Some(standings[0].reset));
    clock.advance(wait.unwrap());
    assert!(admitted(&local, &claims).is_some());
}

//! A store answers as the one in memory does, whatever it is told and asked, before and after sums.

use std::time::Duration;

use bartizan_core::{Cost, Usage};
use bartizan_limit::spend::{
    Batch, Fold, MemorySpend, SpendEntry, SpendFilter, SpendGroup, SpendOutcome, SpendQuery,
    SpendScope, SpendSpan, SpendStore, SpendViewer,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::NOW;

const QUARTER: u64 = 900;
const DAY: u64 = 86_400;
const MIDNIGHT: u64 = NOW - NOW % DAY;

const GROUPS: [SpendGroup; 10] = [
    SpendGroup::Total,
    SpendGroup::Key,
    SpendGroup::User,
    SpendGroup::Team,
    SpendGroup::Organization,
    SpendGroup::Model,
    SpendGroup::Provider,
    SpendGroup::Tag,
    SpendGroup::EndUser,
    SpendGroup::Quarter,
];

/// Few names, so that entries share them; `B` and `a` are told apart by bytes.
fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "B", "ü", ""]).prop_map(str::to_owned)
}

fn told() -> impl Strategy<Value = Option<String>> {
    prop::option::of(name())
}

fn one() -> impl Strategy<Value = SpendEntry> {
    let names = (name(), name(), told(), told(), told(), told(), told());
    let tags = prop::collection::btree_set(name(), 0..3);
    let rest = (
        0..2 * DAY * 1_000,
        0..1_000_000_u64,
        0..10_u128.pow(16),
        any::<(bool, bool)>(),
        0_usize..3,
    );
    (names, tags, rest).prop_map(|(names, tags, rest)| {
        let (key, model, user_id, team_id, organization_id, provider, end_user) = names;
        let (at, tokens, cost, (estimated, priced), outcome) = rest;
        let mut entry = SpendEntry::new(Duration::from_millis(MIDNIGHT * 1_000 + at), key, model);
        entry.served_model = provider.clone();
        (entry.user_id, entry.team_id, entry.organization_id) = (user_id, team_id, organization_id);
        (entry.provider, entry.end_user) = (provider, end_user);
        entry.tags = tags.into_iter().collect();
        entry.usage = Usage {
            input: tokens,
            output: tokens / 2,
            reasoning: 1,
            ..Usage::default()
        };
        entry.cost = Cost::from_femto_dollars(cost);
        (entry.estimated, entry.priced) = (estimated, priced);
        entry.outcome = SpendOutcome::ALL[outcome];
        entry
    })
}

fn filter() -> impl Strategy<Value = SpendFilter> {
    let scope = (told(), told(), told(), told(), told(), told(), told()).prop_map(|names| {
        let (organization, team, user, key, model, tag, end_user) = names;
        SpendScope {
            organization,
            team,
            user,
            key,
            model,
            tag,
            end_user,
        }
    });
    // Mostly few conditions: many leave nothing.
    let scope = prop_oneof![Just(SpendScope::default()), scope.prop_map(thin)];
    let viewer =
        (name(), told(), told(), told()).prop_map(|(key, user, team, organization)| SpendViewer {
            key,
            user,
            team,
            organization,
        });
    let span = (0..2 * DAY / QUARTER, 0..2 * DAY / QUARTER);
    (scope, prop::option::of(viewer), span).prop_map(|(scope, viewer, (one, other))| {
        let at = |quarter| Duration::from_secs(MIDNIGHT + quarter * QUARTER);
        let mut filter = SpendFilter::within(SpendSpan {
            from: at(one.min(other)),
            to: at(one.max(other)),
        });
        (filter.scope, filter.visible_to) = (scope, viewer);
        filter
    })
}

/// Leaves one or two conditions.
fn thin(mut scope: SpendScope) -> SpendScope {
    let mut left = 2;
    for place in [
        &mut scope.tag,
        &mut scope.model,
        &mut scope.key,
        &mut scope.team,
        &mut scope.user,
        &mut scope.end_user,
        &mut scope.organization,
    ] {
        if left == 0 {
            *place = None;
        } else if place.is_some() {
            left -= 1;
        }
    }
    scope
}

/// What is asked; rows apart, since sums have ids of their own.
async fn asked(store: &dyn SpendStore, filters: &[SpendFilter]) -> Vec<String> {
    let mut answers = Vec::new();
    for filter in filters {
        let spent = store
            .spent(filter.scope.clone(), filter.span)
            .await
            .unwrap();
        answers.push(format!("{filter:?}: {spent}"));
        for group in GROUPS {
            let mut query = SpendQuery::new(filter.clone(), group);
            let whole = store.sums(query.clone()).await.unwrap();
            (query.skip, query.limit) = (1, 2);
            let page = store.sums(query).await.unwrap();
            assert_eq!(
                page,
                whole.iter().skip(1).take(2).cloned().collect::<Vec<_>>()
            );
            answers.push(format!("{filter:?} by {group:?}: {whole:?}"));
        }
    }
    answers
}

async fn rows(store: &dyn SpendStore, filter: &SpendFilter) -> Vec<String> {
    let rows = store.rows(filter.clone(), None, 1_000).await.unwrap();
    let mut rows: Vec<_> = rows
        .into_iter()
        .map(|mut row| {
            let time = row.entry.time();
            row.entry.id = bartizan_limit::spend::SpendId::from_bytes([0; 16]);
            format!("{time:?} {row:?}")
        })
        .collect();
    rows.sort();
    rows
}

pub(crate) fn answers<S: SpendStore, K>(make: impl AsyncFn() -> (S, K)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cases = std::env::var("PROPTEST_CASES").map_or(24, |cases| cases.parse().unwrap());
    let mut runner = TestRunner::new(Config {
        cases,
        ..Config::default()
    });
    let told = (
        prop::collection::vec(one(), 0..60),
        prop::collection::vec(filter(), 1..6),
        0..2 * DAY / QUARTER,
    );
    runner
        .run(&told, |(entries, filters, until)| {
            runtime.block_on(compare(&make, entries, &filters, until));
            Ok(())
        })
        .unwrap();
}

async fn compare<S: SpendStore, K>(
    make: &impl AsyncFn() -> (S, K),
    entries: Vec<SpendEntry>,
    filters: &[SpendFilter],
    until: u64,
) {
    let ((store, _kept), memory) = (make().await, MemorySpend::new());
    let batch = Batch {
        journal: [7; 16],
        from: 0,
        to: 1,
        entries,
    };
    let both: [&dyn SpendStore; 2] = [&store, &memory];
    for store in both {
        store.append(batch.clone()).await.unwrap();
    }
    let before = asked(&memory, filters).await;
    assert_eq!(asked(&store, filters).await, before);
    // Quarters change no answer at all, since questions are in quarters.
    let span = |from, to| SpendSpan {
        from: Duration::from_secs(from),
        to: Duration::from_secs(to),
    };
    let quarters = Fold::Quarters(span(MIDNIGHT, MIDNIGHT + until * QUARTER));
    let fewer = [
        store.fold(quarters).await.unwrap(),
        memory.fold(quarters).await.unwrap(),
    ];
    assert_eq!(fewer[0], fewer[1]);
    assert_eq!(asked(&memory, filters).await, before);
    assert_eq!(asked(&store, filters).await, before);
    for filter in filters {
        assert_eq!(rows(&store, filter).await, rows(&memory, filter).await);
    }
    // Days change answers to what is in days by nothing.
    let days = [
        SpendFilter::within(SpendSpan::EVER),
        SpendFilter::within(span(MIDNIGHT + DAY, MIDNIGHT + 2 * DAY)),
    ];
    let day = Fold::Day(span(MIDNIGHT, MIDNIGHT + DAY));
    let spent = [
        memory.spent(SpendScope::default(), days[0].span).await,
        memory.spent(SpendScope::default(), days[1].span).await,
    ]
    .map(Result::unwrap);
    for store in both {
        store.fold(day).await.unwrap();
        for (day, spent) in days.iter().zip(spent) {
            assert_eq!(
                store.spent(SpendScope::default(), day.span).await.unwrap(),
                spent
            );
        }
    }
    assert_eq!(asked(&store, filters).await, asked(&memory, filters).await);
    assert_eq!(
        store.oldest(true).await.unwrap(),
        memory.oldest(true).await.unwrap()
    );
    assert_eq!(
        store.oldest(false).await.unwrap(),
        memory.oldest(false).await.unwrap()
    );
    let before = Duration::from_secs(MIDNIGHT + DAY + until * QUARTER / 2);
    assert_eq!(
        store.forget(before).await.unwrap(),
        memory.forget(before).await.unwrap()
    );
    assert_eq!(asked(&store, filters).await, asked(&memory, filters).await);
}

/// Sums up again and again, as several processes may at once.
pub(crate) async fn fold_everything(store: impl SpendStore) {
    for _ in 0..10 {
        let span = SpendSpan {
            from: Duration::from_secs(MIDNIGHT),
            to: Duration::from_secs(MIDNIGHT + DAY),
        };
        store.fold(Fold::Quarters(span)).await.unwrap();
        store.fold(Fold::Day(span)).await.unwrap();
    }
}

#[test]
fn the_memory_store_adds_up_to_the_same_before_and_after() {
    answers(async || (MemorySpend::new(), ()));
}

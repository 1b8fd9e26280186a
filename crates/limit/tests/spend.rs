//! What the ledger of spending promises, whichever store it has.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

#[path = "spend/mover.rs"]
mod mover;
#[cfg(feature = "postgres")]
#[path = "spend/postgres.rs"]
mod postgres;
#[path = "spend/same.rs"]
mod same;
#[cfg(feature = "sqlite")]
#[path = "spend/sqlite.rs"]
mod sqlite;

use std::time::Duration;

use bartizan_core::{Cost, Usage};
use bartizan_limit::spend::{
    Batch, MemorySpend, SpendEntry, SpendError, SpendFilter, SpendGroup, SpendOutcome, SpendQuery,
    SpendSpan, SpendStore,
};

/// What a store must neither trip over nor change.
const HOSTILE: [&str; 6] = [
    "Robert'); DROP TABLE spend;-- \" ` % _ ü 🗝",
    "' OR '1'='1",
    "$1 :key_id \\ \\' \\u0041 {} [] NULL",
    "e\u{301} \u{202e}evil \u{feff}",
    "null",
    "\u{10ffff} a\tb\nc \r\u{1b}",
];

/// Seconds since 1970, of all tests.
const NOW: u64 = 1_700_000_000;

fn entry(at: u64, key: &str) -> SpendEntry {
    SpendEntry::new(Duration::from_secs(at), key, "gpt-4o")
}

fn batch(journal: u8, from: u64, entries: Vec<SpendEntry>) -> Batch {
    let to = from + 100 * entries.len() as u64;
    Batch {
        journal: [journal; 16],
        from,
        to,
        entries,
    }
}

fn all() -> SpendFilter {
    SpendFilter::within(SpendSpan::EVER)
}

async fn calls(store: &impl SpendStore) -> u64 {
    let sums = store
        .sums(SpendQuery::new(all(), SpendGroup::Total))
        .await
        .unwrap();
    sums.iter().map(|sum| sum.calls).sum()
}

async fn behaves(store: impl SpendStore) {
    assert_eq!(calls(&store).await, 0);
    assert_eq!(
        store
            .spent(Default::default(), SpendSpan::EVER)
            .await
            .unwrap(),
        Cost::ZERO
    );
    assert_eq!(store.oldest(false).await.unwrap(), None);
    assert_eq!(store.oldest(true).await.unwrap(), None);
    every_field_is_kept(&store).await;
    what_is_told_twice_counts_once(&store).await;
    names_are_erased(&store).await;
}

async fn every_field_is_kept(store: &impl SpendStore) {
    let mut entries = Vec::new();
    for (n, text) in HOSTILE.iter().enumerate() {
        let mut entry = entry(NOW + n as u64, text);
        let told = Some((*text).to_owned());
        entry.model = (*text).to_owned();
        for place in [
            &mut entry.user_id,
            &mut entry.team_id,
            &mut entry.organization_id,
            &mut entry.provider,
            &mut entry.served_model,
            &mut entry.end_user,
        ] {
            *place = told.clone();
        }
        entry.tags = HOSTILE[..n].iter().map(ToString::to_string).collect();
        entry.usage = Usage {
            input: 1,
            cached_input: 2,
            cache_write: 3,
            output: 4,
            reasoning: 5,
            audio_input: 6,
            audio_output: 1_000_000_000_000,
        };
        entry.cost = Cost::from_femto_dollars(1_000_000_000_000_000_000_000 - n as u128);
        entry.estimated = n % 2 == 0;
        entry.priced = n % 3 == 0;
        entry.outcome = SpendOutcome::ALL[n % 3];
        entries.push(entry);
    }
    entries.push(entry(NOW + 100, "plain"));
    store.append(batch(1, 0, entries.clone())).await.unwrap();
    let rows = store.rows(all(), None, 100).await.unwrap();
    let kept: Vec<_> = rows.iter().rev().map(|row| row.entry.clone()).collect();
    assert_eq!(kept, entries);
    assert!(
        rows.iter()
            .all(|row| (row.calls, row.span) == (1, Duration::ZERO))
    );
    // By pages, none twice and none missing.
    let (mut paged, mut before) = (Vec::new(), None);
    loop {
        let page = store.rows(all(), before, 2).await.unwrap();
        before = page.last().map(|row| row.entry.id);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, rows);
    for text in HOSTILE {
        let mut filter = all();
        filter.scope.model = Some(text.to_owned());
        assert_eq!(
            store.rows(filter, None, 100).await.unwrap().len(),
            1,
            "{text}"
        );
    }
}

async fn what_is_told_twice_counts_once(store: &impl SpendStore) {
    let before = calls(store).await;
    let entries = |from| {
        (from..from + 3)
            .map(|n| entry(NOW + n, "twice"))
            .collect::<Vec<_>>()
    };
    let first = batch(2, 0, entries(0));
    assert_eq!(store.moved([2; 16]).await.unwrap(), None);
    store.append(first.clone()).await.unwrap();
    store.append(first.clone()).await.unwrap();
    assert_eq!(store.moved([2; 16]).await.unwrap(), Some(300));
    let second = batch(2, 300, entries(3));
    store.append(second.clone()).await.unwrap();
    // What comes out of its place is refused, and nothing of it kept.
    for wrong in [
        first.clone(),
        batch(2, 100, entries(9)),
        batch(2, 700, entries(9)),
        batch(3, 100, entries(9)),
    ] {
        assert!(matches!(
            store.append(wrong).await,
            Err(SpendError::Misplaced)
        ));
    }
    assert_eq!(calls(store).await, before + 6);
    // Not even when they were summed up meanwhile.
    let day = SpendSpan {
        from: Duration::from_secs(NOW - NOW % 86_400),
        to: Duration::from_secs(NOW - NOW % 86_400 + 86_400),
    };
    store
        .fold(bartizan_limit::spend::Fold::Day(day))
        .await
        .unwrap();
    store.append(second).await.unwrap();
    assert_eq!(calls(store).await, before + 6);
    store.close([2; 16]).await.unwrap();
    assert_eq!(store.moved([2; 16]).await.unwrap(), None);
    // The same entries by another journal are the same entries, while they are there one by one.
    let again = batch(4, 0, entries(20_000_000));
    store.append(again.clone()).await.unwrap();
    store
        .append(Batch {
            journal: [5; 16],
            ..again
        })
        .await
        .unwrap();
    assert_eq!(calls(store).await, before + 9);
}

async fn names_are_erased(store: &impl SpendStore) {
    let mut theirs = entry(NOW, "erased");
    theirs.user_id = Some("robin".into());
    theirs.end_user = Some("d1".into());
    theirs.cost = Cost::from_femto_dollars(7);
    let mut other = theirs.clone();
    other.id = bartizan_limit::spend::SpendId::at(Duration::from_secs(NOW));
    other.user_id = Some("chris".into());
    store
        .append(batch(6, 0, vec![theirs, other]))
        .await
        .unwrap();
    let erased = async |whom| store.erase(whom).await.unwrap();
    assert_eq!(
        erased(bartizan_limit::spend::Erase::User("robin".into())).await,
        1
    );
    assert_eq!(
        erased(bartizan_limit::spend::Erase::User("robin".into())).await,
        0
    );
    assert_eq!(
        erased(bartizan_limit::spend::Erase::EndUser("d1".into())).await,
        2
    );
    let mut filter = all();
    filter.scope.key = Some("erased".into());
    let rows = store.rows(filter.clone(), None, 10).await.unwrap();
    let mut users: Vec<_> = rows.iter().map(|row| row.entry.user_id.clone()).collect();
    users.sort();
    assert_eq!(users, [None, Some("chris".to_owned())]);
    assert!(rows.iter().all(|row| row.entry.end_user.is_none()));
    assert_eq!(
        store
            .spent(filter.scope, SpendSpan::EVER)
            .await
            .unwrap()
            .femto_dollars(),
        14
    );
}

#[tokio::test]
async fn the_memory_store_behaves() {
    behaves(MemorySpend::new()).await;
}

use bartizan_core::{Cost, ManualClock};

use super::super::{Batch, MemorySpend, SpendEntry, SpendFilter, SpendGroup, SpendQuery};
use super::*;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

async fn fold(store: &Arc<MemorySpend>, now: Duration, zone: &str, retention: Option<Duration>) {
    let store: Arc<dyn SpendStore> = Arc::clone(store) as _;
    let folding = Folding {
        store,
        clock: Arc::new(ManualClock::at(now)),
        fold_after: HOUR,
        days_after: 2 * DAY,
        retention,
        zone: Zone::get(zone).unwrap(),
    };
    folding.pass().await.unwrap();
}

async fn spans(store: &MemorySpend) -> Vec<(u64, u64, u64)> {
    let rows = store.rows(SpendFilter::within(SpendSpan::EVER), None, 1_000);
    let mut rows: Vec<_> = rows
        .await
        .unwrap()
        .iter()
        .map(|row| (row.entry.time().as_secs(), row.span.as_secs(), row.calls))
        .collect();
    rows.sort_unstable();
    rows
}

async fn store(times: &[u64]) -> Arc<MemorySpend> {
    let store = MemorySpend::new();
    let entries = times.iter().map(|at| {
        let mut entry = SpendEntry::new(Duration::from_secs(*at), "key", "model");
        entry.cost = Cost::from_femto_dollars(u128::from(*at));
        entry
    });
    let batch = Batch {
        journal: [1; 16],
        from: 0,
        to: 1,
        entries: entries.collect(),
    };
    store.append(batch).await.unwrap();
    Arc::new(store)
}

async fn total(store: &MemorySpend) -> Vec<super::super::SpendSum> {
    let query = SpendQuery::new(SpendFilter::within(SpendSpan::EVER), SpendGroup::Total);
    store.sums(query).await.unwrap()
}

#[tokio::test]
async fn what_is_old_is_summed_up_by_quarter_and_later_by_day_and_what_is_new_is_not() {
    // 2024-03-10, the day on which New York has 23 hours.
    let midnight = 1_710_046_800;
    let store = store(&[
        midnight,
        midnight + 1,
        midnight + 899,
        midnight + 900,
        midnight + 40_000,
    ])
    .await;
    let before = total(&store).await;
    let at = |seconds: u64| Duration::from_secs(midnight + seconds);
    fold(&store, at(3_600 + 900), "America/New_York", None).await;
    assert_eq!(
        spans(&store).await,
        [
            (midnight, 900, 3),
            (midnight + 900, 0, 1),
            (midnight + 40_000, 0, 1)
        ]
    );
    fold(&store, at(90_000), "America/New_York", None).await;
    let last = midnight + 40_000 - 40_000 % 900;
    assert_eq!(
        spans(&store).await,
        [(midnight, 900, 3), (midnight + 900, 900, 1), (last, 900, 1)]
    );
    fold(
        &store,
        at(23 * 3_600) + 2 * DAY - Duration::from_secs(1),
        "America/New_York",
        None,
    )
    .await;
    assert_eq!(spans(&store).await.len(), 3, "the day is not old enough");
    fold(&store, at(23 * 3_600) + 2 * DAY, "America/New_York", None).await;
    assert_eq!(spans(&store).await, [(midnight, 23 * 3_600, 5)]);
    assert_eq!(total(&store).await, before, "to the last digit");
}

#[tokio::test]
async fn a_late_entry_joins_its_day() {
    let store = store(&[1_700_000_000]).await;
    let now = Duration::from_secs(1_700_000_000) + 10 * DAY;
    fold(&store, now, "UTC", None).await;
    let batch = Batch {
        journal: [2; 16],
        from: 0,
        to: 1,
        entries: vec![SpendEntry::new(
            Duration::from_secs(1_700_000_001),
            "key",
            "model",
        )],
    };
    store.append(batch).await.unwrap();
    fold(&store, now, "UTC", None).await;
    let midnight = 1_700_000_000 - 1_700_000_000 % 86_400;
    assert_eq!(
        spans(&store).await,
        [(midnight, 86_400, 1), (midnight, 86_400, 1)]
    );
}

#[tokio::test]
async fn rows_are_forgotten_when_all_of_them_is_older_than_they_are_kept() {
    let store = store(&[1_700_000_000, 1_700_000_000 + 9 * 86_400]).await;
    let now = Duration::from_secs(1_700_000_000) + 10 * DAY;
    fold(&store, now, "UTC", Some(10 * DAY)).await;
    assert_eq!(spans(&store).await.len(), 2);
    fold(&store, now + DAY, "UTC", Some(10 * DAY)).await;
    assert_eq!(spans(&store).await.len(), 1);
}

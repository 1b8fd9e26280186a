//! What the SQLite store promises beyond what all do.

use bartizan_limit::spend::{SpendError, SpendStore, SqliteSpend};

use super::{NOW, batch, behaves, calls, entry, same};

#[tokio::test]
async fn the_sqlite_store_behaves() {
    let folder = tempfile::tempdir().unwrap();
    behaves(SqliteSpend::open(folder.path().join("spend.db")).unwrap()).await;
}

#[test]
fn the_sqlite_store_answers_as_the_memory_store_does() {
    same::answers(async || {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteSpend::open(folder.path().join("spend.db")).unwrap();
        (store, folder)
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spend.db");
    let stores: Vec<_> = (0..3).map(|_| SqliteSpend::open(&path).unwrap()).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for (n, store) in (0_u8..).zip(stores.clone()) {
        tasks.spawn(async move {
            for round in 0..10 {
                let entries = (0..5).map(|at| entry(NOW + at, "shared")).collect();
                store.append(batch(n, round * 500, entries)).await.unwrap();
            }
        });
        tasks.spawn(same::fold_everything(stores[usize::from(n)].clone()));
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(calls(&stores[0]).await, 150);
}

#[tokio::test]
async fn what_was_spent_is_never_changed_by_hand_and_is_there_in_dollars() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spend.db");
    let store = SqliteSpend::open(&path).unwrap();
    let mut entry = entry(NOW, "key");
    entry.cost = bartizan_core::Cost::from_femto_dollars(12_345_000_000_000_001);
    store.append(batch(1, 0, vec![entry])).await.unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let changed = connection.execute("UPDATE spend SET cost_nanos = 0", []);
    assert!(changed.unwrap_err().to_string().contains("never changed"));
    let cost: String = connection
        .query_row("SELECT cost FROM spend_dollars", [], |row| row.get(0))
        .unwrap();
    assert_eq!(cost, "12.345000000000001");
}

#[tokio::test]
async fn a_file_of_a_newer_version_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spend.db");
    drop(SqliteSpend::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 9).unwrap();
    let error = SqliteSpend::open(&path).unwrap_err();
    assert!(matches!(error, SpendError::Migration(why) if why.contains("version 9")));
}

//! What is the SQLite store's own.

use std::path::PathBuf;
use std::time::Duration;

use bartizan_auth::{Denied, KeyId, KeyQuery, KeyRequest, KeyStore, Keys, SqliteStore, StoreError};
use bartizan_core::{Models, Role};
use secrecy::ExposeSecret;

use super::behaves;
use crate::support::{self, admin};

fn keys(store: SqliteStore) -> Keys {
    Keys::builder(store, support::pepper())
        .store_timeout(Duration::from_secs(20))
        .build()
}

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("bartizan-auth-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("keys.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sqlite_store_behaves() {
    let folder = Folder::new("behaves");
    behaves(SqliteStore::open(folder.file()).unwrap()).await;
}

#[tokio::test]
async fn keys_outlive_the_process_and_not_in_clear() {
    let folder = Folder::new("reopen");
    let open = || keys(SqliteStore::open(folder.file()).unwrap());
    // Kept open to the end, so that the write-ahead log stays to be read.
    let first = open();
    let minted = first
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap();
    let key = minted.key.expose_secret();
    open().verify(key).await.unwrap();
    open().revoke(&admin(), key).await.unwrap();
    assert!(matches!(open().verify(key).await, Err(Denied::Revoked)));
    for entry in std::fs::read_dir(&folder.0).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(16)
                .any(|piece| piece == &key.as_bytes()[6..22]),
            "the key lies in the file"
        );
    }
    drop(first);
}

#[tokio::test]
async fn another_pepper_knows_no_key() {
    let folder = Folder::new("pepper");
    let store = SqliteStore::open(folder.file()).unwrap();
    let minted = keys(store.clone())
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap();
    let other = bartizan_auth::Pepper::new(&"0b6e8d41f9c2457ab3e07d5f16a28c94".into()).unwrap();
    assert!(matches!(
        Keys::new(store, other)
            .verify(minted.key.expose_secret())
            .await,
        Err(Denied::Unknown)
    ));
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new("mode");
    std::fs::write(folder.file(), b"").unwrap();
    std::fs::set_permissions(folder.file(), PermissionsExt::from_mode(0o644)).unwrap();
    let keys = self::keys(SqliteStore::open(folder.file()).unwrap());
    keys.generate(&admin(), KeyRequest::default())
        .await
        .unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(&folder.0).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{:?}",
            entry.path()
        );
        files += 1;
    }
    assert!(files >= 2, "the write-ahead log lies beside the file");
}

#[tokio::test]
async fn what_is_no_store_of_this_version_does_not_open() {
    let folder = Folder::new("foreign");
    std::fs::write(
        folder.file(),
        "not a database, but long enough to be taken for one".repeat(100),
    )
    .unwrap();
    assert!(matches!(
        SqliteStore::open(folder.file()),
        Err(StoreError::Unavailable(_))
    ));
    std::fs::remove_file(folder.file()).unwrap();
    drop(SqliteStore::open(folder.file()).unwrap());
    rusqlite::Connection::open(folder.file())
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert!(matches!(
        SqliteStore::open(folder.file()),
        Err(StoreError::Migration(why)) if why.contains("version 99")
    ));
    assert!(matches!(
        SqliteStore::open(folder.0.join("no/such/folder.db")),
        Err(StoreError::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_row_that_this_code_could_not_have_written_lets_nobody_in() {
    let folder = Folder::new("tampered");
    let store = SqliteStore::open(folder.file()).unwrap();
    let keys = self::keys(store);
    for damage in [
        "UPDATE keys SET body = replace(body, 'internal_user', 'superuser')",
        "UPDATE keys SET body = json_set(body, '$.rights.models', 'gpt-4o')",
        "UPDATE keys SET body = json_set(body, '$.rights.bounds.rpm', -1)",
        "UPDATE keys SET body = json_set(body, '$.rights.newer_restriction', 1)",
        "UPDATE keys SET body = json_set(body, '$.metadata', 'canary')",
        "UPDATE keys SET key_id = 'key_1'",
    ] {
        let minted = keys
            .generate(&admin(), KeyRequest::default())
            .await
            .unwrap();
        let connection = rusqlite::Connection::open(folder.file()).unwrap();
        connection.execute_batch(damage).unwrap();
        let denied = keys.verify(minted.key.expose_secret()).await;
        assert!(
            matches!(denied, Err(Denied::Unchecked(_))),
            "{damage}: {denied:?}"
        );
        assert!(
            !format!("{denied:?}").contains("canary"),
            "the failure quotes the row"
        );
        connection.execute_batch("DELETE FROM keys").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_all_get_their_answer() {
    let folder = Folder::new("crowd");
    let keys = Keys::builder(SqliteStore::open(folder.file()).unwrap(), support::pepper())
        .cache_ttl(Duration::ZERO)
        .store_timeout(Duration::from_secs(20))
        .build();
    let minted = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap();
    let tasks: Vec<_> = (0..3_000)
        .map(|_| {
            let (keys, key) = (keys.clone(), minted.key.clone());
            tokio::spawn(async move { keys.verify(key.expose_secret()).await.map(drop) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

/// Rows as version 1 wrote them: one of nothing but what it must have, one of everything, and one that allows nothing.
const ROWS_OF_VERSION_1: &str = r#"
INSERT INTO keys VALUES (
    'key_AAAAAAAAAAAAAAAAAAAAAA', x'0101010101010101010101010101010101010101010101010101010101010101', NULL, NULL, NULL, 'internal_user',
    NULL, NULL, NULL, '{}', '[]', 'master', 1700000000123, NULL, 0, NULL
), (
    'key_BBBBBBBBBBBBBBBBBBBBBB', x'0202020202020202020202020202020202020202020202020202020202020202', 'a''s "key"', 'search', 'robin',
    'proxy_admin_viewer', '["gpt-4o","claude-*"]', 60, 4294967295, '{"cost_centre":"7 \u00fc"}', '["one","two"]',
    'key_AAAAAAAAAAAAAAAAAAAAAA', 1700000000124, 1800000000000, 1, 1700000000125
), (
    'key_CCCCCCCCCCCCCCCCCCCCCC', x'0303030303030303030303030303030303030303030303030303030303030303', NULL, NULL, NULL, 'internal_user',
    '[]', 0, NULL, '{}', '[]', 'master', 1700000000126, NULL, 0, NULL
);
"#;

#[tokio::test]
async fn a_file_of_version_1_opens_with_all_that_it_held() {
    let folder = Folder::new("version-1");
    let connection = rusqlite::Connection::open(folder.file()).unwrap();
    connection
        .execute_batch(include_str!("../../src/store/sqlite/schema_1.sql"))
        .unwrap();
    connection.execute_batch(ROWS_OF_VERSION_1).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    drop(connection);

    // Twice: the second time there is nothing to do.
    for _ in 0..2 {
        let store = SqliteStore::open(folder.file()).unwrap();
        let mut query = KeyQuery::default();
        query.revoked = true;
        let found = store.list(&query).await.unwrap();
        let [least, most, none] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(least.rights.models, Models::All);
        assert_eq!(least.rights.bounds.limits, Default::default());
        assert_eq!(least.role, Role::InternalUser);
        assert_eq!(least.created_by, "master");
        assert_eq!(least.created_at, Duration::from_millis(1_700_000_000_123));
        assert_eq!((least.expires_at, least.revoked_at), (None, None));
        assert_eq!((least.version, least.blocked), (1, false));
        assert_eq!(
            store.find(&least.digest).await.unwrap().as_ref(),
            Some(least)
        );
        assert_eq!(least.digest.as_bytes(), &[1; 32]);

        assert_eq!(most.alias.as_deref(), Some("a's \"key\""));
        assert_eq!(most.team_id.as_deref(), Some("search"));
        assert_eq!(most.user_id.as_deref(), Some("robin"));
        assert_eq!(most.role, Role::ProxyAdminViewer);
        assert_eq!(
            most.rights.models,
            Models::Only(vec!["gpt-4o".to_owned(), "claude-*".to_owned()])
        );
        assert_eq!(most.rights.bounds.limits.rpm, Some(60));
        assert_eq!(most.rights.bounds.limits.tpm, Some(u32::MAX));
        assert_eq!(most.metadata["cost_centre"], "7 \u{fc}");
        assert_eq!(most.tags, ["one", "two"]);
        assert_eq!(most.created_by, least.key_id.as_str());
        assert_eq!(
            most.expires_at,
            Some(Duration::from_millis(1_800_000_000_000))
        );
        assert_eq!(
            most.revoked_at,
            Some(Duration::from_millis(1_700_000_000_125))
        );
        assert!(most.blocked);

        assert_eq!(none.rights.models, Models::Only(Vec::new()));
        assert_eq!(none.rights.bounds.limits.rpm, Some(0));
    }
    assert!(KeyId::parse("key_AAAAAAAAAAAAAAAAAAAAAA").is_some());
}

#[tokio::test]
async fn a_file_that_can_not_be_brought_here_is_left_as_it_was() {
    let folder = Folder::new("torn");
    let connection = rusqlite::Connection::open(folder.file()).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE accounts (somebody TEXT); INSERT INTO accounts VALUES ('else')",
        )
        .unwrap();
    let why = match SqliteStore::open(folder.file()) {
        Err(StoreError::Migration(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(
        why.contains("migration 2") && why.contains("accounts"),
        "{why}"
    );
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_file_lose_no_update() {
    let folder = Folder::new("two");
    let record = super::key();
    let open = || SqliteStore::open(folder.file()).unwrap();
    open().insert(record.clone()).await.unwrap();
    let writers: Vec<_> = (0..2)
        .map(|_| {
            let (store, digest) = (open(), record.digest);
            tokio::spawn(async move {
                let mut done = 0;
                while done < 20 {
                    let mut now = store.find(&digest).await.unwrap().unwrap();
                    now.tags.push("one more".to_owned());
                    let seen = now.version;
                    done += usize::from(store.replace(now, seen).await.unwrap());
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let last = open().find(&record.digest).await.unwrap().unwrap();
    assert_eq!((last.tags.len(), last.version), (40, 41));
}

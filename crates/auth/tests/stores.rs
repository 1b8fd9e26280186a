//! What a store promises, whichever it is.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use bartizan_auth::{Error, KeyQuery, KeyRequest, KeyStore, MemoryStore, StoreError};
use bartizan_core::{Limits, Models, Role};
use secrecy::ExposeSecret;
use support::{admin, clock, keys};

fn request(edit: impl FnOnce(&mut KeyRequest)) -> KeyRequest {
    let mut request = KeyRequest::default();
    edit(&mut request);
    request
}

async fn behaves(store: impl KeyStore + Clone) {
    let keys = keys(store.clone(), &clock());
    let named = |alias: &str| request(|request| request.alias = Some(alias.to_owned()));
    let hostile = "Robert'); DROP TABLE keys;-- \" ` % _ ü 🗝";
    let first = keys.generate(&admin(), named(hostile)).await.unwrap();
    assert!(matches!(
        keys.generate(&admin(), named(hostile)).await,
        Err(Error::Store(StoreError::Taken("key_alias")))
    ));
    assert!(matches!(
        store.insert(first.record.clone()).await,
        Err(StoreError::Taken(_))
    ));

    let full = request(|request| {
        request.team_id = Some(hostile.into());
        request.user_id = Some(hostile.into());
        request.role = Some(Role::ProxyAdmin);
        request.models = Some(Models::Only(vec![hostile.into(), "gpt-*".into()]));
        request.limits = Limits {
            rpm: Some(u32::MAX),
            tpm: Some(0),
            max_parallel_requests: Some(1),
        };
        request.metadata.insert(hostile.into(), hostile.into());
        request.tags.push(hostile.into());
        request.duration = Some("1mo".parse().unwrap());
    });
    let second = keys.generate(&admin(), full).await.unwrap().record;
    assert_eq!(
        store
            .get(std::slice::from_ref(&second.key_id))
            .await
            .unwrap(),
        std::slice::from_ref(&second)
    );
    assert_eq!(
        store.find(&second.digest).await.unwrap(),
        Some(second.clone())
    );

    let mut none = request(|_| ()).models;
    none.replace(Models::Only(Vec::new()));
    let third = keys
        .generate(&admin(), request(|request| request.models = none))
        .await
        .unwrap()
        .record;
    assert_eq!(
        store
            .get(std::slice::from_ref(&third.key_id))
            .await
            .unwrap()[0]
            .rights
            .models,
        Models::Only(Vec::new())
    );

    // Filters, each alone.
    let query = |edit: fn(&mut KeyQuery)| {
        let mut query = KeyQuery::default();
        edit(&mut query);
        query
    };
    let count = async |query: &KeyQuery| keys.list(&admin(), query.clone()).await.unwrap().len();
    assert_eq!(count(&query(|_| ())).await, 3);
    let mut by = KeyQuery::default();
    by.alias = Some(hostile.into());
    assert_eq!(count(&by).await, 1);
    by.alias = Some("' OR '1'='1".into());
    assert_eq!(count(&by).await, 0);
    let mut by = KeyQuery::default();
    by.team_id = Some(hostile.into());
    assert_eq!(count(&by).await, 1);
    by.user_id = Some("someone else".into());
    assert_eq!(count(&by).await, 0);

    // Pages, without overlap or gap.
    let mut page = query(|query| query.limit = 1);
    let mut seen = Vec::new();
    loop {
        let found = keys.list(&admin(), page.clone()).await.unwrap();
        let [record] = found.as_slice() else { break };
        page.after = Some(record.key_id.clone());
        seen.push(record.key_id.clone());
    }
    assert!(seen.is_sorted() && seen.len() == 3);

    // A revoked key frees its alias, keeps its first date and leaves the plain list.
    let revoked = keys
        .revoke(&admin(), first.key.expose_secret())
        .await
        .unwrap()
        .after;
    assert_eq!(
        store
            .get(std::slice::from_ref(&revoked.key_id))
            .await
            .unwrap(),
        std::slice::from_ref(&revoked)
    );
    assert_eq!(
        keys.revoke(&admin(), first.key.expose_secret())
            .await
            .unwrap()
            .after,
        revoked
    );
    assert_eq!(count(&query(|_| ())).await, 2);
    assert_eq!(count(&query(|query| query.revoked = true)).await, 3);
    keys.generate(&admin(), named(hostile)).await.unwrap();

    // A member sees their own key, their user's and those that they minted.
    let members = request(|request| request.user_id = Some("robin".into()));
    let member = keys.generate(&admin(), members.clone()).await.unwrap().key;
    let member = keys.verify(member.expose_secret()).await.unwrap();
    keys.generate(&admin(), members).await.unwrap();
    keys.generate(&member, KeyRequest::default()).await.unwrap();
    assert_eq!(
        keys.list(&member, KeyQuery::default()).await.unwrap().len(),
        3
    );
    let nobodys = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap()
        .key;
    let nobody = keys.verify(nobodys.expose_secret()).await.unwrap();
    keys.generate(&nobody, KeyRequest::default()).await.unwrap();
    assert_eq!(
        keys.list(&nobody, KeyQuery::default()).await.unwrap().len(),
        2
    );

    keys.set_blocked(&admin(), second.key_id.as_str(), true)
        .await
        .unwrap();
    assert!(
        store
            .get(std::slice::from_ref(&second.key_id))
            .await
            .unwrap()[0]
            .blocked
    );
    assert!(store.remove(&second.key_id).await.unwrap());
    assert!(!store.remove(&second.key_id).await.unwrap());
    assert_eq!(store.find(&second.digest).await.unwrap(), None);
}

#[tokio::test]
async fn the_memory_store_behaves() {
    behaves(MemoryStore::new()).await;
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::time::Duration;

    use bartizan_auth::{Denied, Keys, SqliteStore};

    use super::*;

    /// A folder of its own, gone at the end.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("bartizan-auth-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn file(&self) -> std::path::PathBuf {
            self.0.join("keys.db")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[tokio::test]
    async fn the_sqlite_store_behaves() {
        let folder = Folder::new("behaves");
        behaves(SqliteStore::open(folder.file()).unwrap()).await;
    }

    #[tokio::test]
    async fn keys_outlive_the_process_and_not_in_clear() {
        let folder = Folder::new("reopen");
        let open = || Keys::new(SqliteStore::open(folder.file()).unwrap(), support::pepper());
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
        let minted = Keys::new(store.clone(), support::pepper())
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
        let keys = Keys::new(SqliteStore::open(folder.file()).unwrap(), support::pepper());
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
            Err(StoreError::Unavailable(_))
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
        let keys = Keys::new(store, support::pepper());
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
}

//! What the PostgreSQL store promises beyond what all do.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bartizan_auth::{
    Denied, KeyRequest, KeyStore, Keys, PostgresSettings, PostgresStore, StoreError,
};
use bartizan_testkit::PrivatePostgres;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tokio::time::Instant;

use super::{behaves, key};
use crate::support::{self, admin};

static SERVER: LazyLock<PrivatePostgres> = LazyLock::new(|| PrivatePostgres::start().unwrap());

/// A database of a test's own.
struct Database(String);

impl Database {
    async fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&SERVER.url()).await.unwrap();
        // By its language's rules `B` lies between `a` and `c`: a store must not go by them.
        let create = format!(
            "CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'"
        );
        sqlx::raw_sql(AssertSqlSafe(create))
            .execute(&mut connection)
            .await
            .unwrap();
        Self(name)
    }

    fn url(&self) -> String {
        format!("postgres://bartizan@{}/{}", SERVER.address(), self.0)
    }

    fn settings(&self) -> PostgresSettings {
        PostgresSettings::from_url(SecretString::from(self.url())).unwrap()
    }

    async fn store(&self) -> PostgresStore {
        PostgresStore::connect(self.settings()).await.unwrap()
    }

    async fn run(&self, statements: &str) {
        let mut connection = PgConnection::connect(&self.url()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
            .execute(&mut connection)
            .await
            .unwrap();
    }

    async fn count(&self, query: &str) -> i64 {
        let mut connection = PgConnection::connect(&self.url()).await.unwrap();
        let row = sqlx::query(AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        row.try_get(0).unwrap()
    }

    /// As a server does that is restarted.
    async fn hang_up(&self) {
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
            .await;
    }
}

fn keys(store: PostgresStore) -> Keys {
    Keys::builder(store, support::pepper())
        .store_timeout(Duration::from_secs(20))
        .build()
}

/// All that an error says, with all that lies beneath it.
fn told(error: &StoreError) -> String {
    let mut text = format!("{error:?}");
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        text.push_str(&format!("\n{error}"));
        next = error.source();
    }
    text
}

fn fails(result: Result<PostgresStore, StoreError>) -> String {
    told(&result.unwrap_err())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_postgres_store_behaves() {
    behaves(Database::new().await.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_start_at_once_on_an_empty_database() {
    let database = Database::new().await;
    let starts: Vec<_> = (0..8)
        .map(|_| tokio::spawn(PostgresStore::connect(database.settings())))
        .collect();
    for start in starts {
        let store = start.await.unwrap().unwrap();
        store.insert(key()).await.unwrap();
    }
    assert_eq!(
        database
            .count("SELECT count(*) FROM bartizan_migrations")
            .await,
        1
    );
    assert_eq!(database.count("SELECT count(*) FROM keys").await, 8);
}

#[tokio::test]
async fn a_migration_that_fails_stops_the_start_with_its_reason_and_leaves_nothing() {
    let database = Database::new().await;
    database
        .run("CREATE TABLE keys (somebody text); INSERT INTO keys VALUES ('else')")
        .await;
    let url = database.url().replace("bartizan@", "bartizan:canary@");
    let settings = PostgresSettings::from_url(SecretString::from(url)).unwrap();
    let why = fails(PostgresStore::connect(settings).await);
    assert!(
        why.contains(
            "migration 1 (keys and accounts) failed: relation \"keys\" already exists (42P07)"
        ),
        "{why}"
    );
    assert!(!why.contains("canary"), "{why}");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(database.count(tables).await, 1);
    database.run("DROP TABLE keys").await;
    database.store().await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_stops_the_start() {
    let database = Database::new().await;
    let store = database.store().await;
    store.insert(key()).await.unwrap();
    database
        .run("INSERT INTO bartizan_migrations (version, name) VALUES (99, 'of the future')")
        .await;
    let why = fails(PostgresStore::connect(database.settings()).await);
    assert!(why.contains("version 99"), "{why}");
    assert_eq!(database.count("SELECT count(*) FROM keys").await, 1);
}

#[tokio::test]
async fn a_role_that_may_make_no_table_uses_those_that_are_there() {
    let database = Database::new().await;
    database.store().await;
    database
        .run(
            "DROP ROLE IF EXISTS app; CREATE ROLE app LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app",
        )
        .await;
    let as_app = |url: String| {
        let url = SecretString::from(url.replace("bartizan@", "app@"));
        PostgresStore::connect(PostgresSettings::from_url(url).unwrap())
    };
    let record = key();
    let store = as_app(database.url()).await.unwrap();
    store.insert(record.clone()).await.unwrap();
    assert!(store.replace(record, 1).await.unwrap());
    let why = fails(as_app(Database::new().await.url()).await);
    assert!(why.contains("permission denied for schema public"), "{why}");
}

#[tokio::test]
async fn keys_outlive_the_process_and_no_dump_holds_them() {
    let database = Database::new().await;
    let first = keys(database.store().await);
    let minted = first
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap();
    let key = minted.key.expose_secret();
    keys(database.store().await).verify(key).await.unwrap();
    let revoked = keys(database.store().await);
    revoked.revoke(&admin(), key).await.unwrap();
    let denied = keys(database.store().await).verify(key).await;
    assert!(matches!(denied, Err(Denied::Revoked)), "{denied:?}");

    let dump = std::process::Command::new("pg_dump")
        .arg(database.url())
        .output()
        .unwrap();
    let dump = String::from_utf8(dump.stdout).unwrap();
    assert!(
        dump.contains(minted.record.key_id.as_str()) && dump.contains("COPY public.keys"),
        "the dump holds what it should"
    );
    for secret in [&key[6..22], support::PEPPER, support::MASTER] {
        assert!(!dump.contains(secret), "a secret lies in the dump");
    }
}

#[tokio::test]
async fn a_row_that_this_code_could_not_have_written_lets_nobody_in() {
    let database = Database::new().await;
    let keys = keys(database.store().await);
    for damage in [
        "UPDATE keys SET body = jsonb_set(body, '{role}', '\"superuser\"')",
        "UPDATE keys SET body = jsonb_set(body, '{rights,models}', '\"gpt-4o\"')",
        "UPDATE keys SET body = jsonb_set(body, '{rights,bounds,rpm}', '-1')",
        "UPDATE keys SET body = jsonb_set(body, '{rights,bounds,max_budget}', '1.5')",
        "UPDATE keys SET body = jsonb_set(body, '{rights,newer_restriction}', '1')",
        "UPDATE keys SET body = jsonb_set(body, '{metadata}', '\"canary\"')",
        "UPDATE keys SET body = jsonb_set(body, '{lineage}', '[\"canary\"]')",
        "UPDATE keys SET body = '[]'",
        "UPDATE keys SET key_id = 'key_1'",
        "UPDATE keys SET version = -1",
        "UPDATE keys SET rotates_at = 1",
        "UPDATE keys SET team_id = 'search'; INSERT INTO accounts VALUES ('team', 'search', NULL, NULL, false, 0, 0, NULL, 1, '{}')",
        "ALTER TABLE keys ALTER digest TYPE text USING encode(digest, 'hex')",
    ] {
        let minted = keys
            .generate(&admin(), KeyRequest::default())
            .await
            .unwrap();
        if damage.starts_with("ALTER") {
            // Last: its constraint goes with it.
            database
                .run("ALTER TABLE keys DROP CONSTRAINT keys_digest_check")
                .await;
        }
        database.run(damage).await;
        let denied = keys.verify(minted.key.expose_secret()).await;
        assert!(
            matches!(denied, Err(Denied::Unchecked(_))),
            "{damage}: {denied:?}"
        );
        assert!(
            !format!("{denied:?}").contains("canary"),
            "the failure quotes the row"
        );
        database.run("DELETE FROM keys").await;
    }
}

#[tokio::test]
async fn a_change_by_hand_is_not_written_over() {
    let database = Database::new().await;
    let store = database.store().await;
    let mut record = key();
    store.insert(record.clone()).await.unwrap();
    database.run("UPDATE keys SET blocked = true").await;
    record.tags.push("read before".to_owned());
    assert!(!store.replace(record.clone(), 1).await.unwrap());
    let now = store.find(&record.digest).await.unwrap().unwrap();
    assert!(now.blocked && now.version == 2);
}

#[tokio::test]
async fn the_view_tells_keys_from_several_addresses() {
    let database = Database::new().await;
    let store = database.store().await;
    database
        .run(
            "INSERT INTO sightings SELECT 'key_' || k, '192.0.2.' || a, 1, NULL, now, now, 1
            FROM generate_series(1, 3) AS k, generate_series(1, k) AS a, (SELECT (extract(epoch FROM now()) * 1000)::bigint AS now) AS clock;
            INSERT INTO sightings VALUES ('key_9', '192.0.2.1', 1, NULL, 1, 1, 1), ('key_9', '192.0.2.2', 1, NULL, 1, 1, 1)",
        )
        .await;
    drop(store);
    let keys = "SELECT count(*) FROM keys_from_several_addresses";
    assert_eq!(database.count(keys).await, 2);
    let most = "SELECT addresses FROM keys_from_several_addresses WHERE key_id = 'key_3' AND address_list LIKE '%192.0.2.2%'";
    assert_eq!(database.count(most).await, 3);
}

#[tokio::test]
async fn connections_that_were_cut_are_opened_again_unnoticed() {
    let database = Database::new().await;
    let store = database.store().await;
    let record = key();
    store.insert(record.clone()).await.unwrap();
    database.hang_up().await;
    assert!(store.find(&record.digest).await.unwrap().is_some());
    database.hang_up().await;
    store.insert(key()).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM keys").await, 2);
}

#[tokio::test]
async fn a_statement_that_hangs_and_a_pool_that_is_busy_end_in_time() {
    let database = Database::new().await;
    let settings = database
        .settings()
        .connections(1)
        .acquire_timeout(Duration::from_millis(100))
        .statement_timeout(Duration::from_millis(400));
    let store = PostgresStore::connect(settings).await.unwrap();
    let record = key();
    store.insert(record.clone()).await.unwrap();
    let mut other = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE keys IN ACCESS EXCLUSIVE MODE")
        .execute(&mut other)
        .await
        .unwrap();

    let start = Instant::now();
    let (hangs, waits) = tokio::join!(store.find(&record.digest), store.find(&record.digest));
    let (hangs, waits) = (told(&hangs.unwrap_err()), told(&waits.unwrap_err()));
    assert!(hangs.contains("statement timeout"), "{hangs}");
    assert!(waits.contains("busy"), "{waits}");
    assert!(start.elapsed() < Duration::from_secs(5));

    // Who stops waiting gives the place back.
    let left = tokio::time::timeout(Duration::from_millis(10), store.find(&record.digest)).await;
    assert!(left.is_err());
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert!(store.find(&record.digest).await.unwrap().is_some());
}

#[tokio::test]
async fn each_new_connection_asks_for_the_password_that_is_good_then() {
    let database = Database::new().await;
    database.store().await;
    database
        .run(
            "CREATE ROLE rotating LOGIN PASSWORD 'one'; GRANT ALL ON ALL TABLES IN SCHEMA public TO rotating;
            DO $$ BEGIN EXECUTE format(
                'COPY (VALUES (''host all rotating all scram-sha-256''), (''host all all all trust'')) TO %L', current_setting('hba_file')
            ); END $$;
            SELECT pg_reload_conf()",
        )
        .await;
    let password = Arc::new(Mutex::new("one"));
    let asked = Arc::new(AtomicUsize::new(0));
    let settings = || {
        let (password, asked) = (Arc::clone(&password), Arc::clone(&asked));
        let url = database.url().replace("bartizan@", "rotating:stale@");
        PostgresSettings::from_url(SecretString::from(url))
            .unwrap()
            .password_from(move || {
                asked.fetch_add(1, Ordering::SeqCst);
                let password = SecretString::from(*password.lock().unwrap());
                async move { Ok(password) }
            })
    };
    // The server reads its rules anew some moments after it was told to.
    let stale = PostgresSettings::from_url(SecretString::from(
        database.url().replace("bartizan@", "rotating:stale@"),
    ))
    .unwrap();
    let mut refused = String::new();
    for _ in 0..100 {
        match PostgresStore::connect(stale.clone()).await {
            Err(error) => {
                refused = told(&error);
                break;
            }
            Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    assert!(
        refused.contains("password authentication failed"),
        "{refused}"
    );

    let store = PostgresStore::connect(settings()).await.unwrap();
    let record = key();
    store.insert(record.clone()).await.unwrap();
    let before = asked.load(Ordering::SeqCst);
    for _ in 0..10 {
        store.find(&record.digest).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), before, "connections are kept");

    database.run("ALTER ROLE rotating PASSWORD 'two'").await;
    *password.lock().unwrap() = "two";
    store.find(&record.digest).await.unwrap();
    database.hang_up().await;
    store.find(&record.digest).await.unwrap();
    assert!(asked.load(Ordering::SeqCst) > before);

    *password.lock().unwrap() = "canary";
    database.hang_up().await;
    let why = told(&store.find(&record.digest).await.unwrap_err());
    assert!(why.contains("password authentication failed"), "{why}");
    let shown = format!("{why} {store:?} {:?}", settings());
    assert!(
        !shown.contains("canary") && !shown.contains("stale"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_password_that_can_not_be_had_opens_nothing() {
    let database = Database::new().await;
    let settings = database
        .settings()
        .password_from(|| async { Err("the metadata service is away".into()) });
    let why = fails(PostgresStore::connect(settings).await);
    assert!(why.contains("the metadata service is away"), "{why}");
    let settings = database
        .settings()
        .connect_timeout(Duration::from_millis(50))
        .password_from(std::future::pending);
    let why = fails(PostgresStore::connect(settings).await);
    assert!(why.contains("in time"), "{why}");
}

#[tokio::test]
async fn the_document_names_every_table_and_every_column() {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/databases.md");
    let document = std::fs::read_to_string(document).unwrap();
    let database = Database::new().await;
    database.store().await;
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    let columns = "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'";
    let rows = sqlx::query(columns)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert!(rows.len() > 40);
    for row in rows {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        for name in [&table, &column] {
            assert!(
                document.contains(&format!("`{name}`")),
                "{table}.{column} is not in docs/databases.md"
            );
        }
    }
}

//! What the PostgreSQL store promises beyond what all do.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bartizan_database::PostgresSettings;
use bartizan_limit::spend::{PostgresSpend, SpendError, SpendStore};
use bartizan_testkit::PrivatePostgres;
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::{NOW, batch, behaves, calls, entry, same};

static SERVER: LazyLock<PrivatePostgres> = LazyLock::new(|| PrivatePostgres::start().unwrap());

/// A database of a test's own.
struct Database(String);

impl Database {
    async fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("spend_{}", COUNT.fetch_add(1, Ordering::Relaxed));
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

    async fn store(&self) -> PostgresSpend {
        self.try_store().await.unwrap()
    }

    async fn try_store(&self) -> Result<PostgresSpend, SpendError> {
        let settings = PostgresSettings::from_url(SecretString::from(self.url())).unwrap();
        PostgresSpend::connect(settings).await
    }

    async fn run(&self, statement: &str) -> Result<(), sqlx::Error> {
        let mut connection = PgConnection::connect(&self.url()).await.unwrap();
        let statement = AssertSqlSafe(statement.to_owned());
        sqlx::raw_sql(statement)
            .execute(&mut connection)
            .await
            .map(drop)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_postgres_store_behaves() {
    behaves(Database::new().await.store().await).await;
}

#[test]
fn the_postgres_store_answers_as_the_memory_store_does() {
    same::answers(async || (Database::new().await.store().await, ()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_share_a_database() {
    let database = Database::new().await;
    let (one, two, three) = tokio::join!(database.store(), database.store(), database.store());
    let stores = [one, two, three];
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
async fn what_was_spent_is_never_changed_nor_emptied_by_hand() {
    let database = Database::new().await;
    let store = database.store().await;
    store
        .append(batch(1, 0, vec![entry(NOW, "key")]))
        .await
        .unwrap();
    for statement in [
        "UPDATE spend SET cost = 0",
        "UPDATE spend SET calls = 0, user_id = NULL",
        "TRUNCATE spend",
    ] {
        let error = database.run(statement).await.unwrap_err();
        assert!(
            error.to_string().contains("never changed"),
            "{statement}: {error}"
        );
    }
    assert_eq!(calls(&store).await, 1);
}

#[tokio::test]
async fn tables_of_a_newer_version_are_left_alone() {
    let database = Database::new().await;
    database.store().await;
    database
        .run("INSERT INTO bartizan_spend_migrations (version, name) VALUES (99, 'of the future')")
        .await
        .unwrap();
    let error = database.try_store().await.unwrap_err();
    assert!(matches!(error, SpendError::Migration(why) if why.contains("version 99")));
}

/// The questions that budgets ask must not read the table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scope_has_an_index() {
    let database = Database::new().await;
    let store = database.store().await;
    let entries = (0..2_000).map(|n| {
        let mut entry = entry(NOW + n, &format!("key_{}", n % 100));
        entry.user_id = Some(format!("user_{}", n % 100));
        entry.team_id = Some(format!("team_{}", n % 100));
        entry.organization_id = Some(format!("organization_{}", n % 100));
        entry.end_user = Some(format!("end_user_{}", n % 100));
        entry.model = format!("model_{}", n % 100);
        entry.tags = vec![format!("tag_{}", n % 100)];
        entry
    });
    store.append(batch(1, 0, entries.collect())).await.unwrap();
    database.run("ANALYZE spend").await.unwrap();
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    for (condition, index) in [
        ("key_id = 'key_7'", "spend_key"),
        ("user_id = 'user_7'", "spend_user"),
        ("team_id = 'team_7'", "spend_team"),
        ("organization_id = 'organization_7'", "spend_organization"),
        ("end_user = 'end_user_7'", "spend_end_user"),
        ("model = 'model_7'", "spend_model"),
        ("tags @> ARRAY['tag_7']", "spend_tags"),
    ] {
        let explain = format!(
            "EXPLAIN SELECT sum(cost) FROM spend WHERE at >= 0 AND at < 9000000000000 AND {condition}"
        );
        let rows = sqlx::query(AssertSqlSafe(explain))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(plan.join("\n").contains(index), "{condition}: {plan:#?}");
    }
}

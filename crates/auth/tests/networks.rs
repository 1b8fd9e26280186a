//! Databases and feeds over networks that are not one's own, and behind poolers.

#![cfg(all(feature = "postgres", feature = "redis"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_auth::{
    AccountId, AccountKind, Change, Changes, KeyRequest, KeyStore, Keys, PostgresChanges,
    PostgresSettings, PostgresStore, RedisChanges, StoreError,
};
use bartizan_testkit::{PrivatePgbouncer, PrivatePostgres, PrivateRedis};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Connection, PgConnection, Row};
use support::{admin, pepper};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const LONG: Duration = Duration::from_secs(20);

/// An authority that nobody knows, and what it vouches for.
struct Authority {
    root: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().pem();
        Self {
            root,
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate of that name, and its key.
    fn vouch(&self, name: SanType) -> (String, String) {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![name];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

fn told(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

/// Why a feed ends, that ought to.
async fn breaks(feed: &impl Changes) -> String {
    let heard = |change: Change| panic!("{change:?} was heard");
    told(&timeout(LONG, feed.follow(&heard)).await.unwrap())
}

#[tokio::test]
async fn a_redis_of_an_own_authority_is_trusted_by_its_root_alone() {
    let (ours, other) = (Authority::new(), Authority::new());
    let (certificate, key) = ours.vouch(SanType::IpAddress([127, 0, 0, 1].into()));
    let folder = std::env::temp_dir().join(format!("bartizan-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let _redis = PrivateRedis::start_with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &file("server.crt", &certificate),
        "--tls-key-file",
        &file("server.key", &key),
        "--tls-ca-cert-file",
        &file("root.crt", &ours.root),
        "--tls-auth-clients",
        "no",
    ])
    .unwrap();
    let feed = || {
        let url = SecretString::from(format!("rediss://127.0.0.1:{port}"));
        RedisChanges::from_url(url, "changes").unwrap()
    };
    let ours = || feed().root_certificates(ours.root.clone()).unwrap();

    let heard: Arc<Mutex<Vec<Change>>> = Arc::default();
    let following = tokio::spawn({
        let (feed, heard) = (ours(), Arc::clone(&heard));
        async move {
            feed.follow(&|change| heard.lock().unwrap().push(change))
                .await
        }
    });
    let hears = async |wanted: &Change| {
        let hearing = async {
            while !heard.lock().unwrap().contains(wanted) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(LONG, hearing).await.unwrap();
    };
    hears(&Change::Anything).await;
    let change = Change::Account(AccountId::new(AccountKind::Team, "search"));
    ours().announce(&change).await.unwrap();
    hears(&change).await;
    following.abort();

    for stranger in [feed(), feed().root_certificates(other.root).unwrap()] {
        let why = breaks(&stranger).await;
        assert!(why.to_lowercase().contains("certificate"), "{why}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// 1.18 and whatever is newer: transactions of many callers over two connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_pgbouncer_keys_are_kept_without_named_statements() {
    let postgres = PrivatePostgres::start().unwrap();
    let pooler = PrivatePgbouncer::start(&postgres).unwrap();
    let settings = |url: String| PostgresSettings::from_url(SecretString::from(url)).unwrap();
    let through = || settings(format!("{}?statement-cache-capacity=0", pooler.url()));
    let keys = |store: PostgresStore| {
        Keys::builder(store, pepper())
            .cache_ttl(Duration::ZERO)
            .store_timeout(LONG)
            .build()
    };
    let pooled = keys(
        PostgresStore::connect(through().acquire_timeout(LONG))
            .await
            .unwrap(),
    );
    let mut callers = JoinSet::new();
    for number in 0..8 {
        let keys = pooled.clone();
        callers.spawn(async move {
            for _ in 0..10 {
                let mut request = KeyRequest::default();
                request.team_id = Some(format!("team {number}"));
                let minted = keys.generate(&admin(), request).await.unwrap();
                let key_id = minted.record.key_id.as_str();
                let known = keys.verify(minted.key.expose_secret()).await.unwrap();
                assert_eq!(known.team_id(), Some(format!("team {number}").as_str()));
                keys.revoke(&admin(), key_id).await.unwrap();
                assert!(keys.verify(minted.key.expose_secret()).await.is_err());
            }
        });
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap();
    }

    // With them, whoever asks is told what to change.
    let named = PostgresStore::connect(settings(pooler.url())).await;
    let why = match named {
        Err(error) => told(&error),
        Ok(store) => {
            let keys = keys(store);
            let mut why = String::new();
            for _ in 0..20 {
                let asked = keys.generate(&admin(), KeyRequest::default()).await;
                if let Err(error) = asked {
                    let bartizan_auth::Error::Store(error) = error else {
                        panic!("{error}")
                    };
                    why = told(&error);
                    break;
                }
            }
            why
        }
    };
    assert!(why.contains("statement-cache-capacity=0"), "{why}");
}

#[tokio::test]
async fn behind_pgbouncer_a_feed_says_that_it_hears_nothing() {
    let postgres = PrivatePostgres::start().unwrap();
    let pooler = PrivatePgbouncer::start(&postgres).unwrap();
    let settings = |url: String| PostgresSettings::from_url(SecretString::from(url)).unwrap();
    PostgresStore::connect(settings(postgres.url()))
        .await
        .unwrap();
    let why = breaks(&PostgresChanges::new(settings(pooler.url()))).await;
    assert!(why.contains("a URL that goes past it"), "{why}");
    let why = breaks(&PostgresChanges::new(settings(format!(
        "{}?statement-cache-capacity=0",
        pooler.url()
    ))))
    .await;
    assert!(why.contains("a URL that goes past it"), "{why}");
}

/// A server of its own, which speaks TLS with a certificate for `localhost` of an authority that nobody knows.
#[tokio::test]
async fn tls_to_postgres_is_as_the_url_says() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    let server = PrivatePostgres::start().unwrap();
    let settings = |parameters: &str| {
        let port = server.address().port();
        let url = format!("postgres://bartizan@localhost:{port}/postgres?{parameters}");
        PostgresSettings::from_url(SecretString::from(url)).unwrap()
    };
    PostgresStore::connect(settings("sslmode=prefer"))
        .await
        .unwrap();
    let why = told(
        &PostgresStore::connect(settings("sslmode=require"))
            .await
            .err()
            .unwrap(),
    );
    assert!(why.contains("does not support TLS"), "{why}");

    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    let row = sqlx::query("SELECT current_setting('data_directory')")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let folder = std::path::PathBuf::from(row.get::<String, _>(0));
    let (ours, other) = (Authority::new(), Authority::new());
    let (certificate, key_pair) = ours.vouch(SanType::DnsName("localhost".try_into().unwrap()));
    for (name, text) in [
        ("server.crt", certificate),
        ("server.key", key_pair),
        ("root.crt", ours.root),
        ("other.crt", other.root),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, text).unwrap();
        let owner = folder.metadata().unwrap();
        chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    }
    sqlx::raw_sql("ALTER SYSTEM SET ssl = on")
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::raw_sql("SELECT pg_reload_conf()")
        .execute(&mut connection)
        .await
        .unwrap();
    let vouched = |mode: &str, name: &str| {
        let file = folder.join(name);
        format!("sslmode={mode}&sslrootcert={}", file.display())
    };
    let root = |name: &str| settings(&vouched("verify-full", name));
    let mut last = String::new();
    for _ in 0..100 {
        match PostgresStore::connect(root("root.crt")).await {
            Ok(store) => {
                assert!(store.get(&[]).await.unwrap().is_empty());
                last.clear();
                break;
            }
            Err(error) => last = told(&error),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(last, "");
    PostgresStore::connect(settings("sslmode=require"))
        .await
        .unwrap();
    // Whose name is another's: good enough for `verify-ca`, and not for `verify-full`.
    let by_address = |mode: &str| {
        let url = server.url();
        let url = SecretString::from(format!("{url}?{}", vouched(mode, "root.crt")));
        PostgresSettings::from_url(url).unwrap()
    };
    PostgresStore::connect(by_address("verify-ca"))
        .await
        .unwrap();
    for untrusted in [
        root("other.crt"),
        settings("sslmode=verify-full"),
        by_address("verify-full"),
    ] {
        let why = told(&PostgresStore::connect(untrusted).await.err().unwrap());
        assert!(why.contains("certificate"), "{why}");
    }
}

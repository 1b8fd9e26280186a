//! Wherever the server is, and whatever it asks for.

use std::time::Duration;

use bartizan_testkit::{PrivateCluster, PrivateRedis, PrivateSentinel};
use secrecy::SecretString;

use super::support::{
    builder, charge, claim, connection, counter, keys, patient, taken, until, up,
};
use crate::store::{Kind, LimitStore as _};
use crate::{RedisBuilder, RedisStore};

/// The commands that docs/limits-redis.md asks for, and no others.
const RIGHTS: &str = "~{bartizan}:* -@all +evalsha +eval +script|load +time +get +set +hget +hset \
     +hsetnx +hmget +hgetall +hkeys +hexists +hdel +del +pexpire +pexpireat";

/// Counts through all kinds of claims.
async fn counts(builder: RedisBuilder) -> RedisStore {
    let store = builder.build().unwrap();
    up(&store).await;
    let money = counter(
        "money",
        Kind::Period {
            start: 0,
            end: None,
        },
    );
    store.seed(&money, 5).await.unwrap();
    let call = [
        claim(
            &counter("tokens", Kind::Sliding(Duration::from_mins(1))),
            100,
            50,
        ),
        claim(&counter("calls", Kind::Gauge), 10, 1),
        claim(&money, 1_000, 70),
    ];
    let charge = charge(&store.decide(&call).await.unwrap());
    assert_eq!(taken(&store, &call).await, [50, 1, 75]);
    store.settle(&call, charge, &[20, 0, 30]);
    assert!(store.flush(Duration::from_secs(5)).await);
    assert_eq!(taken(&store, &call).await, [20, 0, 35]);
    store
}

#[tokio::test]
async fn a_password_a_user_with_few_rights_and_a_database_number() {
    let redis = PrivateRedis::start().unwrap();
    let mut by_hand = connection(&redis.url()).await;
    let mut user = ::redis::cmd("ACL");
    user.arg("SETUSER")
        .arg("limits")
        .arg("on")
        .arg(">canary/secret");
    user.arg(
        RIGHTS
            .split_whitespace()
            .chain(["+select"])
            .collect::<Vec<_>>(),
    );
    user.exec_async(&mut by_hand).await.unwrap();
    let url = format!("redis://limits:canary%2Fsecret@{}/3", redis.address());
    let store = counts(patient(&url)).await;
    assert!(!format!("{store:?} {:?}", builder(&url)).contains("canary"));
    assert_eq!(keys(&redis.url()).await, Vec::<String>::new());
    let there = keys(&format!("{}/3", redis.url())).await;
    assert!(
        there.contains(&"{bartizan}:p:money".to_owned()),
        "{there:?}"
    );
    // Two namespaces know nothing of each other.
    counts(patient(&redis.url()).namespace("another")).await;
}

#[tokio::test]
async fn tls_by_a_root_of_ones_own_and_by_no_other() {
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params
        .subject_alt_names
        .push(rcgen::SanType::IpAddress([127, 0, 0, 1].into()));
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let folder = tempfile::tempdir().unwrap();
    let (cert, private) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&cert, &certificate).unwrap();
    std::fs::write(&private, key.serialize_pem()).unwrap();
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let _redis = PrivateRedis::start_with(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        cert.to_str().unwrap(),
        "--tls-key-file",
        private.to_str().unwrap(),
        "--tls-ca-cert-file",
        cert.to_str().unwrap(),
        "--tls-auth-clients",
        "no",
    ])
    .unwrap();
    let url = format!("rediss://127.0.0.1:{port}");
    counts(patient(&url).root_certificates(certificate)).await;
    let stranger = builder(&url).build().unwrap();
    let call = [claim(&counter("calls", Kind::Gauge), 10, 1)];
    stranger.decide(&call).await.unwrap_err();
    assert!(stranger.degraded());
}

#[tokio::test]
async fn a_cluster_has_all_counts_on_one_of_its_nodes() {
    let cluster = PrivateCluster::start().unwrap();
    let urls = cluster
        .nodes()
        .iter()
        .map(PrivateRedis::url)
        .collect::<Vec<_>>();
    for url in &urls {
        // Whichever is asked first.
        let more = [SecretString::from("redis://127.0.0.1:1")];
        let store = counts(
            patient(url)
                .cluster(more)
                .namespace(url.replace([':', '/'], "-")),
        )
        .await;
        drop(store);
    }
    let mut full = 0;
    for url in &urls {
        full += keys(url)
            .await
            .iter()
            .filter(|key| key.ends_with(":p:money"))
            .count();
    }
    assert_eq!(full, 3);
    // What one namespace counts is not spread.
    let there = keys(&urls[0]).await;
    let live = there.iter().filter(|key| key.ends_with(":live"));
    for live in live {
        let tag = live.strip_suffix(":live").unwrap();
        assert!(there.contains(&format!("{tag}:p:money")), "{there:?}");
    }
}

#[tokio::test]
async fn sentinels_say_where_the_server_is_and_where_it_has_gone() {
    let redis = PrivateRedis::start().unwrap();
    let of = redis.address().port().to_string();
    let replica = PrivateRedis::start_with(&["--replicaof", "127.0.0.1", &of]).unwrap();
    let sentinel = PrivateSentinel::start(&redis, 1).unwrap();
    let dead = SecretString::from("redis://127.0.0.1:1");
    let builder = || {
        builder("redis://main/0")
            .deadline(Duration::from_millis(100))
            .sentinels([dead.clone(), SecretString::from(sentinel.url())])
    };
    let store = counts(builder()).await;
    let money = counter(
        "money",
        Kind::Period {
            start: 0,
            end: None,
        },
    );
    let call = [claim(&money, 1_000, 70)];
    until("the replica has it", async || {
        keys(&replica.url())
            .await
            .iter()
            .any(|key| key.ends_with("money"))
    })
    .await;
    let under_way = charge(&store.decide(&call).await.unwrap());
    tokio::time::sleep(Duration::from_millis(200)).await;
    redis.freeze().unwrap();
    until("the store sees it", async || {
        let _ = store.decide(&call).await;
        store.degraded()
    })
    .await;
    up(&store).await;
    store.settle(&call, under_way, &[40]);
    assert!(store.flush(Duration::from_secs(5)).await);
    let mut by_hand = connection(&replica.url()).await;
    let spent: u64 = ::redis::cmd("HGET")
        .arg("{bartizan}:p:money")
        .arg("s")
        .query_async(&mut by_hand)
        .await
        .unwrap();
    assert_eq!(spent, 75);
}

#[test]
fn a_bad_url_is_told_by_its_mend_and_never_quoted() {
    for (url, mend) in [
        ("", "redis://"),
        ("http://u:canary@h", "redis://"),
        ("redis://u:canary@h:port", "percent-encode"),
        ("redis://u:canary@h/first", "number"),
        ("rediss://u:canary@h/#insecure", "#insecure"),
    ] {
        let error = builder(url).build().unwrap_err();
        let told = format!("{error} {error:?} {:?}", builder(url));
        assert!(told.contains(mend), "{url}: {told}");
        assert!(!told.contains("canary"), "{told}");
    }
    let url = "redis://u:canary@h";
    let bad = SecretString::from("redis://u:canary@h:port");
    for (built, mend) in [
        (builder(url).namespace("{a}"), "braces"),
        (builder(url).namespace(""), "one character"),
        (builder(url).deadline(Duration::from_millis(101)), "100 ms"),
        (builder(url).deadline(Duration::ZERO), "more than nothing"),
        (builder(url).connections(0), "connections"),
        (builder("redis://h/1").cluster([]), "database 0"),
        (
            builder(url)
                .cluster([])
                .sentinels([SecretString::from(url)]),
            "not by both",
        ),
        (builder(url).sentinels([bad.clone()]), "percent-encode"),
        (builder(url).cluster([bad]), "percent-encode"),
    ] {
        let told = built.build().unwrap_err().to_string();
        assert!(told.contains(mend), "{told}");
        assert!(!told.contains("canary"), "{told}");
    }
}

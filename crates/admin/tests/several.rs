//! Who was used from several addresses in the last hour: the route and the databases' view tell the same of what a watch wrote.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bartizan_admin::{AdminRouter, NoChangeLog};
use bartizan_auth::watch::Watch;
use bartizan_auth::{
    KeyId, KeyStore, Keys, MasterKey, Pepper, PostgresSettings, PostgresStore, SqliteStore,
};
use bartizan_core::{ClientIp, Clock, Identity, Principal, SystemClock};
use bartizan_testkit::PrivatePostgres;
use http::Request;
use http_body_util::BodyExt;
use sqlx::{Connection, PgConnection, Row};
use support::MASTER;
use tower::ServiceExt;

/// Callers, and from where.
type Spread = BTreeMap<String, BTreeSet<String>>;

const VIEW: &str =
    "SELECT key_id, addresses, address_list, last_seen FROM keys_from_several_addresses";

fn keys(store: impl KeyStore) -> Keys {
    Keys::new(
        store,
        Pepper::new(&"hV5rNz8QwKc2TgB7yXm4LpJ9sDf3EuA6".into()).unwrap(),
    )
}

fn row(spread: &mut Spread, key_id: &str, addresses: i64, list: &str) {
    let list: BTreeSet<String> = list.split(',').map(str::to_owned).collect();
    assert_eq!(usize::try_from(addresses).unwrap(), list.len(), "{key_id}");
    assert!(
        spread.insert(key_id.to_owned(), list).is_none(),
        "{key_id}: one row each"
    );
}

async fn by_route(keys: &Keys) -> Spread {
    let router = AdminRouter::new(keys.clone(), NoChangeLog)
        .auth(|layer| layer.master_key(MasterKey::new(MASTER.into()).unwrap()))
        .build();
    let request = Request::get("/key/several_addresses")
        .header("authorization", format!("Bearer {MASTER}"))
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = router.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let mut spread = Spread::new();
    for key in told["keys"].as_array().unwrap() {
        let seen = key["sightings"].as_array().unwrap().iter();
        let seen: BTreeSet<String> = seen
            .map(|seen| seen["address"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(key["addresses"], seen.len());
        spread.insert(key["key"].as_str().unwrap().to_owned(), seen);
    }
    spread
}

/// Lets two processes see callers, and gives who was then seen at several addresses in the last hour.
async fn used(one: &Keys, other: &Keys) -> Spread {
    let (one, other) = (
        Watch::builder(one.clone()).build().unwrap(),
        Watch::builder(other.clone()).build().unwrap(),
    );
    let name = || KeyId::generate().unwrap().to_string();
    let [several, single, edge, sites, old] = [(); 5].map(|()| name());
    let token = "jwt:9f1c6bd2a07e43f58b3d6e2c914a7f05";
    let now = SystemClock::new().unix();
    let ago = |minutes: u64| now - Duration::from_secs(minutes * 60);
    for (watch, who, address, at) in [
        (&one, several.as_str(), "192.0.2.9", ago(61)),
        (&one, several.as_str(), "192.0.2.1", ago(59)),
        (&one, several.as_str(), "192.0.2.2", ago(3)),
        (&other, several.as_str(), "192.0.2.2", ago(2)),
        (&other, several.as_str(), "192.0.2.3", ago(1)),
        (&one, single.as_str(), "192.0.2.1", ago(50)),
        (&other, single.as_str(), "::ffff:192.0.2.1", ago(1)),
        // At the one long ago, and then just before the hour began.
        (&one, edge.as_str(), "192.0.2.1", ago(200)),
        (&one, edge.as_str(), "192.0.2.1", ago(59)),
        (&one, edge.as_str(), "198.51.100.1", ago(1)),
        // Two of one site are one, two sites are two.
        (&one, sites.as_str(), "2001:db8:1:1::1", ago(9)),
        (&one, sites.as_str(), "2001:db8:1:1::2", ago(8)),
        (&other, sites.as_str(), "2001:db8:1:2::1", ago(7)),
        (&one, old.as_str(), "192.0.2.1", ago(90)),
        (&one, old.as_str(), "192.0.2.2", ago(70)),
        (&one, old.as_str(), "192.0.2.3", ago(1)),
        (&one, token, "192.0.2.1", ago(2)),
        (&other, token, "192.0.2.2", ago(1)),
    ] {
        let who = Principal::assume_verified(Identity::new(who));
        let _verdict = watch.saw(&who, ClientIp(address.parse().unwrap()), at);
    }
    one.flush().await;
    other.flush().await;
    let expected = [
        (
            several.as_str(),
            &["192.0.2.1", "192.0.2.2", "192.0.2.3"][..],
        ),
        (edge.as_str(), &["192.0.2.1", "198.51.100.1"]),
        (sites.as_str(), &["2001:db8:1:1::", "2001:db8:1:2::"]),
        (token, &["192.0.2.1", "192.0.2.2"]),
    ];
    let owned = |list: &[&str]| list.iter().map(|&address| address.to_owned()).collect();
    expected
        .map(|(who, list)| (who.to_owned(), owned(list)))
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_view_and_the_route_tell_the_same_in_postgres() {
    let server = PrivatePostgres::start().unwrap();
    let store = async || {
        let settings = PostgresSettings::from_url(server.url().into()).unwrap();
        keys(PostgresStore::connect(settings).await.unwrap())
    };
    let (one, other) = (store().await, store().await);
    let expected = used(&one, &other).await;
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    let mut view = Spread::new();
    let rows = sqlx::query(VIEW).fetch_all(&mut connection).await.unwrap();
    let counts: Vec<i64> = rows.iter().map(|row| row.get("addresses")).collect();
    assert!(
        counts.is_sorted_by(|one, next| one >= next),
        "those of the most first: {counts:?}"
    );
    for seen in &rows {
        row(
            &mut view,
            seen.get("key_id"),
            seen.get("addresses"),
            seen.get("address_list"),
        );
    }
    assert_eq!(view, expected);
    assert_eq!(by_route(&other).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_view_and_the_route_tell_the_same_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.db");
    let (one, other) = (
        keys(SqliteStore::open(&file).unwrap()),
        keys(SqliteStore::open(&file).unwrap()),
    );
    let expected = used(&one, &other).await;
    let connection = rusqlite::Connection::open(&file).unwrap();
    let mut view = Spread::new();
    let mut statement = connection.prepare(VIEW).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut last = i64::MAX;
    while let Some(seen) = rows.next().unwrap() {
        let (key_id, addresses, list): (String, i64, String) = (
            seen.get(0).unwrap(),
            seen.get(1).unwrap(),
            seen.get(2).unwrap(),
        );
        assert!(addresses <= last, "those of the most first");
        last = addresses;
        row(&mut view, &key_id, addresses, &list);
    }
    assert_eq!(view, expected);
    assert_eq!(by_route(&other).await, expected);
}

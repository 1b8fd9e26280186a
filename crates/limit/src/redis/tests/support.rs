//! A store whose time a test tells.

use std::sync::Arc;
use std::time::Duration;

use ::redis::Client;
use ::redis::aio::MultiplexedConnection;
use secrecy::SecretString;

use crate::redis::{Fallback, RedisBuilder, RedisStore};
use crate::store::{Charge, Claim, Counter, Decision, Kind, LimitStore as _};

/// Time as the key `now` says. Nothing expires by the server's own, which runs otherwise.
pub(super) const TOLD: &str = "
local function call(name, ...)
  if name == 'PEXPIRE' or name == 'PEXPIREAT' then return 1 end
  return redis.call(name, ...)
end
local now = tonumber(call('GET', 'now'))
";

pub(super) fn builder(url: &str) -> RedisBuilder {
    RedisStore::builder(SecretString::from(url.to_owned())).away(Fallback::Closed)
}

/// So that Redis isn't taken to be away since the test's machine is busy.
pub(super) fn patient(url: &str) -> RedisBuilder {
    RedisBuilder {
        patience: Some(Duration::from_secs(10)),
        ..builder(url)
    }
}

pub(super) async fn connection(url: &str) -> MultiplexedConnection {
    let client = Client::open(url).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// Waits until `store` has found its server.
pub(super) async fn up(store: &RedisStore) {
    for _ in 0..1_000 {
        if store.0.0.is_up() {
            return;
        }
        store.0.0.start();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the store found no server in ten seconds");
}

pub(super) fn counter(name: &str, kind: Kind) -> Counter {
    Counter::new(Arc::from(name), kind)
}

pub(super) fn claim(counter: &Counter, limit: u64, amount: u64) -> Claim {
    Claim {
        counter: counter.clone(),
        limit,
        amount,
        share: None,
    }
}

pub(super) fn charge(decision: &Decision) -> Charge {
    match decision {
        Decision::Admitted { charge, .. } => *charge,
        refused => panic!("not admitted: {refused:?}"),
    }
}

/// What is taken of each claim's count, by a look that takes nothing.
pub(super) async fn taken(store: &RedisStore, claims: &[Claim]) -> Vec<u64> {
    let looks = claims
        .iter()
        .map(|claim| Claim {
            limit: 1 << 53,
            amount: 0,
            ..claim.clone()
        })
        .collect::<Vec<_>>();
    match store.decide(&looks).await.unwrap() {
        Decision::Admitted { charge, standings } => {
            store.settle(&looks, charge, &vec![0; looks.len()]);
            standings.iter().map(|standing| standing.taken).collect()
        }
        other => panic!("a look was refused: {other:?}"),
    }
}

/// Asks until `wanted`, for ten seconds.
pub(super) async fn until(what: &str, mut wanted: impl AsyncFnMut() -> bool) {
    for _ in 0..1_000 {
        if wanted().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain until {what}");
}

pub(super) async fn keys(url: &str) -> Vec<String> {
    let mut connection = connection(url).await;
    let mut all: Vec<String> = ::redis::cmd("KEYS")
        .arg("*")
        .query_async(&mut connection)
        .await
        .unwrap();
    all.sort();
    all
}

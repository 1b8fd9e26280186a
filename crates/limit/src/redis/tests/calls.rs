//! What a decision costs, and what it leaves behind.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bartizan_testkit::PrivateRedis;

use super::support::{
    builder, charge, claim, connection, counter, keys, patient, taken, until, up,
};
use crate::RedisStore;
use crate::store::{Claim, Decision, Kind, LimitStore as _};

fn period(name: &str) -> Kind {
    let end = (name == "month").then_some(4_000_000_000);
    Kind::Period { start: 0, end }
}

/// Requests, tokens, calls at once, and money.
fn call() -> Vec<Claim> {
    let minute = Kind::Sliding(Duration::from_mins(1));
    vec![
        claim(&counter("key requests", minute), 1_000, 1),
        claim(&counter("team tokens", minute), 100_000, 50),
        claim(&counter("key calls", Kind::Gauge), 100, 1),
        claim(&counter("team money", period("month")), 1_000_000, 70),
    ]
}

async fn seeded(store: &RedisStore, call: &[Claim]) {
    for claim in call {
        if matches!(claim.counter.kind(), Kind::Period { .. }) {
            store.seed(&claim.counter, 0).await.unwrap();
        }
    }
}

/// How often the server was asked for each command.
async fn commands(url: &str) -> HashMap<String, u64> {
    let mut connection = connection(url).await;
    let told: String = ::redis::cmd("INFO")
        .arg("commandstats")
        .query_async(&mut connection)
        .await
        .unwrap();
    told.lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
        })
        .collect()
}

#[tokio::test]
async fn a_decision_is_one_command_and_settlements_share_theirs() {
    let redis = PrivateRedis::start().unwrap();
    let store = patient(&redis.url()).build().unwrap();
    up(&store).await;
    let call = call();
    seeded(&store, &call).await;
    let before = commands(&redis.url()).await;
    let mut charges = Vec::new();
    for _ in 0..20 {
        charges.push(charge(&store.decide(&call).await.unwrap()));
    }
    let after = commands(&redis.url()).await;
    let asked = |name: &str| after.get(name).unwrap_or(&0) - before.get(name).unwrap_or(&0);
    // A sign of life may fall between.
    assert!(
        (20..=21).contains(&asked("evalsha")),
        "{}",
        asked("evalsha")
    );
    for other in ["eval", "script|load", "get"] {
        assert_eq!(asked(other), 0, "{other}");
    }
    for charge in charges {
        store.settle(&call, charge, &[1, 20, 0, 30]);
    }
    assert!(store.flush(Duration::from_secs(5)).await);
    let settled = commands(&redis.url()).await;
    let asked = settled["evalsha"] - after["evalsha"];
    assert!(asked < 20, "{asked} scripts for 20 settlements");
    assert_eq!(taken(&store, &call).await, [20, 400, 0, 600]);
}

#[tokio::test]
async fn a_server_that_has_forgotten_the_scripts_is_told_them_again() {
    let redis = PrivateRedis::start().unwrap();
    let store = patient(&redis.url()).build().unwrap();
    up(&store).await;
    let call = call();
    let mut by_hand = connection(&redis.url()).await;
    let mut forget = async || {
        let mut flush = ::redis::cmd("SCRIPT");
        flush.arg("FLUSH").exec_async(&mut by_hand).await.unwrap();
    };
    forget().await;
    seeded(&store, &call).await;
    forget().await;
    let charge = charge(&store.decide(&call).await.unwrap());
    forget().await;
    store.settle(&call, charge, &[1, 10, 0, 5]);
    assert!(store.flush(Duration::from_secs(5)).await);
    assert_eq!(taken(&store, &call).await, [1, 10, 0, 5]);
    assert!(!store.degraded());
}

#[tokio::test]
async fn counts_are_exact_to_two_to_the_53_and_go_no_further() {
    let redis = PrivateRedis::start().unwrap();
    let store = patient(&redis.url()).build().unwrap();
    up(&store).await;
    const MOST: u64 = 1 << 53;
    let window = counter("tokens", Kind::Sliding(Duration::from_hours(24)));
    let money = counter("money", period("altogether"));
    store.seed(&money, MOST - 3).await.unwrap();
    for (counter, amount) in [(&window, MOST - 3), (&money, 0)] {
        let first = [claim(counter, MOST, amount)];
        store.decide(&first).await.unwrap();
        for (amount, passes) in [(4, false), (2, true), (2, false), (1, true), (1, false)] {
            let call = [claim(counter, MOST, amount)];
            let decided = store.decide(&call).await.unwrap();
            let passed = matches!(decided, Decision::Admitted { .. });
            assert_eq!(passed, passes, "{} {amount}", counter.name());
        }
        assert_eq!(taken(&store, &first).await, [MOST]);
    }
    let call = [claim(&money, MOST, 0)];
    let admitted = store.decide(&call).await.unwrap();
    store.settle(&call, charge(&admitted), &[MOST]);
    assert!(store.flush(Duration::from_secs(5)).await);
    assert_eq!(taken(&store, &call).await, [MOST]);
}

#[tokio::test]
async fn a_caller_that_goes_at_any_moment_leaves_nothing_held() {
    let redis = PrivateRedis::start().unwrap();
    let store = patient(&redis.url()).build().unwrap();
    up(&store).await;
    let call = call();
    seeded(&store, &call).await;
    let mut gone = 0;
    for moment in 0..60 {
        let mut left = moment % 6;
        let mut decision = pin!(store.decide(&call));
        // As often as `left` it is gone on with, then dropped; now and then it has been decided by then, and is settled.
        let decided = poll_fn(|context| match decision.as_mut().poll(context) {
            Poll::Ready(decided) => Poll::Ready(Some(decided)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => {
                left -= 1;
                Poll::Pending
            }
        })
        .await;
        match decided {
            Some(decided) => store.settle(&call, charge(&decided.unwrap()), &[0; 4]),
            None => gone += 1,
        }
    }
    assert!(gone >= 10, "{gone}");
    until("all is given back", async || {
        taken(&store, &call).await == [0; 4]
    })
    .await;
    assert!(!store.degraded());
}

#[tokio::test]
async fn a_server_that_is_frozen_while_it_is_asked_gives_back_when_it_thaws() {
    let redis = PrivateRedis::start().unwrap();
    let store = Arc::new(builder(&redis.url()).build().unwrap());
    up(&store).await;
    let call = call();
    seeded(&store, &call).await;
    redis.freeze().unwrap();
    let asked = (0..50).map(|_| {
        let (store, call) = (Arc::clone(&store), call.clone());
        tokio::spawn(async move { store.decide(&call).await })
    });
    for asked in asked.collect::<Vec<_>>() {
        asked.await.unwrap().unwrap_err();
    }
    assert!(store.degraded());
    redis.thaw().unwrap();
    up(&store).await;
    until("all is given back", async || {
        taken(&store, &call).await == [0; 4]
    })
    .await;
}

#[tokio::test]
async fn idle_counts_leave_and_endless_periods_stay() {
    let redis = PrivateRedis::start().unwrap();
    let store = patient(&redis.url()).build().unwrap();
    up(&store).await;
    let short = counter("short", Kind::Sliding(Duration::from_millis(300)));
    let endless = counter("endless", period("altogether"));
    let month = counter("month", period("month"));
    let gauge = counter("calls", Kind::Gauge);
    for period in [&endless, &month] {
        store.seed(period, 5).await.unwrap();
    }
    let call = [&short, &endless, &month, &gauge].map(|counter| claim(counter, 10, 1));
    let admitted = charge(&store.decide(&call).await.unwrap());
    let mut by_hand = connection(&redis.url()).await;
    let mut ttl = async |key: &str| -> i64 {
        let mut asked = ::redis::cmd("PTTL");
        asked.arg(key).query_async(&mut by_hand).await.unwrap()
    };
    assert!((1..=310).contains(&ttl("{bartizan}:w5:short").await));
    assert!(ttl("{bartizan}:g:calls").await > 80_000_000);
    assert!(ttl("{bartizan}:p:month").await > 3_600_000);
    assert_eq!(ttl("{bartizan}:p:endless").await, -1);
    store.settle(&call, admitted, &[1, 1, 1, 0]);
    assert!(store.flush(Duration::from_secs(5)).await);
    until("the window has left", async || {
        let keys = keys(&redis.url()).await;
        !keys
            .iter()
            .any(|key| key.contains(":w5:") || key.contains(":g:"))
    })
    .await;
    assert_eq!(taken(&store, &call[1..3]).await, [6, 6]);
}

#[tokio::test]
async fn a_store_that_is_dropped_tells_what_is_left_and_holds_nothing() {
    let redis = PrivateRedis::start().unwrap();
    let call = call();
    let store = patient(&redis.url()).build().unwrap();
    up(&store).await;
    seeded(&store, &call).await;
    let settled = charge(&store.decide(&call).await.unwrap());
    store.decide(&call).await.unwrap();
    store.settle(&call, settled, &[1, 20, 0, 30]);
    drop(store);
    let other = patient(&redis.url()).build().unwrap();
    up(&other).await;
    until("what is left is told", async || {
        taken(&other, &call).await == [2, 70, 0, 30]
    })
    .await;
}

#[tokio::test]
async fn what_a_killed_process_held_is_free_within_ten_seconds() {
    if let Ok(url) = std::env::var("HELD_IN") {
        return hold_until_killed(&url).await;
    }
    let redis = PrivateRedis::start().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "redis::tests::calls::what_a_killed_process_held_is_free_within_ten_seconds",
        ])
        .arg("--nocapture")
        .env("HELD_IN", redis.url())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let call = call();
    let store = patient(&redis.url()).build().unwrap();
    up(&store).await;
    seeded(&store, &call).await;
    let own = charge(&store.decide(&call).await.unwrap());
    until("the other process holds", async || {
        taken(&store, &call).await[2] == 6
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    let killed = tokio::time::Instant::now();
    assert_eq!(taken(&store, &call).await[2..], [6, 420]);
    until("what it held is free", async || {
        taken(&store, &call).await[2..] == [1, 70]
    })
    .await;
    assert!(killed.elapsed() < Duration::from_secs(10));
    store.settle(&call, own, &[0; 4]);
    assert!(store.flush(Duration::from_secs(5)).await);
    assert_eq!(taken(&store, &call).await[2..], [0, 0]);
}

/// The other process of the test above: it is that test again, told where to hold.
async fn hold_until_killed(url: &str) {
    let store = patient(url).build().unwrap();
    up(&store).await;
    let call = call();
    seeded(&store, &call).await;
    for _ in 0..5 {
        store.decide(&call).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
}

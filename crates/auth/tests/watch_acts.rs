//! What a watch does: it blocks, keeps what was seen, and adds up what processes saw.

#![cfg(feature = "watch")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail as a test does"
)]

mod support;
#[path = "support/watching.rs"]
mod watching;

use std::time::Duration;

use bartizan_auth::watch::{ActionTaken, Rule, Verdict};
use bartizan_auth::{AuthLayer, MemoryStore, SightingQuery};
use bartizan_core::ClientIp;
use support::inside::{CHAT, Inside, code, mint, post};
use support::{Fault, FaultyStore, admin, clock};
use watching::{DAY, DELHI, LONDON, MINUTE, Setting};

#[tokio::test]
async fn a_rule_that_blocks_refuses_the_very_call_and_the_key_from_then_on() {
    let setting = Setting::new();
    let watch = setting.watch([Rule::addresses(1).blocks()]);
    let key = mint(&setting.keys, |_| {}).await;
    let layer = AuthLayer::new(setting.keys.clone()).watch(watch.clone());
    let inside = Inside::default();
    let call = async |from: &str| {
        let mut request = post(key.as_bytes(), CHAT);
        request
            .extensions_mut()
            .insert(ClientIp(from.parse().unwrap()));
        inside.send(&layer, request).await
    };
    assert_eq!(call("81.1.0.1").await.status(), 200);
    let refused = call("81.1.0.2").await;
    assert_eq!(
        (refused.status().as_u16(), code(&refused)),
        (403, "blocked_key")
    );
    // Before the store knows.
    assert_eq!(call("81.1.0.1").await.status(), 403);
    assert!(setting.keys.verify(&key).await.is_ok());
    watch.flush().await;
    assert!(setting.keys.verify(&key).await.is_err());
    let told = setting.told.take();
    assert_eq!((told.len(), told[0].action), (1, ActionTaken::Blocked));

    // Unblocked, it begins anew.
    let key_id = told[0].key_id.clone();
    setting.clock.advance(MINUTE);
    setting
        .keys
        .set_blocked(&admin(), &key_id, false)
        .await
        .unwrap();
    assert_eq!(call("81.1.0.2").await.status(), 200);
    watch.flush().await;
    assert_eq!(call("81.1.0.2").await.status(), 200);
    assert_eq!(call("81.1.0.1").await.status(), 403);
    watch.flush().await;
    assert!(
        setting.keys.verify(&key).await.is_err(),
        "blocked again, though not told again"
    );
    assert_eq!(inside.calls(), 3);
}

#[tokio::test]
async fn what_the_store_does_not_take_is_refused_here_and_tried_again() {
    let store = FaultyStore::new(MemoryStore::new());
    let setting = Setting::over(store.clone(), clock());
    let watch = setting.watch([Rule::addresses(1).blocks()]);
    let who = setting.principal().await;
    store.fail(Fault::Error);
    assert_eq!(setting.saw(&watch, &who, "81.1.0.1"), Verdict::Pass);
    assert_eq!(setting.saw(&watch, &who, "81.1.0.2"), Verdict::Block);
    watch.flush().await;
    assert_eq!(setting.told.take()[0].action, ActionTaken::BlockPending);
    assert_eq!(setting.saw(&watch, &who, "81.1.0.1"), Verdict::Block);
    store.fail(Fault::None);
    watch.flush().await;
    let record = setting.keys.info(&admin(), who.key_id()).await.unwrap();
    assert!(record.blocked);
    let seen = setting
        .keys
        .sightings(&admin(), SightingQuery::since(Duration::ZERO))
        .await;
    let uses: u64 = seen.unwrap().iter().map(|seen| seen.uses).sum();
    assert_eq!(uses, 3, "nothing seen is lost");
}

#[tokio::test]
async fn processes_on_one_store_know_what_each_other_saw() {
    let store = MemoryStore::new();
    let (one, two) = (
        Setting::over(store.clone(), clock()),
        Setting::over(store, clock()),
    );
    let who = one.principal().await;
    let rules = || [Rule::addresses(3).blocks(), Rule::travel()];
    let (first, second) = (one.watch(rules()), two.watch(rules()));
    for address in ["81.1.0.1", "81.1.0.2"] {
        let _ = one.saw(&first, &who, address);
    }
    assert_eq!(one.rules_told(&first).await, [""; 0]);
    for address in ["81.1.0.2", "81.1.0.3"] {
        let _ = two.saw(&second, &who, address);
    }
    assert_eq!(two.rules_told(&second).await, [""; 0], "three of all");
    let _ = one.saw(&first, &who, "81.1.0.3");
    assert_eq!(one.rules_told(&first).await, [""; 0], "of which both know");
    let _ = two.saw(&second, &who, LONDON);
    let mut told = two.rules_told(&second).await;
    told.sort_unstable();
    assert_eq!(told, ["addresses", "travel"]);
    assert!(one.keys.info(&admin(), who.key_id()).await.unwrap().blocked);

    // One saw it in Delhi, the other in London: neither saw both.
    let who = one.principal().await;
    let _ = one.saw(&first, &who, DELHI);
    let _ = two.saw(&second, &who, LONDON);
    assert_eq!(one.rules_told(&first).await, [""; 0]);
    assert_eq!(two.rules_told(&second).await, ["travel"]);

    // As the store answers who was used from several addresses.
    let spread = one.keys.spread(&admin(), Duration::ZERO, 2).await.unwrap();
    let counts: Vec<u64> = spread.iter().map(|spread| spread.addresses).collect();
    assert_eq!(counts, [4, 2]);
}

#[tokio::test]
async fn the_background_blocks_without_being_asked() {
    let setting = Setting::new();
    let watch = setting.watch([Rule::addresses(1).blocks()]);
    let who = setting.principal().await;
    let keeping = tokio::spawn({
        let watch = watch.clone();
        async move { watch.keep().await }
    });
    let _ = setting.saw(&watch, &who, "81.1.0.1");
    let _ = setting.saw(&watch, &who, "81.1.0.2");
    let blocked = async {
        while !setting
            .keys
            .info(&admin(), who.key_id())
            .await
            .unwrap()
            .blocked
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), blocked)
        .await
        .unwrap();
    keeping.abort();
}

#[tokio::test]
async fn old_sightings_are_forgotten() {
    let setting = Setting::new();
    let watch = setting.builder([]).retention(DAY).build().unwrap();
    let who = setting.principal().await;
    let _ = setting.saw(&watch, &who, "81.1.0.1");
    watch.flush().await;
    setting.clock.advance(DAY + MINUTE);
    let _ = setting.saw(&watch, &who, "81.1.0.2");
    let keeping = tokio::spawn(async move { watch.keep().await });
    let swept = async {
        loop {
            let query = SightingQuery::since(Duration::ZERO);
            let seen = setting.keys.sightings(&admin(), query).await.unwrap();
            if seen.len() == 1 && seen[0].address.to_string() == "81.1.0.2" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), swept)
        .await
        .unwrap();
    keeping.abort();
}

//! Keys that are used from elsewhere: what is blocked, and who is told.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bartizan::auth::watch::WebhookKey;
use bartizan_testkit::{MockProvider, PrivatePostgres, Script};
use secrecy::SecretString;
use serde_json::Value;
use tokio::time::Instant;

use crate::http::Answer;
use crate::network::ask_from;
use crate::process::{Gateway, MASTER, PEPPER, Start, chat, config};
use crate::receiver::Receiver;

const SECRET: &str = "4f7a1c9e2d8b60358ae1f4c7d90b26e3";
const PLACES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/geo/GeoLite2-City-Test.mmdb"
);
/// How long another process may go on letting in what one has closed.
const MOST: Duration = Duration::from_secs(1);
/// The gateway's proxy, and its words for it.
const PROXY: &str = "127.0.0.77";
const BEHIND: &str = "use_x_forwarded_for: true, trusted_proxy_ranges: [127.0.0.77]";

/// Watches by `rules`, and tells `receiver`.
fn start(mock: &MockProvider, receiver: &Receiver, general: &str, rules: &str) -> Start {
    let watch = format!(
        "bartizan:\n  watch:\n    webhook: {{url: os.environ/HOOK, secret: os.environ/HOOK_SECRET}}\n{rules}"
    );
    let general = format!("{{master_key: {MASTER}, {general}}}");
    let file = config(mock, &watch).replace(&format!("{{master_key: {MASTER}}}"), &general);
    Start::with(file)
        .env("HOOK", &receiver.url("/alerts/path-canary"))
        .env("HOOK_SECRET", SECRET)
        .env("BARTIZAN_PEPPER", PEPPER)
}

async fn call(gateway: &Gateway, key: &str, from: &str, forwarded: &str) -> Answer {
    let bearer = format!("Bearer {key}");
    let mut headers = vec![("authorization", bearer.as_str())];
    if !forwarded.is_empty() {
        headers.push(("x-forwarded-for", forwarded));
    }
    ask_from(from, gateway.address, &headers, &chat("gpt", "x", "")).await
}

/// The alerts that came, each with a signature that holds.
async fn alerts(receiver: &Receiver, count: usize) -> Vec<Value> {
    let came = receiver.wait(count).await;
    let key = WebhookKey::new(&SecretString::from(SECRET)).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    came.iter()
        .map(|alert| {
            let (text, signature) = (&alert.body, &alert.signature);
            let recently = Duration::from_secs(60);
            assert!(key.verify(signature, text.as_bytes(), now, recently));
            assert!(!text.contains("sk-") && !text.contains(SECRET), "{text}");
            serde_json::from_str(text).unwrap()
        })
        .collect()
}

async fn named(gateway: &Gateway) -> (String, String) {
    let made = gateway
        .ask_as(
            MASTER,
            "POST",
            "/key/generate",
            r#"{"key_alias":"nightly"}"#,
        )
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("key"), text("key_id"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_from_too_many_addresses_is_blocked_in_every_process_and_somebody_is_told() {
    let database = PrivatePostgres::start().unwrap();
    let (mock, receiver) = (
        MockProvider::start(Script::echo()).await.unwrap(),
        Receiver::start([]).await,
    );
    let rules = "    rules: [{rule: addresses, most: 2, action: block}]";
    let run = || {
        start(&mock, &receiver, "database_url: os.environ/DATABASE", rules)
            .env("DATABASE", &database.url())
            .run()
    };
    let (one, other) = (run(), run());
    let (key, key_id) = named(&one).await;
    assert_eq!(call(&other, &key, "127.0.0.1", "").await.status, 200);
    for from in ["127.0.0.1", "127.0.0.2", "127.0.0.1"] {
        assert_eq!(call(&one, &key, from, "").await.status, 200, "{from}");
    }
    let refused = call(&one, &key, "127.0.0.3", "").await;
    let began = Instant::now();
    assert_eq!(
        (refused.status, refused.code()),
        (403, "blocked_key".to_owned())
    );
    while call(&other, &key, "127.0.0.1", "").await.status != 403 {
        assert!(began.elapsed() <= MOST, "{:?}", began.elapsed());
    }
    eprintln!("the other process refuses it after {:?}", began.elapsed());

    let alerts = alerts(&receiver, 1).await;
    let alert = &alerts[0];
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alert["version"], 1);
    assert_eq!(
        (&alert["rule"], &alert["action"]),
        (&"addresses".into(), &"blocked".into())
    );
    assert_eq!(
        (&alert["key_id"], &alert["key_alias"]),
        (&key_id.as_str().into(), &"nightly".into())
    );
    assert_eq!(
        alert["finding"],
        serde_json::json!({"addresses": ["127.0.0.2", "127.0.0.1", "127.0.0.3"], "most": 2})
    );
    assert_eq!(receiver.came()[0].path, "/alerts/path-canary");

    // What was seen is on record, once both have told it; an administrator opens the key again.
    let folder = other.stop().await;
    drop(folder);
    let seen = one
        .ask_as(MASTER, "GET", "/key/several_addresses", "")
        .await
        .json();
    assert_eq!(
        (&seen["keys"][0]["key"], &seen["keys"][0]["addresses"]),
        (&key_id.as_str().into(), &3.into())
    );
    let uses: u64 = seen["keys"][0]["sightings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seen| seen["uses"].as_u64().unwrap())
        .sum();
    assert!(uses >= 5, "{seen}");
    let body = format!(r#"{{"key_id":"{key_id}"}}"#);
    assert_eq!(
        one.ask_as(MASTER, "POST", "/key/unblock", &body)
            .await
            .status,
        200
    );
    assert_eq!(call(&one, &key, "127.0.0.1", "").await.status, 200);

    for log in [one.stderr()] {
        assert!(log.contains("a key was used in an unusual way"), "{log}");
        for secret in [&key, SECRET, "path-canary", MASTER] {
            assert!(!log.contains(secret), "{log}");
        }
    }
}

/// Addresses count as the gateway knows them: behind its proxies those that the header says, else the connection's own.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_the_callers_where_the_proxy_is_trusted_and_the_proxys_where_it_is_not() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let rules = "    rules: [{rule: addresses, most: 1}]";
    for (general, is_told) in [(BEHIND, true), ("use_x_forwarded_for: false", false)] {
        let receiver = Receiver::start([]).await;
        let gateway = start(&mock, &receiver, general, rules).run();
        let (key, _) = named(&gateway).await;
        for caller in ["192.0.2.7", "198.51.100.9"] {
            assert_eq!(call(&gateway, &key, PROXY, caller).await.status, 200);
        }
        if is_told {
            let alerts = alerts(&receiver, 1).await;
            assert_eq!(
                alerts[0]["finding"]["addresses"],
                serde_json::json!(["192.0.2.7", "198.51.100.9"])
            );
            assert_eq!(alerts[0]["action"], "alerted");
        }
        // What was seen last is told at the end.
        let late = gateway.key("{}").await;
        for caller in ["192.0.2.7", "198.51.100.9"] {
            assert_eq!(call(&gateway, &late, PROXY, caller).await.status, 200);
        }
        gateway.stop().await;
        let came = receiver.came();
        assert_eq!(
            came.len(),
            if is_told { 2 } else { 0 },
            "{general}: {came:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journey_that_nobody_makes_is_told_and_the_receiver_is_asked_again() {
    if !Path::new(PLACES).exists() {
        return;
    }
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let receiver = Receiver::start([502]).await;
    let rules =
        format!("    geoip: {PLACES}\n    rules: [{{rule: travel}}, {{rule: new_country}}]");
    let gateway = start(&mock, &receiver, BEHIND, &rules).run();
    let (key, key_id) = named(&gateway).await;
    // London, and Linköping.
    for caller in ["81.2.69.160", "89.160.20.128"] {
        assert_eq!(call(&gateway, &key, PROXY, caller).await.status, 200);
    }
    let alerts = alerts(&receiver, 2).await;
    let statuses: Vec<u16> = receiver.came().iter().map(|came| came.status).collect();
    assert_eq!(statuses, [502, 204]);
    assert_eq!(alerts[0], alerts[1], "the same, with the same id");
    let finding = &alerts[0]["finding"];
    assert_eq!(
        (&alerts[0]["rule"], &alerts[0]["key_id"]),
        (&"travel".into(), &key_id.as_str().into())
    );
    assert_eq!(
        (&finding["from"]["address"], &finding["to"]["address"]),
        (&"81.2.69.160".into(), &"89.160.20.128".into())
    );
    assert!(finding["kmh"].as_f64().unwrap() > 900.0, "{finding}");
    gateway.stop().await;
    assert_eq!(receiver.came().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_is_watched_and_what_cannot_be_blocked_is_told_so() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let receiver = Receiver::start([]).await;
    let rules = "    rules: [{rule: addresses, most: 1, action: block, keys: [master_key]}]";
    let gateway = start(&mock, &receiver, BEHIND, rules).run();
    for caller in ["192.0.2.7", "198.51.100.9", "203.0.113.1"] {
        // It calls no model, and is let in to be told so.
        let answer = call(&gateway, MASTER, PROXY, caller).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        let bearer = format!("Bearer {MASTER}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("x-forwarded-for", caller),
        ];
        let listed = crate::network::get_from(PROXY, gateway.address, "/key/list", &headers).await;
        assert_eq!(listed.status, 200, "{listed:?}");
    }
    let alerts = alerts(&receiver, 1).await;
    assert_eq!(
        (&alerts[0]["key_id"], &alerts[0]["action"]),
        (&"master_key".into(), &"no_record".into())
    );
    assert!(!gateway.stderr().contains(MASTER));
}

#[test]
fn a_configuration_that_cannot_hold_stops_the_start_with_its_place() {
    let file = |words: &str| {
        format!(
            "model_list: [{{model_name: m, litellm_params: {{model: openai/m, api_base: 'http://localhost:9/v1'}}}}]\n\
             general_settings: {{master_key: {MASTER}}}\nbartizan:\n  watch: {{{words}}}\n"
        )
    };
    for (words, says) in [
        (
            "rules: [{rule: adresses, most: 1}]",
            "line 4: bartizan.watch.rules[0].rule: this is none of addresses, travel, new_country, hours; did you mean `addresses`?",
        ),
        (
            "geoip: /nowhere.mmdb",
            "bartizan.watch.geoip: the database of places /nowhere.mmdb can't be read",
        ),
    ] {
        let (code, said) = Start::with(file(words)).fails();
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(says), "{said}");
    }
}

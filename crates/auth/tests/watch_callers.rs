//! Who is watched: whoever calls, by a key or by something else.

#![cfg(all(feature = "jwt", feature = "watch"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod idp;
mod support;
#[path = "support/watching.rs"]
mod watching;

use std::time::Duration;

use bartizan_auth::jwt::Algorithm;
use bartizan_auth::watch::{ActionTaken, Rule, Verdict};
use bartizan_auth::{
    AuthLayer, CertificateField, CertificateMap, MemoryStore, SightingQuery, TrustedPeers,
};
use bartizan_core::{Body, ClientCertificate, ClientIp, Identity, PeerIp, Principal};
use http::Request;
use idp::{Idp, Signer, with};
use serde_json::json;
use support::inside::{CHAT, Inside, code, mint, post};
use support::{MASTER, admin, clock, master};
use watching::{DELHI, LONDON, Setting};

#[tokio::test]
async fn callers_without_a_record_are_told_of_and_go_on() {
    for name in ["jwt:00112233445566778899aabbccddeeff", "master_key", "k"] {
        let store = MemoryStore::new();
        let setting = Setting::over(store.clone(), clock());
        let elsewhere = Setting::over(store, clock());
        let rules = || [Rule::addresses(2).blocks(), Rule::travel()];
        let (watch, other) = (setting.watch(rules()), elsewhere.watch(rules()));
        let who = Principal::assume_verified(Identity::new(name).user_id("robin"));
        for (here, address) in [(true, DELHI), (true, "81.1.0.2"), (false, LONDON)] {
            let verdict = if here {
                setting.saw(&watch, &who, address)
            } else {
                watch.flush().await;
                elsewhere.saw(&other, &who, address)
            };
            assert_eq!(verdict, Verdict::Pass, "{name}");
        }
        // What two processes saw adds up, as for keys.
        other.flush().await;
        let mut told = elsewhere.told.take();
        told.sort_by_key(|alert| alert.rule);
        let actions: Vec<_> = told
            .iter()
            .map(|alert| (alert.rule, alert.action))
            .collect();
        assert_eq!(
            actions,
            [
                ("addresses", ActionTaken::NoRecord),
                ("travel", ActionTaken::Alerted)
            ],
            "{name}"
        );
        assert_eq!(
            (told[0].key_id.as_str(), told[0].user_id.as_deref()),
            (name, Some("robin"))
        );
        assert_eq!(elsewhere.saw(&other, &who, "81.1.0.9"), Verdict::Pass);

        // It is seen by whoever sees all keys, and by itself.
        let spread = async |by: &Principal| {
            let found = setting.keys.spread(by, Duration::ZERO, 2).await.unwrap();
            found
                .into_iter()
                .map(|spread| spread.key_id)
                .collect::<Vec<_>>()
        };
        assert_eq!(spread(&admin()).await, [name]);
        assert_eq!(spread(&who).await, [name]);
        let stranger = Principal::assume_verified(Identity::new("jwt:ff").user_id("robin"));
        assert_eq!(spread(&stranger).await, [""; 0]);
        let mut query = SightingQuery::since(Duration::ZERO);
        query.key_id = Some(name.to_owned());
        assert!(setting.keys.sightings(&stranger, query).await.is_err());
    }
}

/// By the layer, as each of them comes in: what it is known by stays the same, and only what has a record is blocked.
#[tokio::test]
async fn whoever_is_let_in_is_watched_and_what_has_a_record_is_blocked() {
    let setting = Setting::over(MemoryStore::new(), idp::clock());
    let signer = Signer::new("k", Algorithm::EdDsa);
    let jwt = Idp::new(&[signer.jwk()]).jwt(&[Algorithm::EdDsa], &setting.clock);
    let certificates = CertificateMap::new()
        .rule(CertificateField::CommonName, "payments", "payments-service")
        .unwrap();
    let peers = TrustedPeers::new().addresses(["10.0.0.7/32".parse().unwrap()]);
    let key = mint(&setting.keys, |request| {
        request.alias = Some("payments-service".to_owned());
    })
    .await;
    let key_id = setting.keys.verify(&key).await.unwrap().key_id().to_owned();
    let watch = setting.watch([Rule::addresses(1).blocks()]);
    let layer = AuthLayer::new(setting.keys.clone())
        .master_key(master())
        .master_key_may_call_models()
        .jwt(jwt)
        .certificates(certificates)
        .trusted_peers(peers)
        .watch(watch.clone());
    let inside = Inside::default();
    let bare = || {
        let request = Request::post("/v1/chat/completions");
        request.body(Body::from(CHAT)).unwrap()
    };
    // Another token each time, of the same subject.
    let token = |number: u32| signer.token(&with(json!({"jti": number.to_string()})));
    let request = |who: &str, number: u32| match who {
        "token" => post(token(number).as_bytes(), CHAT),
        "master key" => post(MASTER.as_bytes(), CHAT),
        "certificate" => {
            let mut request = bare();
            let mut certificate = ClientCertificate::new("CN=payments", [0; 32]);
            certificate.common_name = Some("payments".to_owned());
            request.extensions_mut().insert(certificate);
            request
        }
        _ => {
            let mut request = bare();
            let user = "robin".parse().unwrap();
            request.headers_mut().insert("x-bartizan-user-id", user);
            request
                .extensions_mut()
                .insert(PeerIp("10.0.0.7".parse().unwrap()));
            request
        }
    };
    for (who, name, last) in [
        ("token", "jwt:", Ok(())),
        ("peer", "peer:", Ok(())),
        ("master key", "master_key", Ok(())),
        ("certificate", key_id.as_str(), Err("blocked_key")),
    ] {
        let mut answers = Vec::new();
        for number in 1..=2 {
            let mut request = request(who, number);
            let from = format!("81.1.0.{number}").parse().unwrap();
            request.extensions_mut().insert(ClientIp(from));
            let answer = inside.send(&layer, request).await;
            answers.push(if answer.status() == 200 {
                Ok(())
            } else {
                Err(code(&answer))
            });
        }
        assert_eq!(answers, [Ok(()), last], "{who}");
        watch.flush().await;
        let [alert] = <[_; 1]>::try_from(setting.told.take()).unwrap();
        assert!(alert.key_id.starts_with(name), "{who}: {}", alert.key_id);
        let action = match last {
            Ok(()) => ActionTaken::NoRecord,
            Err(_) => ActionTaken::Blocked,
        };
        assert_eq!((alert.rule, alert.action), ("addresses", action), "{who}");
    }
    assert!(setting.keys.verify(&key).await.is_err(), "by its text too");
}

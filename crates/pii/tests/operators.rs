//! What each operator does to requests and to answers, and what is told of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

mod exchange;

use bartizan_core::Identity;
use bartizan_pii::{
    Entity, Key, Operator, Partial, PiiLayer, PiiLayerBuilder, Tenant, VaultBounds, decrypt,
};
use exchange::Exchange;
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

const MAIL: &str = "ravi.k@example.in";

fn key() -> Key {
    Key::new(&SecretString::from("9f1c6bd2a07e43f58b3d6e2c914a7f05")).unwrap()
}

fn layer(operator: Operator) -> PiiLayer {
    PiiLayer::builder()
        .operator(Entity::Email, operator)
        .build()
        .unwrap()
}

fn answers(operator: Operator) -> PiiLayerBuilder {
    PiiLayer::builder()
        .mask([Entity::Email])
        .answer_operator(Entity::Email, operator)
}

#[tokio::test]
async fn each_operator_takes_requests_and_is_noted_by_its_name() {
    let hash = key().hash(Entity::Email, MAIL, &Tenant::team("payments"));
    for (operator, told, note) in [
        (Operator::Mask, "<EMAIL_ADDRESS_1>", "masked"),
        (Operator::Replace, "<EMAIL_ADDRESS>", "replaced"),
        (Operator::ReplaceWith("[mail]".into()), "[mail]", "replaced"),
        (Operator::Redact, "", "redacted"),
        (
            Operator::Partial(Partial::keep_last(4)),
            "****.*@*****le.in",
            "covered",
        ),
        (Operator::Hash(key()), &hash, "hashed"),
        (Operator::Keep, MAIL, "kept"),
    ] {
        let layer = layer(operator);
        let seen = Exchange::chat(&layer, &format!("Mail {MAIL}, please"))
            .by(Identity::new("k").team_id("payments"))
            .made()
            .await;
        assert_eq!(seen.asked(), format!("Mail {told}, please"));
        assert_eq!(
            seen.notes[0],
            format!("pii {note} EMAIL_ADDRESS=1 direction=request")
        );
    }
}

#[tokio::test]
async fn what_is_encrypted_can_be_decrypted_by_the_same_tenant_alone() {
    let layer = layer(Operator::Encrypt(key()));
    let seen = Exchange::chat(&layer, MAIL)
        .by(Identity::new("k").team_id("payments"))
        .made()
        .await;
    let sealed = seen.asked();
    assert!(sealed.starts_with("<EMAIL_ADDRESS:enc:"), "{sealed}");
    let opened = decrypt(&key(), &sealed, &Tenant::team("payments")).unwrap();
    assert_eq!(opened.expose_secret(), MAIL);
    assert!(decrypt(&key(), &sealed, &Tenant::team("sales")).is_err());
}

#[tokio::test]
async fn a_fake_comes_back_in_every_spelling_of_its_number() {
    let layer = PiiLayer::builder()
        .operator(Entity::InAadhaar, Operator::Fake)
        .operator(Entity::Phone, Operator::Fake)
        .output(true)
        .build()
        .unwrap();
    type Respell = fn(&str) -> String;
    let respellings: [(Respell, bool); 5] = [
        (|said| said.to_owned(), true),
        (|said| said.replace(' ', ""), true),
        (|said| said.replace(' ', "-"), true),
        (|said| format!("**{said}**, _{said}_."), true),
        (|said| format!("{said}7"), false),
    ];
    for value in ["2341 2341 2346", "+91 98765 43210"] {
        for (respell, comes_back) in respellings {
            let seen = Exchange::chat(&layer, value).echoing(respell).made().await;
            assert!(!seen.asked().contains(value), "{}", seen.asked());
            let said = seen.said();
            let trimmed = value.trim_start_matches('+');
            assert_eq!(said.contains(trimmed), comes_back, "{value}: {said}");
            assert!(!said.contains("++"), "{said}");
        }
    }
}

#[tokio::test]
async fn an_observing_layer_changes_nothing_and_tells_what_it_would_have_done() {
    let layer = PiiLayer::builder()
        .mask([Entity::Email])
        .block([Entity::Card])
        .output(true)
        .observe(true)
        .build()
        .unwrap();
    let says = format!("{MAIL} pays with 4111 1111 1111 1111");
    let seen = Exchange::chat(&layer, &says).saying(&says).made().await;
    assert_eq!((seen.asked(), seen.said()), (says.clone(), says));
    assert_eq!(
        seen.notes,
        [
            "pii observed CREDIT_CARD=1 operator=BLOCK direction=request",
            "pii observed EMAIL_ADDRESS=1 operator=MASK direction=request",
            "pii observed CREDIT_CARD=1 operator=BLOCK direction=answer",
            "pii observed EMAIL_ADDRESS=1 operator=MASK direction=answer",
        ]
    );
}

#[tokio::test]
async fn a_blocked_request_hears_kind_and_place_and_no_value() {
    let layer = PiiLayer::builder().block([Entity::Card]).build().unwrap();
    let arguments = json!({"pan": "4111 1111 1111 1111"}).to_string();
    for (messages, place) in [
        (
            json!([{"role": "user", "content": "hi"}, {"role": "user", "content": "4111 1111 1111 1111"}]),
            "messages[1].content",
        ),
        (
            json!([{"role": "user", "content": [{"type": "text", "text": "4111 1111 1111 1111"}]}]),
            "messages[0].content[0].text",
        ),
        (
            json!([{"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]}]),
            "messages[0].tool_calls[0].function.arguments",
        ),
    ] {
        let body = json!({"model": "demo", "messages": messages}).to_string();
        let seen = Exchange::new(&layer, "/v1/chat/completions", &body)
            .made()
            .await;
        assert_eq!(
            (seen.status, &seen.provider),
            (StatusCode::FORBIDDEN, &None)
        );
        let error: Value = serde_json::from_str(&seen.answer).unwrap();
        assert_eq!(error["error"]["code"], "pii_blocked");
        assert_eq!(error["error"]["param"], place);
        let message = error["error"]["message"].as_str().unwrap();
        assert!(
            message.contains(place) && message.contains("CREDIT_CARD"),
            "{message}"
        );
        assert!(!seen.answer.contains("4111"), "{}", seen.answer);
    }
}

#[tokio::test]
async fn each_operator_takes_answers_whole_and_streamed_alike() {
    let hash = key().hash(Entity::Email, MAIL, &Tenant::NONE);
    for (operator, told) in [
        (Operator::Mask, Some("<EMAIL_ADDRESS>")),
        (Operator::Replace, Some("<EMAIL_ADDRESS>")),
        (
            Operator::ReplaceWith("\"[mail]\"".into()),
            Some("\"[mail]\""),
        ),
        (Operator::Redact, Some("")),
        (
            Operator::Partial(Partial::default()),
            Some("****.*@*****le.in"),
        ),
        (Operator::Hash(key()), Some(&hash)),
        (Operator::Keep, Some(MAIL)),
        (Operator::Mask.observed(), Some(MAIL)),
        (Operator::Fake, None),
    ] {
        let layer = answers(operator.clone()).build().unwrap();
        let whole = Exchange::chat(&layer, "hi")
            .saying(&format!("to {MAIL} now"))
            .made()
            .await
            .said();
        match told {
            Some(told) => assert_eq!(whole, format!("to {told} now"), "{operator:?}"),
            None => assert!(whole.ends_with("@example.com now"), "{whole}"),
        }
        let event = |says: &str| {
            let choice = json!({"index": 0, "delta": {"content": says}});
            format!("data: {}\n\n", json!({"id": "c", "choices": [choice]}))
        };
        for cut in 1..MAIL.len() {
            let (one, two) = MAIL.split_at(cut);
            let stream =
                event(&format!("to {one}")) + &event(&format!("{two} now")) + "data: [DONE]\n\n";
            let seen = Exchange::chat(&layer, "hi").streaming(stream).made().await;
            let streamed = contents(&seen.answer);
            match told {
                Some(told) => assert_eq!(streamed, format!("to {told} now"), "{operator:?} {cut}"),
                None => assert!(streamed.ends_with("@example.com now"), "{streamed}"),
            }
        }
    }
}

fn contents(stream: &str) -> String {
    stream
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
        .filter_map(|event| Some(event["choices"][0]["delta"]["content"].as_str()?.to_owned()))
        .collect()
}

#[tokio::test]
async fn requests_and_answers_may_be_treated_each_in_its_way() {
    let layer = PiiLayer::builder()
        .mask([Entity::Email])
        .answer_operator(Entity::Card, Operator::Partial(Partial::keep_last(4)))
        .build()
        .unwrap();
    let seen = Exchange::chat(&layer, &format!("{MAIL} 4111 1111 1111 1111"))
        .saying("<EMAIL_ADDRESS_1>, another@example.in, 4111 1111 1111 1111")
        .made()
        .await;
    assert_eq!(seen.asked(), "<EMAIL_ADDRESS_1> 4111 1111 1111 1111");
    assert_eq!(
        seen.said(),
        format!("{MAIL}, another@example.in, **** **** **** 1111")
    );
}

#[tokio::test]
async fn a_request_with_more_than_a_vault_holds_is_refused_and_not_sent() {
    for (bounds, status) in [
        (VaultBounds::new(3, 1_000), StatusCode::OK),
        (VaultBounds::new(2, 1_000), StatusCode::PAYLOAD_TOO_LARGE),
        (VaultBounds::new(3, 23), StatusCode::OK),
        (VaultBounds::new(3, 22), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        for operator in [Operator::Mask, Operator::Fake] {
            let layer = PiiLayer::builder()
                .operator(Entity::Email, operator)
                .vault_bounds(bounds)
                .build()
                .unwrap();
            let seen = Exchange::chat(&layer, "aa@b.com cc@d.com e@f.com aa@b.com")
                .made()
                .await;
            let sent = status == StatusCode::OK;
            if seen.provider.is_some() {
                assert!(sent, "{bounds:?}");
            }
            assert_eq!(seen.status.is_success(), sent, "{bounds:?} {}", seen.answer);
            if !sent {
                assert!(seen.answer.contains("pii_vault_full") && !seen.answer.contains("@"));
                assert_eq!(seen.notes, ["pii refused reason=vault_full"]);
            }
        }
    }
}

#[tokio::test]
async fn nothing_of_a_value_is_in_notes_and_refusals_whatever_the_operator() {
    let canary = "canary7@example.in";
    let operators = [
        Operator::Mask,
        Operator::Replace,
        Operator::Redact,
        Operator::Partial(Partial::default()),
        Operator::Hash(key()),
        Operator::Fake,
        Operator::Encrypt(key()),
        Operator::Block,
        Operator::Keep,
        Operator::Mask.observed(),
    ];
    for operator in operators {
        let layer = PiiLayer::builder()
            .operator(Entity::Email, operator.clone())
            .output(true)
            .build()
            .unwrap();
        let seen = Exchange::chat(&layer, canary).saying(canary).made().await;
        assert!(!seen.notes.is_empty());
        assert!(!format!("{:?} {layer:?} {operator:?}", seen.notes).contains("canary7"));
        if !seen.status.is_success() {
            assert!(!seen.answer.contains("canary7"), "{}", seen.answer);
        }
    }
}

#[tokio::test]
async fn the_name_of_a_member_says_what_its_number_is() {
    let layer = PiiLayer::builder()
        .mask([Entity::InBankAccount, Entity::InPinCode])
        .build()
        .unwrap();
    let arguments = json!({"accountNumber": "003456789012", "pin_code": "ref 560001"}).to_string();
    let call =
        json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}});
    let body = json!({"model": "demo", "messages": [{"role": "assistant", "tool_calls": [call]}]});
    let seen = Exchange::new(&layer, "/v1/chat/completions", &body.to_string())
        .made()
        .await;
    let sent = seen.provider.unwrap();
    assert!(sent.contains("<IN_BANK_ACCOUNT_1>"), "{sent}");
}

#[tokio::test]
async fn a_number_that_is_no_string_is_taken_out_too_and_comes_back_as_a_string() {
    let layer = PiiLayer::builder()
        .mask([Entity::InAadhaar])
        .build()
        .unwrap();
    let arguments = json!({"aadhaar": 234_123_412_346_u64, "count": 3}).to_string();
    let call =
        json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}});
    let body = json!({"model": "demo", "messages": [{"role": "assistant", "tool_calls": [call]}]});
    let seen = Exchange::new(&layer, "/v1/chat/completions", &body.to_string())
        .saying("It was <IN_AADHAAR_1>.")
        .made()
        .await;
    let sent: Value = serde_json::from_str(seen.provider.as_ref().unwrap()).unwrap();
    let sent = sent
        .pointer("/messages/0/tool_calls/0/function/arguments")
        .unwrap();
    let sent: Value = serde_json::from_str(sent.as_str().unwrap()).unwrap();
    assert_eq!(sent, json!({"aadhaar": "<IN_AADHAAR_1>", "count": 3}));
    assert_eq!(seen.said(), "It was 234123412346.");
}

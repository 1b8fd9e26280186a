//! Placeholders over the calls of a conversation, and of nobody else's.

#![allow(
    clippy::unwrap_used,
    reason = "a helper outside a test function panics as the test would"
)]

mod exchange;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::{Identity, ManualClock};
use bartizan_pii::{
    ConversationId, Conversations, Entity, Key, MemoryStore, Operator, PiiLayer, Sealed,
    StoreError, Stored, VaultStore,
};
use exchange::{Exchange, Seen};
use http::{HeaderName, StatusCode};
use secrecy::SecretString;

const HEADER: &str = "x-conversation-id";

fn layer(store: impl VaultStore, operator: Operator) -> PiiLayer {
    let key = Key::new(&SecretString::from("9f1c6bd2a07e43f58b3d6e2c914a7f05")).unwrap();
    let conversations = Conversations::new(key, store).header(HeaderName::from_static(HEADER));
    PiiLayer::builder()
        .operator(Entity::Email, operator)
        .conversations(conversations)
        .build()
        .unwrap()
}

async fn turn(layer: &PiiLayer, team: &str, conversation: &str, asks: &str, says: &str) -> Seen {
    Exchange::chat(layer, asks)
        .by(Identity::new("k").team_id(team))
        .header(HEADER, conversation)
        .saying(says)
        .made()
        .await
}

#[tokio::test]
async fn placeholders_and_fakes_stay_the_same_over_the_calls_of_a_conversation() {
    let masking = layer(MemoryStore::new(), Operator::Mask);
    turn(&masking, "a", "c1", "a@b.com c@d.com", "").await;
    let second = turn(
        &masking,
        "a",
        "c1",
        "c@d.com e@f.com",
        "<EMAIL_ADDRESS_1> <EMAIL_ADDRESS_3>",
    )
    .await;
    assert_eq!(second.asked(), "<EMAIL_ADDRESS_2> <EMAIL_ADDRESS_3>");
    assert_eq!(second.said(), "a@b.com e@f.com");
    // A call that holds nothing of its own restores what earlier ones held.
    let third = turn(&masking, "a", "c1", "who was it?", "<EMAIL_ADDRESS_2>").await;
    assert_eq!(third.said(), "c@d.com");

    let faking = layer(MemoryStore::new(), Operator::Fake);
    let fake = turn(&faking, "a", "c1", "a@b.com", "").await.asked();
    assert!(fake.ends_with("@example.com"), "{fake}");
    assert_eq!(turn(&faking, "a", "c1", "a@b.com", "").await.asked(), fake);
    let said = turn(&faking, "a", "c1", "and?", &format!("It was {fake}."))
        .await
        .said();
    assert_eq!(said, "It was a@b.com.");
}

#[tokio::test]
async fn another_tenant_another_name_and_a_stranger_get_nothing_of_it() {
    let layer = layer(MemoryStore::new(), Operator::Mask);
    turn(&layer, "a", "c1", "a@b.com", "").await;
    for (team, conversation) in [("b", "c1"), ("a", "c2"), ("a", "c")] {
        let seen = turn(&layer, team, conversation, "hi", "<EMAIL_ADDRESS_1>").await;
        assert_eq!(seen.said(), "<EMAIL_ADDRESS_1>", "{team} {conversation}");
        let seen = turn(&layer, team, conversation, "x@y.com", "<EMAIL_ADDRESS_1>").await;
        assert_eq!(seen.said(), "x@y.com", "{team} {conversation}");
    }
    // A key without a team that is called like one.
    let key = Exchange::chat(&layer, "hi")
        .by(Identity::new("a"))
        .header(HEADER, "c1");
    assert_eq!(
        key.saying("<EMAIL_ADDRESS_1>").made().await.said(),
        "<EMAIL_ADDRESS_1>"
    );
    let nobody = Exchange::chat(&layer, "hi").header(HEADER, "c1");
    assert_eq!(
        nobody.saying("<EMAIL_ADDRESS_1>").made().await.said(),
        "<EMAIL_ADDRESS_1>"
    );
    assert_eq!(
        turn(&layer, "a", "c1", "hi", "<EMAIL_ADDRESS_1>")
            .await
            .said(),
        "a@b.com"
    );
}

#[tokio::test]
async fn a_conversation_that_the_provider_keeps_names_itself() {
    let layer = layer(MemoryStore::new(), Operator::Mask);
    let call = async |conversation: &str, asks: &str, says: &str| {
        let body =
            format!(r#"{{"model": "demo", "conversation": {conversation}, "input": "{asks}"}}"#);
        let answer = format!(
            r#"{{"output": [{{"type": "message", "role": "assistant", "content": [{{"type": "output_text", "text": "{says}"}}]}}]}}"#
        );
        let seen = Exchange::new(&layer, "/v1/responses", &body)
            .by(Identity::new("k").team_id("a"))
            .answering(answer)
            .made()
            .await;
        let sent: serde_json::Value = serde_json::from_str(&seen.provider.unwrap()).unwrap();
        (sent["input"].as_str().unwrap().to_owned(), seen.answer)
    };
    let (first, _) = call(r#"{"id": "conv_1"}"#, "a@b.com", "").await;
    let number = first
        .trim_matches(|c| c != '_' && !char::is_numeric(c))
        .to_owned();
    let (again, answer) = call(r#""conv_1""#, "a@b.com", &first).await;
    assert_eq!(again, first, "{number}");
    assert!(answer.contains("a@b.com"), "{answer}");
    let (_, other) = call(r#""conv_2""#, "hi", &first).await;
    assert!(!other.contains("a@b.com"), "{other}");
}

#[tokio::test]
async fn a_conversation_ends_after_its_time_and_the_oldest_goes_first() {
    let clock = ManualClock::default();
    let keep = Duration::from_secs(60);
    let expiring = layer(
        MemoryStore::new().keep(keep).clock(clock.clone()),
        Operator::Mask,
    );
    turn(&expiring, "a", "c1", "a@b.com", "").await;
    for (waits, says) in [(59, "a@b.com"), (59, "a@b.com"), (60, "<EMAIL_ADDRESS_1>")] {
        clock.advance(Duration::from_secs(waits));
        let seen = turn(&expiring, "a", "c1", "hi", "<EMAIL_ADDRESS_1>").await;
        assert_eq!(seen.said(), says, "after {waits} s");
    }
    let full = layer(
        MemoryStore::new().bounds(2, 1 << 20).clock(clock.clone()),
        Operator::Mask,
    );
    for conversation in ["c1", "c2", "c3"] {
        turn(&full, "a", conversation, "a@b.com", "").await;
        clock.advance(Duration::from_secs(1));
    }
    for (conversation, says) in [
        ("c1", "<EMAIL_ADDRESS_1>"),
        ("c2", "a@b.com"),
        ("c3", "a@b.com"),
    ] {
        let seen = turn(&full, "a", conversation, "hi", "<EMAIL_ADDRESS_1>").await;
        assert_eq!(seen.said(), says, "{conversation}");
    }
}

/// A store that shows what it is given, and may fail or be overtaken.
#[derive(Clone, Debug, Default)]
struct Glass {
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
    kept: Arc<Mutex<Option<Sealed>>>,
    broken: bool,
    garbles: bool,
    overtaken: Arc<Mutex<usize>>,
}

impl VaultStore for Glass {
    fn load<'s>(&'s self, id: &'s ConversationId) -> Stored<'s, Option<Sealed>> {
        Box::pin(async move {
            self.seen.lock().unwrap().push(id.as_bytes().to_vec());
            let kept = self.kept.lock().unwrap().clone();
            match kept {
                _ if self.broken => Err(StoreError),
                Some(sealed) if self.garbles => {
                    let mut bytes = sealed.as_bytes().to_vec();
                    bytes.reverse();
                    Ok(Some(Sealed::new(sealed.version(), bytes)))
                }
                kept => Ok(kept),
            }
        })
    }

    fn save<'s>(&'s self, _: &'s ConversationId, sealed: Sealed) -> Stored<'s, bool> {
        Box::pin(async move {
            let mut overtaken = self.overtaken.lock().unwrap();
            if *overtaken > 0 {
                *overtaken -= 1;
                return Ok(false);
            }
            self.seen.lock().unwrap().push(sealed.as_bytes().to_vec());
            *self.kept.lock().unwrap() = Some(sealed);
            Ok(true)
        })
    }
}

/// Lets others go first between loading and saving.
#[derive(Debug)]
struct Slow(MemoryStore);

impl VaultStore for Slow {
    fn load<'s>(&'s self, id: &'s ConversationId) -> Stored<'s, Option<Sealed>> {
        self.0.load(id)
    }

    fn save<'s>(&'s self, id: &'s ConversationId, sealed: Sealed) -> Stored<'s, bool> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.0.save(id, sealed).await
        })
    }
}

#[tokio::test]
async fn a_store_sees_neither_values_nor_names() {
    let glass = Glass::default();
    turn(
        &layer(glass.clone(), Operator::Mask),
        "teamcanary",
        "convcanary",
        "mailcanary@b.com",
        "",
    )
    .await;
    let seen = glass.seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    for bytes in seen.iter() {
        for canary in ["canary", "EMAIL", "b.com"] {
            let found = bytes
                .windows(canary.len())
                .any(|part| part == canary.as_bytes());
            assert!(!found, "{canary}");
        }
    }
}

#[tokio::test]
async fn a_call_is_refused_where_its_conversation_cannot_be_kept() {
    let broken = Glass {
        broken: true,
        ..Glass::default()
    };
    let garbles = Glass {
        garbles: true,
        ..Glass::default()
    };
    turn(
        &layer(garbles.clone(), Operator::Mask),
        "a",
        "c1",
        "a@b.com",
        "",
    )
    .await;
    let overtaken = Glass {
        overtaken: Arc::new(Mutex::new(usize::MAX)),
        ..Glass::default()
    };
    for store in [broken, garbles, overtaken] {
        let seen = turn(&layer(store, Operator::Mask), "a", "c1", "c@d.com", "").await;
        assert_eq!(
            (seen.status, &seen.provider),
            (StatusCode::SERVICE_UNAVAILABLE, &None)
        );
        assert!(
            seen.answer.contains("pii_conversation_unavailable"),
            "{}",
            seen.answer
        );
        assert_eq!(seen.notes, ["pii refused reason=conversation_unavailable"]);
    }
    let store = MemoryStore::new();
    let long = "c".repeat(513);
    let seen = turn(&layer(store, Operator::Mask), "a", &long, "a@b.com", "").await;
    assert_eq!(
        (seen.status, &seen.provider),
        (StatusCode::BAD_REQUEST, &None)
    );
}

#[tokio::test]
async fn calls_of_one_conversation_at_the_same_time_give_no_number_twice() {
    let overtaken = Glass {
        overtaken: Arc::new(Mutex::new(3)),
        ..Glass::default()
    };
    let seen = turn(&layer(overtaken, Operator::Mask), "a", "c1", "a@b.com", "").await;
    assert_eq!(seen.asked(), "<EMAIL_ADDRESS_1>");

    let layer = layer(Slow(MemoryStore::new()), Operator::Mask);
    let mails: Vec<String> = (0..12).map(|number| format!("u{number}@b.com")).collect();
    let calls = tokio::task::LocalSet::new();
    let all: Vec<_> = mails
        .iter()
        .map(|mail| {
            let (layer, mail) = (layer.clone(), mail.clone());
            calls.spawn_local(async move { turn(&layer, "a", "c1", &mail, "").await.asked() })
        })
        .collect();
    calls.await;
    let mut given = Vec::new();
    for call in all {
        given.push(call.await.unwrap());
    }
    given.sort();
    given.dedup();
    assert_eq!(given.len(), mails.len());
    let all: Vec<String> = (1..=12)
        .map(|number| format!("<EMAIL_ADDRESS_{number}>"))
        .collect();
    let restored = turn(&layer, "a", "c1", "hi", &all.join(" ")).await.said();
    let mut restored: Vec<&str> = restored.split(' ').collect();
    restored.sort_unstable();
    let mut mails: Vec<&str> = mails.iter().map(String::as_str).collect();
    mails.sort_unstable();
    assert_eq!(restored, mails);
}

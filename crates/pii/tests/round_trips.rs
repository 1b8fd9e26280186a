//! What a caller says, masked, said back by a model and restored, is what the caller said, byte for byte: in every API's texts, reasoning and
//! arguments of tools, whole and streamed.

#![allow(
    clippy::unwrap_used,
    reason = "a helper outside a test function panics as the test would"
)]

mod exchange;
mod speech;

use std::sync::{Arc, LazyLock};

use bartizan_core::Event;
use bartizan_pii::{Entity, Operator, PiiLayer};
use exchange::Exchange;
use proptest::prelude::*;
use serde_json::{Value, json};
use speech::{Speech, filled, request, said, streamed, whole};

/// Personal data, what looks like placeholders, and what JSON, Markdown and HTML escape.
const PIECES: &[&str] = &[
    "Aadhaar 2341 2341 2346",
    "आधार २३४१\u{200b}२३४१ २३४६",
    "PAN ABCPE1234F",
    "call +91 98765 43210",
    "ravi@example.in",
    "\"ravi@example.in\"",
    "card 4111-1111-1111-1111",
    "GB82 WEST 1234 5698 7654 32",
    "postgres://app:Tr0\\ub4dor@db.corp.example/x",
    "<IN_PAN_1>",
    "EMAIL_ADDRESS_1",
    "&lt;IN_PAN_1&gt;",
    "\\u003cIN_PAN_1\\u003e",
    "<",
    "\\",
    "\"",
    "\n",
    "\t\u{1}",
    "{\"a\": [",
    "}",
    " ",
    "x",
    "é😀",
    "\u{2028}",
    "**",
];

fn texts() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES), 1..9)
        .prop_map(|pieces| pieces.join(" "))
}

static LAYER: LazyLock<PiiLayer> = LazyLock::new(|| {
    let builder = Entity::built_in().fold(PiiLayer::builder(), |builder, entity| {
        builder.operator(entity, Operator::Mask)
    });
    builder.build().unwrap()
});

fn run<T>(call: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(call)
}

/// What the model was told, of the body that the provider got.
fn told(body: &str) -> String {
    said(&serde_json::from_str(body).unwrap())
}

/// A stream that says `text`, a character at a time.
fn spoken(speech: &Speech, text: &str) -> String {
    let pieces: Vec<String> = text.chars().map(String::from).collect();
    let says = pieces.iter().enumerate();
    let says = says.map(|(number, piece)| speech.says(number, piece));
    let events = says.chain([speech.ends(pieces.len())]);
    let bytes: Vec<u8> = events.flat_map(|event: Event| event.to_bytes()).collect();
    String::from_utf8(bytes).unwrap()
}

/// What a tool is called with.
fn arguments(text: &str) -> Value {
    json!({"to": text, "list": [text, 1], "deep": {"x": text}})
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whole_answers_say_what_the_caller_said(text in texts()) {
        for (dialect, request, answer) in whole() {
            let wanted = filled(&answer, &text);
            let seen = run(Exchange::new(&LAYER, "/x", &filled(&request, &text).to_string())
                .dialect(dialect)
                .answering_of(move |body| filled(&answer, &told(body)).to_string())
                .made());
            prop_assert!(!seen.provider.as_ref().unwrap().contains("ravi@"));
            let back: Value = serde_json::from_str(&seen.answer).unwrap();
            prop_assert_eq!(unfolded(&back), unfolded(&wanted), "{:?} {:?}", dialect, seen.provider);
        }
    }

    #[test]
    fn streams_of_single_characters_say_what_the_caller_said(text in texts()) {
        for speech in streamed().into_iter().map(Arc::new) {
            let asks = filled(&request(speech.dialect), &text);
            let says = Arc::clone(&speech);
            let seen = run(Exchange::new(&LAYER, "/x", &asks.to_string())
                .dialect(speech.dialect)
                .streaming("")
                .answering_of(move |body| {
                    let told = told(body);
                    spoken(&says, &if says.in_json { arguments(&told).to_string() } else { told })
                })
                .made());
            prop_assert!(!seen.provider.as_ref().unwrap().contains("ravi@"));
            let data = seen.answer.lines();
            let joined = speech.joined(data.filter_map(|line| line.strip_prefix("data: ")));
            if speech.in_json {
                let back: Value = serde_json::from_str(&joined).unwrap();
                prop_assert_eq!(back, arguments(&text), "{:?}", speech);
            } else {
                prop_assert_eq!(&joined, &text, "{:?}", speech);
            }
        }
    }
}

/// With the JSON inside of strings read: how it is spaced is the model's.
fn unfolded(value: &Value) -> Value {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => json!({"inside": unfolded(&inner)}),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(unfolded).collect(),
        Value::Object(members) => {
            let members = members.iter();
            Value::Object(
                members
                    .map(|(name, value)| (name.clone(), unfolded(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

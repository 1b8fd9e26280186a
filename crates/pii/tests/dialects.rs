//! What was masked comes back in every part of every API's answers, whole and streamed: text, reasoning, arguments of tools.

#![allow(
    clippy::unwrap_used,
    reason = "a helper outside a test function panics as the test would"
)]

mod exchange;
mod speech;

use bartizan_pii::{Entity, Operator, PiiLayer};
use exchange::Exchange;
use serde_json::{Value, json};
use speech::{filled, request, streamed, whole};

/// What JSON must escape.
const VALUE: &str = "Ravi \"R\\\" Rao";

fn layer(operator: Operator) -> PiiLayer {
    let nick = Entity::custom("NICK").unwrap();
    PiiLayer::builder()
        .operator(nick, operator)
        .analyzer(|analyzer| analyzer.deny_list(nick, [VALUE]))
        .build()
        .unwrap()
}

/// How often [`VALUE`] stands in `value`, in the JSON inside its strings too.
fn count(value: &Value) -> usize {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => count(&inner),
            _ => text.matches(VALUE).count(),
        },
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

#[tokio::test]
async fn whole_answers_have_it_back_wherever_it_stands() {
    let layer = layer(Operator::Mask);
    for (dialect, request, answer) in whole() {
        let request = filled(&request, VALUE);
        let times = answer.to_string().matches('§').count();
        for placeholder in ["<NICK_1>", "< nick_1 >", "＜NICK＿1＞", "NICK_1"] {
            let answer = filled(&answer, placeholder).to_string();
            let seen = Exchange::new(&layer, "/x", &request.to_string())
                .dialect(dialect)
                .answering(answer)
                .made()
                .await;
            let sent: Value = serde_json::from_str(&seen.provider.unwrap()).unwrap();
            assert_eq!(count(&sent), 0, "{dialect:?}");
            let back: Value = serde_json::from_str(&seen.answer).unwrap();
            assert_eq!(count(&back), times, "{dialect:?} {placeholder} {back}");
            assert!(
                !seen.answer.to_lowercase().contains("nick"),
                "{}",
                seen.answer
            );
        }
    }
}

#[tokio::test]
async fn streams_have_it_back_wherever_the_placeholder_is_cut() {
    let layer = layer(Operator::Mask);
    let placeholder = "<NICK_1>";
    for speech in streamed() {
        let dialect = speech.dialect;
        let request = filled(&request(dialect), VALUE);
        for cut in 1..placeholder.len() {
            let (one, two) = placeholder.split_at(cut);
            let (before, behind) = if speech.in_json {
                ("{\"to\": \"", "\"}")
            } else {
                ("to ", ".")
            };
            let pieces = [before, one, two, behind];
            let says = pieces.iter().enumerate();
            let says = says.map(|(number, piece)| speech.says(number, piece));
            let events = says.chain([speech.ends(pieces.len())]);
            let stream: Vec<u8> = events.flat_map(|event| event.to_bytes()).collect();
            let seen = Exchange::new(&layer, "/x", &request.to_string())
                .dialect(dialect)
                .streaming(String::from_utf8(stream).unwrap())
                .made()
                .await;
            let data = seen.answer.lines();
            let joined = speech.joined(data.filter_map(|line| line.strip_prefix("data: ")));
            if speech.in_json {
                let arguments: Value = serde_json::from_str(&joined).unwrap();
                assert_eq!(arguments, json!({"to": VALUE}), "{speech:?} {cut}");
            } else {
                assert_eq!(joined, format!("to {VALUE}."), "{speech:?} {cut}");
            }
        }
    }
}

//! What a provider said, sent back by the client, reaches that provider as it said it: signatures byte for byte, thoughts before the
//! calls that they led to. Runs where the recordings are.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that fails panics, and says what it saw"
)]

mod tally;

use bartizan_replay::api::{Api, IN};
use bartizan_replay::asked::{self, Asked, Part, Turn};
use bartizan_replay::client::{ask, replayed, target};
use bartizan_replay::exchanges::{self, Exchange};
use bartizan_replay::history;
use bartizan_replay::provider::Provider;
use bartizan_replay::said::{Called, Said};
use tally::Tally;

fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The model's turn as its provider reads it.
fn turn(asked: &Asked) -> Option<&Turn> {
    asked.turns.iter().find(|turn| turn.role == "assistant")
}

fn compare(
    api: Api,
    exchange: &Exchange,
    said: &Said,
    sent: &Asked,
    dropped: &[String],
) -> Vec<String> {
    let none = Turn::default();
    let turn = turn(sent).unwrap_or(&none);
    let mut wrong = Vec::new();
    let mut check = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    let text: String = turn
        .parts
        .iter()
        .filter_map(|part| {
            if let Part::Text(text) = part {
                Some(text.as_str())
            } else {
                None
            }
        })
        .collect();
    let expected = said.text.clone() + &said.refusal;
    check(
        bare(&text) == bare(&expected),
        format!("text {expected:?} came back as {text:?}"),
    );
    let opaque: Vec<&String> = turn
        .parts
        .iter()
        .filter_map(|part| {
            if let Part::Opaque(text) = part {
                Some(text)
            } else {
                None
            }
        })
        .collect();
    let same = opaque.len() == said.opaque.len()
        && opaque
            .iter()
            .zip(&said.opaque)
            .all(|(one, other)| *one == other);
    check(
        same,
        format!(
            "{} signatures came back as {}",
            said.opaque.len(),
            opaque.len()
        ),
    );
    let calls: Vec<&Called> = turn
        .parts
        .iter()
        .filter_map(|part| {
            if let Part::Call(call) = part {
                Some(call)
            } else {
                None
            }
        })
        .collect();
    let named = |name: &str, arguments: &serde_json::Value| format!("{name} {arguments}");
    let theirs: Vec<String> = said
        .calls
        .iter()
        .map(|call| named(&call.name, &call.arguments))
        .collect();
    let ours: Vec<String> = calls
        .iter()
        .map(|call| named(&call.name, &call.arguments))
        .collect();
    check(
        theirs == ours,
        format!("calls {theirs:?} came back as {ours:?}"),
    );
    for (one, other) in said.calls.iter().zip(&calls) {
        check(
            one.id == other.id || one.id.is_empty(),
            format!("call {:?} came back as {:?}", one.id, other.id),
        );
    }
    // Where the thinking is proved, what it says is part of the proof.
    let thinking: String = turn
        .parts
        .iter()
        .filter_map(|part| {
            if let Part::Reasoning(text) = part {
                Some(text.as_str())
            } else {
                None
            }
        })
        .collect();
    let unsigned = said.opaque.is_empty()
        && (thinking.is_empty()
            || dropped
                .iter()
                .any(|name| name.contains("reasoning") || name.contains("thinking")));
    check(
        bare(&thinking) == bare(&said.reasoning) || unsigned || api == Api::Gemini,
        format!("thinking {:?} came back as {thinking:?}", said.reasoning),
    );
    if exchange.api == Api::Anthropic {
        let first_call = turn
            .parts
            .iter()
            .position(|part| matches!(part, Part::Call(_)));
        let last_proof = turn
            .parts
            .iter()
            .rposition(|part| matches!(part, Part::Opaque(_)));
        if let (Some(call), Some(proof)) = (first_call, last_proof) {
            check(proof < call, "a thought stands behind a call".to_owned());
        }
    }
    wrong
}

#[tokio::test]
async fn what_a_provider_said_comes_back_to_it_as_it_said_it() {
    let mut tally = Tally::new("answers sent back");
    for exchange in exchanges::all()
        .iter()
        .filter(|exchange| !exchange.stream && exchange.api != Api::Completions)
    {
        let Some(said) = exchange.said() else {
            continue;
        };
        if said.text.is_empty() && said.calls.is_empty() && said.opaque.is_empty() {
            continue;
        }
        for api in IN {
            if api == exchange.api || api == Api::Completions {
                continue;
            }
            let got = replayed(api, exchange, Provider::of(exchange)).await;
            let case = tally.case(exchange, api);
            if got.is_unsupported() {
                case.unsupported();
                continue;
            }
            let client = got.said(api, false);
            let Some(next) = history::next(api, &got.json(), &client) else {
                continue;
            };
            let back = ask(
                api,
                false,
                &next.to_string(),
                target(exchange),
                Provider::of_nothing(),
            )
            .await;
            let Some(sent) = &back.sent else {
                case.found(vec![format!("refused: {:.300}", back.text)]);
                continue;
            };
            let asked = asked::read(exchange.api, &serde_json::from_str(&sent.text).unwrap());
            case.found(compare(api, exchange, &said, &asked, &back.dropped()));
        }
    }
    tally.settle();
}

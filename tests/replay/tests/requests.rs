//! Every recorded request of a chat, in every provider's API: the same question, or refused by name; what differs is reported. And there
//! and back. What stands beside the conversation is compared in `members.rs`. Runs where the recordings are.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that fails panics, and says what it saw"
)]

mod tally;

use std::collections::BTreeMap;

use bartizan_replay::api::{Api, IN, OUT};
use bartizan_replay::asked::{self, Asked};
use bartizan_replay::client::{Got, Refused, ask, target, to};
use bartizan_replay::exchanges::{self, Exchange};
use bartizan_replay::provider::Provider;
use tally::Tally;

/// What a request says where its path says a part of it.
fn read(api: Api, text: &str, stream: bool) -> Asked {
    let mut asked = asked::read(api, &serde_json::from_str(text).unwrap_or_default());
    if matches!(api, Api::Gemini | Api::Converse) {
        asked.stream = stream;
    }
    asked
}

/// Requests that a client may make: of the APIs that clients speak, once each.
fn requests() -> impl Iterator<Item = &'static Exchange> {
    exchanges::all()
        .iter()
        .filter(|exchange| IN.contains(&exchange.api) && !exchange.file.ends_with(".derived"))
}

/// The fields that a refusal or a report names, without the places in lists.
fn bare(field: &str) -> String {
    let mut bare = String::new();
    for piece in field
        .split(['.', '[', ']'])
        .filter(|piece| !piece.is_empty() && piece.parse::<u64>().is_err())
    {
        if !bare.is_empty() {
            bare.push('.');
        }
        bare += piece;
    }
    bare
}

/// What is wrong with one translated request.
fn check(exchange: &Exchange, got: &Got, out: Api) -> Vec<String> {
    let sent = got.sent.as_ref().unwrap();
    let dropped = got.dropped();
    let before = read(exchange.api, &exchange.request, exchange.stream);
    let after = read(out, &sent.text, exchange.stream);
    let mut wrong: Vec<String> = asked::differences(&before, &after, out)
        .into_iter()
        .filter(|difference| !difference.is_declared(&dropped))
        .map(|difference| format!("{}: {}", difference.field, difference.what))
        .collect();
    let streams = sent.uri.path().ends_with("converse-stream")
        || sent.uri.path().contains("streamGenerateContent");
    if matches!(out, Api::Gemini | Api::Converse) && streams != exchange.stream {
        wrong.push(format!("sent to {}", sent.uri));
    }
    if out == Api::Anthropic && !alternates(&sent.text) {
        wrong.push("turns do not alternate".to_owned());
    }
    wrong
}

fn alternates(request: &str) -> bool {
    let request: serde_json::Value = serde_json::from_str(request).unwrap();
    let turns = request["messages"].as_array().unwrap();
    turns
        .windows(2)
        .all(|pair| pair[0]["role"] != pair[1]["role"])
}

async fn translated(exchange: &Exchange, out: Api) -> Got {
    let target = to(out, out.model());
    ask(
        exchange.api,
        exchange.stream,
        &exchange.request,
        target,
        Provider::of_nothing(),
    )
    .await
}

#[tokio::test]
async fn every_recorded_request_is_translated_without_loss_or_refused_by_name() {
    let mut tally = Tally::new("requests");
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let (mut all, mut translated_ones) = (0, 0);
    let mut to_anthropic = [0, 0];
    for exchange in requests() {
        for out in OUT {
            if out == exchange.api {
                continue;
            }
            let got = translated(exchange, out).await;
            let case = tally.pair(exchange.api, out, exchange.name());
            if got.is_unsupported() {
                case.unsupported();
                continue;
            }
            all += 1;
            if (exchange.api, out) == (Api::Chat, Api::Anthropic) {
                to_anthropic[0] += 1;
                to_anthropic[1] += usize::from(got.sent.is_some());
            }
            if got.sent.is_some() {
                translated_ones += 1;
                case.found(check(exchange, &got, out));
                continue;
            }
            let Refused { code, field } = got.refusal.clone().unwrap_or_default();
            let mut wrong = Vec::new();
            if got.status != 400 || field.is_none() {
                wrong.push(format!(
                    "refused without a name: {} {:.200}",
                    got.status, got.text
                ));
            }
            let named = format!(
                "{} to {}: {code} {}",
                exchange.api.name(),
                out.name(),
                bare(&field.unwrap_or_default())
            );
            *refused.entry(named).or_default() += 1;
            case.found(wrong);
        }
    }
    println!("{translated_ones} of {all} translated; refused by name:");
    for (what, count) in refused {
        println!("{count:>5} {what}");
    }
    assert!(
        translated_ones * 100 >= all * 83,
        "{translated_ones} of {all}"
    );
    let [asked, sent] = to_anthropic;
    assert!(asked > 0 && sent * 100 >= asked * 92, "{sent} of {asked}");
    tally.settle();
}

#[tokio::test]
async fn every_recorded_request_comes_back_from_every_api_that_clients_speak_too() {
    let mut tally = Tally::new("requests there and back");
    for exchange in requests() {
        for out in IN {
            if out == exchange.api {
                continue;
            }
            let there = translated(exchange, out).await;
            let case = tally.pair(exchange.api, out, exchange.name());
            if there.is_unsupported() {
                case.unsupported();
                continue;
            }
            let Some(sent) = &there.sent else { continue };
            let home = target(exchange);
            let back = ask(
                out,
                exchange.stream,
                &sent.text,
                home,
                Provider::of_nothing(),
            )
            .await;
            if back.is_unsupported() {
                case.unsupported();
                continue;
            }
            let Some(returned) = &back.sent else {
                if back
                    .refusal
                    .as_ref()
                    .is_none_or(|refused| refused.field.is_none())
                {
                    case.found(vec![format!("refused without a name: {:.300}", back.text)]);
                }
                continue;
            };
            let before = read(exchange.api, &exchange.request, exchange.stream);
            let after = read(exchange.api, &returned.text, exchange.stream);
            let dropped: Vec<String> = there.dropped().into_iter().chain(back.dropped()).collect();
            let wrong = asked::differences(&before, &after, exchange.api)
                .into_iter()
                .filter(|difference| !difference.is_declared(&dropped))
                // Gemini's calls are known by their names.
                .filter(|difference| difference.field != "ids" || out != Api::Gemini)
                .map(|difference| format!("{}: {}", difference.field, difference.what))
                .collect();
            case.found(wrong);
        }
    }
    tally.settle();
}

#[tokio::test]
async fn equal_requests_are_translated_to_equal_bytes() {
    for exchange in requests() {
        for out in OUT {
            let once = translated(exchange, out).await.sent.map(|sent| sent.text);
            let again = translated(exchange, out).await.sent.map(|sent| sent.text);
            assert_eq!(once, again, "{} to {}", exchange.name(), out.name());
        }
    }
}

//! Every member of a request, in every provider's API: found again by its value, or reported. And there and back. The recorded requests,
//! where the recordings are, and one made for each thing that can be said.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that fails panics, and says what it saw"
)]

mod tally;

use bartizan_replay::api::{Api, IN, OUT};
use bartizan_replay::asked;
use bartizan_replay::client::{Got, ask, to};
use bartizan_replay::exchanges;
use bartizan_replay::members::{self, Member, made};
use bartizan_replay::provider::Provider;
use serde_json::Value;
use tally::Tally;

/// One request of a client's.
struct Request {
    name: String,
    api: Api,
    body: Value,
    stream: bool,
    is_made: bool,
}

fn requests() -> Vec<Request> {
    let recorded = exchanges::all()
        .iter()
        .filter(|exchange| IN.contains(&exchange.api) && !exchange.file.ends_with(".derived"))
        .map(|exchange| Request {
            name: exchange.name(),
            api: exchange.api,
            body: serde_json::from_str(&exchange.request).unwrap_or_default(),
            stream: exchange.stream,
            is_made: false,
        });
    let made = made().into_iter().map(|made| Request {
        stream: made.request["stream"] == true,
        is_made: true,
        name: format!("made: {}", made.name),
        api: made.api,
        body: made.request,
    });
    recorded.chain(made).collect()
}

/// A provider's model is one that can do what its API has words for.
fn model(api: Api) -> &'static str {
    match api {
        Api::Anthropic => "claude-opus-4-6",
        _ => api.model(),
    }
}

async fn translated(request: &Request, out: Api) -> Got {
    let body = request.body.to_string();
    let target = to(out, model(out));
    ask(
        request.api,
        request.stream,
        &body,
        target,
        Provider::of_nothing(),
    )
    .await
}

/// Those of `lost` that no report names.
fn unsaid(lost: Vec<Member>, dropped: &[String]) -> Vec<String> {
    let silent = lost
        .into_iter()
        .filter(|member| !member.is_declared(dropped));
    silent.map(|member| member.told()).collect()
}

/// What differs in the conversation and unreported; of the recorded requests another test sees to it.
fn differences(request: &Request, out: Api, after: &Value, dropped: &[String]) -> Vec<String> {
    let mut before = asked::read(request.api, &request.body);
    let mut after = asked::read(out, after);
    for (api, asked) in [(request.api, &mut before), (out, &mut after)] {
        if matches!(api, Api::Gemini | Api::Converse) {
            // The path says it.
            asked.stream = request.stream;
        }
    }
    let silent = asked::differences(&before, &after, out)
        .into_iter()
        .filter(|difference| !difference.is_declared(dropped));
    silent
        .map(|difference| format!("{}: {}", difference.field, difference.what))
        .collect()
}

#[tokio::test]
async fn every_member_of_a_request_is_found_again_by_its_value_or_reported() {
    let mut tally = Tally::new("requests by their members");
    for request in requests() {
        for out in OUT.into_iter().filter(|out| *out != request.api) {
            let got = translated(&request, out).await;
            // A refusal by name loses nothing; that it has a name is tested with the conversations.
            let Some(sent) = &got.sent else { continue };
            let after = serde_json::from_str(&sent.text).unwrap();
            let dropped = got.dropped();
            let lost = members::lost(request.api, &request.body, out, &after);
            let mut wrong = unsaid(lost, &dropped);
            if request.is_made {
                wrong.extend(differences(&request, out, &after, &dropped));
            }
            let case = tally.pair(request.api, out, request.name.clone());
            case.found(wrong);
        }
    }
    tally.settle();
}

#[tokio::test]
async fn every_member_of_a_request_comes_back_by_its_value_or_is_reported() {
    let mut tally = Tally::new("requests there and back by their members");
    for request in requests() {
        for out in IN.into_iter().filter(|out| *out != request.api) {
            let there = translated(&request, out).await;
            let Some(sent) = &there.sent else { continue };
            let home = to(request.api, model(request.api));
            let back = ask(
                out,
                request.stream,
                &sent.text,
                home,
                Provider::of_nothing(),
            )
            .await;
            let Some(returned) = &back.sent else { continue };
            let after = serde_json::from_str(&returned.text).unwrap();
            let lost = members::lost_there_and_back(request.api, &request.body, out, &after);
            let dropped: Vec<String> = there.dropped().into_iter().chain(back.dropped()).collect();
            let case = tally.pair(request.api, out, request.name.clone());
            case.found(unsaid(lost, &dropped));
        }
    }
    tally.settle();
}

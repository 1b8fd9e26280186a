//! Every recorded answer and stream, in every client's API: the same text, thinking, calls, end and usage. Runs where the recordings are.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that fails panics, and says what it saw"
)]

mod tally;

use bartizan_replay::api::{Api, IN};
use bartizan_replay::client::{Got, replayed};
use bartizan_replay::exchanges::{self, Exchange};
use bartizan_replay::frames;
use bartizan_replay::protocol;
use bartizan_replay::provider::Provider;
use bartizan_replay::said::{Finish, Said};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tally::Tally;

/// What the client's API has words for, of what the provider said.
fn expected(api: Api, mut said: Said) -> Said {
    // Some servers count cached tokens that are no part of the prompt; and thinking apart from what was written.
    said.usage.cached = said.usage.cached.min(said.usage.input);
    if api == Api::Completions {
        // A text and why it ends: the rest must be declared.
        said.reasoning.clear();
        said.calls.clear();
        said.finish = said.finish.map(|finish| match finish {
            Finish::ToolCalls => Finish::Stop,
            other => other,
        });
    }
    said
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// What differs, one line each.
fn compare(api: Api, exchange: &Exchange, got: &Got) -> Vec<String> {
    let mut wrong = Vec::new();
    let provider = exchange.said().unwrap();
    let client = got.said(api, exchange.stream);
    let wanted = expected(api, provider.clone());
    let mut check = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    check(
        client.text == wanted.text,
        format!("text {:?} became {:?}", wanted.text, client.text),
    );
    check(
        bare(&client.reasoning) == bare(&wanted.reasoning),
        format!(
            "thinking {:?} became {:?}",
            wanted.reasoning, client.reasoning
        ),
    );
    let names = |said: &Said| -> Vec<_> {
        said.calls
            .iter()
            .map(|call| (call.name.clone(), call.arguments.clone()))
            .collect()
    };
    check(
        names(&client) == names(&wanted),
        format!("calls {:?} became {:?}", wanted.calls, client.calls),
    );
    for (theirs, ours) in wanted.calls.iter().zip(&client.calls) {
        let same = theirs.id == ours.id || theirs.id.is_empty() && !ours.id.is_empty();
        check(same, format!("call {:?} became {:?}", theirs.id, ours.id));
    }
    let ids: std::collections::HashSet<_> = client.calls.iter().map(|call| &call.id).collect();
    check(
        ids.len() == client.calls.len(),
        "two calls have one id".to_owned(),
    );
    check(
        client.finish == wanted.finish || api == Api::Responses && wanted.finish.is_none(),
        format!("finish {:?} became {:?}", wanted.finish, client.finish),
    );
    if wanted.finish == Some(Finish::ContentFilter) && api != Api::Completions && api != Api::Gemini
    {
        check(
            client.refusal == wanted.refusal,
            format!("refusal {:?} became {:?}", wanted.refusal, client.refusal),
        );
    }
    usage(api, &wanted, &client, &mut check);
    for opaque in &provider.opaque {
        let kept = got.text.contains(opaque.as_str())
            || api == Api::Completions
            || within(&client, opaque);
        check(kept, format!("a signature is lost: {opaque:.40}"));
    }
    let lost = provider
        .beside
        .iter()
        .any(|kind| !client.beside.contains(kind));
    let declared = !client.declared.is_empty() || !client.beside.is_empty();
    check(
        !lost || declared,
        format!("{:?} are lost in silence", provider.beside),
    );
    check(!client.id.is_empty(), "no id".to_owned());
    wrong
}

/// Gemini's signatures are base64 of anything, and so is another maker's there.
fn within(client: &Said, opaque: &str) -> bool {
    let decoded = client
        .opaque
        .iter()
        .filter_map(|text| STANDARD.decode(text).ok());
    decoded
        .filter_map(|bytes| String::from_utf8(bytes).ok())
        .any(|text| text.contains(opaque))
}

fn usage(api: Api, wanted: &Said, client: &Said, check: &mut impl FnMut(bool, String)) {
    let (theirs, ours) = (wanted.usage, client.usage);
    check(
        theirs.input == ours.input,
        format!("input {} became {}", theirs.input, ours.input),
    );
    check(
        theirs.output == ours.output,
        format!("output {} became {}", theirs.output, ours.output),
    );
    check(
        theirs.cached == ours.cached,
        format!("cached {} became {}", theirs.cached, ours.cached),
    );
    if api != Api::Gemini {
        check(
            theirs.written == ours.written,
            format!("written {} became {}", theirs.written, ours.written),
        );
    }
    check(
        theirs.reasoning == ours.reasoning,
        format!(
            "thinking tokens {} became {}",
            theirs.reasoning, ours.reasoning
        ),
    );
}

async fn all(stream: bool) {
    let mut tally = Tally::new(if stream { "streams" } else { "answers" });
    for exchange in exchanges::all()
        .iter()
        .filter(|exchange| exchange.stream == stream)
    {
        for api in IN {
            if exchange.api == api {
                continue;
            }
            let got = replayed(api, exchange, Provider::of(exchange)).await;
            let case = tally.case(exchange, api);
            if got.is_unsupported() {
                case.unsupported();
            } else if exchange.said().is_none_or(|said| said == Said::default()) {
                let mut wrong = Vec::new();
                if !exchange.is_success() {
                    let class = |status: u16| if status == 529 { 503 } else { status };
                    // Of a bad key Google says that an argument is invalid, and Amazon that it is forbidden.
                    let said = String::from_utf8_lossy(&exchange.body);
                    let key = said.contains("API_KEY_INVALID") || said.contains("security token");
                    let status = if key { 401 } else { exchange.status };
                    if class(got.status) != class(status) {
                        wrong.push(format!("status {} became {}", exchange.status, got.status));
                    }
                }
                if !got.json()["error"].is_object() {
                    wrong.push("an error is no error any more".to_owned());
                }
                case.found(wrong);
            } else if got.status != 200 {
                case.found(vec![format!("answered {}: {:.200}", got.status, got.text)]);
            } else {
                let mut wrong = compare(api, exchange, &got);
                if stream {
                    let frames = frames::of(got.media_type(), got.text.as_bytes());
                    let unfinished = exchange.said().is_some_and(|said| said.finish.is_none());
                    let faults = protocol::faults(api, &frames).into_iter();
                    let uncounted = exchange
                        .said()
                        .is_some_and(|said| said.usage.input + said.usage.output == 0);
                    // A provider that gave no reason, or counted nothing, is not given one.
                    wrong.extend(faults.filter(|fault| {
                        !(unfinished && (fault.contains("reason") || fault.contains("Reason"))
                            || uncounted && fault.starts_with("no usage"))
                    }));
                }
                case.found(wrong);
            }
        }
    }
    tally.settle();
}

#[tokio::test]
async fn every_recorded_answer_says_the_same_in_every_clients_api() {
    all(false).await;
}

#[tokio::test]
async fn every_recorded_stream_says_the_same_in_every_clients_api() {
    all(true).await;
}

#[tokio::test]
async fn a_stream_says_the_same_however_it_is_cut_into_pieces() {
    let mut tally = Tally::new("re-chunked streams");
    for exchange in exchanges::all().iter().filter(|exchange| exchange.stream) {
        for api in IN {
            let whole = replayed(api, exchange, Provider::of(exchange)).await;
            let case = tally.case(exchange, api);
            if whole.is_unsupported() {
                case.unsupported();
                continue;
            }
            let mut wrong = Vec::new();
            for seed in 1..4 {
                let got = replayed(api, exchange, Provider::of(exchange).scattered(seed)).await;
                if data(&got) != data(&whole) {
                    wrong.push(format!("seed {seed} tells otherwise"));
                }
            }
            case.found(wrong);
        }
    }
    tally.settle();
}

/// What the events say. What dates an answer is the clock; which line end a line has is nobody's business.
fn data(got: &Got) -> Vec<String> {
    let frames = frames::of(got.media_type(), got.text.as_bytes()).into_iter();
    frames
        .map(|frame| frame.name + &undated(&frame.data))
        .collect()
}

fn undated(text: &str) -> String {
    let mut rest = text;
    let mut all = String::new();
    while let Some((before, after)) = rest.split_once("\"created") {
        all += before;
        rest = after
            .trim_start_matches(|c: char| !c.is_ascii_digit())
            .trim_start_matches(|c: char| c.is_ascii_digit());
    }
    all + rest
}

/// What a client is told by a stream that breaks off is no whole answer, wherever it does: how many places, and what is wrong. `None`
/// where there is no translation.
async fn cut_everywhere(api: Api, exchange: &'static Exchange) -> Option<(usize, Vec<String>)> {
    let whole = replayed(api, exchange, Provider::of(exchange)).await;
    if whole.is_unsupported() {
        return None;
    }
    let events = frames::of(exchange.media_type(), &exchange.body);
    let mut wrong = Vec::new();
    let cuts = 0..may_end_after(exchange, &events);
    for at in cuts.clone() {
        let end = at.checked_sub(1).map_or(0, |last| events[last].at.end);
        let got = replayed(api, exchange, Provider::of(exchange).cut(end)).await;
        let told = frames::of(got.media_type(), got.text.as_bytes());
        let errs = got.status >= 400 || protocol::ends_in_error(api, &told) || got.broken;
        if !errs || told.iter().any(|frame| is_terminal(api, frame)) {
            wrong.push(format!(
                "after event {at} of {}: {:.300}",
                events.len(),
                tail(&got.text)
            ));
        }
    }
    Some((cuts.len(), wrong))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_stream_cut_after_every_event_ends_in_an_error_of_the_clients_api() {
    let mut tally = Tally::new("cut streams");
    let streams = exchanges::all()
        .iter()
        .filter(|exchange| exchange.stream && exchange.is_success());
    let cases: Vec<_> = streams
        .flat_map(|exchange| IN.map(|api| (exchange, api)))
        .map(|(exchange, api)| (exchange, api, tokio::spawn(cut_everywhere(api, exchange))))
        .collect();
    let mut cuts = 0;
    for (exchange, api, case) in cases {
        let read = case.await.unwrap();
        let case = tally.case(exchange, api);
        match read {
            Some((count, wrong)) => {
                cuts += count;
                case.found(wrong);
            }
            None => case.unsupported(),
        }
    }
    println!("{cuts} cuts");
    tally.settle();
}

fn tail(text: &str) -> &str {
    let at = text.char_indices().rev().nth(300).map_or(0, |(at, _)| at);
    &text[at..]
}

fn is_terminal(api: Api, frame: &frames::Frame) -> bool {
    api != Api::Gemini && protocol::ends_well(api, std::slice::from_ref(frame))
}

/// After how many events a stream may end. Some APIs have no word for it: behind the last thing that they say, a cut can't be told from it.
fn may_end_after(exchange: &Exchange, events: &[frames::Frame]) -> usize {
    let last = |event: &frames::Frame| match exchange.api {
        Api::Gemini => event.data.contains("\"finishReason\""),
        Api::Cohere => event.name == "message-end",
        Api::Converse => event.name == "messageStop",
        _ => false,
    };
    events
        .iter()
        .position(last)
        .map_or(events.len(), |last| last + 1)
}

//! Text that is changed while it streams says the same wherever the stream was cut.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

use bartizan_core::{Dialect, Direction, Document, Event, Out, StreamRewriter, TextRewriter, json};
use proptest::prelude::*;

/// Puts a value in the place of a word, holding back whatever may become that word.
struct Restore {
    word: &'static str,
    value: String,
    held: String,
}

impl TextRewriter for Restore {
    fn push(&mut self, delta: &str, out: &mut String) {
        self.held.push_str(delta);
        self.held = self.held.replace(self.word, "\u{0}");
        let keep = (1..self.word.len())
            .rev()
            .find(|length| self.held.ends_with(&self.word[..*length]))
            .unwrap_or(0);
        let leave = self.held.len() - keep;
        out.push_str(&self.held[..leave].replace('\u{0}', &self.value));
        self.held.drain(..leave);
    }

    fn finish(&mut self, out: &mut String) {
        out.push_str(&std::mem::take(&mut self.held));
    }
}

const WORD: &str = "<IN_PAN_1>";
/// Nothing a JSON string can hold as it is.
const VALUE: &str = "AB\"C\\D\n\u{2028}é😀";

fn rewriter() -> StreamRewriter<Restore> {
    StreamRewriter::new(|_| {
        Some(Restore {
            word: WORD,
            value: VALUE.into(),
            held: String::new(),
        })
    })
}

/// One event that says `piece`, of each dialect, as text and as a tool's arguments.
fn event(dialect: Dialect, arguments: bool, piece: &str, number: usize) -> Event {
    let piece = json::quote(piece);
    let (name, data) = match (dialect, arguments) {
        (Dialect::OpenAiChat, false) => (
            None,
            format!(r#"{{"choices":[{{"index":0,"delta":{{"content":{piece}}}}}]}}"#),
        ),
        (Dialect::OpenAiChat, true) => (
            None,
            format!(
                r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"id":"call_1","function":{{"name":"f","arguments":{piece}}}}}]}}}}]}}"#
            ),
        ),
        (Dialect::AnthropicMessages, false) => (
            Some("content_block_delta"),
            format!(
                r#"{{"type":"content_block_delta","index":1,"delta":{{"type":"text_delta","text":{piece}}}}}"#
            ),
        ),
        (Dialect::AnthropicMessages, true) => (
            Some("content_block_delta"),
            format!(
                r#"{{"type":"content_block_delta","index":1,"delta":{{"type":"input_json_delta","partial_json":{piece}}}}}"#
            ),
        ),
        (Dialect::Gemini, _) => (
            None,
            format!(
                r#"{{"candidates":[{{"content":{{"parts":[{{"text":{piece}}}],"role":"model"}},"index":0}}],"usageMetadata":{{"promptTokenCount":1}},"modelVersion":"m"}}"#
            ),
        ),
        (Dialect::OllamaChat, _) => (
            None,
            format!(
                r#"{{"model":"m","created_at":"t","message":{{"role":"assistant","content":{piece}}},"done":false}}"#
            ),
        ),
        (Dialect::OpenAiCompletions, _) => (
            None,
            format!(r#"{{"choices":[{{"index":0,"text":{piece},"finish_reason":null}}]}}"#),
        ),
        (Dialect::CohereChat, false) if number == 0 => (
            Some("content-start"),
            format!(
                r#"{{"type":"content-start","index":0,"delta":{{"message":{{"content":{{"type":"text","text":{piece}}}}}}}}}"#
            ),
        ),
        (Dialect::CohereChat, false) => (
            Some("content-delta"),
            format!(
                r#"{{"type":"content-delta","index":0,"delta":{{"message":{{"content":{{"text":{piece}}}}}}}}}"#
            ),
        ),
        (Dialect::CohereChat, true) if number == 0 => (
            Some("tool-call-start"),
            format!(
                r#"{{"type":"tool-call-start","index":0,"delta":{{"message":{{"tool_calls":{{"id":"call_1","type":"function","function":{{"name":"f","arguments":{piece}}}}}}}}}}}"#
            ),
        ),
        (Dialect::CohereChat, true) => (
            Some("tool-call-delta"),
            format!(
                r#"{{"type":"tool-call-delta","index":0,"delta":{{"message":{{"tool_calls":{{"function":{{"arguments":{piece}}}}}}}}}}}"#
            ),
        ),
        (Dialect::BedrockConverse, false) => (
            Some("contentBlockDelta"),
            format!(
                r#"{{"contentBlockDelta":{{"contentBlockIndex":1,"delta":{{"text":{piece}}}}}}}"#
            ),
        ),
        (Dialect::BedrockConverse, true) => (
            Some("contentBlockDelta"),
            format!(
                r#"{{"contentBlockDelta":{{"contentBlockIndex":1,"delta":{{"toolUse":{{"input":{piece}}}}}}}}}"#
            ),
        ),
        (_, false) => (
            Some("response.output_text.delta"),
            format!(
                r#"{{"type":"response.output_text.delta","sequence_number":{number},"output_index":0,"content_index":0,"delta":{piece}}}"#
            ),
        ),
        (_, true) => (
            Some("response.function_call_arguments.delta"),
            format!(
                r#"{{"type":"response.function_call_arguments.delta","sequence_number":{number},"output_index":0,"delta":{piece}}}"#
            ),
        ),
    };
    Event::new(name, &data)
}

/// The event that ends the text.
fn last(dialect: Dialect, arguments: bool, whole: &str, number: usize) -> Event {
    let whole = json::quote(whole);
    let (name, data) = match (dialect, arguments) {
        (Dialect::OpenAiChat, _) => (
            None,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#.to_owned(),
        ),
        (Dialect::AnthropicMessages, _) => (
            Some("content_block_stop"),
            r#"{"type":"content_block_stop","index":1}"#.to_owned(),
        ),
        (Dialect::Gemini, _) => (
            None,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}],"role":"model"},"finishReason":"STOP","index":0}]}"#.to_owned(),
        ),
        (Dialect::OllamaChat, _) => (
            None,
            r#"{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}"#.to_owned(),
        ),
        (Dialect::OpenAiCompletions, _) => (
            None,
            r#"{"choices":[{"index":0,"text":"","finish_reason":"stop"}]}"#.to_owned(),
        ),
        (Dialect::CohereChat, _) => (
            Some("content-end"),
            r#"{"type":"content-end","index":0}"#.to_owned(),
        ),
        (Dialect::BedrockConverse, _) => (
            Some("contentBlockStop"),
            r#"{"contentBlockStop":{"contentBlockIndex":1}}"#.to_owned(),
        ),
        (_, false) => (
            Some("response.output_text.done"),
            format!(
                r#"{{"type":"response.output_text.done","sequence_number":{number},"output_index":0,"content_index":0,"text":{whole}}}"#
            ),
        ),
        (_, true) => (
            Some("response.function_call_arguments.done"),
            format!(
                r#"{{"type":"response.function_call_arguments.done","sequence_number":{number},"output_index":0,"arguments":{whole}}}"#
            ),
        ),
    };
    Event::new(name, &data)
}

/// Streams `pieces` through a rewriter; gives what a client puts together, and what the last event says whole.
fn streamed(dialect: Dialect, arguments: bool, pieces: &[&str]) -> (String, Option<String>) {
    let mut rewriter = rewriter();
    let mut out = Out::new();
    for (number, piece) in pieces.iter().enumerate() {
        let mut event = event(dialect, arguments, piece, number);
        event.read_document(dialect).unwrap();
        rewriter.event(event, &mut out);
    }
    let mut end = last(dialect, arguments, &pieces.concat(), pieces.len());
    end.read_document(dialect).unwrap();
    rewriter.event(end, &mut out);
    rewriter.end(&mut out);

    let (mut joined, mut whole, mut ids) = (String::new(), None, String::new());
    let mut calls = 0;
    let events = out.take();
    for (at, event) in events.iter().enumerate() {
        let value: serde_json::Value = serde_json::from_str(event.data().unwrap()).unwrap();
        if let Some(number) = value["sequence_number"].as_u64() {
            assert_eq!(number, at as u64, "numbers follow one another");
        }
        let delta = &value["choices"][0]["delta"];
        let call = &delta["tool_calls"][0];
        ids.push_str(call["id"].as_str().filter(|_| at > 0).unwrap_or_default());
        let message = &value["delta"]["message"];
        let block = &value["contentBlockDelta"]["delta"];
        let part = &value["candidates"][0]["content"]["parts"][0];
        calls += usize::from(part["functionCall"].is_object() || value["done"] == true);
        calls += usize::from(message["tool_calls"]["id"].is_string());
        let pieces = [
            &part["text"],
            &value["message"]["content"],
            &value["choices"][0]["text"],
            &message["content"]["text"],
            &message["tool_calls"]["function"]["arguments"],
            &block["text"],
            &block["toolUse"]["input"],
            &delta["content"],
            &call["function"]["arguments"],
            &value["delta"]["text"],
            &value["delta"]["partial_json"],
            &value["delta"],
        ];
        joined.push_str(
            pieces
                .iter()
                .find_map(|piece| piece.as_str())
                .unwrap_or_default(),
        );
        whole = ["text", "arguments"]
            .iter()
            .find_map(|member| value[member].as_str().map(str::to_owned))
            .or(whole);
    }
    assert!(calls <= 1, "nothing is called or ended twice: {events:?}");
    (joined, whole)
}

/// Those that stream a tool's arguments in pieces, and the others.
const DIALECTS: [Dialect; 5] = [
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::AnthropicMessages,
    Dialect::BedrockConverse,
    Dialect::CohereChat,
];
const TEXT_ONLY: [Dialect; 3] = [
    Dialect::Gemini,
    Dialect::OllamaChat,
    Dialect::OpenAiCompletions,
];

fn cut<'a>(text: &'a str, cuts: &[usize]) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for cut in cuts {
        let cut = text.floor_char_boundary((*cut).min(text.len())).max(from);
        pieces.push(&text[from..cut]);
        from = cut;
    }
    pieces.push(&text[from..]);
    pieces
}

#[test]
fn every_split_of_a_text_in_three_is_restored() {
    let text = format!("é {WORD}{WORD}<IN_ <IN_PAN_1 <{WORD} end <IN_PAN");
    let wanted = text.replace(WORD, VALUE);
    for dialect in DIALECTS.into_iter().chain(TEXT_ONLY) {
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let (joined, whole) = streamed(dialect, false, &cut(&text, &[first, second]));
                assert_eq!(joined, wanted, "{dialect:?} {first} {second}");
                assert!(whole.is_none_or(|whole| whole == wanted));
            }
        }
    }
}

#[test]
fn every_split_of_a_tools_arguments_is_restored_and_stays_json() {
    // The word spelled plainly, and with an escape in it; beside it escapes that must not be cut.
    let text = r#"{"pan":"<IN_PAN_1>","list":["\u003cIN_PAN_1>","a\\\"<IN_PAN_1>\ud83d\ude00"],"<IN_PAN_1>":1,"half":"<IN_"}"#;
    let wanted = serde_json::json!({
        "pan": VALUE, "list": [VALUE, format!("a\\\"{VALUE}😀")], VALUE: 1, "half": "<IN_",
    });
    for dialect in DIALECTS {
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let (joined, whole) = streamed(dialect, true, &cut(text, &[first, second]));
                let value: serde_json::Value = serde_json::from_str(&joined)
                    .unwrap_or_else(|error| panic!("{error}: {joined}"));
                assert_eq!(value, wanted, "{dialect:?} {first} {second}");
                if let Some(whole) = whole {
                    assert_eq!(
                        serde_json::from_str::<serde_json::Value>(&whole).unwrap(),
                        wanted
                    );
                }
            }
        }
    }
}

#[test]
fn arguments_that_nobody_changes_keep_their_spelling() {
    let text = r#"{ "a" : "\u00e9\/\t", "b":[ "x" , 1.0e3 ] }"#;
    for at in 0..=text.len() {
        let (joined, _) = streamed(Dialect::OpenAiChat, true, &cut(text, &[at]));
        // An escape that was cut arrives whole, and otherwise nothing moves.
        assert_eq!(joined, text, "{at}");
    }
}

#[test]
fn what_is_still_held_when_a_stream_breaks_off_leaves_in_a_flush() {
    let mut rewriter = rewriter();
    let mut out = Out::new();
    let mut first = event(Dialect::OpenAiChat, true, "{\"pan\":\"<IN_", 0);
    first.read_document(Dialect::OpenAiChat).unwrap();
    rewriter.event(first, &mut out);
    rewriter.end(&mut out);
    let events = out.take();
    assert_eq!(events.len(), 2);
    let flush: serde_json::Value = serde_json::from_str(events[1].data().unwrap()).unwrap();
    let call = &flush["choices"][0]["delta"]["tool_calls"][0];
    assert_eq!(call["function"]["arguments"], "<IN_");
    // Clients append a second id or name to the first.
    assert_eq!(
        (&call["id"], &call["function"]["name"]),
        (&"".into(), &"".into())
    );
}

#[test]
fn an_inserted_event_says_nothing_that_was_not_rewritten_and_nothing_twice() {
    let mut rewriter = rewriter();
    let mut out = Out::new();
    let data = format!(
        r#"{{"choices":[{{"index":0,"delta":{{"content":"a"}}}},{{"index":0,"delta":{{"content":"b <IN_"}}}}],"note":"{WORD}"}}"#
    );
    let mut event = Event::new(None, &data);
    event.read_document(Dialect::OpenAiChat).unwrap();
    rewriter.event(event, &mut out);
    rewriter.end(&mut out);
    let events = out.take();
    assert_eq!(events.len(), 2);
    let texts = events
        .iter()
        .filter_map(Event::peek)
        .flat_map(Document::texts);
    let (pieces, wholes): (Vec<_>, Vec<_>) = texts.partition(|text| text.is_delta());
    let joined: String = pieces.iter().map(|text| text.as_str()).collect();
    assert_eq!(joined, "ab <IN_");
    let wholes: Vec<&str> = wholes.iter().map(|text| text.as_str()).collect();
    assert_eq!(wholes, [VALUE, VALUE]);
}

#[test]
fn a_whole_answer_is_rewritten_in_every_text() {
    let reply = format!(
        r#"{{"choices":[{{"message":{{"content":"a {WORD}","tool_calls":[{{"function":{{"arguments":"{{\"pan\":\"{WORD}\"}}"}}}}]}}}}]}}"#
    );
    let mut document = Document::read(&reply, Dialect::OpenAiChat, Direction::Reply).unwrap();
    assert_eq!(rewriter().reply(&mut document), 2);
    let value: serde_json::Value = serde_json::from_str(document.as_str()).unwrap();
    let message = &value["choices"][0]["message"];
    assert_eq!(message["content"], format!("a {VALUE}"));
    let arguments: serde_json::Value = serde_json::from_str(
        message["tool_calls"][0]["function"]["arguments"]
            .as_str()
            .unwrap(),
    )
    .unwrap();
    assert_eq!(arguments["pan"], VALUE);
}

proptest! {
    #[test]
    fn any_text_cut_anywhere_says_what_the_whole_says(
        parts in prop::collection::vec(prop_oneof![Just(WORD.to_owned()), "[<>IN_PA1é😀\"\\\\ ]{0,12}".prop_map(String::from)], 0..12),
        cuts in prop::collection::vec(0usize..200, 0..12),
        arguments in any::<bool>(),
        dialect in prop::sample::select(DIALECTS.to_vec()),
    ) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let says = parts.concat();
        let wanted = says.replace(WORD, VALUE);
        if arguments {
            let text = format!("[{},{}]", json::quote(&says), json::quote("x"));
            let (joined, _) = streamed(dialect, true, &cut(&text, &cuts));
            let value: serde_json::Value = serde_json::from_str(&joined).unwrap();
            prop_assert_eq!(value[0].as_str().unwrap(), wanted);
        } else {
            let (joined, _) = streamed(dialect, false, &cut(&says, &cuts));
            prop_assert_eq!(joined, wanted);
        }
    }
}

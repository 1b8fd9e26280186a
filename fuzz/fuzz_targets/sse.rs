//! A stream cut anywhere gives the events of the whole, byte for byte, and a rewriter of streams neither loses, adds nor leaves out text.

#![no_main]

use std::collections::BTreeMap;

use bartizan::core::{
    Channel, Dialect, Event, EventDecoder, Out, SseError, StreamRewriter, TextRewriter, json,
};
use bartizan_fuzz::{Draw, cut, ways};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

const DIALECTS: [Dialect; 9] = [
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::AnthropicMessages,
    Dialect::OpenAiCompletions,
    Dialect::Gemini,
    Dialect::BedrockConverse,
    Dialect::CohereChat,
    Dialect::OllamaChat,
    Dialect::Json,
];

fuzz_target!(|bytes: &[u8]| {
    let (whole, end) = decode([bytes]);
    check_bytes(bytes, &whole, end);
    let mut draw = Draw::from_input(bytes);
    for pieces in [
        cut(bytes, &mut draw),
        cut(bytes, &mut draw),
        bytes.chunks(1).collect(),
    ] {
        let (events, same_end) = decode(pieces);
        assert_eq!(events, whole);
        assert_eq!(same_end, end);
        check_bytes(bytes, &events, end);
    }
    for event in &whole {
        check_encoding(event);
    }
    rewrite_events(DIALECTS[draw.below(DIALECTS.len())], &whole);
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(128)]);
    rewrite_text(&text, &mut draw);
});

fn decode<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> (Vec<Event>, Option<SseError>) {
    let mut decoder = EventDecoder::new();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(Bytes::copy_from_slice(piece));
        loop {
            match decoder.next_event() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
    }
    match decoder.finish() {
        Ok(last) => events.extend(last),
        Err(error) => return (events, Some(error)),
    }
    (events, None)
}

/// All but blank lines at the end, and what follows the text that is not UTF-8, leaves as it came.
fn check_bytes(bytes: &[u8], events: &[Event], end: Option<SseError>) {
    let left: Vec<u8> = events
        .iter()
        .flat_map(|event| event.to_bytes().to_vec())
        .collect();
    assert!(bytes.starts_with(&left));
    assert!(end.is_some() || bytes[left.len()..].trim_ascii().is_empty());
}

/// What a client reads of an event is what it reads of the same event encoded anew.
fn check_encoding(event: &Event) {
    let Some(data) = event.data() else { return };
    let new = Event::new(event.name(), data);
    assert_eq!(&new, event);
    let (read, end) = decode([&new.to_bytes()[..]]);
    assert_eq!((read.as_slice(), end), (&[new][..], None));
}

/// Holds back the last character, always.
#[derive(Default)]
struct Slow(String);

impl TextRewriter for Slow {
    fn push(&mut self, delta: &str, out: &mut String) {
        self.0.push_str(delta);
        let keep = self.0.char_indices().next_back().map_or(0, |(at, _)| at);
        out.extend(self.0.drain(..keep));
    }

    fn finish(&mut self, out: &mut String) {
        out.push_str(&std::mem::take(&mut self.0));
    }
}

/// The pieces that each channel got, joined; whole texts; and which channels carry JSON.
#[derive(Debug, Default, PartialEq)]
struct Said {
    plain: BTreeMap<Channel, String>,
    json: BTreeMap<Channel, String>,
    whole: Vec<String>,
}

fn said(events: &[Event]) -> Said {
    let mut said = Said::default();
    for text in events
        .iter()
        .filter_map(Event::peek)
        .flat_map(|document| document.texts())
    {
        if text.is_json_piece() {
            said.json
                .entry(text.channel())
                .or_default()
                .push_str(text.as_str());
        } else if text.is_delta() {
            said.plain
                .entry(text.channel())
                .or_default()
                .push_str(text.as_str());
        } else {
            said.whole.push(text.as_str().to_owned());
        }
    }
    said
}

/// Any events, as taps see them: malformed ones don't come that far.
fn rewrite_events(dialect: Dialect, events: &[Event]) {
    let mut read: Vec<Event> = events.to_vec();
    read.retain_mut(|event| event.read_document(dialect).is_ok());
    let before = said(&read);
    let mut rewriter = StreamRewriter::new(|_| Some(Slow::default()));
    let mut out = Out::new();
    for event in &read {
        rewriter.event(event.clone(), &mut out);
    }
    rewriter.end(&mut out);
    // What a client reads.
    let mut sent = Vec::new();
    for event in out.take() {
        let (events, end) = decode([&event.to_bytes()[..]]);
        assert!(
            end.is_none() && events.len() <= 1 && (events.len() == 1 || event.data().is_none()),
            "one event stays one"
        );
        sent.extend(events);
    }
    for event in &mut sent {
        event
            .read_document(dialect)
            .expect("what was a message is one");
    }
    let after = said(&sent);
    let said_something = |texts: &BTreeMap<Channel, String>| -> BTreeMap<Channel, String> {
        texts
            .iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(channel, text)| (*channel, text.clone()))
            .collect()
    };
    assert_eq!(
        said_something(&after.plain),
        said_something(&before.plain),
        "{dialect:?}"
    );
    for (channel, text) in &before.json {
        // Spelled anew, a string says the same; what is no JSON is followed as far as it goes.
        if let Ok(value) = serde_json::from_str::<serde_json::Value>(text) {
            let now = after
                .json
                .get(channel)
                .map(|text| serde_json::from_str::<serde_json::Value>(text));
            assert_eq!(now.and_then(Result::ok), Some(value), "{dialect:?}");
        }
    }
    assert!(after.whole.len() >= before.whole.len());

    no_text_passes_unseen(dialect, &read);
}

/// Takes every character away, at the end of the text.
#[derive(Default)]
struct Star(usize);

impl TextRewriter for Star {
    fn push(&mut self, delta: &str, _: &mut String) {
        self.0 += delta.len();
    }

    fn finish(&mut self, out: &mut String) {
        if std::mem::take(&mut self.0) > 0 {
            out.push('*');
        }
    }
}

/// Inserted events are copies of others: their texts must have gone through a rewriter too.
fn no_text_passes_unseen(dialect: Dialect, events: &[Event]) {
    let mut rewriter = StreamRewriter::new(|_| Some(Star::default()));
    let mut out = Out::new();
    for event in events {
        rewriter.event(event.clone(), &mut out);
    }
    rewriter.end(&mut out);
    for event in out.take() {
        let Some(document) = event.peek() else {
            continue;
        };
        for text in document.texts().filter(|text| !text.is_json_piece()) {
            assert!(
                text.as_str().bytes().all(|byte| byte == b'*'),
                "{dialect:?} {:?}",
                text.role()
            );
        }
    }
}

const WORD: &str = "<IN_PAN_1>";
const VALUE: &str = "AB\"C\\D\n\u{2028}é";

/// Puts a value in the place of a word, holding back whatever may become that word.
#[derive(Default)]
struct Restore(String);

impl TextRewriter for Restore {
    fn push(&mut self, delta: &str, out: &mut String) {
        self.0.push_str(delta);
        while let Some(at) = self.0.find(WORD) {
            out.extend(self.0.drain(..at));
            self.0.drain(..WORD.len());
            out.push_str(VALUE);
        }
        let keep = (1..WORD.len())
            .rev()
            .find(|length| self.0.ends_with(&WORD[..*length]))
            .unwrap_or(0);
        out.extend(self.0.drain(..self.0.len() - keep));
    }

    fn finish(&mut self, out: &mut String) {
        out.push_str(&std::mem::take(&mut self.0));
    }
}

/// One text of a provider, in pieces: what a client puts together is what the whole text would have given.
fn rewrite_text(text: &str, draw: &mut Draw) {
    let text = text.replace('%', WORD);
    let wanted = text.replace(WORD, VALUE);
    let dialect = DIALECTS[draw.below(3)];
    if draw.one_in(2) {
        let pieces = &ways(&text)[draw.below(4)];
        assert_eq!(streamed(dialect, false, pieces), wanted, "{dialect:?}");
    } else {
        let text = format!("[{}]", json::quote(&text));
        let pieces = &ways(&text)[draw.below(4)];
        let arguments: Vec<String> =
            serde_json::from_str(&streamed(dialect, true, pieces)).expect("still JSON");
        assert_eq!(arguments, [wanted.as_str()], "{dialect:?}");
    }
}

fn streamed(dialect: Dialect, arguments: bool, pieces: &[&str]) -> String {
    let mut rewriter = StreamRewriter::new(|_| Some(Restore::default()));
    let mut out = Out::new();
    for piece in pieces {
        let piece = json::quote(piece);
        let data = match (dialect, arguments) {
            (Dialect::OpenAiChat, false) => {
                format!(r#"{{"choices":[{{"index":0,"delta":{{"content":{piece}}}}}]}}"#)
            }
            (Dialect::OpenAiChat, true) => {
                format!(
                    r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"function":{{"arguments":{piece}}}}}]}}}}]}}"#
                )
            }
            (Dialect::AnthropicMessages, false) => {
                format!(
                    r#"{{"type":"content_block_delta","index":1,"delta":{{"type":"text_delta","text":{piece}}}}}"#
                )
            }
            (Dialect::AnthropicMessages, true) => {
                format!(
                    r#"{{"type":"content_block_delta","index":1,"delta":{{"type":"input_json_delta","partial_json":{piece}}}}}"#
                )
            }
            (_, false) => format!(
                r#"{{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":{piece}}}"#
            ),
            (_, true) => format!(
                r#"{{"type":"response.function_call_arguments.delta","output_index":0,"delta":{piece}}}"#
            ),
        };
        let mut event = Event::new(None, &data);
        event
            .read_document(dialect)
            .expect("a message of the dialect");
        rewriter.event(event, &mut out);
    }
    rewriter.end(&mut out);
    let events = out.take();
    let texts = events
        .iter()
        .filter_map(Event::peek)
        .flat_map(|document| document.texts());
    texts
        .filter(|text| text.is_delta())
        .map(|text| text.as_str().to_owned())
        .collect()
}

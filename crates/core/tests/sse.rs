//! Server-sent events: any split, any line end, nothing smuggled.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

use bartizan_core::{Event, EventDecoder, MAX_EVENT, SseError};
use proptest::prelude::*;

fn decode(pieces: &[&[u8]]) -> Vec<Event> {
    let mut decoder = EventDecoder::new();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(bytes::Bytes::copy_from_slice(piece));
        while let Some(event) = decoder.next_event().unwrap() {
            events.push(event);
        }
    }
    events.extend(decoder.finish().unwrap());
    events
}

fn told(text: &str) -> Vec<(Option<String>, Option<String>)> {
    decode(&[text.as_bytes()])
        .iter()
        .map(|event| {
            (
                event.name().map(str::to_owned),
                event.data().map(str::to_owned),
            )
        })
        .collect()
}

#[test]
fn the_standards_cases_are_read_as_it_says() {
    let data = |text: &str| (None, Some(text.to_owned()));
    let named = |name: &str, text: &str| (Some(name.to_owned()), Some(text.to_owned()));
    let table = [
        ("data: a\n\ndata: b\n\n", vec![data("a"), data("b")]),
        ("data:a\n\n", vec![data("a")]),
        ("data:  a\n\n", vec![data(" a")]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", vec![data("a"), data("b")]),
        ("data: a\r\rdata: b\r\r", vec![data("a"), data("b")]),
        ("data: a\ndata: b\ndata\n\n", vec![data("a\nb\n")]),
        (": ping\n\ndata: a\n\n", vec![(None, None), data("a")]),
        ("\u{FEFF}data: a\n\n", vec![data("a")]),
        (
            "event: x\nid: 7\nretry: 9\ndata: a\nother: b\n\n",
            vec![named("x", "a")],
        ),
        (
            "data: a\u{2028}b\u{85}c\n\n",
            vec![data("a\u{2028}b\u{85}c")],
        ),
        (
            "data: a\n\n\u{FEFF}data: b\n\ndata: c\n\n",
            vec![data("a"), (None, None), data("c")],
        ),
        ("\n\n\ndata: a\n\n\n\n", vec![data("a")]),
        ("data: [DONE]", vec![data("[DONE]")]),
        ("data: [DONE]\n", vec![data("[DONE]")]),
        ("data:\n\n", vec![data("")]),
    ];
    for (text, events) in table {
        assert_eq!(told(text), events, "{text:?}");
    }
}

#[test]
fn every_split_of_a_mixed_stream_gives_the_same_events() {
    let text = "\u{FEFF}: hi\r\n\r\nevent: a\rdata: 1\r\rdata: हिन्दी\ndata: 2\n\n\r\ndata:3\r\n\r\nid: 1\r\n\r\n\u{FEFF}data: 4\n\nevent: b\r\ndata: 5\r\ndata: 6\r\n\r\ndata: end\r";
    let whole = decode(&[text.as_bytes()]);
    for first in 0..=text.len() {
        for second in first..=text.len() {
            let bytes = text.as_bytes();
            let events = decode(&[&bytes[..first], &bytes[first..second], &bytes[second..]]);
            let bytes_out: Vec<u8> = events
                .iter()
                .flat_map(|event| event.to_bytes().to_vec())
                .collect();
            assert_eq!(events, whole, "{first} {second}");
            assert_eq!(bytes_out, text.as_bytes());
        }
    }
}

#[test]
fn an_event_over_four_mebibytes_is_an_error() {
    let mut decoder = EventDecoder::new();
    decoder.push(vec![b'a'; MAX_EVENT].into());
    assert!(decoder.next_event().unwrap().is_none());
    decoder.push("aa".into());
    assert_eq!(decoder.next_event().unwrap_err(), SseError::TooLong);
}

#[test]
fn bytes_that_are_not_utf8_are_an_error() {
    let mut decoder = EventDecoder::new();
    decoder.push(b"data: \xff\n\n"[..].to_vec().into());
    assert_eq!(decoder.next_event().unwrap_err(), SseError::InvalidUtf8);
}

proptest! {
    #[test]
    fn no_text_can_start_a_field_of_its_own(name in prop::option::of("[a-z:\r\n ]{0,8}"), data in "[ -~\r\n\u{2028}é]{0,40}") {
        let event = Event::new(name.as_deref(), &data);
        let read = decode(&[&event.to_bytes()]);
        prop_assert_eq!(read.len(), 1);
        let unified = data.replace("\r\n", "\n").replace('\r', "\n");
        prop_assert_eq!(read[0].data(), Some(unified.as_str()));
        let first_line = name.as_deref().map(|name| name.split(['\r', '\n']).next().unwrap());
        prop_assert_eq!(read[0].name().map(|name| name.trim_start_matches(' ')), first_line.map(|name| name.trim_start_matches(' ')));
    }
}

use std::sync::LazyLock;

use aws_smithy_eventstream::frame::{read_message_from, write_message_to};
use aws_smithy_types::DateTime;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;
use crate::identity::recorded;

/// All frames of `bytes`, cut where `cuts` say; and how it ended.
fn split(bytes: &[u8], cuts: &[usize]) -> (Vec<Frame>, Result<(), SseError>) {
    let mut splitter = Splitter::default();
    let mut frames = Vec::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        let cut = cut.clamp(from, bytes.len());
        splitter.push(&bytes[from..cut]);
        from = cut;
        loop {
            match splitter.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Err(error)),
            }
        }
    }
    let ended = if splitter.is_empty() {
        Ok(())
    } else {
        Err(SseError::BrokenFrame)
    };
    (frames, ended)
}

fn message(headers: &[(&str, &str)], payload: &'static str) -> Vec<u8> {
    let headers = headers
        .iter()
        .map(|(name, value)| {
            Header::new(
                (*name).to_owned(),
                HeaderValue::String((*value).to_owned().into()),
            )
        })
        .collect();
    encoded(&Message::new_from_parts(headers, payload))
}

fn encoded(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_message_to(message, &mut bytes).unwrap();
    bytes
}

fn event(name: &str, payload: &'static str) -> Vec<u8> {
    message(
        &[(":message-type", "event"), (":event-type", name)],
        payload,
    )
}

/// The recorded streams of Bedrock.
static STREAMS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let body = |exchange: &serde_json::Value| {
        let body = exchange["response"]["body"]["base64"].as_str()?;
        Some(STANDARD.decode(body).unwrap())
    };
    let streams: Vec<_> = recorded("bedrock.converse")
        .iter()
        .filter_map(body)
        .collect();
    assert!(streams.is_empty() || streams.len() >= 13);
    streams
});

/// Where each frame of a stream that is whole begins, and where the last one ends.
fn places(stream: &[u8]) -> Vec<usize> {
    let mut places = vec![0];
    let mut at = 0;
    while at < stream.len() {
        at += whole_length(&stream[at..at + PRELUDE]).unwrap();
        places.push(at);
    }
    places
}

#[test]
fn recorded_streams_are_read_as_amazons_own_code_reads_them() {
    for stream in &*STREAMS {
        let (frames, ended) = split(stream, &[]);
        assert_eq!(ended, Ok(()));
        let mut rest = stream.as_slice();
        for frame in frames {
            let theirs = read_message_from(&mut rest).unwrap();
            let name = theirs
                .headers()
                .iter()
                .find(|header| header.name().as_str() == ":event-type");
            let name = name.unwrap().value().as_string().unwrap().as_str();
            assert_eq!(frame.kind, FrameKind::Event);
            assert_eq!(frame.name, name);
            assert_eq!(&frame.payload, theirs.payload());
        }
        assert!(rest.is_empty());
    }
}

#[test]
fn every_byte_that_changes_is_an_error_at_its_frame() {
    for stream in &*STREAMS {
        let places = places(stream);
        for place in places.windows(2) {
            let mut frame = stream[place[0]..].to_vec();
            for at in 0..place[1] - place[0] {
                for mask in [0x01, 0x80, 0xff] {
                    frame[at] ^= mask;
                    let (frames, ended) = split(&frame, &[]);
                    assert!(
                        frames.is_empty() && ended.is_err(),
                        "byte {at} of {place:?}"
                    );
                    frame[at] ^= mask;
                }
            }
        }
    }
}

#[test]
fn a_stream_that_is_cut_within_a_frame_is_no_whole_one() {
    let stream = [event("a", "{}"), event("b", "{\"x\":1}")].concat();
    let places = places(&stream);
    for at in 0..=stream.len() {
        let (frames, ended) = split(&stream[..at], &[]);
        assert_eq!(ended.is_ok(), places.contains(&at), "cut at {at}");
        assert_eq!(
            frames.len(),
            places
                .iter()
                .filter(|place| **place > 0 && **place <= at)
                .count()
        );
    }
}

#[test]
fn each_kind_of_frame_is_told_by_its_headers() {
    use FrameKind::{Error, Event, Exception};
    let frame = |kind, name: &str, message: Option<&str>, payload| {
        Ok(Some(Frame {
            kind,
            name: name.into(),
            message: message.map(Into::into),
            payload: Bytes::from_static(payload),
        }))
    };
    let broken = Err(SseError::BrokenFrame);
    for (headers, read) in [
        (
            &[
                (":message-type", "event"),
                (":event-type", "chunk"),
                (":content-type", "application/json"),
            ][..],
            frame(Event, "chunk", None, b"{}"),
        ),
        (
            &[
                (":exception-type", "throttlingException"),
                (":message-type", "exception"),
            ],
            frame(Exception, "throttlingException", None, b"{}"),
        ),
        (
            &[
                (":message-type", "error"),
                (":error-code", "InternalError"),
                (":error-message", "no"),
            ],
            frame(Error, "InternalError", Some("no"), b"{}"),
        ),
        (&[(":message-type", "event")], broken.clone()),
        (&[(":event-type", "chunk")], broken.clone()),
        (&[], broken.clone()),
        (
            &[(":message-type", "else"), (":event-type", "chunk")],
            broken,
        ),
    ] {
        let mut splitter = Splitter::default();
        splitter.push(&message(headers, "{}"));
        assert_eq!(splitter.next_frame(), read, "{headers:?}");
    }
}

/// A frame with right checksums, whatever its lengths say.
fn forged(total: u32, headers: u32, rest: &[u8]) -> Vec<u8> {
    let mut frame = [total.to_be_bytes(), headers.to_be_bytes()].concat();
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(rest);
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}

#[test]
fn lengths_that_can_not_be_are_refused_before_anything_is_kept_for_them() {
    let most = u32::try_from(MAX_EVENT).unwrap();
    for (total, headers, error) in [
        (0, 0, SseError::BrokenFrame),
        (15, 0, SseError::BrokenFrame),
        (20, 5, SseError::BrokenFrame),
        (20, u32::MAX, SseError::BrokenFrame),
        (most + 1, 0, SseError::TooLong),
        (u32::MAX, 0, SseError::TooLong),
    ] {
        let mut splitter = Splitter::default();
        splitter.push(&forged(total, headers, b"")[..PRELUDE]);
        assert_eq!(splitter.next_frame(), Err(error), "{total} {headers}");
    }
    let mut splitter = Splitter::default();
    splitter.push(&forged(most, 0, b"")[..PRELUDE]);
    assert_eq!(splitter.next_frame(), Ok(None));
}

#[test]
fn headers_that_do_not_fill_their_room_are_refused() {
    for headers in [
        &b"\x00\x00"[..],         // no name
        b"\x05a",                 // a name beyond the end
        b"\x01a",                 // no kind
        b"\x01a\x0a",             // no such kind
        b"\x01a\x07\x00",         // half a length
        b"\x01a\x07\x00\x02b",    // a value beyond the end
        b"\x01a\x04\x00\x00",     // half a number
        b"\x0d:message-type\x00", // no string
    ] {
        let length = u32::try_from(headers.len()).unwrap();
        let mut splitter = Splitter::default();
        splitter.push(&forged(length + 16, length, headers));
        assert_eq!(
            splitter.next_frame(),
            Err(SseError::BrokenFrame),
            "{headers:?}"
        );
    }
}

fn value() -> impl Strategy<Value = HeaderValue> {
    prop_oneof![
        any::<bool>().prop_map(HeaderValue::Bool),
        any::<i8>().prop_map(HeaderValue::Byte),
        any::<i16>().prop_map(HeaderValue::Int16),
        any::<i32>().prop_map(HeaderValue::Int32),
        any::<i64>().prop_map(HeaderValue::Int64),
        any::<Vec<u8>>().prop_map(|bytes| HeaderValue::ByteArray(bytes.into())),
        any::<String>().prop_map(|text| HeaderValue::String(text.into())),
        any::<i32>().prop_map(|time| HeaderValue::Timestamp(DateTime::from_secs(time.into()))),
        any::<u128>().prop_map(HeaderValue::Uuid),
    ]
}

prop_compose! {
    /// A frame with headers of all kinds around those that count, and what it says.
    fn frame()(
        name in any::<String>(),
        around in prop::collection::vec(("[a-z:-]{1,20}", value()), 0..4),
        payload in any::<Vec<u8>>(),
    ) -> (Message, Frame) {
        let told = [(":message-type", "event"), (":event-type", &name)];
        let told = told.map(|(key, value)| Header::new(key, HeaderValue::String(value.to_owned().into())));
        let around = around.into_iter().map(|(key, value)| Header::new(format!("x-{key}"), value));
        let frame = Frame {
            kind: FrameKind::Event,
            name,
            message: None,
            payload: payload.clone().into(),
        };
        (Message::new_from_parts(told.into_iter().chain(around).collect(), payload), frame)
    }
}

proptest! {
    #[test]
    fn what_amazons_code_writes_is_read_wherever_it_is_cut(
        frames in prop::collection::vec(frame(), 0..5),
        cuts in prop::collection::vec(0_usize..2_000, 0..20),
    ) {
        let bytes: Vec<u8> = frames.iter().flat_map(|(message, _)| encoded(message)).collect();
        let mut cuts = cuts;
        cuts.sort_unstable();
        let (read, ended) = split(&bytes, &cuts);
        prop_assert_eq!(ended, Ok(()));
        prop_assert_eq!(read, frames.into_iter().map(|(_, frame)| frame).collect::<Vec<_>>());
    }

    #[test]
    fn recorded_streams_are_read_the_same_wherever_they_are_cut(cuts in prop::collection::vec(0_usize..20_000, 0..40)) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        for stream in &*STREAMS {
            prop_assert_eq!(split(stream, &cuts), split(stream, &[]));
        }
    }

    #[test]
    fn no_bytes_make_it_panic_or_loop(bytes in any::<Vec<u8>>(), headers in 0_u32..300) {
        let _ = split(&bytes, &[1, 5]);
        let total = u32::try_from(bytes.len()).unwrap() + 16;
        let (frames, ended) = split(&forged(total, headers, &bytes), &[]);
        prop_assert!(frames.len() == 1 || ended.is_err());
    }
}

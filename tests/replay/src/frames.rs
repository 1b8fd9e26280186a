//! The events of a streamed body, by each of the framings that providers have.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Its name; empty where it has none.
    pub name: String,
    /// Its data, such as a JSON text.
    pub data: String,
    /// Where it stands in the body, with what ends it.
    pub at: Range<usize>,
}

/// The events of a body of this media type; what stands between them, comments too, belongs to none.
#[must_use]
pub fn of(media_type: &str, body: &[u8]) -> Vec<Frame> {
    if media_type.starts_with("application/vnd.amazon.eventstream") {
        return messages(body);
    }
    let text = String::from_utf8_lossy(body);
    if media_type.contains("ndjson") || media_type.contains("jsonl") {
        return lines(&text);
    }
    blocks(&text)
}

/// Server-sent events.
fn blocks(text: &str) -> Vec<Frame> {
    let mut frames = Vec::new();
    let (mut start, mut at) = (0, 0);
    let (mut name, mut data) = (String::new(), Vec::new());
    for line in text.split_inclusive('\n') {
        at += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        if !line.is_empty() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut name),
                "data" => data.push(value),
                _ => {}
            }
            continue;
        }
        let (name, data) = (std::mem::take(&mut name), std::mem::take(&mut data));
        if !data.is_empty() {
            frames.push(Frame {
                name,
                data: data.join("\n"),
                at: start..at,
            });
        }
        start = at;
    }
    frames
}

/// One JSON text a line.
fn lines(text: &str) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        if !line.trim().is_empty() {
            frames.push(Frame {
                name: String::new(),
                data: line.trim().to_owned(),
                at: start..at,
            });
        }
    }
    frames
}

/// Amazon's event stream: lengths, headers, payload, checksums.
fn messages(body: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut start = 0;
    while let Some(message) = body.get(start..).filter(|rest| rest.len() >= 16) {
        let whole = word(message, 0);
        let headers = word(message, 4);
        let Some(message) = message.get(..whole).filter(|_| whole >= 16) else {
            break;
        };
        let named = message.get(12..12 + headers).unwrap_or_default();
        let payload = message.get(12 + headers..whole - 4).unwrap_or_default();
        let mut frame = Frame {
            name: header(named, ":event-type")
                .or_else(|| header(named, ":exception-type"))
                .unwrap_or_default(),
            data: String::from_utf8_lossy(payload).into_owned(),
            at: start..start + whole,
        };
        if frame.name == "chunk" {
            // InvokeModel: the model's own event, in base64.
            let chunk: Value = serde_json::from_str(&frame.data).unwrap_or_default();
            let inner = STANDARD.decode(chunk["bytes"].as_str().unwrap_or_default());
            frame.data = String::from_utf8_lossy(&inner.unwrap_or_default()).into_owned();
        }
        frames.push(frame);
        start += whole;
    }
    frames
}

fn word(bytes: &[u8], at: usize) -> usize {
    let four = bytes
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok());
    four.map_or(0, |four| {
        usize::try_from(u32::from_be_bytes(four)).unwrap_or(0)
    })
}

/// A header's text; all of those that Bedrock sends are texts.
fn header(mut headers: &[u8], wanted: &str) -> Option<String> {
    loop {
        let (&length, rest) = headers.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(length))?;
        let (_kind, rest) = rest.split_first()?;
        let (size, rest) = rest.split_at_checked(2)?;
        let size = usize::from(u16::from_be_bytes(size.try_into().ok()?));
        let (value, rest) = rest.split_at_checked(size)?;
        if name == wanted.as_bytes() {
            return Some(String::from_utf8_lossy(value).into_owned());
        }
        headers = rest;
    }
}

/// One message of Amazon's event stream.
#[must_use]
pub fn message(event: &str, payload: &str) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in [
        (":event-type", event),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ] {
        headers.push(u8::try_from(name.len()).unwrap_or(0));
        headers.extend(name.as_bytes());
        headers.push(7);
        headers.extend(u16::try_from(value.len()).unwrap_or(0).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let whole = 16 + headers.len() + payload.len();
    let mut message = Vec::with_capacity(whole);
    for length in [whole, headers.len()] {
        message.extend(u32::try_from(length).unwrap_or(0).to_be_bytes());
    }
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.extend(headers);
    message.extend(payload.as_bytes());
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message
}

/// The same, as InvokeModel sends another API's event.
#[must_use]
pub fn chunk(event: &str) -> Vec<u8> {
    let bytes = STANDARD.encode(event);
    message("chunk", &json!({"bytes": bytes}).to_string())
}

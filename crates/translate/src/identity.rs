//! Recorded exchanges, read and written again by the rooms of one dialect: what is said stays. Runs where the recordings are.

use std::path::PathBuf;

use bartizan_core::{Dialect, Direction, Document, Event, EventDecoder, Out};
use serde_json::Value;

use crate::dialects::{Reader, Writer};

/// The recorded exchanges of an API; none where the folder is not there.
pub(crate) fn recorded(name: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/exchanges")
        .join(format!("{name}.jsonl"));
    let lines = std::fs::read_to_string(path).unwrap_or_default();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A whole answer, read and written again.
pub(crate) fn whole(
    text: &str,
    dialect: Dialect,
    reader: &dyn Reader,
    writer: &dyn Writer,
) -> Value {
    let reply = Document::read(text, dialect, Direction::Reply).unwrap();
    let written = writer.answer(&reader.answer(&reply));
    serde_json::from_str(&written).unwrap()
}

/// The events of an event stream, read and written again, and whether the stream came to its end.
pub(crate) fn stream(
    text: &str,
    dialect: Dialect,
    reader: &mut dyn Reader,
    writer: &mut dyn Writer,
) -> Vec<Event> {
    let mut decoder = EventDecoder::new();
    decoder.push(text.to_owned().into());
    let mut out = Out::new();
    while let Some(mut event) = decoder.next_event().unwrap() {
        event.read_document(dialect).unwrap();
        match event.peek() {
            Some(document) => reader.hear(document, &mut |moment| writer.say(&moment, &mut out)),
            None if event.data().is_some_and(|data| !data.is_empty()) => {
                reader.done(&mut |moment| writer.say(&moment, &mut out));
            }
            None => {}
        }
    }
    reader.over(&mut |moment| writer.say(&moment, &mut out));
    out.take()
}

//! The strict scan takes nothing that a full parser refuses, and an edit changes its strings and nothing else.

#![no_main]

use bartizan::core::json::{Bounds, FaultKind, Json};
use bartizan::core::{Dialect, Direction, Document};
use bartizan_fuzz::Draw;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let strict = Json::read_bytes(bytes, Bounds::default());
    let full = serde_json::from_slice::<serde_json::Value>(bytes);
    match (&strict, &full) {
        (Ok(json), Err(error)) => {
            let error = error.to_string();
            // serde_json counts one level less, and holds numbers as 64 bits.
            assert!(
                error.contains("out of range") || error.contains("recursion limit"),
                "{error}: {}",
                json.as_str()
            );
        }
        (Err(fault), Ok(_)) => {
            let stricter = [
                FaultKind::DuplicateKey,
                FaultKind::TooDeep,
                FaultKind::TooLarge,
            ];
            assert!(stricter.contains(&fault.kind()), "{fault}");
        }
        (Ok(json), Ok(value)) => assert_eq!(strings(json), count(value)),
        (Err(_), Err(_)) => {}
    }
    match strict {
        Ok(json) => edits(json.as_str()),
        Err(fault) => assert!(fault.offset() <= bytes.len() && !fault.to_string().is_empty()),
    }
});

fn strings(json: &Json) -> usize {
    json.root().strings().count()
}

fn count(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::String(_) => 1,
        serde_json::Value::Array(items) => items.iter().map(count).sum(),
        serde_json::Value::Object(members) => {
            members.values().map(|member| 1 + count(member)).sum()
        }
        _ => 0,
    }
}

fn edits(text: &str) {
    let mut document =
        Document::read(text, Dialect::Json, Direction::Request).expect("any JSON is a document");
    let before: Vec<String> = texts(&document);
    let mut draw = Draw::from_input(text.as_bytes());
    let chosen: Vec<bool> = before.iter().map(|_| draw.one_in(2)).collect();
    // A key may not become equal to another: no text holds what stands before its place.
    let mark = "\u{10FFFF}\"\\\n\u{2028}";
    if before.iter().any(|text| text.contains(mark)) {
        return;
    }
    let edit = |at: usize, old: &str| chosen[at].then(|| format!("{old}{mark}{at}"));
    let wanted: Vec<String> = before
        .iter()
        .enumerate()
        .map(|(at, old)| edit(at, old).unwrap_or_else(|| old.clone()))
        .collect();
    let mut at = 0;
    let replaced = document.rewrite(|text| {
        at += 1;
        edit(at - 1, text.as_str())
    });
    assert_eq!(replaced, chosen.iter().filter(|chosen| **chosen).count());
    assert_eq!(texts(&document), wanted);
    let fresh = Document::read(document.as_str(), Dialect::Json, Direction::Request)
        .expect("an edited document is one");
    assert_eq!(texts(&fresh), wanted);
    assert_eq!(
        outside_strings(fresh.json()),
        outside_strings(&Json::read(text).expect("read before"))
    );
    assert_eq!(
        outside_strings(document.json()),
        outside_strings(fresh.json()),
        "the index moved with its text"
    );
}

fn texts(document: &Document) -> Vec<String> {
    document
        .texts()
        .map(|text| text.as_str().to_owned())
        .collect()
}

/// The text with every string emptied.
fn outside_strings(json: &Json) -> String {
    let text = json.as_str();
    let mut out = String::new();
    let mut from = 0;
    for string in json.root().strings() {
        out.push_str(&text[from..string.range().start]);
        from = string.range().end;
    }
    out + &text[from..]
}

//! Changing JSON value by value, with the words that the APIs know.

use std::sync::LazyLock;

use serde_json::Value;

use crate::Draw;

/// The words of the dialects, one a line and quoted, as libFuzzer's dictionaries are.
static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let words = include_str!("../words.dict").lines();
    words
        .map(|line| line.trim_matches('"'))
        .filter(|word| !word.is_empty())
        .collect()
});

/// No value of a larger document is looked for.
const MOST_VALUES: usize = 2_000;

/// Mutates `data`, whose first `size` bytes count: as a tree where it is JSON, as bytes else and now and then.
///
/// For [`fuzz_mutator!`](libfuzzer_sys::fuzz_mutator).
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut draw = Draw::seeded(u64::from(seed));
    let tree = data.get(..size).filter(|_| !draw.one_in(6));
    let Some(mut root) = tree.and_then(|text| serde_json::from_slice::<Value>(text).ok()) else {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    };
    for _ in 0..=draw.below(3) {
        change(&mut root, &mut draw);
    }
    let mut text = String::new();
    write(&root, &mut draw, &mut text);
    match data.get_mut(..text.len()) {
        Some(room) if text.len() <= max_size => {
            room.copy_from_slice(text.as_bytes());
            text.len()
        }
        _ => libfuzzer_sys::fuzzer_mutate(data, size, max_size),
    }
}

fn change(root: &mut Value, draw: &mut Draw) {
    let mut places = Vec::new();
    places_in(root, String::new(), &mut places);
    let other = places
        .get(draw.below(places.len()))
        .and_then(|place| root.pointer(place))
        .cloned();
    let Some(value) = places
        .get(draw.below(places.len()))
        .and_then(|place| root.pointer_mut(place))
    else {
        return;
    };
    match draw.below(12) {
        0 => *value = scalar(draw),
        1 | 2 => *value = other.unwrap_or_default(),
        3 => *value = Value::Array(vec![value.take()]),
        // JSON inside a string, as a tool's arguments are.
        4 => *value = Value::String(value.to_string()),
        5 => {
            if let Some(inside) = value
                .as_str()
                .and_then(|text| serde_json::from_str(text).ok())
            {
                *value = inside;
            }
        }
        _ => match value {
            Value::Object(members) => {
                let old = members.keys().nth(draw.below(members.len())).cloned();
                let key = word(draw).to_owned();
                match (draw.below(4), old) {
                    (0, Some(old)) => {
                        members.remove(&old);
                    }
                    (1, Some(old)) => {
                        let member = members.remove(&old).unwrap_or_default();
                        members.insert(key, member);
                    }
                    (2, _) => {
                        members.insert(key, scalar(draw));
                    }
                    _ => {
                        members.insert(key, other.unwrap_or_default());
                    }
                }
            }
            Value::Array(items) => {
                let at = draw.below(items.len() + 1);
                match draw.below(3) {
                    0 if at < items.len() => {
                        items.remove(at);
                    }
                    1 if at < items.len() => items.insert(at, items[at].clone()),
                    _ => items.insert(at, other.unwrap_or_default()),
                }
            }
            Value::String(text) => {
                let at = text.floor_char_boundary(draw.below(text.len() + 1));
                match draw.below(4) {
                    0 => text.truncate(at),
                    1 => *text = word(draw).to_owned(),
                    2 => text.insert_str(at, word(draw)),
                    _ => text.insert_str(at, ODD[draw.below(ODD.len())]),
                }
            }
            _ => *value = scalar(draw),
        },
    }
}

fn places_in(value: &Value, place: String, places: &mut Vec<String>) {
    if places.len() >= MOST_VALUES {
        return;
    }
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                places_in(member, format!("{place}/{key}"), places);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                places_in(item, format!("{place}/{at}"), places);
            }
        }
        _ => {}
    }
    places.push(place);
}

fn word(draw: &mut Draw) -> &'static str {
    WORDS[draw.below(WORDS.len())]
}

/// What is hard to carry.
const ODD: &[&str] = &[
    "",
    " ",
    "\"",
    "\\",
    "\n",
    "\r\n",
    "\u{0}",
    "\u{85}",
    "\u{2028}",
    "\u{FEFF}",
    "\u{1F600}",
    "\u{200B}",
    "é",
    "{",
    "}",
    "[\"",
    "\\u",
    "\\ud83d",
    "data: ",
    "<EMAIL_ADDRESS_1>",
    "ravi@example.in",
    "call_1|x",
    "{\"a\":1}",
    "data:image/png;base64,iVBORw0KGgo=",
    "https://example.org/a.png",
];

fn scalar(draw: &mut Draw) -> Value {
    match draw.below(12) {
        0 => Value::Null,
        1 => false.into(),
        2 => true.into(),
        3 => 0.into(),
        4 => (draw.below(40)).into(),
        5 => u64::MAX.into(),
        6 => (-1).into(),
        7 => 0.5.into(),
        8 => 1e300.into(),
        9 => Value::Array(Vec::new()),
        10 => Value::Object(serde_json::Map::new()),
        _ => Value::String(
            if draw.one_in(3) {
                ODD[draw.below(ODD.len())]
            } else {
                word(draw)
            }
            .to_owned(),
        ),
    }
}

/// Writes `value`, its members in any order, now and then with blanks and escapes that need not be.
fn write(value: &Value, draw: &mut Draw, out: &mut String) {
    if draw.one_in(40) {
        out.push_str([" ", "\n", "\t\r\n"][draw.below(3)]);
    }
    match value {
        Value::Object(members) => {
            out.push('{');
            let turn = draw.below(members.len());
            let turned = members.iter().skip(turn).chain(members.iter().take(turn));
            for (at, (key, member)) in turned.enumerate() {
                if at > 0 {
                    out.push(',');
                }
                string(key, draw, out);
                out.push(':');
                write(member, draw, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, draw, out);
            }
            out.push(']');
        }
        Value::String(text) => string(text, draw, out),
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn string(text: &str, draw: &mut Draw, out: &mut String) {
    if !draw.one_in(30) {
        out.push_str(&Value::from(text).to_string());
        return;
    }
    out.push('"');
    for unit in text.encode_utf16() {
        out.push_str(&format!("\\u{unit:04x}"));
    }
    out.push('"');
}

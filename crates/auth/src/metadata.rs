//! What people note about keys and accounts, as JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

/// Names, each with a value of JSON, kept as it was given: 64 at most, of 16 KiB in all, in objects and lists of 8 levels.
///
/// A [`Principal`](bartizan_core::Principal) tells a text as it is, and any other value as its JSON.
pub type Metadata = BTreeMap<String, Value>;

const MOST_BYTES: usize = 16 * 1024;
const DEEPEST: usize = 8;

/// What a principal says of a value.
pub(crate) fn told(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// Metadata of texts alone.
pub(crate) fn of_texts(texts: &BTreeMap<String, String>) -> Metadata {
    let value = |(name, text): (&String, &String)| (name.clone(), Value::from(text.as_str()));
    texts.iter().map(value).collect()
}

/// Whether it is within its bounds, and no text in it holds what no store keeps and no terminal should be sent.
pub(crate) fn fits(metadata: &Metadata) -> bool {
    let size = serde_json::to_vec(metadata).map_or(usize::MAX, |bytes| bytes.len());
    size <= MOST_BYTES && metadata.values().all(|value| is_plain(value, DEEPEST))
}

fn is_plain(value: &Value, levels: usize) -> bool {
    match value {
        Value::String(text) => is_plain_text(text),
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_plain(item, levels - 1)),
        Value::Object(members) => {
            let plain =
                |(name, item): (&String, &Value)| is_plain_text(name) && is_plain(item, levels - 1);
            levels > 0 && members.iter().all(plain)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn is_plain_text(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inside, _| json!([inside]))
    }

    #[test]
    fn metadata_has_bounds_of_size_and_depth() {
        for (value, fit) in [
            (json!("17"), true),
            (json!(null), true),
            (
                json!({"a": [1, 2.5, true, null, {"b": "two\nlines"}]}),
                true,
            ),
            (nested(8), true),
            (nested(9), false),
            (json!("x".repeat(16_000)), true),
            (json!("x".repeat(16 * 1024)), false),
            (json!(vec![1; 9_000]), false),
            (json!("a\u{0}b"), false),
            (json!({"a": {"\u{1b}[2J": 1}}), false),
        ] {
            let metadata = Metadata::from([("note".to_owned(), value.clone())]);
            assert_eq!(fits(&metadata), fit, "{value}");
        }
    }

    #[test]
    fn a_principal_tells_texts_as_they_are_and_the_rest_as_json() {
        for (value, text) in [
            (json!("17"), "17"),
            (json!(17), "17"),
            (json!(true), "true"),
            (json!({"a": ["b"]}), r#"{"a":["b"]}"#),
        ] {
            assert_eq!(told(&value), text);
        }
    }
}

//! Asking for the usage of a stream.

use std::ops::Range;

use bartizan_core::Document;
use bartizan_core::json::{Kind, Value};

use crate::neutral::is_empty;

/// The text of a streamed request that does not ask for its usage, with that asked for; all else stays byte for byte.
pub(crate) fn ask_stream_usage(document: &Document) -> Option<String> {
    const ASK: &str = r#""include_usage":true"#;
    let root = document.json().root();
    if !document.facts().stream || document.facts().include_usage || root.kind() != Kind::Object {
        return None;
    }
    let options = root.get("stream_options");
    let asked = options.and_then(|options| options.get("include_usage"));
    let splice: (Range<usize>, String) = match (options, asked) {
        (_, Some(asked)) => (asked.range(), "true".to_owned()),
        (Some(options), None) if options.kind() == Kind::Object => insert(options, ASK),
        (Some(options), None) => (options.range(), format!("{{{ASK}}}")),
        (None, None) => insert(root, &format!(r#""stream_options":{{{ASK}}}"#)),
    };
    let text = document.as_str();
    let (range, new) = splice;
    Some([text.get(..range.start)?, &new, text.get(range.end..)?].concat())
}

/// A splice that adds `member` to `object`, last.
fn insert(object: Value<'_>, member: &str) -> (Range<usize>, String) {
    let end = object.range().end.saturating_sub(1);
    let comma = if is_empty(object) { "" } else { "," };
    (end..end, format!("{comma}{member}"))
}

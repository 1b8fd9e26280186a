//! OpenAI responses, stateless.

mod from_client;
mod to_client;

pub(crate) use from_client::decode as decode_ask;
pub(crate) use to_client::ToClient;

use bartizan_core::json::Value;

use crate::neutral::Citation;
use crate::read::member;

/// The source that an annotation names by its address; `None` for others.
fn citation(annotation: Value<'_>) -> Option<Citation<'_>> {
    if !member(annotation, "type").is_some_and(|kind| kind.is("url_citation")) {
        return None;
    }
    let index = |key| member(annotation, key).and_then(Value::as_u64);
    Some(Citation {
        url: member(annotation, "url").and_then(Value::text)?,
        title: member(annotation, "title").and_then(Value::text),
        quote: None,
        range: index("start_index").zip(index("end_index")),
    })
}

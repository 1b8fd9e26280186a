//! OpenAI responses, stateless. What becomes what: [`guide::openai_responses`](crate::guide::openai_responses).

mod from_client;
mod from_provider;
mod grammar;
mod namespace;
#[cfg(test)]
mod tests;
mod to_client;
mod to_provider;

pub(crate) use from_client::decode as decode_ask;
pub(crate) use to_client::ToClient;
pub(crate) use to_provider::encode as encode_ask;

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

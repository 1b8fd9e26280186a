//! Rerank in Cohere's shape, which others have taken over.

use super::cohere::{fails, meta};
use super::facts::Facts;
use super::openai::{ERROR, error, model};
use super::shape::Rule::{By, Each, Fact, FactBy, FactIn, Leaves, Skip};
use super::shape::{Object, Shape};
use super::text::TextRole::{Input, Other};
use crate::Usage;
use crate::json::Value;

/// Documents are texts, or objects of which some members are ranked.
pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("model", Fact(model)),
    ("query", By(Input)),
    ("documents", Leaves(Input)),
    ("rank_fields", Leaves(Other)),
    ("top_n", Skip),
    ("top_k", Skip),
    ("max_tokens_per_doc", Skip),
    ("max_chunks_per_doc", Skip),
    ("return_documents", Skip),
    ("truncation", Skip),
    ("priority", Skip),
]));

pub(super) static REPLY: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("object", Skip),
    ("model", Fact(model)),
    ("provider", Skip),
    ("results", Each(&RESULT)),
    ("data", Each(&RESULT)),
    ("meta", Fact(meta)),
    ("usage", Fact(usage)),
    ("message", FactBy(Other, fails)),
    ("error_type", Skip),
    ("error", FactIn(&ERROR, error)),
]));
static RESULT: Shape = Shape::Object(Object::new(&[
    ("index", Skip),
    ("relevance_score", Skip),
    ("document", Leaves(Input)),
]));

/// Those who count tokens and not searches.
fn usage(facts: &mut Facts, usage: Value<'_>) -> bool {
    let number = |name: &str| usage.get(name).and_then(Value::as_u64);
    if let Some(input) = number("prompt_tokens").or(number("total_tokens")) {
        facts.usage = Some(Usage {
            input,
            ..Usage::default()
        });
    }
    true
}

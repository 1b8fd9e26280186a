//! Google Vertex AI's `predict`, as its models for embeddings have it.

use super::facts::Facts;
use super::gemini::ERROR;
use super::openai::error;
use super::shape::Rule::{By, Each, FactIn, Leaves, Media, Skip};
use super::shape::{Object, Place, Shape};
use super::text::TextRole::{Input, Other};
use crate::Usage;
use crate::json::Value;

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("instances", Each(&INSTANCE)),
    ("parameters", Skip),
]));
static INSTANCE: Shape = Shape::Object(Object::new(&[
    ("content", By(Input)),
    ("title", By(Input)),
    ("text", By(Input)),
    ("image", Media),
    ("video", Media),
    ("task_type", Skip),
    ("taskType", Skip),
    ("mimeType", Skip),
]));

pub(super) static REPLY: Shape = Shape::Object(
    Object::new(&[
        ("predictions", Skip),
        ("metadata", Skip),
        ("deployedModelId", Skip),
        ("model", Skip),
        ("modelDisplayName", Leaves(Other)),
        ("modelVersionId", Skip),
        ("error", FactIn(&ERROR, error)),
    ])
    .also(usage),
);

/// Counted apart for each text.
fn usage(facts: &mut Facts, _: Place, reply: Value<'_>) {
    let predictions = reply.get("predictions").into_iter().flat_map(Value::items);
    let counts = predictions.filter_map(|prediction| {
        let statistics = prediction.get("embeddings")?.get("statistics")?;
        statistics.get("token_count")?.as_u64()
    });
    let counts: Vec<u64> = counts.collect();
    if !counts.is_empty() {
        facts.usage = Some(Usage {
            input: counts
                .iter()
                .fold(0, |sum, count| sum.saturating_add(*count)),
            ..Usage::default()
        });
    }
}

//! Embeddings of Amazon's own models, Titan and Nova, by Bedrock's `InvokeModel`.

use super::facts::Facts;
use super::openai::error;
use super::shape::Rule::{By, FactBy, In, Media, Skip};
use super::shape::{Object, Place, Shape};
use super::text::TextRole::{Input, Other};
use crate::Usage;
use crate::json::Value;

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("inputText", By(Input)),
    ("inputImage", Media),
    ("dimensions", Skip),
    ("normalize", Skip),
    ("embeddingTypes", Skip),
    ("embeddingConfig", Skip),
    // Nova's.
    ("schemaVersion", Skip),
    ("taskType", Skip),
    ("singleEmbeddingParams", In(&SINGLE)),
]));
static SINGLE: Shape = Shape::Object(Object::new(&[
    ("embeddingPurpose", Skip),
    ("embeddingDimension", Skip),
    ("text", In(&TEXT)),
    ("image", Media),
    ("audio", Media),
    ("video", Media),
]));
static TEXT: Shape = Shape::Object(Object::new(&[
    ("truncationMode", Skip),
    ("value", By(Input)),
    ("source", Media),
]));

pub(super) static REPLY: Shape = Shape::Object(
    Object::new(&[
        ("embedding", Skip),
        ("embeddingsByType", Skip),
        ("embeddings", Skip),
        ("requestId", Skip),
        ("inputTextTokenCount", Skip),
        ("message", FactBy(Other, error)),
        ("Message", FactBy(Other, error)),
        ("__type", Skip),
    ])
    .also(usage),
);

fn usage(facts: &mut Facts, _: Place, reply: Value<'_>) {
    if let Some(input) = reply.get("inputTextTokenCount").and_then(Value::as_u64) {
        facts.usage = Some(Usage {
            input,
            ..Usage::default()
        });
    }
}

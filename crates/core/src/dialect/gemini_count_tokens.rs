//! Gemini `countTokens`: the contents to be counted, or the whole request with its model.

use super::gemini::{CONTENT, ERROR, GENERATION, REQUEST as GENERATE, SYSTEM_CONTENT, TOOL};
use super::openai::{costs_nothing, error, model};
use super::shape::Rule::{Each, Fact, FactIn, In, Leaves, Skip};
use super::shape::{Object, Shape};
use super::text::TextRole::Other;

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("model", Fact(model)),
    ("contents", Each(&CONTENT)),
    ("generateContentRequest", In(&GENERATE)),
    ("generate_content_request", In(&GENERATE)),
    // Vertex AI's take the rest beside the contents, and older models' instances.
    ("systemInstruction", In(&SYSTEM_CONTENT)),
    ("system_instruction", In(&SYSTEM_CONTENT)),
    ("tools", Each(&TOOL)),
    ("generationConfig", In(&GENERATION)),
    ("generation_config", In(&GENERATION)),
    ("instances", Leaves(Other)),
]));

pub(super) static REPLY: Shape = Shape::Object(
    Object::new(&[
        ("totalTokens", Skip),
        ("totalBillableCharacters", Skip),
        ("cachedContentTokenCount", Skip),
        ("promptTokensDetails", Skip),
        ("cacheTokensDetails", Skip),
        ("error", FactIn(&ERROR, error)),
    ])
    .also(costs_nothing),
);

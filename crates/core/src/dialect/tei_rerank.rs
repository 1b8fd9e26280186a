//! Rerank of Hugging Face's text-embeddings-inference.

use super::openai::error;
use super::shape::Rule::{By, FactBy, Leaves, Skip};
use super::shape::{Object, Shape};
use super::text::TextRole::{Input, Other};

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("query", By(Input)),
    ("texts", Leaves(Input)),
    ("raw_scores", Skip),
    ("return_text", Skip),
    ("truncate", Skip),
    ("truncation_direction", Skip),
]));

/// A list of ranks; of an error, one object.
pub(super) static REPLY: Shape = Shape::Several(&RANK);
static RANK: Shape = Shape::Object(Object::new(&[
    ("index", Skip),
    ("score", Skip),
    ("text", By(Input)),
    ("error", FactBy(Other, error)),
    ("error_type", Skip),
]));

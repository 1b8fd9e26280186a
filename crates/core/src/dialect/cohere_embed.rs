//! Cohere embed, version 2.

use super::cohere::{fails, meta};
use super::openai::model;
use super::shape::Rule::{Content, Each, Fact, FactBy, In, Leaves, Media, Skip, Text};
use super::shape::{Object, Shape};
use super::text::TextRole::{Input, Other};

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("model", Fact(model)),
    ("texts", Leaves(Input)),
    ("images", Media),
    ("inputs", Each(&MIXED)),
    ("input_type", Skip),
    ("embedding_types", Skip),
    ("output_dimension", Skip),
    ("max_tokens", Skip),
    ("truncate", Skip),
    ("priority", Skip),
]));
static MIXED: Shape = Shape::Object(Object::new(&[("content", Content(&PART))]));
static PART: Shape = Shape::Tagged {
    tag: "type",
    variants: &[("text", &TEXT), ("image_url", &IMAGE)],
    untagged: None,
};
static TEXT: Shape = Shape::Object(Object::new(&[("type", Skip), ("text", Text)]));
static IMAGE: Shape = Shape::Object(Object::new(&[("type", Skip), ("image_url", In(&URL))]));
static URL: Shape = Shape::Object(Object::new(&[("url", Media), ("detail", Skip)]));

/// The texts come back beside their embeddings.
pub(super) static REPLY: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("response_type", Skip),
    ("embeddings", Skip),
    ("texts", Leaves(Input)),
    ("images", Skip),
    ("inputs", Each(&MIXED)),
    ("meta", Fact(meta)),
    ("message", FactBy(Other, fails)),
    ("error_type", Skip),
]));

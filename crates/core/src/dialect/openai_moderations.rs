//! OpenAI moderations.

use super::openai::{ERROR, error, model, usage};
use super::shape::Rule::{ContentBy, Fact, FactIn, In, Leaves, Media, Skip, Text};
use super::shape::{Object, Shape};
use super::text::TextRole::{Input, Other};

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("model", Fact(model)),
    ("input", ContentBy(Input, &PART)),
]));

static PART: Shape = Shape::Tagged {
    tag: "type",
    variants: &[("text", &TEXT), ("image_url", &IMAGE)],
    untagged: None,
};
static TEXT: Shape = Shape::Object(Object::new(&[("type", Skip), ("text", Text)]));
static IMAGE: Shape = Shape::Object(Object::new(&[("type", Skip), ("image_url", In(&URL))]));
static URL: Shape = Shape::Object(Object::new(&[("url", Media)]));

pub(super) static REPLY: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("model", Fact(model)),
    ("results", Leaves(Other)),
    // Only other providers of this API charge for it.
    ("usage", Fact(usage)),
    ("error", FactIn(&ERROR, error)),
]));

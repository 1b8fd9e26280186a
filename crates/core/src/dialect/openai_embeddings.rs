//! OpenAI embeddings.

use super::openai::{ERROR, end_user, error, model, usage};
use super::shape::Rule::{Fact, FactBy, FactIn, LeavesOrTokens, Skip};
use super::shape::{Object, Shape};
use super::text::TextRole::{EndUser, Input};

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("model", Fact(model)),
    ("input", LeavesOrTokens(Input)),
    ("user", FactBy(EndUser, end_user)),
    ("encoding_format", Skip),
    ("dimensions", Skip),
]));

pub(super) static REPLY: Shape = Shape::Object(Object::new(&[
    ("object", Skip),
    ("data", Skip),
    ("model", Fact(model)),
    ("usage", Fact(usage)),
    ("id", Skip),
    ("error", FactIn(&ERROR, error)),
]));

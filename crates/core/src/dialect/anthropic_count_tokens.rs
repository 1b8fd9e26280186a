//! Anthropic's count of a request's tokens: the request is that of messages.

use super::anthropic_messages::reply_type;
use super::openai::{ERROR, costs_nothing};
use super::shape::Rule::{Fact, In, Skip};
use super::shape::{Object, Shape};

pub(super) static REPLY: Shape = Shape::Object(
    Object::new(&[
        ("input_tokens", Skip),
        ("context_management", Skip),
        ("type", Fact(reply_type)),
        ("error", In(&ERROR)),
        ("request_id", Skip),
    ])
    .also(costs_nothing),
);

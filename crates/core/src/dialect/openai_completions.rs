//! OpenAI completions: a prompt that the model goes on from.

use super::facts::Closes;
use super::openai::{
    ERROR, STREAM_OPTIONS, choices, end_user, error, finish_reason, max_output_tokens, model,
    stream, usage,
};
use super::shape::Rule::{
    Blind, By, Each, Fact, FactBy, FactIn, In, Leaves, LeavesOrTokens, Skip, TextOrPieceBy,
};
use super::shape::{Object, Shape};
use super::text::TextRole::{Assistant, EndUser, Other, User};
use crate::json::Kind;

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("model", Fact(model)),
    ("prompt", LeavesOrTokens(User)),
    ("suffix", By(User)),
    ("stream", Fact(stream)),
    ("stream_options", In(&STREAM_OPTIONS)),
    ("max_tokens", Fact(max_output_tokens)),
    ("n", Fact(choices)),
    // The server makes these many answers and gives the best: each is paid for.
    ("best_of", Fact(choices)),
    ("stop", Leaves(Other)),
    ("user", FactBy(EndUser, end_user)),
    ("echo", Skip),
    ("logprobs", Skip),
    ("logit_bias", Skip),
    ("temperature", Skip),
    ("top_p", Skip),
    ("frequency_penalty", Skip),
    ("presence_penalty", Skip),
    ("seed", Skip),
]));

/// A chunk of a stream has the shape of an answer.
pub(super) static REPLY: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("object", Skip),
    ("created", Skip),
    ("model", Fact(model)),
    ("choices", Each(&CHOICE)),
    ("usage", Fact(usage)),
    ("system_fingerprint", Skip),
    ("service_tier", Skip),
    ("error", FactIn(&ERROR, error)),
]));

static CHOICE: Shape = Shape::Object(
    Object::new(&[
        ("index", Skip),
        ("text", TextOrPieceBy(Assistant)),
        ("logprobs", Blind),
        ("prompt_logprobs", Blind),
        ("finish_reason", Fact(finish_reason)),
    ])
    .group("index")
    .also(|facts, place, choice| {
        if choice
            .get("finish_reason")
            .is_some_and(|reason| reason.kind() == Kind::String)
        {
            facts.closes = if facts.closes == Closes::Nothing {
                Closes::Group(place.group)
            } else {
                Closes::All
            };
        }
    }),
);

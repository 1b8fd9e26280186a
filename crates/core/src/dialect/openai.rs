//! What OpenAI's APIs have in common.
//!
//! Source: OpenAI's OpenAPI document, and the members that compatible servers add.

use super::facts::{Facts, Finish};
use super::shape::{Object, Place, Rule, Shape};
use super::text::TextRole;
use crate::Usage;
use crate::json::Value;

pub(super) fn model(facts: &mut Facts, value: Value<'_>) -> bool {
    facts.model = value.text().map(Into::into);
    facts.model.is_some()
}

pub(super) fn stream(facts: &mut Facts, value: Value<'_>) -> bool {
    value.as_bool().is_some_and(|stream| {
        facts.stream = stream;
        true
    })
}

pub(super) fn include_usage(facts: &mut Facts, value: Value<'_>) -> bool {
    value.as_bool().is_some_and(|include| {
        facts.include_usage = include;
        true
    })
}

pub(super) fn max_output_tokens(facts: &mut Facts, value: Value<'_>) -> bool {
    value.as_u64().is_some_and(|most| {
        // Two names for one limit: the larger one is what it may cost.
        facts.max_output_tokens = facts.max_output_tokens.max(Some(most));
        true
    })
}

pub(super) fn choices(facts: &mut Facts, value: Value<'_>) -> bool {
    value.as_u64().is_some_and(|count| {
        // Two names for one number: the larger one is what it may cost.
        facts.choices = facts.choices.max(Some(count));
        true
    })
}

pub(super) fn end_user(facts: &mut Facts, value: Value<'_>) -> bool {
    facts.end_user = value.text().map(Into::into);
    facts.end_user.is_some()
}

pub(super) fn finish_reason(facts: &mut Facts, value: Value<'_>) -> bool {
    facts.finish = value.text().map(|reason| match reason.as_ref() {
        "stop" => Finish::Stop,
        "length" => Finish::Length,
        "tool_calls" | "function_call" => Finish::ToolCalls,
        "content_filter" => Finish::ContentFilter,
        _ => Finish::Other,
    });
    true
}

pub(super) fn error(facts: &mut Facts, _: Value<'_>) -> bool {
    facts.error = true;
    true
}

/// Of an answer that no model made: to count tokens, or the like.
pub(super) fn costs_nothing(facts: &mut Facts, _: Place, _: Value<'_>) {
    facts.usage = Some(Usage::default());
}

/// Chat's and embeddings' usage: cached, cache-written and audio tokens lie within `prompt_tokens`, reasoning within `completion_tokens`.
pub(super) fn usage(facts: &mut Facts, value: Value<'_>) -> bool {
    let number = |value: Option<Value<'_>>| value.and_then(Value::as_u64).unwrap_or(0);
    let detail = |details: &str, name: &str| {
        number(value.get(details).and_then(|details| details.get(name)))
    };
    let prompt = number(value.get("prompt_tokens"));
    let completion = number(value.get("completion_tokens"));
    let reasoning = detail("completion_tokens_details", "reasoning_tokens");
    // xAI counts reasoning beside completion_tokens; its total tells.
    let apart = reasoning > 0
        && number(value.get("total_tokens"))
            == prompt.saturating_add(completion).saturating_add(reasoning);
    let completion = if apart {
        completion.saturating_add(reasoning)
    } else {
        completion
    };
    let mut input = Split::of(prompt);
    let mut output = Split::of(completion);
    // Moonshot's name, and DeepSeek's, where there are no details.
    let cached = detail("prompt_tokens_details", "cached_tokens")
        .max(number(value.get("cached_tokens")))
        .max(number(value.get("prompt_cache_hit_tokens")));
    facts.usage = Some(Usage {
        cached_input: input.take(cached),
        audio_input: input.take(detail("prompt_tokens_details", "audio_tokens")),
        // OpenRouter's name, for providers whose cache is written at a price.
        cache_write: input.take(detail("prompt_tokens_details", "cache_write_tokens")),
        input: input.rest,
        reasoning: output.take(reasoning),
        audio_output: output.take(detail("completion_tokens_details", "audio_tokens")),
        output: output.rest,
    });
    true
}

/// A total from which classes are taken, never more than there is: some providers' details exceed their total.
pub(super) struct Split {
    pub(super) rest: u64,
}

impl Split {
    pub(super) fn of(total: u64) -> Self {
        Self { rest: total }
    }

    pub(super) fn take(&mut self, class: u64) -> u64 {
        let taken = class.min(self.rest);
        self.rest -= taken;
        taken
    }
}

/// An error's own words may quote the prompt.
pub(super) static ERROR: Shape = Shape::Object(Object::new(&[
    ("message", Rule::By(TextRole::Other)),
    ("type", Rule::Skip),
    ("param", Rule::Skip),
    ("code", Rule::Skip),
]));

pub(super) static STREAM_OPTIONS: Shape = Shape::Object(Object::new(&[
    ("include_usage", Rule::Fact(include_usage)),
    ("include_obfuscation", Rule::Skip),
]));

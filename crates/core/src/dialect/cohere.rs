//! What Cohere's APIs have in common.

use super::facts::Facts;
use super::openai::Split;
use crate::Usage;
use crate::json::{Kind, Value};

/// An error is a `message` of words; an answer's is an object.
pub(super) fn fails(facts: &mut Facts, message: Value<'_>) -> bool {
    facts.error |= message.kind() == Kind::String;
    true
}

/// Chat's usage: what the model read and wrote, cached and reasoning tokens within; images stand beside. What is billed stands in where
/// that is missing.
pub(super) fn model_usage(facts: &mut Facts, usage: Value<'_>) -> bool {
    let Some(counts) = usage.get("tokens").or_else(|| usage.get("billed_units")) else {
        return true;
    };
    let number = |value: Value<'_>, name: &str| value.get(name).and_then(Value::as_u64);
    let counted = |name: &str| number(counts, name).unwrap_or(0);
    let mut input = Split::of(counted("input_tokens").saturating_add(counted("image_tokens")));
    let mut output = Split::of(counted("output_tokens"));
    facts.usage = Some(Usage {
        cached_input: input.take(number(usage, "cached_tokens").unwrap_or(0)),
        input: input.rest,
        reasoning: output.take(counted("reasoning_tokens")),
        output: output.rest,
        ..Usage::default()
    });
    true
}

/// The usage of what is no chat: tokens where it is counted in them.
pub(super) fn meta(facts: &mut Facts, meta: Value<'_>) -> bool {
    let number =
        |part: &str, name: &str| meta.get(part).and_then(|counts| counts.get(name)?.as_u64());
    let texts = number("tokens", "input_tokens").or(number("billed_units", "input_tokens"));
    let images = number("billed_units", "image_tokens");
    if texts.or(images).is_some() {
        facts.usage = Some(Usage {
            input: texts.unwrap_or(0).saturating_add(images.unwrap_or(0)),
            ..Usage::default()
        });
    }
    true
}

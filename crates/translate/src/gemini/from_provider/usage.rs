//! Reading what an answer cost.

use bartizan_core::Usage;
use bartizan_core::json::Value;

use crate::read::member;

/// What the API counts. Counts are totals so far, and a count that is not said again stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    prompt: u64,
    cached: u64,
    /// What the provider's own tools put into the prompt.
    tools: u64,
    audio_prompt: u64,
    answer: u64,
    audio_answer: u64,
    thoughts: u64,
}

pub(super) fn read(root: Value<'_>, before: Counts) -> Counts {
    let Some(usage) = member(root, "usageMetadata") else {
        return before;
    };
    let count = |name: &str, before: u64| {
        member(usage, name)
            .and_then(Value::as_u64)
            .unwrap_or(before)
    };
    let audio = |name: &str| -> Option<u64> {
        let details = member(usage, name)?;
        let audio = details
            .items()
            .filter(|detail| member(*detail, "modality").is_some_and(|kind| kind.is("AUDIO")));
        let counts = audio.filter_map(|detail| member(detail, "tokenCount")?.as_u64());
        Some(counts.fold(0, u64::saturating_add))
    };
    let cached_audio = audio("cacheTokensDetails").unwrap_or(0);
    Counts {
        prompt: count("promptTokenCount", before.prompt),
        cached: count("cachedContentTokenCount", before.cached),
        tools: count("toolUsePromptTokenCount", before.tools),
        audio_prompt: audio("promptTokensDetails").map_or(before.audio_prompt, |prompt| {
            prompt.saturating_sub(cached_audio)
        }),
        answer: count("candidatesTokenCount", before.answer),
        audio_answer: audio("candidatesTokensDetails").unwrap_or(before.audio_answer),
        thoughts: count("thoughtsTokenCount", before.thoughts),
    }
}

impl Counts {
    /// What was cached lies within the prompt; thoughts stand beside the answer.
    pub(super) fn settle(self) -> Usage {
        let cached = self.cached.min(self.prompt);
        let rest = self.prompt - cached;
        let audio = self.audio_prompt.min(rest);
        let audio_answer = self.audio_answer.min(self.answer);
        Usage {
            input: (rest - audio).saturating_add(self.tools),
            cached_input: cached,
            audio_input: audio,
            output: self.answer - audio_answer,
            audio_output: audio_answer,
            reasoning: self.thoughts,
            ..Usage::default()
        }
    }
}

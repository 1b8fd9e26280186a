//! Reading what an answer cost.

use bartizan_core::Usage;
use bartizan_core::json::Value;

use crate::read::{member, members};

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
    let mut counts = before;
    let (mut audio_prompt, mut cached_audio) = (None, 0);
    for (key, value) in members(usage) {
        let place = match key.as_ref() {
            "promptTokenCount" => &mut counts.prompt,
            "cachedContentTokenCount" => &mut counts.cached,
            "toolUsePromptTokenCount" => &mut counts.tools,
            "candidatesTokenCount" => &mut counts.answer,
            "thoughtsTokenCount" => &mut counts.thoughts,
            "candidatesTokensDetails" => {
                counts.audio_answer = audio(value);
                continue;
            }
            "promptTokensDetails" => {
                audio_prompt = Some(audio(value));
                continue;
            }
            "cacheTokensDetails" => {
                cached_audio = audio(value);
                continue;
            }
            _ => continue,
        };
        *place = value.as_u64().unwrap_or(*place);
    }
    if let Some(prompt) = audio_prompt {
        counts.audio_prompt = prompt.saturating_sub(cached_audio);
    }
    counts
}

fn audio(details: Value<'_>) -> u64 {
    let audio = details
        .items()
        .filter(|detail| member(*detail, "modality").is_some_and(|kind| kind.is("AUDIO")));
    let counts = audio.filter_map(|detail| member(detail, "tokenCount")?.as_u64());
    counts.fold(0, u64::saturating_add)
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

//! What a call cost, in tokens.

use std::ops::AddAssign;

/// Counts tokens in classes that never overlap.
///
/// Providers nest their classes differently: OpenAI's `prompt_tokens` includes cached tokens, Anthropic's `input_tokens`
/// excludes them. A dialect sorts them out once, so that no token is billed twice or never.
///
/// ```
/// use bartizan_core::Usage;
///
/// let usage = Usage { input: 900, cached_input: 100, output: 40, reasoning: 10, ..Usage::default() };
/// assert_eq!(usage.total_input(), 1_000);
/// assert_eq!(usage.total(), 1_050);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Usage {
    /// Input tokens at the full price: neither cached, nor written to a cache, nor audio.
    pub input: u64,
    /// Input tokens read from the provider's prompt cache.
    pub cached_input: u64,
    /// Input tokens written to the provider's prompt cache.
    pub cache_write: u64,
    /// Output tokens that are text or tool calls.
    pub output: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
    /// Input tokens that are audio.
    pub audio_input: u64,
    /// Output tokens that are audio.
    pub audio_output: u64,
}

impl Usage {
    /// All input classes added up.
    #[must_use]
    pub fn total_input(&self) -> u64 {
        self.input
            .saturating_add(self.cached_input)
            .saturating_add(self.cache_write)
            .saturating_add(self.audio_input)
    }

    /// All output classes added up.
    #[must_use]
    pub fn total_output(&self) -> u64 {
        self.output
            .saturating_add(self.reasoning)
            .saturating_add(self.audio_output)
    }

    /// Every class added up.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total_input().saturating_add(self.total_output())
    }

    /// Takes the larger count of each class.
    ///
    /// Streams report usage in pieces (Anthropic: input first, output cumulative) or again and again, never as
    /// differences; the largest count of each class is the last word whatever the order.
    pub fn raise_to(&mut self, seen: &Self) {
        self.input = self.input.max(seen.input);
        self.cached_input = self.cached_input.max(seen.cached_input);
        self.cache_write = self.cache_write.max(seen.cache_write);
        self.output = self.output.max(seen.output);
        self.reasoning = self.reasoning.max(seen.reasoning);
        self.audio_input = self.audio_input.max(seen.audio_input);
        self.audio_output = self.audio_output.max(seen.audio_output);
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input = self.input.saturating_add(other.input);
        self.cached_input = self.cached_input.saturating_add(other.cached_input);
        self.cache_write = self.cache_write.saturating_add(other.cache_write);
        self.output = self.output.saturating_add(other.output);
        self.reasoning = self.reasoning.saturating_add(other.reasoning);
        self.audio_input = self.audio_input.saturating_add(other.audio_input);
        self.audio_output = self.audio_output.saturating_add(other.audio_output);
    }
}

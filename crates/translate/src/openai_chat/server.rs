//! In what the server that speaks this API differs from OpenAI.

use crate::catalogue::{Quirk, Quirks};
use crate::dialects::To;
use crate::names::Rule;
use crate::neutral::Maker;

/// What Mistral takes for the id of a call.
const SHORT_ID: Rule = Rule {
    fits: |byte| byte.is_ascii_alphanumeric(),
    least: 9,
    most: 9,
};

/// What OpenAI takes for the id of a call.
const CALL_ID: Rule = Rule {
    fits: |byte| byte.is_ascii_graphic(),
    least: 1,
    most: 40,
};

/// What a request hangs on at one server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server<'t> {
    model: &'t str,
    quirks: &'t Quirks,
}

impl<'t> Server<'t> {
    pub(super) fn of(to: &To<'t>) -> Self {
        Self {
            model: to.model,
            quirks: to.quirks,
        }
    }

    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.has(quirk)
    }

    /// What a request's member is called there.
    pub(super) fn calls<'m>(&'m self, member: &'m str) -> &'m str {
        self.quirks.renamed(member).unwrap_or(member)
    }

    pub(super) fn drops(&self, member: &str) -> bool {
        self.quirks.drops(member)
    }

    pub(super) fn refuses(&self, member: &str) -> bool {
        self.quirks.refuses(member)
    }

    /// Whether it takes a member that OpenAI has not.
    pub(super) fn takes(&self, member: &str) -> bool {
        self.quirks.takes(member)
    }

    pub(super) fn hottest(&self) -> f64 {
        self.quirks.hottest()
    }

    /// Whether it lacks what OpenAI added since others took over its API.
    pub(super) fn old_words(&self) -> bool {
        self.has(Quirk::OldWords)
    }

    /// Whether results of tools may hold images. Where the user can't speak right behind them, there is no other place for one.
    pub(super) fn takes_media_in_results(&self) -> bool {
        self.has(Quirk::AssistantAfterTool)
    }

    /// Whether thoughts are parts of the content.
    pub(super) fn thinks_in_parts(&self) -> bool {
        self.has(Quirk::ThinkingParts)
    }

    /// What it takes for the id of a call.
    pub(super) fn call_id(&self) -> Rule {
        if self.has(Quirk::ShortToolIds) {
            SHORT_ID
        } else {
            CALL_ID
        }
    }

    /// Whose signatures it can read, by the model's name at a server that has many.
    pub(super) fn maker(&self) -> Maker {
        match self.model.split('/').next() {
            Some("anthropic") => Maker::Anthropic,
            Some("google") => Maker::Google,
            Some("openai") => Maker::OpenAi,
            _ => Maker::Other,
        }
    }
}

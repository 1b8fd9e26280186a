//! In what the server that speaks this API differs from OpenAI.

use crate::dialects::To;
use crate::names::Rule;
use crate::neutral::Maker;

/// What a request hangs on at one server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server<'t> {
    model: &'t str,
}

impl<'t> Server<'t> {
    pub(super) fn of(to: &To<'t>) -> Self {
        Self { model: to.model }
    }

    /// What a request's member is called there.
    pub(super) fn calls<'m>(&self, member: &'m str) -> &'m str {
        member
    }

    pub(super) fn drops(&self, _member: &str) -> bool {
        false
    }

    pub(super) fn refuses(&self, _member: &str) -> bool {
        false
    }

    /// Whether it takes a member that OpenAI has not.
    pub(super) fn takes(&self, _member: &str) -> bool {
        false
    }

    pub(super) fn hottest(&self) -> f64 {
        2.0
    }

    /// Whether it lacks what OpenAI added since others took over its API.
    pub(super) fn old_words(&self) -> bool {
        false
    }

    /// Whether it can be held to a JSON schema.
    pub(super) fn has_schemas(&self) -> bool {
        true
    }

    /// Whether it can be made to call a tool.
    pub(super) fn can_force(&self) -> bool {
        true
    }

    pub(super) fn wants_system_first(&self) -> bool {
        false
    }

    /// Whether user and assistant must take turns.
    pub(super) fn wants_turns(&self) -> bool {
        false
    }

    pub(super) fn wants_assistant_after_tool(&self) -> bool {
        false
    }

    /// Whether results of tools may hold images.
    pub(super) fn takes_media_in_results(&self) -> bool {
        false
    }

    /// Whether it takes no parts.
    pub(super) fn wants_strings(&self) -> bool {
        false
    }

    /// Whether thoughts are parts of the content.
    pub(super) fn thinks_in_parts(&self) -> bool {
        false
    }

    /// Whether its streams end without a word.
    pub(super) fn ends_unsaid(&self) -> bool {
        false
    }

    /// What it takes for the id of a call, where that is not what OpenAI takes.
    pub(super) fn call_id(&self) -> Option<Rule> {
        None
    }

    /// Whose signatures it can read.
    pub(super) fn maker(&self) -> Maker {
        match self.model.split('/').next() {
            Some("anthropic") => Maker::Anthropic,
            Some("google") => Maker::Google,
            Some("openai") => Maker::OpenAi,
            _ => Maker::Other,
        }
    }
}

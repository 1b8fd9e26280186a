//! In what a server that speaks OpenAI's API differs from OpenAI.

use std::fmt;

use super::fault::Fault;

/// One thing that a compatible server does otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quirk {
    /// It refuses `stream_options`. Whether it says the usage of a stream unasked is another matter.
    NoStreamOptions,
    /// It knows no role `developer`: such messages go as `system`.
    NoDeveloperRole,
    /// It takes one system message, and that at the front.
    SystemFirst,
    /// It wants `user` and `assistant` in turn: neighbours of one role are merged.
    AlternatingRoles,
    /// It refuses a `user` message right after a `tool` message.
    AssistantAfterTool,
    /// It takes the content of a message as a string, not as parts.
    StringContent,
    /// It keeps to no JSON schema: `response_format` of that type goes by a tool.
    NoJsonSchema,
    /// It can't be made to call a tool: `tool_choice` is `auto` or `none` alone.
    NoForcedTool,
    /// It takes ids of tool calls of nine letters and digits, and no others.
    ShortToolIds,
    /// Its streams number every tool call 0: they are told apart by their ids.
    ReusedToolIndex,
    /// Its streams end after the reason why they finished, without `[DONE]`.
    NoDone,
    /// It has none of OpenAI's newer words: tools that take any text, `allowed_tools`, the `refusal` of a message.
    OldWords,
    /// Thoughts are parts of a message's content.
    ThinkingParts,
    /// Its embeddings are base64 of bytes, one signed number each, and never of 32-bit floats (Perplexity).
    Int8Vectors,
}

impl Quirk {
    /// All of them, in the order of their names' first appearance here.
    pub const ALL: [Self; 14] = [
        Self::NoStreamOptions,
        Self::NoDeveloperRole,
        Self::SystemFirst,
        Self::AlternatingRoles,
        Self::AssistantAfterTool,
        Self::StringContent,
        Self::NoJsonSchema,
        Self::NoForcedTool,
        Self::ShortToolIds,
        Self::ReusedToolIndex,
        Self::NoDone,
        Self::OldWords,
        Self::ThinkingParts,
        Self::Int8Vectors,
    ];

    /// Its name in tables and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoStreamOptions => "no_stream_options",
            Self::NoDeveloperRole => "no_developer_role",
            Self::SystemFirst => "system_first",
            Self::AlternatingRoles => "alternating_roles",
            Self::AssistantAfterTool => "assistant_after_tool",
            Self::StringContent => "string_content",
            Self::NoJsonSchema => "no_json_schema",
            Self::NoForcedTool => "no_forced_tool",
            Self::ShortToolIds => "short_tool_ids",
            Self::ReusedToolIndex => "reused_tool_index",
            Self::NoDone => "no_done",
            Self::OldWords => "old_words",
            Self::ThinkingParts => "thinking_parts",
            Self::Int8Vectors => "int8_vectors",
        }
    }

    /// The quirk of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quirk| quirk.as_str() == name)
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// All in which one server differs from OpenAI. The default is OpenAI itself.
///
/// Members are those of a request's top level.
///
/// ```
/// use bartizan_translate::catalogue::{Quirk, Quirks};
///
/// let quirks = Quirks::default()
///     .rename("max_completion_tokens", "max_tokens")?
///     .drop("logit_bias")?
///     .refuse("n")?
///     .with(Quirk::NoDeveloperRole);
/// assert_eq!(quirks.renamed("max_completion_tokens"), Some("max_tokens"));
/// assert!(quirks.drops("logit_bias") && quirks.refuses("n") && quirks.has(Quirk::NoDeveloperRole));
/// # Ok::<(), bartizan_translate::Error>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Quirks {
    flags: u16,
    renames: Vec<(Box<str>, Box<str>)>,
    drops: Vec<Box<str>>,
    refusals: Vec<Box<str>>,
    takes: Vec<Box<str>>,
    max_temperature: Option<f64>,
}

impl Quirks {
    /// OpenAI itself, which differs in nothing.
    pub const NONE: Self = Self {
        flags: 0,
        renames: Vec::new(),
        drops: Vec::new(),
        refusals: Vec::new(),
        takes: Vec::new(),
        max_temperature: None,
    };

    /// Calls the member `from` of a request `to` at this server.
    ///
    /// # Errors
    ///
    /// [`Error::Provider`](crate::Error::Provider) for what is no member's name, and for a member that is renamed, dropped or refused already.
    pub fn rename(mut self, from: &str, to: &str) -> Result<Self, crate::Error> {
        self.renames_to(from, to)
            .map_err(|fault| fault.of("quirks"))?;
        Ok(self)
    }

    /// Leaves the member out and reports it: the answer stays an answer to what was asked.
    ///
    /// # Errors
    ///
    /// As [`rename`](Self::rename).
    pub fn drop(mut self, member: &str) -> Result<Self, crate::Error> {
        self.leaves_out(member)
            .map_err(|fault| fault.of("quirks"))?;
        Ok(self)
    }

    /// Refuses a request with this member, unless it says what happens anyway: without it the answer would be another.
    ///
    /// # Errors
    ///
    /// As [`rename`](Self::rename).
    pub fn refuse(mut self, member: &str) -> Result<Self, crate::Error> {
        self.turns_down(member)
            .map_err(|fault| fault.of("quirks"))?;
        Ok(self)
    }

    /// Sends the member, which OpenAI has not, where a request says it.
    ///
    /// Known are, of a request: `top_k`, `min_p`, `top_a`, `repetition_penalty`, `cache_control`, `reasoning` (as OpenRouter has it) and
    /// `thinking` (as DeepSeek has it); of a message: `reasoning_content`, `reasoning_details`; of a call: `extra_content` (Google's); of
    /// parts: `video_url`, `document_url` (Mistral's, for all files), and `file_url` for files by their address (OpenRouter's).
    ///
    /// # Errors
    ///
    /// As [`rename`](Self::rename).
    pub fn take(mut self, member: &str) -> Result<Self, crate::Error> {
        self.takes_in(member).map_err(|fault| fault.of("quirks"))?;
        Ok(self)
    }

    /// Adds a quirk.
    #[must_use]
    pub fn with(mut self, quirk: Quirk) -> Self {
        self.flags |= quirk.bit();
        self
    }

    /// Takes a quirk away.
    #[must_use]
    pub fn without(mut self, quirk: Quirk) -> Self {
        self.flags &= !quirk.bit();
        self
    }

    /// Sets the highest `temperature` that the server takes; 2 unless told.
    #[must_use]
    pub fn max_temperature(mut self, most: f64) -> Self {
        self.max_temperature = Some(most);
        self
    }

    /// Whether the server has this quirk.
    #[must_use]
    pub const fn has(&self, quirk: Quirk) -> bool {
        self.flags & quirk.bit() != 0
    }

    /// What the member is called there, where that is another name.
    #[must_use]
    pub fn renamed(&self, member: &str) -> Option<&str> {
        let found = self.renames.iter().find(|(from, _)| &**from == member);
        found.map(|(_, to)| &**to)
    }

    /// Whether the member is left out, and reported.
    #[must_use]
    pub fn drops(&self, member: &str) -> bool {
        self.drops.iter().any(|dropped| &**dropped == member)
    }

    /// Whether a request with this member is refused.
    #[must_use]
    pub fn refuses(&self, member: &str) -> bool {
        self.refusals.iter().any(|refused| &**refused == member)
    }

    /// Whether the server takes this member, which OpenAI has not.
    #[must_use]
    pub fn takes(&self, member: &str) -> bool {
        self.takes.iter().any(|taken| &**taken == member)
    }

    /// The highest temperature that the server takes.
    #[must_use]
    pub fn hottest(&self) -> f64 {
        self.max_temperature.unwrap_or(2.0)
    }

    /// Whether it is as OpenAI in all.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn renames_to(&mut self, from: &str, to: &str) -> Result<(), Fault> {
        self.free(from)?;
        member(to)?;
        if from == to {
            return Err(Fault::new("rename", "name another member behind `>`"));
        }
        self.renames.push((from.into(), to.into()));
        Ok(())
    }

    pub(super) fn leaves_out(&mut self, member: &str) -> Result<(), Fault> {
        self.free(member)?;
        self.drops.push(member.into());
        Ok(())
    }

    pub(super) fn turns_down(&mut self, member: &str) -> Result<(), Fault> {
        self.free(member)?;
        self.refusals.push(member.into());
        Ok(())
    }

    pub(super) fn takes_in(&mut self, name: &str) -> Result<(), Fault> {
        member(name)?;
        if !self.takes(name) {
            self.takes.push(name.into());
        }
        Ok(())
    }

    /// Whether `name` is a member that nothing is said of yet.
    fn free(&self, name: &str) -> Result<(), Fault> {
        member(name)?;
        if self.renamed(name).is_some() || self.drops(name) || self.refuses(name) {
            return Err(Fault::new(
                "rename, drop, refuse",
                format!("`{name}` stands there twice: keep one"),
            ));
        }
        Ok(())
    }
}

/// Without them nothing is asked.
const NEEDED: [&str; 4] = ["model", "messages", "input", "stream"];

fn member(name: &str) -> Result<(), Fault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.is_empty() || !name.bytes().all(plain) || NEEDED.contains(&name) {
        return Err(Fault::new(
            "rename, drop, refuse",
            format!("`{name}` can't stand there: name members such as `logit_bias`"),
        ));
    }
    Ok(())
}

impl fmt::Debug for Quirks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags: Vec<Quirk> = Quirk::ALL
            .into_iter()
            .filter(|quirk| self.has(*quirk))
            .collect();
        f.debug_struct("Quirks")
            .field("flags", &flags)
            .field("renames", &self.renames)
            .field("drops", &self.drops)
            .field("refusals", &self.refusals)
            .field("takes", &self.takes)
            .field("max_temperature", &self.max_temperature)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quirk_has_a_name_and_a_bit_of_its_own() {
        for (at, quirk) in Quirk::ALL.into_iter().enumerate() {
            assert_eq!(Quirk::named(quirk.as_str()), Some(quirk));
            let quirks = Quirks::default().with(quirk);
            let others = Quirk::ALL.into_iter().filter(|other| quirks.has(*other));
            assert_eq!(others.count(), 1, "{at}: {quirk:?}");
            assert!(quirks.without(quirk).is_none());
        }
    }

    #[test]
    fn what_is_said_twice_or_can_not_be_said_is_refused() {
        let quirks = || Quirks::default().drop("seed").unwrap();
        for bad in [
            quirks().drop("seed"),
            quirks().refuse("seed"),
            quirks().rename("seed", "random_seed"),
            quirks().rename("a", "a"),
            quirks().rename("a", ""),
            quirks().drop(""),
            quirks().drop("messages"),
            quirks().refuse("model"),
            quirks().drop("a b"),
        ] {
            assert!(bad.is_err());
        }
    }
}

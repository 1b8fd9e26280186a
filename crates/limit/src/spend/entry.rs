//! What is told of a call.

use std::fmt;
use std::time::Duration;

use bartizan_core::{Cost, Usage};

/// Who called, where no layer knew.
pub const ANONYMOUS: &str = "anonymous";

/// The most bytes of a name; what is longer is cut.
const LONGEST: usize = 256;
/// The most tags of a call; further ones are left out.
const MOST_TAGS: usize = 32;

/// The most tokens of a class, and the most money in 10⁻¹⁵ dollars (a million dollars), that one call can be thought to have cost: what a
/// provider says beyond it is nonsense, and would keep sums from being made.
const MOST_TOKENS: u64 = 1_000_000_000_000;
const MOST_COST: u128 = 1_000_000_000_000_000_000_000;

/// The name of an entry: 128 bits, of which the first 48 are the milliseconds from 1970 to its time and the rest is random. So entries lie in
/// the order of their times, and no two processes make the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpendId([u8; 16]);

impl SpendId {
    /// Makes one, for a call at that time since 1970.
    #[must_use]
    pub fn at(time: Duration) -> Self {
        let mut bytes = [0; 16];
        // Without randomness what is left is the time and a count, which is told apart from other processes' by the journal that holds it.
        if getrandom::fill(&mut bytes).is_err() {
            static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
            let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            bytes = (u128::from(count) << 16 | u128::from(std::process::id())).to_be_bytes();
        }
        let milliseconds = milliseconds(time).to_be_bytes();
        for (place, byte) in bytes.iter_mut().zip(milliseconds.iter().skip(2)) {
            *place = *byte;
        }
        Self(bytes)
    }

    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes, the time first.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The time that it holds, since 1970.
    #[must_use]
    pub const fn time(&self) -> Duration {
        let number = u128::from_be_bytes(self.0) >> 80;
        Duration::from_millis(number as u64)
    }

    /// Reads what [`Display`](fmt::Display) writes: 32 hexadecimal digits in lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != 32 || !plain {
            return None;
        }
        let number = u128::from_str_radix(text, 16).ok()?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for SpendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for SpendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SpendOutcome {
    /// Its answer went out whole.
    #[default]
    Complete,
    /// Its answer was left or cut off midway.
    Aborted,
    /// It was refused further in, or the provider answered with an error.
    Failed,
}

impl SpendOutcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Complete, Self::Aborted, Self::Failed];

    /// Its name in tables and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Aborted => "aborted",
            Self::Failed => "failed",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == name)
    }
}

/// What one call cost, and whom. It holds nothing that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpendEntry {
    /// Its name, which holds its time.
    pub id: SpendId,
    /// The public name of the key; [`ANONYMOUS`] for a call without a principal.
    pub key_id: String,
    /// The person or service that called.
    pub user_id: Option<String>,
    /// The team that pays.
    pub team_id: Option<String>,
    /// The organisation of either.
    pub organization_id: Option<String>,
    /// The model, as the caller asked for it.
    pub model: String,
    /// Who served it.
    pub provider: Option<String>,
    /// The model, as the provider calls it.
    pub served_model: Option<String>,
    /// Free-form words that came with the key or the call.
    pub tags: Vec<String>,
    /// Whom the caller called for, as a keyed digest.
    pub end_user: Option<String>,
    /// The tokens.
    pub usage: Usage,
    /// What they cost.
    pub cost: Cost,
    /// Whether the tokens are an estimate, since the provider told none.
    pub estimated: bool,
    /// Whether the model's prices were known.
    pub priced: bool,
    /// How it ended.
    pub outcome: SpendOutcome,
}

impl SpendEntry {
    /// Creates the entry of a call that was let in at that time since 1970: the one by which a budget's period was chosen.
    #[must_use]
    pub fn new(time: Duration, key_id: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            id: SpendId::at(time),
            key_id: key_id.into(),
            user_id: None,
            team_id: None,
            organization_id: None,
            model: model.into(),
            provider: None,
            served_model: None,
            tags: Vec::new(),
            end_user: None,
            usage: Usage::default(),
            cost: Cost::ZERO,
            estimated: false,
            priced: true,
            outcome: SpendOutcome::Complete,
        }
    }

    /// When the call was let in, since 1970.
    #[must_use]
    pub const fn time(&self) -> Duration {
        self.id.time()
    }

    /// What every store can hold: names of 256 bytes at most and without the one character that PostgreSQL knows not; tags in order, each once.
    pub(crate) fn tidy(&mut self) {
        let named = [&mut self.key_id, &mut self.model];
        let told = [
            &mut self.user_id,
            &mut self.team_id,
            &mut self.organization_id,
            &mut self.provider,
            &mut self.served_model,
            &mut self.end_user,
        ];
        for text in named.into_iter().chain(told.into_iter().flatten()) {
            tidy(text);
        }
        self.tags.iter_mut().for_each(tidy);
        self.tags.sort_unstable();
        self.tags.dedup();
        self.tags.truncate(MOST_TAGS);
        let usage = &mut self.usage;
        for count in [
            &mut usage.input,
            &mut usage.cached_input,
            &mut usage.cache_write,
            &mut usage.output,
            &mut usage.reasoning,
            &mut usage.audio_input,
            &mut usage.audio_output,
        ] {
            *count = (*count).min(MOST_TOKENS);
        }
        self.cost = self.cost.min(Cost::from_femto_dollars(MOST_COST));
    }
}

/// What is asked for must be written as what was kept.
pub(crate) fn tidy(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
    }
}

pub(crate) fn milliseconds(time: Duration) -> u64 {
    // As much as an id holds, which is past the year 10000.
    u64::try_from(time.as_millis()).map_or(MOST_MILLISECONDS, |time| time.min(MOST_MILLISECONDS))
}

const MOST_MILLISECONDS: u64 = (1 << 48) - 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_such_as_every_store_can_hold() {
        let mut entry = SpendEntry::new(Duration::ZERO, "a\0b", "ü".repeat(200));
        entry.tags = vec!["b".into(), "a".into(), "b".into()];
        entry.tags.extend((0..40).map(|n| format!("t{n:02}")));
        entry.tidy();
        assert_eq!(entry.key_id, "a\u{fffd}b");
        assert_eq!(entry.model.len(), 256);
        assert_eq!(entry.tags.len(), 32);
        assert_eq!(&entry.tags[..3], ["a", "b", "t00"]);
    }

    proptest! {
        #[test]
        fn ids_hold_their_time_lie_in_its_order_and_read_as_written(one in 0..=MOST_MILLISECONDS, other in 0..=MOST_MILLISECONDS) {
            let ids = [one, other].map(|time| SpendId::at(Duration::from_millis(time)));
            prop_assert_eq!(ids.map(|id| id.time().as_millis()), [one, other].map(u128::from));
            prop_assert!(one == other || (ids[0] < ids[1]) == (one < other));
            prop_assert_eq!(SpendId::parse(&ids[0].to_string()), Some(ids[0]));
            prop_assert_ne!(ids[0], SpendId::at(Duration::from_millis(one)));
        }

        #[test]
        fn what_is_no_id_is_none(text in "[0-9a-fA-F+ -]{0,34}") {
            prop_assert_eq!(SpendId::parse(&text).map(|id| id.to_string()), (text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))).then_some(text));
        }
    }
}

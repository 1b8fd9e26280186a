//! What was masked in one exchange, and the placeholders that stand for it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::Entity;
use crate::entity::PerEntity;
use crate::placeholder::{self, Parsed};
use crate::restore::Restorer;

/// The personal data of one exchange, by placeholder.
///
/// A vault belongs to one request and its answer. Nothing else can read it, so a placeholder that somebody types never
/// turns into another caller's data. What it holds is overwritten with zeros when it is dropped. `Debug` shows counts.
///
/// The same spelling always gets the same placeholder; another spelling of the same number gets its own, since what comes
/// back must be what was sent, byte for byte.
///
/// ```
/// use bartizan_pii::{Entity, Vault};
///
/// let mut vault = Vault::new();
/// vault.reserve("keep <EMAIL_ADDRESS_1> as it is");
/// let placeholder = vault.placeholder(Entity::Email, "ravi@example.in");
///
/// assert_eq!(placeholder, "<EMAIL_ADDRESS_2>");
/// assert_eq!(vault.restore("To: <EMAIL_ADDRESS_2>, <EMAIL_ADDRESS_1>"), "To: ravi@example.in, <EMAIL_ADDRESS_1>");
/// ```
#[derive(Default)]
pub struct Vault {
    entries: Vec<Entry>,
    /// By a keyed hash of the value, so that no second copy of it lies about.
    values: HashMap<u64, Vec<usize>>,
    hasher: RandomState,
    numbers: HashMap<(Entity, u64), usize>,
    reserved: HashSet<(Entity, u64)>,
    /// The kinds that have a placeholder.
    entities: Vec<Entity>,
    last: PerEntity<u64>,
    /// The number before the first that is given out.
    base: u64,
}

struct Entry {
    entity: Entity,
    number: u64,
    original: SecretString,
}

impl Vault {
    /// Creates an empty vault.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty vault whose numbers start anywhere from 100,000 to 1,000,000.
    ///
    /// For an exchange that goes on where one ended whose texts don't come again (a stored conversation): the model still
    /// sees the placeholders of then, and one of now with the same number would make it speak of the wrong person.
    #[must_use]
    pub fn continuing() -> Self {
        let base = 100_000 + RandomState::new().hash_one(()) % 900_000;
        Self {
            base,
            ..Self::default()
        }
    }

    /// Notes which placeholders `text` uses already, so that none of them is given out. Call it with all that the model
    /// will see, before [`placeholder`](Self::placeholder).
    pub fn reserve(&mut self, text: &str) {
        placeholder::mentioned(text, |entity, number| {
            self.reserved.insert((entity, number));
        });
    }

    /// The placeholder for `original`: the one it has, or a new one with a number that no reserved text uses.
    pub fn placeholder(&mut self, entity: Entity, original: &str) -> String {
        let hash = self.hasher.hash_one((entity, original));
        let known = self
            .values
            .get(&hash)
            .into_iter()
            .flatten()
            .filter_map(|index| self.entries.get(*index))
            .find(|entry| entry.entity == entity && entry.original.expose_secret() == original);
        if let Some(entry) = known {
            return placeholder::write(entity, entry.number);
        }
        let mut number = self.last.of(entity).copied().unwrap_or(self.base) + 1;
        while self.reserved.contains(&(entity, number)) {
            number += 1;
        }
        self.last.set(entity, number);
        if !self.entities.contains(&entity) {
            self.entities.push(entity);
        }
        let index = self.entries.len();
        self.entries.push(Entry {
            entity,
            number,
            original: SecretString::from(original),
        });
        self.values.entry(hash).or_default().push(index);
        self.numbers.insert((entity, number), index);
        placeholder::write(entity, number)
    }

    /// Puts back what the placeholders in `text` stand for. What it doesn't know stays as it is.
    #[must_use]
    pub fn restore<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut out = String::new();
        let mut done = 0;
        let mut cursor = 0;
        let mut restored = false;
        while let Some(start) = placeholder::next_start(text, cursor) {
            let before = start
                .checked_sub(1)
                .and_then(|index| text.as_bytes().get(index))
                .copied();
            let rest = text.get(start..).unwrap_or_default();
            cursor = start + 1;
            if let Parsed::Whole {
                length,
                entity,
                number,
            } = placeholder::parse(rest, before, &self.entities, true)
                && let Some(original) = self.original(entity, number)
            {
                out.push_str(text.get(done..start).unwrap_or_default());
                out.push_str(original);
                done = start + length;
                cursor = done;
                restored = true;
            }
        }
        if !restored {
            return Cow::Borrowed(text);
        }
        out.push_str(text.get(done..).unwrap_or_default());
        Cow::Owned(out)
    }

    /// Where in `text` something stands for what this vault holds.
    pub(crate) fn standing_in(&self, text: &str) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        let mut cursor = 0;
        while let Some(start) = placeholder::next_start(text, cursor) {
            let before = start
                .checked_sub(1)
                .and_then(|index| text.as_bytes().get(index))
                .copied();
            let rest = text.get(start..).unwrap_or_default();
            cursor = start + 1;
            if let Parsed::Whole {
                length,
                entity,
                number,
            } = placeholder::parse(rest, before, &self.entities, true)
                && self.original(entity, number).is_some()
            {
                all.push(start..start + length);
                cursor = start + length;
            }
        }
        all
    }

    /// Creates a rewriter that does as [`restore`](Self::restore) for a text that arrives in pieces.
    #[must_use]
    pub fn restorer(self: &Arc<Self>) -> Restorer {
        Restorer::new(Arc::clone(self))
    }

    /// How many values are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was masked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn entities(&self) -> &[Entity] {
        &self.entities
    }

    pub(crate) fn original(&self, entity: Entity, number: u64) -> Option<&str> {
        let index = self.numbers.get(&(entity, number))?;
        self.entries
            .get(*index)
            .map(|entry| entry.original.expose_secret())
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_same_spelling_gets_the_same_placeholder_and_another_its_own() {
        let mut vault = Vault::new();
        let first = vault.placeholder(Entity::InAadhaar, "2341 2341 2346");
        assert_eq!(first, "<IN_AADHAAR_1>");
        assert_eq!(
            vault.placeholder(Entity::InAadhaar, "2341 2341 2346"),
            first
        );
        assert_eq!(
            vault.placeholder(Entity::InAadhaar, "234123412346"),
            "<IN_AADHAAR_2>"
        );
        assert_eq!(
            vault.placeholder(Entity::Phone, "2341 2341 2346"),
            "<PHONE_NUMBER_1>"
        );
        assert_eq!(vault.len(), 3);
    }

    #[test]
    fn a_placeholder_that_the_caller_typed_is_never_given_out_in_any_spelling() {
        for typed in [
            "<EMAIL_ADDRESS_1>",
            "< email address 1 >",
            "EMAIL_ADDRESS_1",
            "\\u003cEMAIL_ADDRESS_1\\u003e",
            "<EMAIL\\_ADDRESS\\_1>",
        ] {
            let mut vault = Vault::new();
            vault.reserve(typed);
            assert_eq!(
                vault.placeholder(Entity::Email, "a@b.in"),
                "<EMAIL_ADDRESS_2>",
                "{typed}"
            );
            assert_eq!(vault.restore(typed), typed);
        }
    }

    #[test]
    fn models_spell_placeholders_in_their_own_way() {
        let mut vault = Vault::new();
        vault.placeholder(Entity::Email, "a@b.in");
        for (written, restored) in [
            ("<EMAIL_ADDRESS_1>", "a@b.in"),
            ("<email_address_1>", "a@b.in"),
            ("< EMAIL_ADDRESS_1 >", "a@b.in"),
            ("<Email Address 1>", "a@b.in"),
            ("<EMAIL-ADDRESS-1>", "a@b.in"),
            ("<EMAIL\\_ADDRESS\\_1>", "a@b.in"),
            ("EMAIL_ADDRESS_1", "a@b.in"),
            ("**EMAIL_ADDRESS_1**", "**a@b.in**"),
            ("&lt;EMAIL_ADDRESS_1&gt;", "&lt;a@b.in&gt;"),
            ("[EMAIL_ADDRESS_1]: <EMAIL_ADDRESS_1>", "[a@b.in]: a@b.in"),
            ("<EMAIL_ADDRESS_1", "<a@b.in"),
        ] {
            assert_eq!(vault.restore(written), restored, "{written}");
        }
    }

    #[test]
    fn what_only_looks_like_a_placeholder_stays() {
        let mut vault = Vault::new();
        vault.placeholder(Entity::Email, "a@b.in");
        for text in [
            "<EMAIL_ADDRESS_12>",
            "<EMAIL_ADDRESS_01>",
            "<EMAIL_ADDRESS>",
            "email_address_1",
            "MY_EMAIL_ADDRESS_1",
            "EMAIL_ADDRESS_1_OLD",
            "EMAIL_ADDRESS_10",
            "<EMAIL_ADDRESS_>",
            "<PHONE_NUMBER_1>",
            "<EMAIL  ADDRESS_1>",
            "email address 1",
            "<EMAIL_ADDRESS_1x>",
            "<EMAIL_ADDRESS_18446744073709551617>",
            "<EMAILADDRESS1>",
        ] {
            assert_eq!(vault.restore(text), text);
        }
    }

    #[test]
    fn nothing_of_a_value_is_shown() {
        let mut vault = Vault::new();
        vault.placeholder(Entity::Email, "canary@b.in");
        assert!(!format!("{vault:?}").contains("canary"));
    }

    proptest! {
        #[test]
        fn what_is_masked_comes_back_byte_for_byte(values in proptest::collection::vec("[ -~é<>_1]{1,12}", 1..6)) {
            let mut vault = Vault::new();
            for value in &values {
                vault.reserve(value);
            }
            let masked: String = values.iter().map(|value| vault.placeholder(Entity::Email, value)).collect();
            prop_assert_eq!(vault.restore(&masked), values.concat());
        }
    }
}

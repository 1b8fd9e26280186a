//! Words that are always data of a kind.

use std::collections::BTreeMap;

use super::{Ahead, Hit, Recognizer};
use crate::{ConfigError, Entity};

/// The longest word of a list, in bytes.
const LONGEST: usize = 256;

/// Finds words as they are written, but for the case of ASCII letters, and only where no Latin letter or digit goes on.
#[derive(Debug)]
pub(crate) struct DenyList {
    entity: Entity,
    /// By their first byte in small letters.
    words: BTreeMap<u8, Vec<String>>,
}

impl DenyList {
    pub(crate) fn new(entity: Entity, words: &[String]) -> Result<Self, ConfigError> {
        let mut by_first: BTreeMap<u8, Vec<String>> = BTreeMap::new();
        for word in words {
            let word = word.trim().to_ascii_lowercase();
            match word.bytes().next() {
                Some(first) if word.len() <= LONGEST => {
                    by_first.entry(first).or_default().push(word);
                }
                _ => {
                    return Err(ConfigError::DenyListWord {
                        entity: entity.as_str(),
                    });
                }
            }
        }
        // The longest that holds wins.
        for words in by_first.values_mut() {
            words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        }
        Ok(Self {
            entity,
            words: by_first,
        })
    }
}

impl Recognizer for DenyList {
    fn name(&self) -> &'static str {
        "DenyListRecognizer"
    }

    fn entities(&self) -> Vec<Entity> {
        vec![self.entity]
    }

    fn may_start(&self, first: u8) -> bool {
        let plain = |byte: &u8| byte.is_ascii() && first.eq_ignore_ascii_case(byte);
        // What isn't ASCII is folded to a class, or to ASCII: then the text tells.
        self.words
            .keys()
            .any(|byte| plain(byte) || !byte.is_ascii())
    }

    fn find(&self, text: &Ahead<'_>) -> Option<Hit> {
        let first = text.original(0)?.to_ascii_lowercase();
        let holds = |word: &&String| {
            word.bytes().enumerate().all(|(place, byte)| {
                text.original(place)
                    .is_some_and(|there| there.to_ascii_lowercase() == byte)
            })
        };
        let ends = |word: &&String| {
            let letter = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
            !(letter(word.bytes().last()) && letter(text.original(word.len())))
        };
        let word = self.words.get(&first)?.iter().filter(holds).find(ends)?;
        Some(Hit::original(self.entity, word.len(), 1.0))
    }
}

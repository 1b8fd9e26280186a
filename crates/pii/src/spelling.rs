//! How a model may spell what was given to it, read byte by byte.

use std::borrow::Cow;
use std::ops::Range;

use crate::fold::{Folded, LATIN, OTHER};

/// A text folded for reading placeholders and fakes: ASCII for what has an ASCII form, angle brackets of all kinds alike.
#[derive(Debug)]
pub(crate) struct Spelling<'t> {
    folded: Folded<'t>,
    bytes: Cow<'t, [u8]>,
}

impl<'t> Spelling<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        if text.is_ascii() {
            return Self {
                folded: Folded::new(text),
                bytes: Cow::Borrowed(text.as_bytes()),
            };
        }
        let folded = Folded::new(text);
        let mut bytes = folded.bytes().to_vec();
        for (index, byte) in bytes.iter_mut().enumerate() {
            if *byte != OTHER {
                continue;
            }
            let character = text
                .get(folded.start(index)..)
                .and_then(|rest| rest.chars().next());
            match character {
                Some('〈' | '《' | '⟨' | '‹' | '«') => *byte = b'<',
                Some('〉' | '》' | '⟩' | '›' | '»') => *byte = b'>',
                _ => {}
            }
        }
        Self {
            folded,
            bytes: Cow::Owned(bytes),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of the text that `range` stands for.
    pub(crate) fn source(&self, range: Range<usize>) -> Range<usize> {
        let start = self.folded.start(range.start);
        start..self.folded.end(range.end).max(start)
    }

    pub(crate) fn start(&self, index: usize) -> usize {
        self.folded.start(index)
    }

    /// The character of the text before `index`, seen or not.
    pub(crate) fn before(&self, index: usize) -> Option<char> {
        if let Cow::Borrowed(bytes) = &self.bytes {
            return index
                .checked_sub(1)
                .and_then(|at| bytes.get(at))
                .map(|byte| char::from(*byte));
        }
        self.folded
            .source()
            .get(..self.folded.start(index))?
            .chars()
            .next_back()
    }
}

/// Whether a word that `character` ends goes on with what follows.
pub(crate) fn joins(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    let mut buffer = [0; 4];
    let text: &str = character.encode_utf8(&mut buffer);
    Folded::new(text)
        .bytes()
        .first()
        .is_some_and(|byte| is_word(*byte))
}

/// Whether a word goes on with `byte`.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == LATIN
}

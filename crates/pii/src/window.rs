//! What a recognizer may read: a folded text of which the end may not have come yet.

use std::cell::Cell;

use crate::context::Tables;
use crate::fold::{Folded, LATIN, OTHER};
use crate::recognize::month;

/// How many folded characters before a finding may be read for words that tell what it is.
pub(crate) const LOOK_BACK: usize = 64;
/// How many folded characters a stream keeps of what it has let go: [`LOOK_BACK`] and a few to see what bounds it.
pub(crate) const KEPT: usize = LOOK_BACK + 16;
/// How far before its anchor a finding may start, in one run without blanks.
const REACH: usize = 64;

/// The longest word of letters that may be the first of a code, or a month's name.
const LONGEST_WORD: usize = 9;
/// The longest before that.
const SECOND_WORD: usize = 5;

/// A text, or what has come of it so far.
///
/// A stream must find what the whole text would show. So every read past the end of an unfinished text is noted, and
/// what was decided after such a read is thrown away and decided again once more has come. Nothing a recognizer reads
/// may bypass [`at`](Self::at).
#[derive(Debug)]
pub(crate) struct Window<'w> {
    folded: &'w Folded<'w>,
    /// Its characters.
    bytes: &'w [u8],
    /// Index 0 is where the text starts.
    opens: bool,
    /// The last index is where the text ends.
    closes: bool,
    touched: Cell<bool>,
    /// What came before index 0.
    tables: Option<&'w Tables>,
    /// How many characters were read.
    #[cfg(test)]
    pub(crate) reads: Cell<u64>,
    /// How many times something was asked for what it finds at a place: a recognizer, a line of a table, a word.
    #[cfg(test)]
    pub(crate) asks: Cell<u64>,
}

impl<'w> Window<'w> {
    pub(crate) fn new(folded: &'w Folded<'w>, opens: bool, closes: bool) -> Self {
        Self {
            folded,
            bytes: folded.bytes(),
            opens,
            closes,
            touched: Cell::new(false),
            tables: None,
            #[cfg(test)]
            reads: Cell::new(0),
            #[cfg(test)]
            asks: Cell::new(0),
        }
    }

    /// What the text before this one left open.
    pub(crate) fn below(self, tables: &'w Tables) -> Self {
        Self {
            tables: Some(tables),
            ..self
        }
    }

    pub(crate) fn tables(&self) -> Option<&'w Tables> {
        self.tables
    }

    pub(crate) fn folded(&self) -> &'w Folded<'w> {
        self.folded
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn closes(&self) -> bool {
        self.closes
    }

    /// The character at `index`, `None` past the end.
    #[inline]
    pub(crate) fn at(&self, index: usize) -> Option<u8> {
        self.count();
        let byte = self.bytes.get(index).copied();
        if byte.is_none() {
            self.touched.set(true);
        }
        byte
    }

    /// The byte at `index` of the text as it came, `None` past the end.
    pub(crate) fn original(&self, index: usize) -> Option<u8> {
        let byte = self.folded.source().as_bytes().get(index).copied();
        if byte.is_none() {
            self.touched.set(true);
        }
        byte
    }

    /// The character before `index`.
    #[inline]
    pub(crate) fn before(&self, index: usize) -> Option<u8> {
        self.count();
        // Before index 0 there is no byte at the greatest one either.
        self.bytes.get(index.wrapping_sub(1)).copied()
    }

    /// The characters from `start` on, `most` of them or as many as there are, and then `None`.
    pub(crate) fn ahead(&self, start: usize, most: usize) -> impl Iterator<Item = Option<u8>> {
        let bytes = self.bytes.get(start..).unwrap_or_default();
        let cut = bytes.len() < most;
        let bytes = bytes.get(..most).unwrap_or(bytes).iter();
        let bytes = bytes.map(|byte| {
            self.count();
            Some(*byte)
        });
        let end = std::iter::once_with(|| self.at(self.len()));
        bytes.chain(end.take(usize::from(cut)))
    }

    /// The `most` characters before `end`, or as many as there are.
    fn last(&self, end: usize, most: usize) -> &'w [u8] {
        let last = self.slice(end.saturating_sub(most), end);
        #[cfg(test)]
        self.reads.set(self.reads.get() + last.len() as u64);
        last
    }

    /// Counts what is asked at a place, for a test.
    #[inline]
    pub(crate) fn ask(&self) {
        #[cfg(test)]
        self.asks.set(self.asks.get() + 1);
    }

    #[inline]
    fn count(&self) {
        #[cfg(test)]
        self.reads.set(self.reads.get() + 1);
    }

    /// The characters of a range that has been read already.
    pub(crate) fn slice(&self, start: usize, end: usize) -> &'w [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Whether anything was read past the end of an unfinished text since the last call.
    pub(crate) fn take_touched(&self) -> bool {
        self.touched.replace(false) && !self.closes
    }

    /// Whether `start..end` is all that the text says.
    pub(crate) fn is_whole(&self, start: usize, end: usize) -> bool {
        self.opens && start == 0 && self.at(end).is_none()
    }

    /// Whether a number or code may start at `start`: not inside a word, a decimal or a longer code.
    pub(crate) fn may_start(&self, start: usize) -> bool {
        let Some(byte) = self.before(start) else {
            return true;
        };
        if is_word(byte) || byte == b'@' {
            return self.is_escaped(start);
        }
        let earlier = start.checked_sub(1).and_then(|index| self.before(index));
        if !earlier.is_some_and(|byte| byte.is_ascii_digit()) {
            return true;
        }
        let digit = |place| {
            self.at(start + place)
                .is_some_and(|byte| byte.is_ascii_digit())
        };
        match byte {
            b'.' | b'-' => false,
            // A date, a fraction, a list of numbers.
            b'/' => !digit(0),
            // Three digits behind a comma are thousands; more are another cell.
            b',' => !digit(0) || (1..4).all(digit),
            _ => true,
        }
    }

    /// Whether the letter before `start` belongs to an escaped line end or the like: `\n` in two characters.
    pub(crate) fn is_escaped(&self, start: usize) -> bool {
        let earlier = start.checked_sub(1).and_then(|index| self.before(index));
        matches!(self.before(start), Some(b'n' | b'r' | b't')) && earlier == Some(b'\\')
    }

    /// Whether a number or code may end before `end`.
    pub(crate) fn may_end(&self, end: usize) -> bool {
        let Some(byte) = self.at(end) else {
            return true;
        };
        if is_word(byte) || byte == b'@' {
            return false;
        }
        match byte {
            b'.' | b'-' => !self.at(end + 1).is_some_and(|byte| byte.is_ascii_digit()),
            _ => true,
        }
    }

    /// The first index at which a finding anchored at `anchor` or later may start.
    ///
    /// It never moves back as `anchor` moves on, so a stream may let go of all that comes before it.
    pub(crate) fn opening(&self, anchor: usize) -> usize {
        let mut start = anchor;
        while start > anchor.saturating_sub(REACH) && self.before(start).is_some_and(is_joint) {
            start -= 1;
        }
        match self.words_before(start) {
            [_, Some(second)] => second,
            [Some(first), None] => first,
            [None, None] => month::before(self, start).unwrap_or(start),
        }
    }

    /// Where the word starts whose first digit is at `anchor`; `None` for another digit of it, and for what is no word of a code.
    pub(crate) fn word(&self, anchor: usize) -> Option<usize> {
        let mut start = anchor;
        while let Some(byte) = self.before(start).filter(|byte| is_word(*byte)) {
            if self.is_escaped(start) {
                break;
            }
            if !byte.is_ascii_alphabetic() || anchor - start > LONGEST_WORD {
                return None;
            }
            start -= 1;
        }
        Some(start)
    }

    /// Where the one and the two short words start that stand right before `start`: a code may be written in pieces (`MH 12 AB 1234`), of which
    /// the first ones have no digit, and so no anchor.
    pub(crate) fn words_before(&self, start: usize) -> [Option<usize>; 2] {
        let first = self.letters_before(start, LONGEST_WORD);
        let second = first.and_then(|first| self.letters_before(first, SECOND_WORD));
        [first, second]
    }

    /// Where the word of letters starts that one separator parts from `start`.
    fn letters_before(&self, start: usize, most: usize) -> Option<usize> {
        let separator = self.before(start)?;
        if !matches!(separator, b' ' | b'-' | b'.' | b'/') {
            return None;
        }
        let end = start - 1;
        if !self
            .before(end)
            .is_some_and(|byte| byte.is_ascii_alphabetic())
        {
            return None;
        }
        // One more than it may have: the last may belong to an escaped line end, and so to no word.
        let before = self.last(end, most + 2).iter().rev();
        let letters = before.take_while(|byte| byte.is_ascii_alphabetic()).count();
        let from = match self.is_escaped(end - letters + 1) {
            true if letters > 0 => end - letters + 1,
            _ if self.before(end - letters).is_some_and(is_word) => return None,
            _ => end - letters,
        };
        if end - from > most {
            return None;
        }
        (from < end).then_some(from)
    }

    /// Whether no letter or digit stands before `start` or behind `end`.
    pub(crate) fn parts_words(&self, start: usize, end: usize) -> bool {
        (!self.before(start).is_some_and(is_word) || self.is_escaped(start))
            && !self.at(end).is_some_and(is_word)
    }
}

/// A character that makes a word with a digit or letter beside it.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == LATIN
}

fn is_joint(byte: u8) -> bool {
    !byte.is_ascii_whitespace()
        && !byte.is_ascii_control()
        && !matches!(byte, OTHER | b',' | b';' | b'"' | b'<' | b'>')
}

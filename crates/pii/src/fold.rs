//! One spelling for the many ways in which the same character is written, with the way back to the bytes as they came.

mod compatible;

use std::borrow::Cow;
use std::cell::Cell;

use self::compatible::{Beside, Spelled, beside, spelled};

/// A letter of a script that parts words as ASCII does (Latin, Greek, Cyrillic): no boundary beside a digit.
pub(crate) const LATIN: u8 = 0x80;
/// A letter or mark of another script with blanks between words: a boundary, for Hindi may write a number without one.
pub(crate) const SCRIPT: u8 = 0x9C;
/// All else: symbols, quotes, emoji, and scripts without blanks between words, which a stream would hold back for long.
pub(crate) const OTHER: u8 = 0xBC;

/// The scripts from Devanagari to Sinhala, which are folded apart.
const INDIC: std::ops::RangeInclusive<char> = '\u{900}'..='\u{dff}';

/// How many runs before and behind the one that was asked for last are looked at first.
const AROUND: usize = 32;

/// So many invisible characters in a row are dropped; the next one is a boundary. It bounds how many bytes one folded
/// character may stand for, and so what a stream holds back.
const MOST_DROPPED: usize = 8;

/// No place in a text.
const NOWHERE: (usize, usize) = (usize::MAX, 0);

/// A text folded to one byte a character, or to several for letters and digits that are written as one.
///
/// Digits, letters and punctuation in any of their forms become ASCII, invisible characters vanish, and what has no
/// ASCII form becomes one of [`LATIN`], [`SCRIPT`] and [`OTHER`].
#[derive(Debug)]
pub(crate) struct Folded<'t> {
    source: &'t str,
    bytes: Cow<'t, [u8]>,
    /// Where a run of characters of the same length starts, in order. None: all are one byte long.
    runs: Vec<Run>,
    /// The run that was asked for last.
    asked: Cell<usize>,
}

/// Characters that follow each other, each `length` bytes long in the source.
#[derive(Clone, Copy, Debug)]
struct Run {
    folded: usize,
    source: usize,
    length: usize,
}

impl<'t> Folded<'t> {
    pub(crate) fn new(source: &'t str) -> Self {
        if source.is_ascii() {
            return Self {
                source,
                bytes: Cow::Borrowed(source.as_bytes()),
                runs: Vec::new(),
                asked: Cell::new(0),
            };
        }
        let mut bytes = vec![0; source.len()];
        let mut slots = bytes.iter_mut();
        let mut runs: Vec<Run> = Vec::with_capacity(source.len() / 4);
        let mut folded = 0;
        let mut dropped = 0;
        let mut rest = source.as_bytes();
        let mut at = 0;
        // Where the next character of the last run would start, and how long it would be.
        let mut expected = NOWHERE;
        // Where the last mark of a note ends.
        let mut noted = None;
        loop {
            // Letters of India's scripts come many in a row.
            let mut letters = 0;
            while let [0xE0, second @ 0xA4..=0xB7, third, tail @ ..] = rest {
                if let Some(slot) = slots.next() {
                    *slot = fold_indic(*second, *third);
                }
                rest = tail;
                letters += 1;
            }
            if letters > 0 {
                if expected != (at, 3) {
                    runs.push(Run {
                        folded,
                        source: at,
                        length: 3,
                    });
                }
                at += 3 * letters;
                folded += letters;
                expected = (at, 3);
                dropped = 0;
            }
            let (byte, length, tail) = match rest {
                [plain @ ..0x80, tail @ ..] => (Some(*plain), 1, tail),
                _ => {
                    let Some((code, length, tail)) = decode(rest) else {
                        break;
                    };
                    let byte = match spelled(code) {
                        Spelled::Not => fold(code),
                        Spelled::One(byte) if !byte.is_ascii_digit() => Some(byte),
                        _ if stands_beside(code, source, at, length, &mut noted) => Some(OTHER),
                        Spelled::One(byte) => Some(byte),
                        Spelled::Many(firsts, last) => {
                            for byte in firsts {
                                runs.push(Run {
                                    folded,
                                    source: at,
                                    length,
                                });
                                if let Some(slot) = slots.next() {
                                    *slot = *byte;
                                }
                                folded += 1;
                            }
                            expected = NOWHERE;
                            Some(last)
                        }
                    };
                    (byte, length, tail)
                }
            };
            rest = tail;
            at += length;
            let byte = match byte {
                None if dropped < MOST_DROPPED => {
                    dropped += 1;
                    continue;
                }
                byte => byte.unwrap_or(OTHER),
            };
            dropped = 0;
            if expected != (at - length, length) {
                runs.push(Run {
                    folded,
                    source: at - length,
                    length,
                });
            }
            expected = (at, length);
            // There are never more folded characters than bytes.
            if let Some(slot) = slots.next() {
                *slot = byte;
            }
            folded += 1;
        }
        bytes.truncate(folded);
        Self {
            source,
            bytes: Cow::Owned(bytes),
            runs,
            asked: Cell::new(0),
        }
    }

    /// The first index from `index` on at which a character starts: of letters written as one, all are taken or none.
    pub(crate) fn whole(&self, index: usize) -> usize {
        let mut index = index;
        while !self.runs.is_empty()
            && (1..self.len()).contains(&index)
            && self.start(index) == self.start(index - 1)
        {
            index += 1;
        }
        index
    }

    pub(crate) fn source(&self) -> &'t str {
        self.source
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Where the folded character `index` starts in the source; the end of the last one for an index past it.
    pub(crate) fn start(&self, index: usize) -> usize {
        if index >= self.bytes.len() {
            return self.end(self.bytes.len());
        }
        self.place(index).0
    }

    /// Where the folded character `index` starts in the source, and how many bytes it has there.
    fn place(&self, index: usize) -> (usize, usize) {
        if self.runs.is_empty() {
            return (index, 1);
        }
        let starts = |run: &Run| run.folded <= index;
        // Places are asked for in turn, so that the next is among the runs around the last.
        let around = self.asked.get().saturating_sub(AROUND);
        let near = self.runs.get(around..).unwrap_or_default();
        let near = near.get(..2 * AROUND).unwrap_or(near);
        let after = match (near.first(), near.last()) {
            (Some(first), Some(last)) if starts(first) && !starts(last) => {
                around + near.partition_point(starts)
            }
            _ => self.runs.partition_point(starts),
        };
        self.asked.set(after);
        match after.checked_sub(1).and_then(|at| self.runs.get(at)) {
            Some(run) => (run.source + (index - run.folded) * run.length, run.length),
            None => (index, 1),
        }
    }

    /// Where the folded character before `index` ends in the source. Invisible characters that follow it are left out.
    pub(crate) fn end(&self, index: usize) -> usize {
        let Some(last) = index.min(self.bytes.len()).checked_sub(1) else {
            return 0;
        };
        let (start, length) = self.place(last);
        start + length
    }

    /// The first folded character that starts at `source` or later.
    pub(crate) fn index(&self, source: usize) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.start(middle) < source {
                low = middle + 1
            } else {
                high = middle
            }
        }
        low
    }

    /// Whether an invisible character stands between `start` and `end`: nobody types one into a number by chance.
    pub(crate) fn hides_something(&self, start: usize, end: usize) -> bool {
        if self.runs.is_empty() {
            return false;
        }
        let text = self
            .source
            .get(self.start(start)..self.end(end))
            .unwrap_or_default();
        text.chars().any(|character| {
            !character.is_ascii()
                && !INDIC.contains(&character)
                && fold(u32::from(character)).is_none()
        })
    }
}

/// The part of a text of which more may come whose characters are folded as they are in the whole: all but a last one that counts what
/// follows, if a letter or digit does.
pub(crate) fn settled(text: &str) -> &str {
    match text.char_indices().next_back() {
        Some((at, last)) if is_counting(last) => text.get(..at).unwrap_or_default(),
        _ => text,
    }
}

/// Whether `text` starts with a character that is folded by what stands before it.
pub(crate) fn leans_back(text: &str) -> bool {
    text.chars()
        .next()
        .is_some_and(|first| !first.is_ascii() && beside(u32::from(first)) != Beside::Nothing)
}

fn is_counting(character: char) -> bool {
    !character.is_ascii() && beside(u32::from(character)) == Beside::Counts
}

/// Whether the character at `at`, which is a way to write digits, stands beside a number in ASCII and is no part of it.
fn stands_beside(
    code: u32,
    source: &str,
    at: usize,
    length: usize,
    noted: &mut Option<usize>,
) -> bool {
    let bytes = source.as_bytes();
    let before = at.checked_sub(1).and_then(|index| bytes.get(index));
    match beside(code) {
        Beside::Nothing => false,
        Beside::Counts => {
            let counted = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'+';
            let counted = bytes.get(at + length).is_some_and(counted);
            counted && before.is_none_or(|byte| byte.is_ascii() && !byte.is_ascii_digit())
        }
        Beside::Notes => {
            let notes = *noted == Some(at) || before.is_some_and(u8::is_ascii_alphanumeric);
            if notes {
                *noted = Some(at + length);
            }
            notes
        }
    }
}

/// The character at the start of valid UTF-8, how many bytes it has, and what follows.
fn decode(bytes: &[u8]) -> Option<(u32, usize, &[u8])> {
    let bits = |byte: &u8, mask: u8, shift: u32| u32::from(byte & mask) << shift;
    Some(match bytes {
        [a @ ..0x80, tail @ ..] => (u32::from(*a), 1, tail),
        [a @ ..0xE0, b, tail @ ..] => (bits(a, 0x1F, 6) | bits(b, 0x3F, 0), 2, tail),
        [a @ ..0xF0, b, c, tail @ ..] => (
            bits(a, 0x0F, 12) | bits(b, 0x3F, 6) | bits(c, 0x3F, 0),
            3,
            tail,
        ),
        [a, b, c, d, tail @ ..] => (
            bits(a, 0x07, 18) | bits(b, 0x3F, 12) | bits(c, 0x3F, 6) | bits(d, 0x3F, 0),
            4,
            tail,
        ),
        _ => return None,
    })
}

/// The folded form of a character of the scripts from Devanagari to Sinhala (U+0900 to U+0DFF), the commonest here: ten blocks alike, each with its
/// digits at 0x66.
#[inline]
fn fold_indic(second: u8, third: u8) -> u8 {
    match (second << 6 | third & 0x3F) & 0x7F {
        place @ 0x66..=0x6F => b'0' + (place - 0x66),
        0x64 | 0x65 => OTHER,
        _ => SCRIPT,
    }
}

/// The folded form of a character outside those scripts; `None` for one that nobody sees.
#[inline]
fn fold(code: u32) -> Option<u8> {
    let digit = |zero: u32| Some(b'0' + u8::try_from((code - zero) % 10).unwrap_or(0));
    match code {
        0..0x80 => u8::try_from(code).ok(),
        0x0660..=0x0669 => digit(0x0660),
        0x06F0..=0x06F9 => digit(0x06F0),
        0x07C0..=0x07C9 => digit(0x07C0),
        0x0E50..=0x0E59 => digit(0x0E50),
        0x0ED0..=0x0ED9 => digit(0x0ED0),
        0x0F20..=0x0F29 => digit(0x0F20),
        0x1040..=0x1049 => digit(0x1040),
        0x17E0..=0x17E9 => digit(0x17E0),
        0x1C50..=0x1C59 => digit(0x1C50),
        0xABF0..=0xABF9 => digit(0xABF0),
        0xA0 | 0x1680 | 0x2000..=0x200A | 0x202F | 0x205F | 0x3000 => Some(b' '),
        0x85 | 0x2028 | 0x2029 => Some(b'\n'),
        0x2010..=0x2015 | 0x2043 | 0x2212 | 0xFE58 => Some(b'-'),
        0xB7 | 0x3002 | 0xFF61 => Some(b'.'),
        0x02D0 | 0x2236 | 0xA789 => Some(b':'),
        0x2044 | 0x2215 => Some(b'/'),
        // Marks above, below and through what stands before them.
        0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20F0 | 0xFE20..=0xFE2F => {
            None
        }
        // Soft hyphen, joiners, bidi marks, variation selectors, tags.
        0xAD
        | 0x061C
        | 0x180E
        | 0x200B..=0x200F
        | 0x202A..=0x202E
        | 0x2060..=0x206F
        | 0xFE00..=0xFE0F
        | 0xFEFF
        | 0xE0000..=0xE01EF => None,
        0xAA | 0xB5 | 0xBA | 0xC0..=0xD6 | 0xD8..=0xF6 | 0xF8..=0x052F | 0x1E00..=0x1FFF => {
            Some(LATIN)
        }
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x2E80..=0xA4CF => Some(OTHER),
        0x0530..=0x1DFF | 0x2C00..=0xD7FF | 0xFB13..=0xFDFF | 0xFE70..=0xFEFC => {
            Some(if char::from_u32(code).is_some_and(char::is_alphanumeric) {
                SCRIPT
            } else {
                OTHER
            })
        }
        _ => Some(OTHER),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_of_every_script_fold_to_ascii() {
        for digits in [
            "०१२३४५६७८९",
            "০১২৩৪৫৬৭৮৯",
            "੦੧੨੩੪੫੬੭੮੯",
            "૦૧૨૩૪૫૬૭૮૯",
            "୦୧୨୩୪୫୬୭୮୯",
            "௦௧௨௩௪௫௬௭௮௯",
            "౦౧౨౩౪౫౬౭౮౯",
            "೦೧೨೩೪೫೬೭೮೯",
            "൦൧൨൩൪൫൬൭൮൯",
            "٠١٢٣٤٥٦٧٨٩",
            "۰۱۲۳۴۵۶۷۸۹",
            "０１２３４５６７８９",
            "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
            "𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿",
        ] {
            assert_eq!(Folded::new(digits).bytes(), b"0123456789", "{digits}");
        }
    }

    #[test]
    fn separators_and_letters_fold_to_ascii() {
        let folded = Folded::new("ＡＢｃ\u{a0}–‑−．＠𝐀𝐳");
        assert_eq!(folded.bytes(), b"ABc ---.@Az");
    }

    #[test]
    fn invisible_characters_vanish_up_to_a_bound() {
        assert_eq!(
            Folded::new("1\u{200b}2\u{200d}\u{2060}3\u{ad}").bytes(),
            b"123"
        );
        let flood = format!("1{}2", "\u{200b}".repeat(9));
        assert_eq!(Folded::new(&flood).bytes(), [b'1', OTHER, b'2']);
    }

    #[test]
    fn ranges_lead_back_to_the_bytes_as_they_came() {
        let text = "आधार २३\u{200b}४१ ok";
        let folded = Folded::new(text);
        let start = folded.bytes().iter().position(u8::is_ascii_digit).unwrap();
        assert_eq!(
            &text[folded.start(start)..folded.end(start + 4)],
            "२३\u{200b}४१"
        );
        assert!(folded.hides_something(start, start + 4));
        assert!(!folded.hides_something(start, start + 2));
    }

    proptest! {
        #[test]
        fn every_index_maps_to_a_character_boundary_in_order(text in "[a-z0-9 é२٣\u{200b}\u{a0}\u{ff11}😀]{0,40}") {
            let folded = Folded::new(&text);
            let mut previous = 0;
            for index in 0..folded.len() {
                let (start, end) = (folded.start(index), folded.end(index + 1));
                prop_assert!(text.is_char_boundary(start) && text.is_char_boundary(end));
                prop_assert!(previous <= start && start < end);
                prop_assert_eq!(folded.index(start), index);
                previous = end;
            }
            prop_assert!(folded.end(folded.len()) <= text.len());
        }
    }
}

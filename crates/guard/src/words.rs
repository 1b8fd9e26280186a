//! Cuts a folded text into words.
//!
//! A sentence's end is a word of its own, since what follows it rarely belongs to what stood before. Nothing is copied.

use std::ops::Range;

/// Where digits or marks stand inside words in the place of letters, or single letters follow each other: stretches of the
/// text that should be read in another way too, with enough around them for a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Oddities(pub(crate) Vec<Range<usize>>);

/// How many bytes on both sides an odd word's rule may reach.
const AROUND: usize = 240;

impl Oddities {
    fn note(&mut self, at: usize) {
        let from = at.saturating_sub(AROUND);
        match self.0.last_mut() {
            Some(last) if last.end >= from => last.end = at + AROUND,
            _ => self.0.push(from..at + AROUND),
        }
    }

    /// The stretches of `text`, which was cut, at the bounds of characters.
    pub(crate) fn stretches<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.0.iter().map(|range| {
            text.get(text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end))
                .unwrap_or_default()
        })
    }
}

/// So many single letters in a row are a word spelled out.
pub(crate) const SPELLED: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Gap,
    Apostrophe,
    Stop,
    Break,
    Mark,
    Wide,
    Ideograph,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Gap; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "byte is below the array's length")]
        {
            classes[byte] = match byte as u8 {
                b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
                b'0'..=b'9' => Class::Digit,
                b'\'' | b'`' => Class::Apostrophe,
                b'.' | b'!' | b'?' | b';' | b':' => Class::Stop,
                b'\n' => Class::Break,
                b'@' | b'$' => Class::Mark,
                0x80.. => Class::Wide,
                _ => Class::Gap,
            };
        }
        byte += 1;
    }
    classes
};

/// One word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word<'t> {
    /// Letters and digits, and where they begin.
    Text(&'t str, usize),
    /// The same with apostrophes in between, which are not part of its spelling.
    Quoted(&'t str, usize),
    /// The end of a sentence, or an empty line.
    Stop,
}

/// Cuts `text`, which is folded, and gives its words in order.
#[inline]
pub(crate) fn cut<'t>(text: &'t str, emit: impl FnMut(Word<'t>)) -> Oddities {
    cut_as::<false>(text, emit)
}

/// The same, but marks that may stand for letters are part of the words they stand in.
pub(crate) fn cut_marked<'t>(text: &'t str, emit: impl FnMut(Word<'t>)) {
    cut_as::<true>(text, emit);
}

#[inline]
fn cut_as<'t, const MARKED: bool>(text: &'t str, mut emit: impl FnMut(Word<'t>)) -> Oddities {
    let mut odd = Oddities::default();
    let mut singles = 0_usize;
    let mut stop = 0_u8; // 1: a stop mark was seen, 2: and white space after it
    let mut breaks = 0_u8;
    let mut marked = false; // a mark stands before the word
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b' ' {
            stop += stop & 1;
            marked = false;
            at += 1;
            continue;
        }
        let class = class(byte);
        let (class, width) = match class {
            Class::Wide => wide_at(text, at),
            _ if MARKED && marks_letter(bytes, at) => (Class::Letter, 1),
            _ => (class, 1),
        };
        match class {
            Class::Letter | Class::Digit | Class::Wide | Class::Ideograph => {
                if stop == 2 || breaks > 1 {
                    emit(Word::Stop);
                }
                (stop, breaks) = (0, 0);
                let (end, traits) = if class == Class::Ideograph {
                    (at + width, Traits::default())
                } else {
                    word_end::<MARKED>(text, at, marked)
                };
                if traits.mixed {
                    odd.note(at);
                }
                let word = text.get(at..end).unwrap_or_default();
                emit(if traits.quoted {
                    Word::Quoted(word, at)
                } else {
                    Word::Text(word, at)
                });
                if end - at == 1 {
                    singles += 1;
                    if singles >= SPELLED {
                        odd.note(at);
                    }
                } else {
                    singles = 0;
                }
                marked = false;
                at = end;
                continue;
            }
            Class::Apostrophe => {}
            _ => {
                // A mark before a word may stand for a letter.
                marked = class == Class::Mark || byte == b'!';
                match class {
                    Class::Stop => stop = 1,
                    Class::Break => {
                        breaks = breaks.saturating_add(1);
                        stop += stop & 1;
                    }
                    _ => stop += stop & u8::from(byte == b' ' || byte == b'\t'),
                }
            }
        }
        at += width;
    }
    odd
}

/// What is special about a word.
#[derive(Clone, Copy, Default)]
struct Traits {
    /// Digits or marks stand where its letters should.
    mixed: bool,
    /// Apostrophes stand in it.
    quoted: bool,
}

/// Where the word that begins at `at` ends.
#[inline]
fn word_end<const MARKED: bool>(text: &str, mut at: usize, marked: bool) -> (usize, Traits) {
    let bytes = text.as_bytes();
    let (mut digit, mut mixed, mut quoted) = (marked, false, false);
    let mut end = at;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii_lowercase() {
            // By far the commonest.
            mixed |= digit;
            at += 1;
            end = at;
            continue;
        }
        match class(byte) {
            Class::Letter => {
                mixed |= digit;
                at += 1;
                end = at;
            }
            Class::Digit => {
                digit = true;
                at += 1;
                end = at;
            }
            Class::Apostrophe => {
                quoted = true;
                at += 1;
            }
            Class::Wide => match wide_at(text, at) {
                (Class::Wide, width) => {
                    mixed |= digit;
                    at += width;
                    end = at;
                }
                _ => break,
            },
            Class::Mark if MARKED => {
                at += 1;
                end = at;
            }
            _ if MARKED && marks_letter(bytes, at) => {
                at += 1;
                end = at;
            }
            _ => break,
        }
    }
    (end, Traits { mixed, quoted })
}

/// Whether a mark at `at` stands for a letter: a letter or another such mark follows.
#[inline]
fn marks_letter(bytes: &[u8], at: usize) -> bool {
    let is_mark = |byte: &u8| matches!(byte, b'@' | b'$' | b'!' | b'|' | b'+');
    bytes.get(at).is_some_and(is_mark)
        && bytes
            .get(at + 1)
            .is_some_and(|next| next.is_ascii_alphanumeric() || is_mark(next))
}

#[inline]
fn class(byte: u8) -> Class {
    #[expect(
        clippy::indexing_slicing,
        reason = "a byte can't pass the table of 256"
    )]
    CLASSES[usize::from(byte)]
}

fn wide_at(text: &str, at: usize) -> (Class, usize) {
    let c = text
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .unwrap_or(' ');
    (wide(c), c.len_utf8())
}

/// Letters, vowel signs and digits of all scripts make words; the punctuation and symbols of the higher planes part them.
fn wide(c: char) -> Class {
    match c as u32 {
        0x80..=0xBF
        | 0x2000..=0x2BFF
        | 0x2E00..=0x2E7F
        | 0x3000..=0x3004
        | 0x3006..=0x3030
        | 0xFE10..=0xFE6F => Class::Gap,
        0xF0000.. | 0xE000..=0xF8FF | 0x1F000..=0x1FAFF => Class::Gap,
        0x060C | 0x061B | 0x066A..=0x066D => Class::Gap,
        0x0589 | 0x061F | 0x06D4 | 0x0964 | 0x0965 => Class::Stop,
        // Scripts that write no spaces: each character is a word.
        0x3005
        | 0x3040..=0x30FF
        | 0x3400..=0x4DBF
        | 0x4E00..=0x9FFF
        | 0xF900..=0xFAFF
        | 0x20000..=0x3FFFF => Class::Ideograph,
        _ => Class::Wide,
    }
}

/// The words of a folded text with one space before, between and after them; a stop is `.`.
pub(crate) fn spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len() + 2);
    spaced.push(' ');
    cut(text, |word| {
        match word {
            Word::Text(word, _) | Word::Quoted(word, _) => {
                spaced.extend(word.chars().filter(|c| !is_apostrophe(*c)));
            }
            Word::Stop => spaced.push('.'),
        }
        spaced.push(' ');
    });
    spaced
}

/// Apostrophes are not part of a word's spelling: `don't` is `dont`.
pub(crate) const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '`')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Folded;

    #[test]
    fn words_have_one_space_between_and_sentences_a_stop() {
        for (text, expected) in [
            ("", " "),
            ("ignore", " ignore "),
            (
                "  Ignore,\tall -- previous/instructions ",
                " ignore all previous instructions ",
            ),
            ("don't d.a.n. now", " dont d a n . now "),
            ("one. two\nthree\n\nfour?", " one . two three . four "),
            ("忽略ab", " 忽 略 ab "),
            ("पिछले निर्देश। भूल", " पिछले निर्देश . भूल "),
            ("a🔥b", " a b "),
        ] {
            assert_eq!(spaced(Folded::new(text).as_str()), expected, "{text:?}");
        }
    }

    #[test]
    fn odd_words_are_noticed() {
        for (text, odd) in [
            ("plain words in a row", false),
            ("in 2024 and a b c", false),
            ("1gnore", true),
            ("by p@ss", true),
            ("i g n o r e", true),
            ("i.g-n_o", true),
        ] {
            assert_eq!(cut(text, |_| ()).0.len(), usize::from(odd), "{text}");
        }
    }

    #[test]
    fn a_stretch_holds_the_odd_word_and_what_is_around_it() {
        let far = "plain words and nothing else é ".repeat(30);
        let text = format!("{far}here 1gnore this {far}and th1s too{far}");
        let odd = cut(&text, |_| ());
        let stretches: Vec<&str> = odd.stretches(&text).collect();
        assert_eq!(stretches.len(), 2);
        assert!(stretches[0].contains("here 1gnore this") && stretches[1].contains("th1s too"));
        assert!(stretches.iter().all(|stretch| stretch.len() < 500));
    }

    proptest! {
        #[test]
        fn words_come_in_order_and_hold_no_space(text in ".{0,60}") {
            let folded = Folded::new(&text);
            let mut last = 0;
            let mut good = true;
            cut(folded.as_str(), |word| {
                if let Word::Text(word, at) | Word::Quoted(word, at) = word {
                    good &= at >= last && !word.is_empty() && !word.contains(char::is_whitespace);
                    good &= folded.as_str().get(at..at + word.len()) == Some(word);
                    last = at + word.len();
                }
            });
            prop_assert!(good);
        }
    }
}

//! Cuts a folded text into words.
//!
//! The matcher reads words with one space before, between and after them; a sentence's end is a word of its own, `.`.
//! Nothing is stored: each byte is handed on with the place it came from.

/// What stood out while a text was cut: reasons to look at it in another way too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Oddities {
    /// Digits or marks stand inside words, where letters should.
    pub(crate) mixed: bool,
    /// Many single letters follow each other.
    pub(crate) spelled: bool,
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

/// Cuts `text`, which is folded, and gives each byte of the result with the place of its word's source.
#[inline(always)]
pub(crate) fn cut(text: &str, mut emit: impl FnMut(usize, u8)) -> Oddities {
    let mut odd = Oddities::default();
    let mut length = 0_usize; // of the current word, in characters
    let mut singles = 0_usize;
    let mut stop = 0_u8; // 1: a stop mark was seen, 2: and white space after it, or an empty line
    let mut breaks = 0_u8;
    let mut digit = false; // the current word has a digit, or ended at a mark
    emit(0, b' ');
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        #[expect(clippy::indexing_slicing, reason = "a byte can't pass the table of 256")]
        let mut class = CLASSES[usize::from(byte)];
        let mut width = 1;
        let mut alone = false;
        if class == Class::Wide {
            let c = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
            width = c.len_utf8();
            class = wide(c);
            alone = is_ideograph(c);
        }
        match class {
            Class::Letter | Class::Digit | Class::Wide => {
                if length == 0 || alone {
                    if length > 0 {
                        emit(at, b' ');
                        length = 0;
                    }
                    if stop == 2 || breaks > 1 {
                        emit(at, b'.');
                        emit(at, b' ');
                    }
                    (stop, breaks) = (0, 0);
                }
                if class == Class::Digit {
                    digit = true;
                } else if digit {
                    odd.mixed = true;
                }
                for offset in at..at + width {
                    emit(offset, bytes.get(offset).copied().unwrap_or_default());
                }
                length += 1;
                if alone {
                    emit(at + width, b' ');
                    (length, digit, singles) = (0, false, 0);
                }
            }
            Class::Apostrophe => {}
            _ => {
                if length > 0 {
                    if length == 1 {
                        singles += 1;
                        odd.spelled |= singles >= SPELLED;
                    } else {
                        singles = 0;
                    }
                    emit(at, b' ');
                    length = 0;
                }
                // A mark in the middle of a word may stand for a letter; so may one that follows a gap.
                digit = class == Class::Mark || byte == b'!';
                match class {
                    Class::Stop => stop = 1,
                    Class::Break => {
                        breaks += 1;
                        stop += stop & 1;
                    }
                    _ => stop += stop & u8::from(byte == b' ' || byte == b'\t'),
                }
            }
        }
        at += width;
    }
    if length > 0 {
        odd.spelled |= length == 1 && singles + 1 >= SPELLED;
        emit(bytes.len(), b' ');
    }
    odd
}

/// Letters, vowel signs and digits of all scripts make words; the punctuation and symbols of the higher planes part them.
fn wide(c: char) -> Class {
    match c as u32 {
        0x80..=0xBF | 0x2000..=0x2BFF | 0x2E00..=0x2E7F | 0x3000..=0x3004 | 0x3006..=0x3030 | 0xFE10..=0xFE6F => Class::Gap,
        0xF0000.. | 0xE000..=0xF8FF | 0x1F000..=0x1FAFF => Class::Gap,
        0x060C | 0x061B | 0x066A..=0x066D => Class::Gap,
        0x0589 | 0x061F | 0x06D4 | 0x0964 | 0x0965 => Class::Stop,
        _ => Class::Wide,
    }
}

/// Scripts that write no spaces: each character is a word.
const fn is_ideograph(c: char) -> bool {
    matches!(c as u32, 0x3005 | 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// The words of a folded text, as the matcher reads them.
pub(crate) fn spaced(text: &str) -> (String, Oddities) {
    let mut bytes = Vec::with_capacity(text.len() + 2);
    let odd = cut(text, |_, byte| bytes.push(byte));
    (String::from_utf8(bytes).unwrap_or_default(), odd)
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
            ("  Ignore,\tall -- previous/instructions ", " ignore all previous instructions "),
            ("don't d.a.n. now", " dont d a n . now "),
            ("one. two\nthree\n\nfour?", " one . two three . four "),
            ("忽略ab", " 忽 略 ab "),
            ("पिछले निर्देश। भूल", " पिछले निर्देश . भूल "),
            ("a🔥b", " a b "),
        ] {
            assert_eq!(spaced(Folded::new(text).as_str()).0, expected, "{text:?}");
        }
    }

    #[test]
    fn odd_words_are_noticed() {
        for (text, mixed, spelled) in [
            ("plain words in a row", false, false),
            ("in 2024 and a b c", false, false),
            ("1gnore", true, false),
            ("by p@ss", true, false),
            ("i g n o r e", false, true),
            ("i.g-n_o", false, true),
        ] {
            assert_eq!(spaced(text).1, Oddities { mixed, spelled }, "{text}");
        }
    }

    proptest! {
        #[test]
        fn places_rise_and_spaces_never_double(text in ".{0,60}") {
            let folded = Folded::new(&text);
            let (mut last, mut before, mut double) = (0, 0, false);
            let mut rising = true;
            cut(folded.as_str(), |place, byte| {
                rising &= place >= last;
                double |= byte == b' ' && before == b' ';
                (last, before) = (place, byte);
            });
            prop_assert!(rising && !double && before == b' ' && last <= folded.as_str().len());
        }
    }
}

//! Whose number a word speaks of, where more than one stands behind it.
//!
//! A word for a phone speaks of the first number behind it, and of those that are listed with it: `call 98765 43210 or 98765 43211`. It speaks
//! of no number that has a label of its own, whichever words that is in: `mobile 98765 43210 on leads 8756773433`.

use crate::context::{Kind, Near};
use crate::window::{LOOK_BACK, Window, is_word};

/// So many digits are a number that a word may have spoken of.
const NUMBER: usize = 7;
/// How far before a number an `id` ends that is its label, quotes and a colon between.
const LABEL: u8 = 4;
/// How far before the end of an `id` a word ends that stands right before it: `WhatsApp id`.
const COMPOUND: u8 = 4;

/// Words that join the numbers of a list, or say no more than that one follows.
const JOINING: &[&[u8]] = &[
    b"and", b"or", b"to", b"from", b"then", b"also", b"not", b"now", b"nor", b"but", b"is", b"was",
    b"new", b"old", b"other", b"another", b"second", b"aur", b"ya", b"und", b"oder", b"et", b"ou",
    b"y", b"e", b"o",
];

/// Whether a word of `kind` speaks of the number at `start`, `near` which it stands.
pub(super) fn speaks(window: &Window<'_>, start: usize, near: &Near, kind: Kind) -> bool {
    near.distance(kind).is_some_and(|distance| {
        let own = near
            .distance(Kind::ID)
            .is_some_and(|id| id <= LABEL && distance > id + COMPOUND);
        let between = usize::from(distance).min(LOOK_BACK);
        !own && reaches(window.slice(start.saturating_sub(between), start))
    })
}

/// Whether what stands at the start of `between` speaks of what follows it, past all numbers in it.
fn reaches(between: &[u8]) -> bool {
    // Most often there is no number at all.
    if between.iter().filter(|byte| byte.is_ascii_digit()).count() < NUMBER {
        return true;
    }
    let mut rest = between;
    while let Some(end) = rest.iter().rposition(u8::is_ascii_digit) {
        let (number, gap) = rest.split_at(end + 1);
        let start = number
            .iter()
            .rposition(|byte| !byte.is_ascii_digit() && !is_inside(*byte))
            .map_or(0, |index| index + 1);
        let (before, number) = number.split_at(start);
        let digits = number.iter().filter(|byte| byte.is_ascii_digit()).count();
        if digits >= NUMBER && has_own_label(gap) {
            return false;
        }
        // A short number counts for a word of what stands around it.
        rest = before;
    }
    true
}

/// What may stand between the digits of one number.
fn is_inside(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'(' | b')' | b'+')
}

/// Whether the text between two numbers has words about the second: the name of its field, or a word that no comma or the like
/// parts from the first. Words in capitals are names, whose numbers are listed.
fn has_own_label(gap: &[u8]) -> bool {
    let listed = |byte: &u8| matches!(byte, b',' | b';' | b'/' | b'|' | b'&');
    let open = gap
        .iter()
        .rposition(|byte| !matches!(byte, b' ' | b'"' | b'\'' | b'(' | b'['))
        .map_or(0, |index| index + 1);
    let field = gap
        .get(..open)
        .and_then(|gap| gap.strip_suffix(b":").or_else(|| gap.strip_suffix(b"=")));
    if let Some(field) = field
        && last_word(field).first().is_some_and(u8::is_ascii_lowercase)
    {
        return true;
    }
    let mut words = gap
        .split(|byte| !is_word(*byte))
        .filter(|word| !word.is_empty());
    let joined = |word: &[u8]| JOINING.iter().any(|own| word.eq_ignore_ascii_case(own));
    !gap.iter().any(listed)
        && !words.clone().any(joined)
        && words.any(|word| word.first().is_some_and(u8::is_ascii_lowercase))
}

/// The letters and digits at the end of `text`, what quotes it left out.
fn last_word(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_end();
    let text = text.strip_suffix(b"\"").unwrap_or(text);
    let start = text
        .iter()
        .rposition(|byte| !is_word(*byte) && *byte != b'_')
        .map_or(0, |index| index + 1);
    text.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_reaches_the_numbers_of_its_list_and_none_with_a_label_of_its_own() {
        for (between, heard) in [
            (" ", true),
            (" no 2 of the list at 10:30 is ", true),
            (" 9876543210, ", true),
            (" 98765 43210 or ", true),
            (" 98765 43210 and sita ", true),
            (" 9876543210\nSita ", true),
            (": 9876543210\n", true),
            (" moved from 9876543210 to ", true),
            (" 9876543210 on leads ", false),
            (" 9876543210 on leads 8756773433 and ", false),
            (" 9876543210. Merge into the older one (lead ", false),
            (" no 19334517926\nDriving test slot ", false),
            ("\":\"9876543210\",\"visit\":\"", false),
            ("=9876543210 visit=", false),
            (": 9876543210, Sita: ", true),
        ] {
            assert_eq!(reaches(between.as_bytes()), heard, "{between}");
        }
    }
}

//! PAN: three letters, the holder's kind, a letter, four digits, a letter.

use super::{Match, Scene};
use crate::Entity;
use crate::context::Kind;

const PAN: Kind = Kind::of(Entity::InPan);

/// How long a PAN is.
pub(super) const LETTERS: usize = 10;

pub(super) fn find(scene: &Scene<'_>) -> Option<Match> {
    let window = scene.window;
    let anchor = scene.anchor;
    // Backwards over five letters, with at most one separator between any two.
    let mut start = anchor;
    let mut separated = 0;
    let mut blanks = 0;
    let mut code = [0; LETTERS];
    for slot in code.iter_mut().take(5).rev() {
        let mut byte = window.before(start)?;
        if matches!(byte, b' ' | b'-' | b'.') {
            separated += 1;
            blanks += usize::from(byte == b' ');
            start -= 1;
            byte = window.before(start)?;
        }
        if !byte.is_ascii_alphabetic() {
            return None;
        }
        *slot = byte;
        start -= 1;
    }
    let mut end = anchor;
    for (place, slot) in code.iter_mut().skip(5).enumerate() {
        let mut byte = window.at(end)?;
        if place > 0 && matches!(byte, b' ' | b'-' | b'.') {
            separated += 1;
            blanks += usize::from(byte == b' ');
            end += 1;
            byte = window.at(end)?;
        }
        let expected = if place < 4 {
            byte.is_ascii_digit()
        } else {
            byte.is_ascii_alphabetic()
        };
        if !expected {
            return None;
        }
        *slot = byte;
        end += 1;
    }
    let lower = code.iter().any(u8::is_ascii_lowercase);
    code.make_ascii_uppercase();
    if !is_pan(&code) || !window.may_start(start) || !window.may_end(end) {
        return None;
    }
    let hidden = window.folded().hides_something(start, end)
        || blanks > 0 && written_otherwise(scene, start, end);
    let said = || scene.before().has(PAN) || scene.after(end).has(PAN);
    let score = match () {
        () if said() => 1.0,
        () if window.is_whole(start, end) => 0.85,
        // `AFTER 2024 A` is a PAN's shape with blanks.
        () if lower || blanks > 0 && !hidden || separated > 2 => 0.3,
        () if separated > 0 => 0.7,
        () => 0.85,
    };
    Some(Match::new(start, end, score))
}

/// Whether it has blanks that nobody types, or digits or letters of another script: it was set with care.
fn written_otherwise(scene: &Scene<'_>, start: usize, end: usize) -> bool {
    let folded = scene.window.folded();
    let text = folded
        .source()
        .get(folded.start(start)..folded.end(end))
        .unwrap_or_default();
    !text.contains(' ')
        || text
            .chars()
            .any(|character| !character.is_ascii() && character.is_alphanumeric())
}

/// Whether ten characters in upper case make a PAN.
pub(super) fn is_pan(code: &[u8]) -> bool {
    let [a, b, c, kind, e, digits @ .., check] = code else {
        return false;
    };
    let letters = [a, b, c, e, check].into_iter().all(u8::is_ascii_uppercase);
    let holder = matches!(
        kind,
        b'A' | b'B' | b'C' | b'F' | b'G' | b'H' | b'J' | b'L' | b'P' | b'T'
    );
    letters
        && holder
        && digits.len() == 4
        && digits.iter().all(u8::is_ascii_digit)
        && digits != b"0000"
}

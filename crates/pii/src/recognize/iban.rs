//! IBAN: country, two check digits, an account of the country's length, modulo 97.

use std::sync::LazyLock;

use super::wrapped::behind_break;
use super::{Match, Scene, rows};
use crate::checks::mod_97;

/// The longest IBAN, and room to spare.
const LONGEST: usize = 34;

pub(super) fn find(scene: &Scene<'_>) -> Option<Match> {
    let window = scene.window;
    let start = scene.anchor.checked_sub(2)?;
    let country = [
        window.before(start + 1)?.to_ascii_uppercase(),
        window.before(start + 2)?.to_ascii_uppercase(),
    ];
    if !country.iter().all(u8::is_ascii_uppercase)
        || !window.at(start + 3)?.is_ascii_digit()
        || !window.may_start(start)
    {
        return None;
    }
    let length = LENGTHS
        .iter()
        .find(|(known, _)| *known == country)
        .map(|(_, length)| *length)?;
    let mut code = [0; LONGEST];
    let code = code.get_mut(..length)?;
    let mut at = start;
    // It was parted before, and by the end of a line.
    let (mut parted, mut broken) = (false, false);
    for (place, slot) in code.iter_mut().enumerate() {
        let mut byte = window.at(at)?;
        // Printed in fours, of which some may have come into the next line.
        if place > 0 && place % 4 == 0 && !byte.is_ascii_alphanumeric() {
            match behind_break(window, at) {
                Some(behind) if parted && !broken => {
                    at = behind;
                    broken = true;
                }
                None if matches!(byte, b' ' | b'-' | b'.') => at += 1,
                _ => return None,
            }
            parted = true;
            byte = window.at(at)?;
        }
        if !byte.is_ascii_alphanumeric() {
            return None;
        }
        *slot = byte;
        at += 1;
    }
    let mixed = code.iter().any(u8::is_ascii_lowercase) && code.iter().any(u8::is_ascii_uppercase);
    (mod_97(code) && !mixed && window.may_end(at))
        .then(|| Match::new(start, at, 1.0).checked("mod_97"))
}

static LENGTHS: LazyLock<Vec<([u8; 2], usize)>> = LazyLock::new(|| {
    rows(include_str!("../../data/iban_lengths.csv"))
        .filter_map(|row| match row.as_slice() {
            [country, length] => Some((country.as_bytes().try_into().ok()?, length.parse().ok()?)),
            _ => None,
        })
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_shipped_lengths_is_read() {
        assert_eq!(
            LENGTHS.len(),
            rows(include_str!("../../data/iban_lengths.csv")).count()
        );
        assert!(
            LENGTHS
                .iter()
                .all(|(country, length)| country.len() == 2 && (15..=LONGEST).contains(length))
        );
    }
}

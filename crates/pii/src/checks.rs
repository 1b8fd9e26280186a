//! Check digits, and other rules that a number keeps.

mod america;
mod asia;
mod europe;
mod pacific;

use crate::recognize::bank;

/// Verhoeff's scheme over all digits, the check digit last: Aadhaar.
pub(crate) fn verhoeff(digits: &[u8]) -> bool {
    // Multiplication in the dihedral group D5, and its permutation, as Verhoeff published them.
    const PRODUCT: [[u8; 10]; 10] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ];
    const PERMUTED: [[u8; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let entry = |table: &[[u8; 10]], row: usize, column: u8| {
        table
            .get(row)
            .and_then(|row| row.get(usize::from(column)))
            .copied()
            .unwrap_or(0)
    };
    let check = digits
        .iter()
        .rev()
        .enumerate()
        .fold(0u8, |check, (place, digit)| {
            entry(
                &PRODUCT,
                usize::from(check),
                entry(&PERMUTED, place % 8, digit.wrapping_sub(b'0')),
            )
        });
    !digits.is_empty() && check == 0
}

/// Luhn's scheme over all digits, the check digit last: cards.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit.wrapping_sub(b'0'));
            match place % 2 {
                0 => digit,
                _ if digit > 4 => 2 * digit - 9,
                _ => 2 * digit,
            }
        })
        .sum();
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// Luhn's scheme modulo 36, the check character last, in upper case: GSTIN.
pub(crate) fn luhn_36(code: &[u8]) -> bool {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'Z' => Some(u32::from(byte - b'A') + 10),
        _ => None,
    };
    let Some((check, body)) = code.split_last() else {
        return false;
    };
    let mut sum = 0;
    for (place, byte) in body.iter().enumerate() {
        let Some(value) = value(*byte) else {
            return false;
        };
        let product = if place % 2 == 0 { value } else { 2 * value };
        sum += product / 36 + product % 36;
    }
    value(*check) == Some((36 - sum % 36) % 36)
}

/// ISO 7064 modulo 97 with the first four characters moved to the end: IBAN. Any case.
pub(crate) fn mod_97(code: &[u8]) -> bool {
    let Some((head, tail)) = code.split_at_checked(4) else {
        return false;
    };
    let mut rest = 0u32;
    for byte in tail.iter().chain(head) {
        rest = match byte.to_ascii_uppercase() {
            digit @ b'0'..=b'9' => rest * 10 + u32::from(digit - b'0'),
            letter @ b'A'..=b'Z' => rest * 100 + u32::from(letter - b'A') + 10,
            _ => return false,
        } % 97;
    }
    rest == 1
}

/// Tells whether letters and digits in upper case are one that may have been given out.
pub(crate) type Check = fn(&[u8]) -> bool;

/// The check that is called `name`, and that name.
pub(crate) fn named(name: &str) -> Option<(&'static str, Check)> {
    CHECKS.iter().find(|(known, _)| *known == name).copied()
}

/// The names of all checks.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|(name, _)| *name)
}

/// The checks by the names that the tables and findings call them.
const CHECKS: &[(&str, Check)] = &[
    ("aba", america::aba),
    ("abn", pacific::abn),
    ("acn", pacific::acn),
    ("born", born),
    ("brn", asia::brn),
    ("codice_fiscale", europe::codice_fiscale),
    ("dea", america::dea),
    ("dni", europe::dni),
    ("frn", asia::frn),
    ("hetu", europe::hetu),
    ("icao", europe::icao),
    ("ifsc_bank", ifsc),
    ("itin", america::itin),
    ("kvnr", europe::kvnr),
    ("lanr", europe::lanr),
    ("luhn", luhn),
    ("luhn_mod_36", luhn_36),
    ("medicare", pacific::medicare),
    ("mod_11_10", mod_11_10),
    ("mod_97", mod_97),
    ("national_id_tr", asia::turkish),
    ("nhs", europe::nhs),
    ("nie", europe::nie),
    ("nonzero", nonzero),
    ("npi", america::npi),
    ("nric", asia::nric),
    ("organisationsnummer", europe::organisation),
    ("personnummer", europe::personnummer),
    ("pesel", europe::pesel),
    ("pin", pin),
    ("piva", europe::piva),
    ("plate", plate),
    ("plz", europe::plz),
    ("region_kr", asia::region),
    ("rrn", asia::rrn),
    ("rvnr", europe::rvnr),
    ("ssn", america::ssn),
    ("steuer_id", europe::steuer_id),
    ("tfn", pacific::tfn),
    ("tin_ph", asia::tin),
    ("tnin", asia::tnin),
    ("uen", asia::uen),
    ("uk_plate", europe::uk_plate),
    ("uk_surname", europe::uk_surname),
    ("verhoeff", verhoeff),
    ("za_id", pacific::south_african),
];

/// The code of a branch of a bank of India that is known.
fn ifsc(code: &[u8]) -> bool {
    bank::is_branch(code)
}

/// A postal code of India; thousands are amounts.
fn pin(digits: &[u8]) -> bool {
    !digits.ends_with(b"000")
}

/// Four digits at the end that aren't all zero: a number plate.
fn plate(code: &[u8]) -> bool {
    !code.ends_with(b"0000")
}

/// The first six digits are a birth date: year, month, day.
fn born(digits: &[u8]) -> bool {
    let date = digits.get(..6).map_or(0, number);
    is_day(None, date / 100 % 100, date % 100)
}

fn nonzero(digits: &[u8]) -> bool {
    digits.iter().any(|digit| *digit != b'0')
}

/// ISO 7064 modulo 11, 10 over all digits, the check digit last.
fn mod_11_10(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else {
        return false;
    };
    let product = body.iter().fold(10, |product, digit| {
        let sum = (value(*digit) + product) % 10;
        2 * if sum == 0 { 10 } else { sum } % 11
    });
    value(*check) == (11 - product) % 10
}

/// What a digit counts.
fn value(digit: u8) -> u32 {
    u32::from(digit.wrapping_sub(b'0'))
}

/// The sum of what digits count, each so many times.
fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    let pairs = digits.iter().zip(weights);
    pairs.map(|(digit, weight)| value(*digit) * weight).sum()
}

/// The number that digits write.
fn number(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |number, digit| number * 10 + u64::from(value(*digit)))
}

/// Whether all are the same.
fn uniform(digits: &[u8]) -> bool {
    digits.windows(2).all(|pair| pair.first() == pair.last())
}

/// Whether there is such a day, of any year if none is given.
fn is_day(year: Option<u64>, month: u64, day: u64) -> bool {
    let leap = year
        .is_none_or(|year| year.is_multiple_of(4) && (year % 100 != 0 || year.is_multiple_of(400)));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_numbers_pass_and_neighbours_fail() {
        assert!(verhoeff(b"2363") && verhoeff(b"123451") && !verhoeff(b"123452"));
        assert!(luhn(b"4111111111111111") && !luhn(b"4111111111111112"));
        assert!(luhn_36(b"27AAPFU0939F1ZV") && !luhn_36(b"27AAPFU0939F1ZW"));
        assert!(mod_97(b"GB82WEST12345698765432") && mod_97(b"gb82west12345698765432"));
        assert!(!mod_97(b"GB82WEST12345698765433") && !mod_97(b"GB") && !mod_97(b""));
    }

    proptest! {
        #[test]
        fn verhoeff_sees_each_single_error_and_swap(number in "[0-9]{11}", place in 0usize..11, other in 0u8..10) {
            let whole = (b'0'..=b'9')
                .map(|check| [number.as_bytes(), &[check]].concat())
                .find(|digits| verhoeff(digits))
                .unwrap();
            let mut wrong = whole.clone();
            wrong[place] = b'0' + other;
            prop_assert_eq!(verhoeff(&wrong), wrong == whole);
            let mut swapped = whole.clone();
            swapped.swap(place, place + 1);
            prop_assert_eq!(verhoeff(&swapped), swapped == whole);
        }
    }
}

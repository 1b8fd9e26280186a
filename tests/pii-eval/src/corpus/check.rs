//! Check digits, computed the way in which an issuer appends them. Written from the definitions and not from the
//! analyzer's checks: a check that is tested by itself shows nothing.

/// The product of two symmetries of the pentagon: 0–4 are its rotations, 5–9 its reflections.
fn dihedral(a: u8, b: u8) -> u8 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (a - 5 + 5 - (b - 5)) % 5,
    }
}

/// Verhoeff's permutation, in cycles: (0 1 5 8 9 4 2 7)(3 6).
fn permuted(digit: u8, times: usize) -> u8 {
    (0..times).fold(digit, |digit, _| match digit {
        0 => 1,
        1 => 5,
        5 => 8,
        8 => 9,
        9 => 4,
        4 => 2,
        2 => 7,
        7 => 0,
        3 => 6,
        _ => 3,
    })
}

/// The digit that Verhoeff's scheme appends.
pub(crate) fn verhoeff(payload: &str) -> char {
    let last_first = payload.bytes().rev().map(|byte| byte - b'0');
    let product = last_first.enumerate().fold(0, |product, (place, digit)| {
        dihedral(product, permuted(digit, (place + 1) % 8))
    });
    let inverse = if product < 5 {
        (5 - product) % 5
    } else {
        product
    };
    char::from(b'0' + inverse)
}

/// The digit that Luhn's scheme appends.
pub(crate) fn luhn(payload: &str) -> char {
    let mut sum = 0;
    for (place, byte) in payload.bytes().rev().enumerate() {
        let digit = u32::from(byte - b'0') * if place % 2 == 0 { 2 } else { 1 };
        sum += digit / 10 + digit % 10;
    }
    char::from_digit((10 - sum % 10) % 10, 10).unwrap_or('0')
}

/// The character that Luhn's scheme appends over 0–9A–Z, as a GSTIN has it.
pub(crate) fn luhn36(payload: &str) -> char {
    let mut sum = 0;
    for (place, letter) in payload.chars().rev().enumerate() {
        let value = letter.to_digit(36).unwrap_or_default() * if place % 2 == 0 { 2 } else { 1 };
        sum += value / 36 + value % 36;
    }
    let digit = (36 - sum % 36) % 36;
    char::from_digit(digit, 36)
        .unwrap_or('0')
        .to_ascii_uppercase()
}

/// The two check digits of an IBAN.
pub(crate) fn mod97(country: &str, account: &str) -> String {
    let number = format!("{account}{country}00");
    let rest = number.chars().fold(0u32, |rest, letter| {
        let value = letter.to_digit(36).unwrap_or_default();
        (rest * if value > 9 { 100 } else { 10 } + value) % 97
    });
    format!("{:02}", 98 - rest)
}

/// The last digit of an EAN-13 or ISBN-13.
pub(crate) fn ean(payload: &str) -> char {
    let digits = payload.chars().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| digit * if place % 2 == 0 { 1 } else { 3 })
        .sum();
    char::from_digit((10 - sum % 10) % 10, 10).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples that standards and issuers print.
    #[test]
    fn published_numbers_get_their_own_check_digits() {
        assert_eq!(verhoeff("236"), '3');
        assert_eq!(verhoeff("12345"), '1');
        assert_eq!(verhoeff("23412341234"), '6');
        assert_eq!(luhn("7992739871"), '3');
        assert_eq!(luhn("411111111111111"), '1');
        assert_eq!(luhn36("27AAPFU0939F1Z"), 'V');
        assert_eq!(luhn36("29AAGCB7383J1Z"), '4');
        assert_eq!(mod97("GB", "WEST12345698765432"), "82");
        assert_eq!(mod97("DE", "370400440532013000"), "89");
        assert_eq!(ean("978030640615"), '7');
    }
}

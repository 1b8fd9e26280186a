//! Random text in base62, and the fixed-width base62 of a number.

use crate::Error;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether each byte is one of the 62 letters and digits.
pub(crate) fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Draws `length` characters, each of the 62 alike likely.
pub(crate) fn draw(length: usize) -> Result<String, Error> {
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length {
        getrandom::fill(&mut bytes).map_err(|_| Error::Randomness)?;
        // Six bits give 0..64; 62 and 63 are drawn again, since folding them over would favour two characters.
        let drawn = bytes
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte >> 2)));
        text.extend(
            drawn
                .take(length - text.len())
                .map(|&byte| char::from(byte)),
        );
    }
    bytes.fill(0);
    Ok(text)
}

/// Spells `number` in six base62 digits, the most significant first. 62⁶ is more than 2³².
pub(crate) fn six_digits(mut number: u32) -> [u8; 6] {
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        if let Some(&byte) = ALPHABET.get((number % 62) as usize) {
            *digit = byte;
        }
        number /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn draws_are_of_the_length_asked_and_of_the_alphabet() {
        for length in [0, 1, 22, 43, 64, 65, 200] {
            let text = draw(length).unwrap();
            assert_eq!(text.len(), length);
            assert!(is_base62(&text));
        }
    }

    #[test]
    fn every_character_is_alike_likely() {
        let mut seen = BTreeMap::new();
        for byte in draw(62 * 1_000).unwrap().bytes() {
            *seen.entry(byte).or_insert(0_u32) += 1;
        }
        assert_eq!(seen.len(), 62);
        // Eight standard deviations about the mean of 1,000: a folded alphabet gives two characters 1,300 or more.
        assert!(
            seen.values().all(|&times| (750..1_250).contains(&times)),
            "{seen:?}"
        );
    }

    #[test]
    fn six_digits_hold_every_number() {
        assert_eq!(&six_digits(0), b"000000");
        assert_eq!(&six_digits(61), b"00000z");
        assert_eq!(&six_digits(62), b"000010");
        assert_eq!(&six_digits(u32::MAX), b"4gfFC3");
    }
}

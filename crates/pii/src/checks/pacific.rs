//! Numbers of Australia and of South Africa.

use super::{is_day, luhn, number, value, weighted};

/// A business: its own first digit counts one less.
pub(super) fn abn(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    digits.len() == 11 && !digits.starts_with(b"0") && (sum - 10).is_multiple_of(89)
}

/// A company.
pub(super) fn acn(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
    digits.len() == 9 && sum.is_multiple_of(10)
}

/// A person's number at Medicare.
pub(super) fn medicare(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9]);
    digits.get(8).is_some_and(|check| sum % 10 == value(*check))
}

/// A tax file.
pub(super) fn tfn(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]);
    digits.len() == 9 && sum > 0 && sum.is_multiple_of(11)
}

/// South Africa's identity number: a birth date, a citizen or resident, Luhn.
pub(super) fn south_african(digits: &[u8]) -> bool {
    let (Some(date), Some(status)) = (digits.get(..6), digits.get(10..12)) else {
        return false;
    };
    let date = number(date);
    // Of the two centuries that the year may belong to, 2000 is the one with a leap day.
    let year = 2000 + date / 10_000;
    digits.len() == 13
        && is_day(Some(year), date / 100 % 100, date % 100)
        && matches!(status, [b'0'..=b'2', b'8' | b'9'])
        && luhn(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_pass_and_neighbours_fail() {
        assert!(abn(b"51824753556") && !abn(b"51824753557"));
        assert!(acn(b"000000180") && acn(b"004085616") && !acn(b"004085617"));
        assert!(medicare(b"2123456701") && !medicare(b"2123456711"));
        assert!(tfn(b"876543210") && !tfn(b"876543211") && !tfn(b"000000000"));
        assert!(
            south_african(b"8001015009087")
                && !south_african(b"8001015009088")
                && !south_african(b"8013015009087")
        );
    }
}

//! Numbers of the United States.

use super::{luhn, number, uniform, weighted};

/// A bank's routing number.
pub(super) fn aba(digits: &[u8]) -> bool {
    digits.len() == 9
        && !uniform(digits)
        && weighted(digits, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

/// The certificate of the drug administration: two letters, or a letter and a nine, before seven digits.
pub(super) fn dea(code: &[u8]) -> bool {
    match code {
        [_, _, digits @ .., check] if digits.len() == 6 => {
            weighted(digits, &[1, 2, 1, 2, 1, 2]) % 10 == super::value(*check)
        }
        _ => false,
    }
}

/// A provider of health care: Luhn behind 80840, which stands for health and the country.
pub(super) fn npi(digits: &[u8]) -> bool {
    let mut whole = *b"808400000000000";
    let (_, own) = whole.split_at_mut(5);
    if digits.len() != own.len() || digits.get(..9).is_some_and(uniform) {
        return false;
    }
    own.copy_from_slice(digits);
    luhn(&whole)
}

/// A social security number that may have been given out.
pub(super) fn ssn(digits: &[u8]) -> bool {
    let (Some(area), Some(group), Some(serial)) =
        (digits.get(..3), digits.get(3..5), digits.get(5..9))
    else {
        return false;
    };
    // Numbers from 900 on are those of taxpayers without one. The last three were printed in advertisements and samples.
    let given = !matches!(number(area), 0 | 666 | 900..) && number(group) > 0 && number(serial) > 0;
    let sample = matches!(number(digits), 78_051_120 | 219_099_999 | 123_456_789);
    given && !sample && !uniform(digits)
}

/// A taxpayer's number: the middle two digits are 50 to 65, 70 to 88, 90 to 92 or 94 to 99.
pub(super) fn itin(digits: &[u8]) -> bool {
    let middle = digits.get(3..5).map_or(0, number);
    digits.len() == 9 && matches!(middle, 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_pass_and_neighbours_fail() {
        assert!(aba(b"121000358") && aba(b"021000021") && !aba(b"121000359") && !aba(b"000000000"));
        assert!(dea(b"BB1388568") && dea(b"K92993548") && !dea(b"BG8207031"));
        assert!(npi(b"1234567893") && !npi(b"1234567892") && !npi(b"1111111112"));
        assert!(ssn(b"078051123") && ssn(b"460899847"));
        for wrong in [
            "000123456",
            "666123456",
            "900123456",
            "123001234",
            "123450000",
            "078051120",
            "111111111",
        ] {
            assert!(!ssn(wrong.as_bytes()), "{wrong}");
        }
    }
}

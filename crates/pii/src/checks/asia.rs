//! Numbers of Korea, the Philippines, Singapore, Thailand and Turkey.

use super::{number, uniform, value, weighted};

/// A business of Korea.
pub(super) fn brn(digits: &[u8]) -> bool {
    match digits {
        [body @ .., ninth, check] if body.len() == 8 => {
            let last = value(*ninth) * 5;
            let sum = weighted(body, &[1, 3, 7, 1, 3, 7, 1, 3]) + last + last / 10;
            !uniform(digits) && (sum + value(*check)).is_multiple_of(10)
        }
        _ => false,
    }
}

/// A driving licence of Korea names the region that gave it out.
pub(super) fn region(digits: &[u8]) -> bool {
    digits.len() == 12
        && digits
            .get(..2)
            .is_some_and(|region| matches!(number(region), 11..=26 | 28))
}

const RESIDENT: [u32; 12] = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];

/// A resident of Korea. Those registered since October 2020 have no check digit.
pub(super) fn rrn(digits: &[u8]) -> bool {
    let place = digits.get(7..9).map_or(100, number);
    let sum = weighted(digits, &RESIDENT);
    place <= 95
        && digits
            .get(12)
            .is_some_and(|check| (11 - sum % 11) % 10 == value(*check))
}

/// A foreigner in Korea.
pub(super) fn frn(digits: &[u8]) -> bool {
    let place = digits.get(7..9).map_or(100, number);
    let sum = weighted(digits, &RESIDENT);
    place <= 95
        && digits
            .get(12)
            .is_some_and(|check| (13 - sum % 11) % 10 == value(*check))
}

/// A taxpayer of the Philippines, with or without the branch.
pub(super) fn tin(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]);
    digits
        .get(8)
        .is_some_and(|check| sum > 0 && sum % 11 == value(*check))
}

/// A person of Singapore: citizens and residents S and T, foreigners F, G and M.
pub(super) fn nric(code: &[u8]) -> bool {
    let [kind, digits @ .., check] = code else {
        return false;
    };
    let sum = weighted(digits, &[2, 7, 6, 5, 4, 3, 2]);
    let (more, letters): (u32, &[u8; 11]) = match kind {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"KLJNPQRTUWX"),
        _ => return false,
    };
    let place = usize::try_from((sum + more) % 11).unwrap_or(0);
    let place = if *kind == b'M' { 10 - place } else { place };
    digits.len() == 7 && letters.get(place) == Some(check)
}

/// What a business of Singapore may be: a partnership, a company of abroad, a club and so on.
const UEN_KINDS: &[u8] =
    b"LPLLFCPFRFMQMMNBCCCSMBFMGSDPCPNRCMCDMDHSVHCHMHCLXLCXHCRPTUTCFBFNPAPBSSMCSMGAGB";

/// A business of Singapore, in one of three forms.
pub(super) fn uen(code: &[u8]) -> bool {
    let Some((check, body)) = code.split_last() else {
        return false;
    };
    let letter = |letters: &[u8], place: u32| {
        usize::try_from(place).is_ok_and(|place| letters.get(place) == Some(check))
    };
    match body {
        [b'R' | b'S' | b'T', rest @ ..] if body.len() == 9 => {
            const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWX0123456789";
            let kind = rest.get(2..4).unwrap_or_default();
            let sum: Option<usize> = body
                .iter()
                .zip([4, 3, 5, 3, 10, 2, 2, 5, 7])
                .map(|(byte, weight)| {
                    Some(ALPHABET.iter().position(|known| known == byte)? * weight)
                })
                .sum();
            UEN_KINDS.chunks(2).any(|known| known == kind)
                && sum.is_some_and(|sum| ALPHABET.get((sum + 6) % 11) == Some(check))
        }
        _ if !body.iter().all(u8::is_ascii_digit) => false,
        _ if body.len() == 8 => letter(
            b"XMKECAWLJDB",
            weighted(body, &[10, 4, 9, 3, 8, 2, 7, 1]) % 11,
        ),
        _ if body.len() == 9 => {
            let year = body.get(..4).map_or(0, number);
            (1900..2100).contains(&year)
                && letter(
                    b"ZKCMDNERGWH",
                    weighted(body, &[10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11,
                )
        }
        _ => false,
    }
}

/// A person of Thailand: a province behind the first digit.
pub(super) fn tnin(digits: &[u8]) -> bool {
    let province = digits.get(1..3).map_or(0, number);
    if !matches!(province, 10..=27 | 30..=49 | 50..=58 | 60..=67 | 70..=77 | 80..=86 | 90..=96) {
        return false;
    }
    let sum = weighted(digits, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    digits
        .get(12)
        .is_some_and(|check| (11 - sum % 11) % 10 == value(*check))
}

/// A person of Turkey.
pub(super) fn turkish(digits: &[u8]) -> bool {
    let [first, .., tenth, last] = digits else {
        return false;
    };
    let odd = weighted(digits, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighted(digits, &[0, 1, 0, 1, 0, 1, 0, 1]);
    let sum = odd + even + value(*tenth);
    digits.len() == 11
        && *first != b'0'
        && (odd * 7 + 90 - even) % 10 == value(*tenth)
        && sum % 10 == value(*last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_pass_and_neighbours_fail() {
        assert!(brn(b"1208147521") && !brn(b"1208147522"));
        assert!(region(b"110012345678") && !region(b"270012345678"));
        assert!(
            nric(b"S1234567D") && nric(b"T1234567J") && nric(b"F1234567N") && nric(b"G1234567X")
        );
        assert!(nric(b"M1234567K") && !nric(b"S1234567E") && !nric(b"A1234567D"));
        assert!(
            uen(b"53125226D") && uen(b"201434292D") && uen(b"T16RF0037C") && !uen(b"T16XX0037C")
        );
        assert!(tnin(b"1234567890121") && !tnin(b"1234567890122") && !tnin(b"1974567890124"));
        assert!(turkish(b"10000000146") && !turkish(b"10000000147"));
        assert!(
            tin(b"000123456") && tin(b"000123456001") && !tin(b"000123457") && !tin(b"000000000")
        );
    }
}

//! Numbers of Europe.

use super::{is_day, luhn, mod_11_10, number, value, weighted};

/// The United Kingdom's health service: modulo 11, the check digit counting once.
pub(super) fn nhs(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    digits.len() == 10 && sum > 0 && sum.is_multiple_of(11)
}

/// Germany's postal codes start at 01001 and end at 99998.
pub(super) fn plz(digits: &[u8]) -> bool {
    digits.len() == 5 && matches!(number(digits), 1_001..=99_998)
}

/// A driving licence of the United Kingdom starts with a name, filled up with nines.
pub(super) fn uk_surname(code: &[u8]) -> bool {
    let name = code.get(..5).unwrap_or_default();
    let nines = name.iter().rev().take_while(|byte| **byte == b'9').count();
    let letters = name
        .iter()
        .take_while(|byte| byte.is_ascii_uppercase())
        .count();
    letters > 0 && letters + nines == 5
}

/// A number plate of the United Kingdom since 2001: half a year from 02 to 29, or from 51 to 79.
pub(super) fn uk_plate(code: &[u8]) -> bool {
    code.get(2..4)
        .is_some_and(|half| matches!(number(half), 2..=29 | 51..=79))
}

const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// Spain's tax number of a person: modulo 23.
pub(super) fn dni(code: &[u8]) -> bool {
    let Some((check, digits)) = code.split_last() else {
        return false;
    };
    letter_of(number(digits)) == Some(*check)
}

/// Spain's number of a foreigner: X, Y and Z count 0, 1 and 2.
pub(super) fn nie(code: &[u8]) -> bool {
    let [first @ b'X'..=b'Z', digits @ .., check] = code else {
        return false;
    };
    let head = u64::from(first - b'X') * 10_u64.pow(u32::try_from(digits.len()).unwrap_or(0));
    matches!(digits.len(), 6..=7) && letter_of(head + number(digits)) == Some(*check)
}

fn letter_of(number: u64) -> Option<u8> {
    LETTERS.get(usize::try_from(number % 23).ok()?).copied()
}

/// Finland's personal identity code: a day, then modulo 31.
pub(super) fn hetu(code: &[u8]) -> bool {
    let [date @ .., a, b, c, check] = code else {
        return false;
    };
    let digits = date.get(..6).unwrap_or_default();
    let day = number(digits);
    let whole = day * 1_000 + number(&[*a, *b, *c]);
    let letters = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let place = usize::try_from(whole % 31).unwrap_or(0);
    is_day(None, day / 100 % 100, day / 10_000) && letters.get(place) == Some(check)
}

/// Poland's number of a person.
pub(super) fn pesel(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    let date = digits.get(..6).map_or(0, number);
    digits.len() == 11 && sum.is_multiple_of(10) && is_day(None, date / 100 % 20, date % 100)
}

/// Sweden's number of a person: a day (60 more for those who don't live there), then Luhn.
pub(super) fn personnummer(digits: &[u8]) -> bool {
    let Some(short) = digits
        .len()
        .checked_sub(10)
        .and_then(|more| digits.get(more..))
    else {
        return false;
    };
    let date = short.get(..6).map_or(0, number);
    let day = date % 100;
    let century = digits.len() == 10 || matches!(digits.get(..2), Some(b"18" | b"19" | b"20"));
    century
        && is_day(
            None,
            date / 100 % 100,
            if day > 60 { day - 60 } else { day },
        )
        && luhn(short)
}

/// Sweden's number of an organisation: what stands where the month would is no month.
pub(super) fn organisation(digits: &[u8]) -> bool {
    digits.len() == 10 && matches!(digits.get(2), Some(b'2'..=b'9')) && luhn(digits)
}

/// Italy's value added tax number.
pub(super) fn piva(digits: &[u8]) -> bool {
    digits.len() == 11 && number(digits) > 0 && luhn(digits)
}

/// Italy's fiscal code: characters in odd places count by a table, those in even ones as they are, modulo 26.
pub(super) fn codice_fiscale(code: &[u8]) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let Some((check, body)) = code.split_last() else {
        return false;
    };
    let sum: u32 = body
        .iter()
        .enumerate()
        .map(|(place, byte)| {
            let plain = match byte {
                b'0'..=b'9' => byte - b'0',
                _ => byte.wrapping_sub(b'A'),
            };
            match place % 2 {
                0 => ODD.get(usize::from(plain)).copied().unwrap_or(0),
                _ => u32::from(plain),
            }
        })
        .sum();
    body.len() == 15 && u32::from(check.wrapping_sub(b'A')) == sum % 26
}

/// Passports and identity cards as the civil aviation's rules check them: 7, 3, 1.
pub(super) fn icao(code: &[u8]) -> bool {
    let Some((check, body)) = code.split_last() else {
        return false;
    };
    let sum: u32 = body
        .iter()
        .zip([7, 3, 1].into_iter().cycle())
        .map(|(byte, weight)| match byte {
            b'0'..=b'9' => value(*byte) * weight,
            _ => (u32::from(byte.wrapping_sub(b'A')) + 10) * weight,
        })
        .sum();
    check.is_ascii_digit() && sum % 10 == value(*check)
}

/// Germany's number of a doctor.
pub(super) fn lanr(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[4, 9, 4, 9, 4, 9]);
    digits
        .get(6)
        .is_some_and(|check| (10 - sum % 10) % 10 == value(*check))
}

/// Germany's health insurance: a letter, which counts as its place in the alphabet in two digits.
pub(super) fn kvnr(code: &[u8]) -> bool {
    let [letter, digits @ .., check] = code else {
        return false;
    };
    let place = letter.wrapping_sub(b'A') + 1;
    let sum = crossed(&[place / 10, place % 10], &[1, 2])
        + crossed_digits(digits, &[1, 2, 1, 2, 1, 2, 1, 2]);
    digits.len() == 8 && sum % 10 == value(*check)
}

/// Germany's pension insurance: an office, a birth date, a letter, a serial number.
pub(super) fn rvnr(code: &[u8]) -> bool {
    let [head @ .., letter, a, b, check] = code else {
        return false;
    };
    let place = letter.wrapping_sub(b'A') + 1;
    let sum = crossed_digits(head, &[2, 1, 2, 5, 7, 1, 2, 1])
        + crossed(&[place / 10, place % 10], &[2, 1])
        + crossed_digits(&[*a, *b], &[2, 1]);
    let (day, month) = (
        head.get(2..4).map_or(0, number),
        head.get(4..6).map_or(0, number),
    );
    head.len() == 8
        && matches!(day, 1..=31 | 51..=81)
        && (1..=12).contains(&month)
        && sum % 10 == value(*check)
}

/// Germany's tax identification number: no digit more than three times among the first ten, then modulo 11, 10.
pub(super) fn steuer_id(digits: &[u8]) -> bool {
    let first = digits.get(..10).unwrap_or_default();
    let often = (b'0'..=b'9').any(|digit| first.iter().filter(|own| **own == digit).count() > 3);
    digits.len() == 11 && !often && mod_11_10(digits)
}

fn crossed_digits(digits: &[u8], weights: &[u32]) -> u32 {
    let pairs = digits.iter().zip(weights);
    pairs
        .map(|(digit, weight)| value(*digit) * weight)
        .map(|product| product / 10 + product % 10)
        .sum()
}

fn crossed(values: &[u8], weights: &[u32]) -> u32 {
    let pairs = values.iter().zip(weights);
    pairs
        .map(|(own, weight)| u32::from(*own) * weight)
        .map(|product| product / 10 + product % 10)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_pass_and_neighbours_fail() {
        assert!(nhs(b"9434765919") && !nhs(b"9434765918") && !nhs(b"0000000000"));
        assert!(
            uk_surname(b"MORGA657054SM9IJ")
                && uk_surname(b"AB999")
                && !uk_surname(b"99999")
                && !uk_surname(b"A9B99")
        );
        assert!(uk_plate(b"AB12CDE") && uk_plate(b"AB51CDE") && !uk_plate(b"AB30CDE"));
        assert!(dni(b"12345678Z") && !dni(b"12345678A"));
        assert!(nie(b"X1234567L") && nie(b"Z8078221M") && !nie(b"X1234567A"));
        assert!(hetu(b"131052308T") && !hetu(b"131052308U") && !hetu(b"311152308T"));
        assert!(pesel(b"44051401359") && !pesel(b"44051401358") && !pesel(b"44131401359"));
        assert!(
            personnummer(b"8112189876")
                && personnummer(b"198112189876")
                && !personnummer(b"8112189875")
        );
        assert!(organisation(b"5560360793") && !organisation(b"5560360794"));
        assert!(piva(b"01333550323") && !piva(b"01333550324") && !piva(b"00000000000"));
        assert!(codice_fiscale(b"RSSMRA85T10A562S") && !codice_fiscale(b"RSSMRA85T10A562T"));
        assert!(icao(b"L01X00T44") && icao(b"C01234565") && !icao(b"L01X00T47"));
        assert!(kvnr(b"A123456780") && !kvnr(b"A123456781"));
        assert!(rvnr(b"15070649C103") && !rvnr(b"15070649C104") && !rvnr(b"15074049C103"));
        assert!(steuer_id(b"86095742719") && !steuer_id(b"86095742718"));
    }
}

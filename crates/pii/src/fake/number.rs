//! Numbers with their check digits.

use super::{Draw, Shape};
use crate::checks::{luhn, luhn_36, mod_97, verhoeff};

/// Enough for a check that one of two draws passes.
const MOST_DRAWN: usize = 40;

/// From 9999: what its issuer uses for tests.
pub(super) fn aadhaar(shape: &Shape<'_>, draw: &mut Draw) -> Option<Vec<u8>> {
    let length = shape.digits()?.len();
    if length != 12 && length != 16 {
        return None;
    }
    checked(b"9999", length, draw, verhoeff)
}

/// The holder's kind stays. The three letters of a series count up from AAA, and are far from ZZZ.
pub(super) fn pan(solid: &[u8], draw: &mut Draw) -> Option<Vec<u8>> {
    let (holder, length) = (*solid.get(3)?, solid.len());
    if length != 10 || !holder.is_ascii_alphabetic() {
        return None;
    }
    let mut new = vec![b'Z', b'Z', b'Z', holder, draw.letter()];
    new.extend(draw.digits(3));
    new.push(b'1' + draw.below(9));
    new.push(draw.letter());
    Some(new)
}

/// State and kind of holder stay.
pub(super) fn gstin(shape: &Shape<'_>, draw: &mut Draw) -> Option<Vec<u8>> {
    let solid = &shape.solid;
    if solid.len() != 15 {
        return None;
    }
    let (state, holder, end) = (solid.get(..2)?, solid.get(2..12)?, solid.get(12..14)?);
    let mut new = [state, &pan(holder, draw)?, end].concat();
    new.push(b'0');
    with_last(new, b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", luhn_36)
}

/// From the issuers' own numbers for tests; another issuer's card begins with 9999, which no issuer has.
pub(super) fn card(shape: &Shape<'_>, draw: &mut Draw) -> Option<Vec<u8>> {
    let digits = shape.digits()?;
    let start: &[u8] = match digits {
        [b'4', ..] => b"400000",
        [b'5', b'1'..=b'5', ..] | [b'2', ..] => b"555555",
        [b'3', b'4' | b'7', ..] => b"378282",
        [b'3', b'5', ..] => b"353011",
        [b'3', ..] => b"305693",
        [b'6', b'0', b'1', b'1', ..] => b"601111",
        _ => b"9999",
    };
    if !(12..=19).contains(&digits.len()) {
        return None;
    }
    checked(start, digits.len(), draw, luhn)
}

/// Country and form stay; the bank is one that does not exist: zeros, or Xs.
pub(super) fn iban(solid: &[u8], draw: &mut Draw) -> Option<Vec<u8>> {
    let country = solid.get(..2)?;
    if !(15..=34).contains(&solid.len()) || !country.iter().all(u8::is_ascii_alphabetic) {
        return None;
    }
    let mut new = [country, b"00"].concat();
    for (place, byte) in solid.iter().enumerate().skip(4) {
        new.push(match (byte.is_ascii_digit(), place < 8) {
            (true, true) => b'0',
            (false, true) => b'X',
            (true, false) => draw.digit(),
            (false, false) => draw.letter(),
        });
    }
    for check in 2..=98u8 {
        *new.get_mut(2)? = b'0' + check / 10;
        *new.get_mut(3)? = b'0' + check % 10;
        if mod_97(&new) {
            return Some(new);
        }
    }
    None
}

pub(super) fn phone(shape: &Shape<'_>, draw: &mut Draw) -> Option<Vec<u8>> {
    let digits = shape.digits()?;
    let (prefix, rest): (&[u8], &[u8]) = match digits {
        [b'0', b'0', rest @ ..] => (b"00", rest),
        _ if shape.has(b'+') => (b"", digits),
        _ => return national(digits, shape.has(b'('), draw),
    };
    let with = |country: &[u8], rest: Vec<u8>| Some([prefix, country, &rest].concat());
    match rest {
        [b'1', rest @ ..] if rest.len() == 10 => with(b"1", american(draw)),
        [b'4', b'4', first, rest @ ..] if rest.len() == 9 => with(b"44", british(*first, draw)),
        [b'6', b'1', first, rest @ ..] if rest.len() == 8 => with(b"61", australian(*first, draw)),
        [b'9', b'1', first, rest @ ..] => with(
            b"91",
            [&[*first], draw.digits(rest.len()).as_slice()].concat(),
        ),
        [one, two, rest @ ..] => with(&[*one, *two], draw.digits(rest.len())),
        _ => None,
    }
}

fn national(digits: &[u8], bracket: bool, draw: &mut Draw) -> Option<Vec<u8>> {
    let with = |start: &[u8], rest: Vec<u8>| Some([start, &rest].concat());
    match digits {
        [b'1', _, ..] if digits.len() == 11 => with(b"1", american(draw)),
        [b'0', first @ (b'1' | b'2' | b'7'), ..] if digits.len() == 11 && !bracket => {
            with(b"0", british(*first, draw))
        }
        [b'0', first @ b'4', ..] if digits.len() == 10 => with(b"0", australian(*first, draw)),
        [b'2'..=b'9', ..] if digits.len() == 10 && (bracket || digits.first() < Some(&b'6')) => {
            Some(american(draw))
        }
        _ if digits.len() == 7 => with(b"55501", draw.digits(2)),
        [b'9', b'1', first, rest @ ..] if digits.len() == 12 => {
            with(&[b'9', b'1', *first], draw.digits(rest.len()))
        }
        [b'0', first, rest @ ..] => with(&[b'0', *first], draw.digits(rest.len())),
        [first, rest @ ..] => with(&[*first], draw.digits(rest.len())),
        [] => None,
    }
}

/// 555-0100 to 555-0199, in any area.
fn american(draw: &mut Draw) -> Vec<u8> {
    let area = [
        b'2' + draw.below(8),
        b'0' + draw.below(9),
        b'2' + draw.below(8),
    ];
    [&area, b"55501".as_slice(), &draw.digits(2)].concat()
}

/// 07700 900000 to 900999, 020 7946 0000 to 0999.
fn british(first: u8, draw: &mut Draw) -> Vec<u8> {
    let start: &[u8] = if first == b'7' {
        b"7700900"
    } else {
        b"2079460"
    };
    [start, &draw.digits(3)].concat()
}

/// Six mobiles, and 5550 0000 to 5550 9999 in an area.
fn australian(first: u8, draw: &mut Draw) -> Vec<u8> {
    if first == b'4' {
        let ends: [&[u8]; 6] = [b"006", b"110", b"156", b"157", b"158", b"159"];
        let end = ends.get(usize::from(draw.below(6))).copied();
        return [b"491570", end.unwrap_or(b"006")].concat();
    }
    [&[first], b"5550".as_slice(), &draw.digits(4)].concat()
}

/// From 900, which is never given out, in groups that other numbers of that range don't have.
pub(super) fn ssn(shape: &Shape<'_>, draw: &mut Draw) -> Option<Vec<u8>> {
    (shape.digits()?.len() == 9).then_some(())?;
    let group = 1 + draw.below(49);
    let mut new = vec![b'9'];
    new.extend(draw.digits(2));
    new.extend([b'0' + group / 10, b'0' + group % 10]);
    new.extend(draw.digits(3));
    new.push(b'1' + draw.below(9));
    Some(new)
}

/// From 999, which is kept for tests.
pub(super) fn nhs(shape: &Shape<'_>, draw: &mut Draw) -> Option<Vec<u8>> {
    (shape.digits()?.len() == 10).then_some(())?;
    checked(b"999", 10, draw, |digits| {
        let weights = (1..=10u32).rev();
        let sum: u32 = digits
            .iter()
            .zip(weights)
            .map(|(digit, weight)| weight * u32::from(digit - b'0'))
            .sum();
        sum.is_multiple_of(11)
    })
}

/// QQ begins no number.
pub(super) fn nino(solid: &[u8], draw: &mut Draw) -> Option<Vec<u8>> {
    let end = solid.get(8..).filter(|end| end.len() <= 1)?;
    Some([b"QQ".as_slice(), &draw.digits(6), end].concat())
}

/// A day of the last century that is one in whatever order day and month stand.
pub(super) fn date(shape: &Shape<'_>, draw: &mut Draw) -> Option<Vec<u8>> {
    let folded = shape.folded.bytes();
    let mut new = Vec::with_capacity(shape.solid.len());
    for group in folded.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
        match group {
            [b'0'..=b'9'] => new.push(b'1' + draw.below(9)),
            [b'0'..=b'9', b'0'..=b'9'] => {
                let number = 1 + draw.below(12);
                new.extend([b'0' + number / 10, b'0' + number % 10]);
            }
            [b'0'..=b'9', _, _, _] => {
                let year = 50 + draw.below(50);
                new.extend([b'1', b'9', b'0' + year / 10, b'0' + year % 10]);
            }
            [b'0'..=b'9', ..] => return None,
            _ => new.extend(
                group
                    .iter()
                    .filter(|byte| byte.is_ascii_alphabetic())
                    .map(u8::to_ascii_uppercase),
            ),
        }
    }
    Some(new)
}

/// `start`, then digits drawn, the last one so that `check` holds.
fn checked(
    start: &[u8],
    length: usize,
    draw: &mut Draw,
    check: impl Fn(&[u8]) -> bool,
) -> Option<Vec<u8>> {
    let drawn = length.checked_sub(start.len() + 1)?;
    for _ in 0..MOST_DRAWN {
        let new = [start, &draw.digits(drawn), b"0"].concat();
        let found = with_last(new, b"0123456789", &check);
        // A number that reads the same from its end is no Aadhaar.
        if let Some(found) = found
            && !found.iter().eq(found.iter().rev())
        {
            return Some(found);
        }
    }
    None
}

fn with_last(mut code: Vec<u8>, alphabet: &[u8], check: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    for last in alphabet {
        *code.last_mut()? = *last;
        if check(&code) {
            return Some(code);
        }
    }
    None
}

//! Phone numbers.
//!
//! Four kinds of evidence, the strongest that holds counts: an international prefix of a known country with a plausible
//! length; the way in which India or North America writes its own; a word beside the number that says what it is; that
//! the number is all the text there is.

use std::sync::LazyLock;

use super::run::{Group, Run, Separator, separator_of, shaped};
use super::{Match, Scene, rows};
use crate::context::Kind;
use crate::window::Window;

const INTERNATIONAL: f32 = 0.9;
const NATIONAL: f32 = 0.7;
const SAID: f32 = 0.6;
const BARE: f32 = 0.3;

pub(super) fn find(scene: &Scene<'_>) -> Option<Match> {
    let (window, run) = (scene.window, scene.run()?);
    let (start, plus) = opening(window, scene.anchor);
    if !may_start(scene, start, plus) {
        return None;
    }
    // All groups are tried first, then fewer: what is left over must be a number of its own.
    run.prefixes().rev().find_map(|(groups, digits)| {
        let last = groups.last()?;
        if !(7..=17).contains(&digits.len()) {
            return None;
        }
        let rest = run.next(groups.len());
        let free = match rest {
            Some(next) => next.separator == Separator::Space || next.separator == Separator::Mixed,
            None => !run.overlong() && may_end(window, last.end),
        };
        if !free {
            return None;
        }
        // With more groups behind it, only what is written in a fixed way can be told from them.
        if rest.is_some() && !plus && !matches!(digits.len(), 10..=12) {
            return None;
        }
        let (end, extended) = extension(window, last.end);
        let score = judge(
            scene,
            &Number {
                groups,
                digits,
                plus,
                run,
                whole: (start, end),
                open: rest.is_none(),
            },
        )?;
        let score = if extended { score.max(NATIONAL) } else { score };
        // A parenthesis that opened before the digits closes among them.
        Some(Match { start, end, score })
    })
}

/// Some groups of a run, taken as a phone number.
struct Number<'n> {
    groups: &'n [Group],
    digits: &'n [u8],
    plus: bool,
    run: &'n Run,
    whole: (usize, usize),
    /// No further group follows.
    open: bool,
}

fn judge(scene: &Scene<'_>, number: &Number<'_>) -> Option<f32> {
    if number.plus {
        return international(number.groups, number.digits).then_some(INTERNATIONAL);
    }
    if let Some(rest) = number.digits.strip_prefix(b"00") {
        let grouped = number.groups.len() > 1;
        let indian = rest.starts_with(b"91") && rest.len() == 12;
        if dialled(rest) && number.open {
            return Some(if grouped || indian {
                NATIONAL
            } else {
                spoken(scene, number)?
            });
        }
    }
    let other = || scene.before().has(Kind::Other) && !scene.before().says(Kind::Phone);
    if indian_as_written(number) || american(number) {
        return Some(if other() { BARE } else { NATIONAL });
    }
    spoken(scene, number)
}

/// A number that only what stands beside it makes a phone number.
fn spoken(scene: &Scene<'_>, number: &Number<'_>) -> Option<f32> {
    let (start, end) = number.whole;
    let digits = number.digits;
    let mobile = indian_mobile(digits) && number.groups.len() == 1;
    let whole = mobile && scene.window.is_whole(start, end);
    if !mobile && (!number.open || !plausible(number)) {
        return None;
    }
    let near = scene.before();
    if near.says(Kind::Phone) {
        return Some(SAID);
    }
    let other = near.has(Kind::Other);
    let weak = near.has(Kind::Number) && !other && {
        let grouped = number.groups.len() > 1 && digits.len() >= 8;
        let trunk = digits.starts_with(b"0") && digits.len() >= 9;
        let chinese = digits.len() == 11 && matches!(digits, [b'1', b'3'..=b'9', ..]);
        mobile || grouped || trunk || chinese
    };
    if weak || whole {
        return Some(SAID);
    }
    let after = scene.after(end);
    if !other && after.says(Kind::Phone) {
        return Some(SAID);
    }
    mobile.then_some(BARE)
}

/// Where the number starts, with its plus and parenthesis, and whether there is a plus.
fn opening(window: &Window<'_>, anchor: usize) -> (usize, bool) {
    let mut start = anchor;
    if window.before(start) == Some(b'(') {
        start -= 1;
    }
    if window.before(start) == Some(b'+') {
        start -= 1;
        if start + 1 == anchor && window.before(start) == Some(b'(') {
            start -= 1;
        }
        return (start, true);
    }
    // A parenthesis that closes behind the number isn't part of it.
    let closes = (anchor..anchor + 8)
        .find(|index| !window.at(*index).is_some_and(|byte| byte.is_ascii_digit()));
    let closed = closes.is_some_and(|index| window.at(index) == Some(b')'));
    (if closed { start } else { anchor }, false)
}

fn may_start(scene: &Scene<'_>, start: usize, plus: bool) -> bool {
    let window = scene.window;
    match window.before(start) {
        Some(b'_' | b'=') if !plus => window.before(start) == Some(b'='),
        Some(b'-')
            if window
                .before(start - 1)
                .is_some_and(|byte| byte.is_ascii_alphabetic()) =>
        {
            // `Fax-98765 43210`, but not `ORD-9876543210`.
            scene
                .before()
                .distance(Kind::Phone)
                .is_some_and(|distance| distance <= 2)
        }
        Some(b'-') if window.before(start - 1) == Some(b'-') => false,
        _ => window.may_start(start),
    }
}

fn may_end(window: &Window<'_>, end: usize) -> bool {
    // An extension follows without a blank.
    let extended = extension(window, end).1;
    extended || window.may_end(end) && !matches!(window.at(end), Some(b'%' | b'_'))
}

/// Where an extension such as `x123` or ` ext. 123` ends, and whether there is one.
fn extension(window: &Window<'_>, end: usize) -> (usize, bool) {
    let mut at = end;
    if window.at(at) == Some(b' ') {
        at += 1;
    }
    let mut letters = 0;
    while letters < 4
        && window
            .at(at + letters)
            .is_some_and(|byte| byte.is_ascii_alphabetic())
    {
        letters += 1;
    }
    let word = window.slice(at, at + letters);
    if ![&b"x"[..], b"ext", b"extn"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
    {
        return (end, false);
    }
    at += letters;
    for filler in [b'.', b':', b' '] {
        if window.at(at) == Some(filler) {
            at += 1;
        }
    }
    let from = at;
    while at - from <= 6 && window.at(at).is_some_and(|byte| byte.is_ascii_digit()) {
        at += 1;
    }
    if (1..=6).contains(&(at - from)) && window.may_end(at) {
        (at, true)
    } else {
        (end, false)
    }
}

/// Whether digits after a plus name a country and have a length that it gives out. A trunk zero in parentheses is left
/// out: `+46 (0)8 …`.
fn international(groups: &[Group], digits: &[u8]) -> bool {
    let mut dialled_digits = [0; 24];
    let mut count = 0;
    let mut from = 0;
    for group in groups {
        let own = digits.get(from..group.digits).unwrap_or_default();
        from = group.digits;
        if group.bracketed && own == b"0" {
            continue;
        }
        for digit in own {
            let Some(slot) = dialled_digits.get_mut(count) else {
                return false;
            };
            *slot = *digit;
            count += 1;
        }
    }
    dialled_digits.get(..count).is_some_and(dialled)
}

/// Whether digits are a calling code and a national number of a length that it gives out.
fn dialled(digits: &[u8]) -> bool {
    COUNTRIES.iter().any(|country| {
        digits
            .strip_prefix(country.code.as_bytes())
            .is_some_and(|national| {
                national.len() >= country.shortest && national.len() <= country.longest
            })
    })
}

fn indian_mobile(digits: &[u8]) -> bool {
    digits.len() == 10 && matches!(digits.first(), Some(b'6'..=b'9'))
}

/// An Indian mobile in one of the ways in which it is written: with 91 or 0 before, or in groups.
fn indian_as_written(number: &Number<'_>) -> bool {
    let (groups, digits) = (number.groups, number.digits);
    let lone = groups.len() == 1;
    let (groups, national) = match digits {
        [b'0', rest @ ..] if indian_mobile(rest) => match groups {
            // The zero by itself, or before the first group.
            [zero, first, ..] if zero.len() == 1 && first.separator == Separator::Dot => {
                return false;
            }
            [zero, rest_of @ ..] if zero.len() == 1 => (rest_of, rest),
            _ if lone => return number.open,
            [first, ..] => return matches!(first.len(), 4..=6) && number.open && groups.len() <= 3,
            [] => return false,
        },
        [b'9', b'1', rest @ ..] if indian_mobile(rest) => match groups {
            [code, rest_of @ ..] if code.len() == 2 => {
                return matches!(rest_of.len(), 1..=3)
                    && rest_of.iter().all(|group| group.len() >= 2);
            }
            _ => return false,
        },
        _ => (groups, digits),
    };
    if !indian_mobile(national) {
        return false;
    }
    if groups.len() == 1 && !lone {
        return true;
    }
    let halves = shaped(groups, &[5, 5]);
    let shapes: &[&[usize]] = &[&[3, 3, 4], &[4, 3, 3], &[4, 6], &[2, 4, 4]];
    let written = halves || number.open && shapes.iter().any(|shape| shaped(groups, shape));
    match separator_of(groups) {
        Some(Separator::Space | Separator::Dash) => written,
        // With one dot it is a decimal.
        Some(Separator::Dot) => written && groups.len() > 2,
        _ => false,
    }
}

/// A North American number as it is written: `(415) 555-0132`, `415-555-0132`, `1-415-555-0132`.
fn american(number: &Number<'_>) -> bool {
    let (groups, digits) = match (number.groups, number.digits) {
        ([one, rest @ ..], [b'1', digits @ ..]) if one.len() == 1 => (rest, digits),
        all => all,
    };
    let [b'2'..=b'9', _, _, b'2'..=b'9', ..] = digits else {
        return false;
    };
    let punctuated = groups.first().is_some_and(|group| group.bracketed)
        || groups
            .iter()
            .skip(1)
            .all(|group| matches!(group.separator, Separator::Dash | Separator::Dot));
    digits.len() == 10 && shaped(groups, &[3, 3, 4]) && punctuated && number.open
}

/// Whether groups may be a local number, and not a date or an amount.
fn plausible(number: &Number<'_>) -> bool {
    let groups = number.groups;
    let sound = match groups {
        [_] => (7..=12).contains(&number.digits.len()),
        _ => (7..=13).contains(&number.digits.len()) && groups.iter().all(|group| group.len() <= 7),
    };
    let colons = groups
        .iter()
        .any(|group| group.separator == Separator::Colon);
    sound && !number.run.overlong() && !colons && !date(number) && !address(groups)
}

/// `2024-01-15`, `15.01.2024`.
fn date(number: &Number<'_>) -> bool {
    let value = |range: std::ops::Range<usize>| {
        number
            .digits
            .get(range)
            .unwrap_or_default()
            .iter()
            .fold(0u32, |value, digit| value * 10 + u32::from(digit - b'0'))
    };
    let year = |value: u32| (1900..2100).contains(&value);
    let day = |value: u32| (1..=31).contains(&value);
    match number.groups {
        [a, b, c] if a.len() == 4 && b.len() <= 2 && c.len() <= 2 => {
            year(value(0..4)) && day(value(4..b.digits)) && day(value(b.digits..c.digits))
        }
        [a, b, c] if a.len() <= 2 && b.len() <= 2 && c.len() == 4 => {
            day(value(0..a.digits))
                && day(value(a.digits..b.digits))
                && year(value(b.digits..c.digits))
        }
        // A range of years.
        [a, b] => a.len() == 4 && b.len() == 4 && year(value(0..4)) && year(value(4..8)),
        _ => false,
    }
}

/// Four short numbers that dots part.
fn address(groups: &[Group]) -> bool {
    groups.len() == 4
        && separator_of(groups) == Some(Separator::Dot)
        && groups.iter().all(|group| group.len() <= 3)
}

/// A calling code and how long the numbers behind it are.
struct Country {
    code: &'static str,
    shortest: usize,
    longest: usize,
}

static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    rows(include_str!("../../data/calling_codes.csv"))
        .filter_map(|row| match row.as_slice() {
            [code, shortest, longest] => Some(Country {
                code,
                shortest: shortest.parse().ok()?,
                longest: longest.parse().ok()?,
            }),
            _ => None,
        })
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_shipped_calling_codes_is_read() {
        assert_eq!(
            COUNTRIES.len(),
            rows(include_str!("../../data/calling_codes.csv")).count()
        );
        assert!(
            COUNTRIES
                .iter()
                .all(|country| country.shortest <= country.longest && country.longest <= 14)
        );
        // No code is the start of another, so that which country is meant can't hang on the order.
        for a in COUNTRIES.iter() {
            assert!(
                COUNTRIES
                    .iter()
                    .all(|b| a.code == b.code || !b.code.starts_with(a.code)),
                "{}",
                a.code
            );
        }
    }
}

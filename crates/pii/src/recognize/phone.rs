//! Phone numbers.
//!
//! Four kinds of evidence, the strongest that holds counts: an international prefix of a known country with a plausible
//! length; the way in which India or North America writes its own; a word beside the number that says what it is; that
//! the number is all the text there is.

mod label;

use super::calling_codes::{dialled, international};
use super::run::{Group, Run, Separator, separator_of, shaped};
use super::{Match, Scene};
use crate::Entity;
use crate::context::{Kind, Near};
use crate::window::Window;

const PHONE: Kind = Kind::of(Entity::Phone);

const INTERNATIONAL: f32 = 0.9;
const NATIONAL: f32 = 0.7;
const SAID: f32 = 0.6;
const BARE: f32 = 0.3;

/// How far before the end of `number` a word ends that stands right before it.
const ADJACENT: u8 = 9;
/// A word that ends so many characters before a number or more speaks of something else.
const FAR: u8 = 28;

pub(super) fn find(scene: &Scene<'_>) -> Option<Match> {
    let (window, run) = (scene.window, scene.run()?);
    let (start, plus) = opening(window, scene.anchor);
    if !may_start(scene, start, plus) {
        return None;
    }
    // All groups are tried first, then fewer: what is left over must be a number of its own.
    run.prefixes_of(7..=17).rev().find_map(|(groups, digits)| {
        let last = groups.last()?;
        let rest = run.next(groups.len());
        let free = match rest {
            Some(next) => next.separator == Separator::Space || next.separator == Separator::Mixed,
            None => !run.overlong() && may_end(window, last.end),
        };
        if !free {
            return None;
        }
        // With more groups behind it, only what is written in a fixed way can be told from them.
        let fixed = matches!(digits.len(), 10..=12) || digits.len() == 14 && dials_india(digits);
        if rest.is_some() && !plus && !fixed {
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
        Some(Match::new(start, end, score))
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
        // Of a fraction, `0.096…`, both zeros would be the prefix.
        let split = number.groups.first().is_some_and(|group| group.len() == 1);
        let indian = dials_india(number.digits);
        if !split && dialled(rest) && (number.open || indian && grouped) {
            return Some(if grouped || indian {
                NATIONAL
            } else {
                spoken(scene, number)?
            });
        }
    }
    if indian_as_written(number) || american(number) || indian_landline(number) {
        return Some(match speaks_of_another(scene.before()) {
            true => spoken(scene, number).unwrap_or(BARE),
            false => NATIONAL,
        });
    }
    spoken(scene, number)
}

/// A number that only what stands beside it makes a phone number.
fn spoken(scene: &Scene<'_>, number: &Number<'_>) -> Option<f32> {
    let (start, end) = number.whole;
    let digits = number.digits;
    let mobile = indian_mobile(digits) && number.groups.len() == 1;
    let prefixed = matches!(digits, [b'9', b'1', rest @ ..] if indian_mobile(rest));
    let whole =
        (mobile || prefixed) && number.groups.len() == 1 && scene.window.is_whole(start, end);
    if !mobile && (!number.open || !plausible(number)) {
        return None;
    }
    let near = scene.before();
    let speaks = |kind| label::speaks(scene.window, scene.anchor, near, kind);
    if near.says(PHONE) && speaks(PHONE) {
        return Some(SAID);
    }
    let other = speaks_of_another(near);
    let weak = near.has(Kind::NUMBER) && !other && {
        let grouped = number.groups.len() > 1 && digits.len() >= 9;
        let trunk = digits.starts_with(b"0") && digits.len() >= 9;
        let chinese = digits.len() == 11 && matches!(digits, [b'1', b'3'..=b'9', ..]);
        (mobile || prefixed || grouped || trunk || chinese) && speaks(Kind::NUMBER)
    };
    if weak || whole {
        return Some(SAID);
    }
    let after = scene.after(end);
    if !other && after.says(PHONE) {
        return Some(SAID);
    }
    if !other
        && (mobile || prefixed)
        && (scene.is_beside_pan(start, end) || scene.is_beside_address(start, end))
    {
        return Some(SAID);
    }
    mobile.then_some(BARE)
}

/// Whether the nearest word says that the number is of another sort: `invoice number` does, `policy 7, number` doesn't.
fn speaks_of_another(near: &Near) -> bool {
    let nearest = |kind| near.distance(kind).unwrap_or(u8::MAX);
    let other = nearest(Kind::OTHER).min(nearest(Kind::ID));
    let number = nearest(Kind::NUMBER).saturating_add(ADJACENT);
    other <= FAR && other < nearest(PHONE) && (other <= number || number == u8::MAX)
}

/// Where the number starts, with its plus and parenthesis, and whether there is a plus.
fn opening(window: &Window<'_>, anchor: usize) -> (usize, bool) {
    let mut start = anchor;
    if window.before(start) == Some(b'(') {
        start -= 1;
    }
    if window.before(start) == Some(b'+') {
        start -= 1;
        // `(+91) 98765 43210`, but not `Ravi (+91 98765 43210)`.
        let code = (anchor..anchor + 4)
            .find(|index| !window.at(*index).is_some_and(|byte| byte.is_ascii_digit()));
        let closed = code.is_some_and(|index| window.at(index) == Some(b')'));
        if closed && start + 1 == anchor && window.before(start) == Some(b'(') {
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
    let earlier = start.checked_sub(1).and_then(|index| window.before(index));
    match window.before(start) {
        Some(b'_') if !plus => false,
        // `Fax-98765 43210`, but not `ORD-9876543210`.
        Some(b'-') if !plus && earlier.is_some_and(|byte| byte.is_ascii_alphabetic()) => {
            let near = scene.before();
            [PHONE, Kind::NUMBER]
                .iter()
                .any(|kind| near.distance(*kind).is_some_and(|distance| distance <= 2))
        }
        Some(b'-') if earlier == Some(b'-') => false,
        // `9876543210/8765432109`
        Some(b'/')
            if window
                .slice(start.saturating_sub(11), start - 1)
                .iter()
                .all(u8::is_ascii_digit) =>
        {
            start > 10
        }
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

fn indian_mobile(digits: &[u8]) -> bool {
    digits.len() == 10 && matches!(digits.first(), Some(b'6'..=b'9'))
}

/// `00919876543210`
fn dials_india(digits: &[u8]) -> bool {
    digits.strip_prefix(b"0091").is_some_and(indian_mobile)
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

/// An Indian landline as it is written: a zero and the town's code set apart, eight to six digits that start with 2 to 7.
fn indian_landline(number: &Number<'_>) -> bool {
    let [town, rest @ ..] = number.groups else {
        return false;
    };
    let digits = number.digits.get(town.len()..).unwrap_or_default();
    let city = matches!(
        number.digits,
        [b'0', b'1', b'1', ..]
            | [b'0', b'2', b'0' | b'2', ..]
            | [b'0', b'3', b'3', ..]
            | [b'0', b'4', b'0' | b'4', ..]
            | [b'0', b'7', b'9', ..]
            | [b'0', b'8', b'0', ..]
    );
    let coded = match town.len() {
        3 => city && digits.len() == 8,
        4 => number.digits.starts_with(b"0") && digits.len() == 7,
        5 => number.digits.starts_with(b"0") && digits.len() == 6,
        _ => false,
    };
    let printed = rest.len() == 1 || town.len() == 3 && rest.iter().all(|group| group.len() == 4);
    let separator = rest.first().map(|group| group.separator);
    coded
        && printed
        && number.open
        && matches!(digits.first(), Some(b'2'..=b'7'))
        && (town.bracketed || matches!(separator, Some(Separator::Dash | Separator::Space)))
}

/// A North American number as it is written: `(212) 555-0147`, `212-555-0147`, `1-212-555-0147`.
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
    let digits = number.digits.len();
    let sound = match groups {
        // No country's ten digits start with a 1, and seconds since 1970 do.
        [_] => (7..=12).contains(&digits) && !(digits == 10 && number.digits.starts_with(b"1")),
        // With one dot it is a decimal.
        [_, last] if last.separator == Separator::Dot => {
            indian_mobile(number.digits) && shaped(groups, &[5, 5])
        }
        // A card's or another id's.
        [_, _, _, ..] if groups.iter().all(|group| group.len() == 4) => false,
        // Many single digits are the number of a section or an object.
        _ => {
            (7..=13).contains(&digits)
                && digits + 1 >= 2 * groups.len()
                && groups.iter().all(|group| group.len() <= 8)
        }
    };
    let colons = groups
        .iter()
        .any(|group| group.separator == Separator::Colon);
    sound && !number.run.overlong() && !colons && !date(number) && !address(groups)
}

/// `2024-01-15`, `15.01.2024`, `2023-2024`, with or without a time behind.
fn date(number: &Number<'_>) -> bool {
    let value = |group: &Group| {
        let digits = number
            .digits
            .get(group.digits - group.len()..group.digits)
            .unwrap_or_default();
        digits
            .iter()
            .fold(0u32, |value, digit| value * 10 + u32::from(digit - b'0'))
    };
    let year = |group: &Group| group.len() == 4 && (1900..2100).contains(&value(group));
    let day = |group: &Group| group.len() <= 2 && (1..=31).contains(&value(group));
    match number.groups {
        [a, b] => year(a) && year(b),
        [a, b, c, ..] => day(b) && (year(a) && day(c) || day(a) && year(c)),
        _ => false,
    }
}

/// Four short numbers that dots part.
fn address(groups: &[Group]) -> bool {
    groups.len() == 4
        && separator_of(groups) == Some(Separator::Dot)
        && groups.iter().all(|group| group.len() <= 3)
}

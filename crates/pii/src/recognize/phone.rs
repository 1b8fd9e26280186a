//! Phone numbers.
//!
//! Four kinds of evidence, the strongest that holds counts: an international prefix of a region that gives the number out; the way in which
//! one of the chosen regions writes its own; a word beside the number that says what it is; that the number is all the text there is.

mod label;
mod plan;
mod regions;
mod written;

use self::plan::{Standing, standing};
pub(crate) use self::regions::Regions;
use self::written::{
    Number, american, at_home, dials_india, indian_as_written, indian_landline, indian_mobile,
    plausible,
};
use super::run::Separator;
use super::{Match, Scene};
use crate::Entity;
use crate::context::{Kind, Near};
use crate::window::Window;

const PHONE: Kind = Kind::of(Entity::Phone);

pub(super) const FEWEST: usize = 7;
const MOST: usize = 17;

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
    if run.digits().len() < FEWEST {
        return None;
    }
    let (start, plus) = opening(window, scene.anchor);
    let indian = matches!(run.digits().first(), Some(b'0' | b'6'..=b'9'));
    // With digits behind it, only a plus, or an Indian mobile with zeros or 91 before it or without, tells.
    let alone = !plus && !indian;
    if alone && run.overlong() || !may_start(scene, start, plus) {
        return None;
    }
    // All groups are tried first, then fewer: what is left over must be a number of its own.
    run.prefixes_of(FEWEST..=MOST)
        .rev()
        .find_map(|(groups, digits)| {
            let last = groups.last()?;
            let rest = run.next(groups.len());
            if rest.is_some() && alone {
                return None;
            }
            let free = match rest {
                Some(next) => {
                    next.separator == Separator::Space || next.separator == Separator::Mixed
                }
                None => !run.overlong() && may_end(window, last.end),
            };
            if !free {
                return None;
            }
            // With more groups behind it, only what is written in a fixed way can be told from them.
            let fixed =
                matches!(digits.len(), 10..=12) || digits.len() == 14 && dials_india(digits);
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

fn judge(scene: &Scene<'_>, number: &Number<'_>) -> Option<f32> {
    let grouped = number.groups.len() > 1;
    if number.plus {
        return match from_abroad(number) {
            Standing::Valid => Some(INTERNATIONAL),
            // A number that is made up, or newer than the table.
            Standing::Possible if grouped => Some(SAID),
            Standing::Possible => Some(spoken(scene, number).unwrap_or(BARE)),
            Standing::Impossible => None,
        };
    }
    if let Some(rest) = number.digits.strip_prefix(b"00") {
        // Of a fraction, `0.096…`, both zeros would be the prefix.
        let split = number.groups.first().is_some_and(|group| group.len() == 1);
        let indian = dials_india(number.digits);
        let open = number.open || indian && grouped;
        if !split && open && standing(rest) == Standing::Valid {
            return Some(if grouped || indian {
                NATIONAL
            } else {
                spoken(scene, number)?
            });
        }
    }
    let regions = &scene.settings.regions;
    let written = regions.india && indian_as_written(number)
        || grouped
            && (regions.india && indian_landline(number)
                || regions.america && american(number)
                || at_home(number, regions));
    if written {
        return Some(match speaks_of_another(scene.before()) {
            true => spoken(scene, number).unwrap_or(BARE),
            false => NATIONAL,
        });
    }
    spoken(scene, number)
}

/// What is known of the digits behind a plus. A national prefix in parentheses is left out: `+46 (0)8 …`.
fn from_abroad(number: &Number<'_>) -> Standing {
    let mut end = 0;
    let zero = number.groups.iter().find(|group| {
        end += group.len();
        group.bracketed && group.len() == 1
    });
    match zero {
        Some(_) if number.digits.get(end - 1) == Some(&b'0') => {
            let (before, after) = number.digits.split_at(end);
            standing(&[before.get(..end - 1).unwrap_or_default(), after].concat())
        }
        _ => standing(number.digits),
    }
}

/// A number that only what stands beside it makes a phone number.
fn spoken(scene: &Scene<'_>, number: &Number<'_>) -> Option<f32> {
    let (start, end) = number.whole;
    let digits = number.digits;
    let india = scene.settings.regions.india;
    let mobile = india && indian_mobile(digits) && number.groups.len() == 1;
    let prefixed = india && matches!(digits, [b'9', b'1', rest @ ..] if indian_mobile(rest));
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
        // Right behind `my number is`, one that somebody has in a chosen region.
        let known = || {
            let adjacent = near
                .distance(Kind::NUMBER)
                .is_some_and(|distance| distance <= ADJACENT);
            adjacent && digits.len() >= 10 && scene.settings.regions.give(digits)
        };
        (mobile || prefixed || grouped || trunk || chinese || known()) && speaks(Kind::NUMBER)
    };
    if weak || whole {
        return Some(SAID);
    }
    if !other && scene.after(end).says(PHONE) {
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
    if !window
        .at(at)
        .is_some_and(|byte| matches!(byte, b'x' | b'X' | b'e' | b'E'))
    {
        return (end, false);
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

//! Addresses of network cards: `00:1A:2B:3C:4D:5E`, `00-1a-2b-3c-4d-5e`, `001a.2b3c.4d5e`.

use super::{Match, Scene};
use crate::Entity;
use crate::context::Kind;
use crate::window::{Window, is_word};

const MAC: Kind = Kind::of(Entity::Mac);

/// The most digits that nothing parts.
const PART: usize = 4;
/// As long as any form is.
const LONGEST: usize = 17;
/// Of letters alone, so many pairs differ.
const FEWEST_PAIRS: usize = 4;

/// Whether the dash at `at` may be the first of an address without digits. What hasn't come yet may be of one.
pub(crate) fn may_part(window: &Window<'_>, at: usize) -> bool {
    let letter = |byte: &u8| matches!(byte.to_ascii_lowercase(), b'a'..=b'f');
    let before = window.slice(at.saturating_sub(2), at);
    before.len() == 2
        && before.iter().all(letter)
        && window.slice(at + 1, at + 3).iter().all(letter)
        && window
            .slice(at + 3, at + 4)
            .iter()
            .all(|byte| *byte == b'-')
}

/// Whether what stands behind the dot at `at` may be of an address.
pub(crate) fn may_follow(window: &Window<'_>, at: usize) -> bool {
    let before = window.slice(at.saturating_sub(PART), at);
    before.len() == PART && before.iter().all(u8::is_ascii_hexdigit)
}

/// At a digit, or where there may be none, at the first colon, dash or dot.
pub(super) fn find(scene: &Scene<'_>) -> Option<Match> {
    let (window, anchor) = (scene.window, scene.anchor);
    // Of an address with colons the first one, or a digit before it, has told.
    if window.before(anchor) == Some(b':') {
        return None;
    }
    let before = (1..=PART + 1).take_while(|back| {
        let at = anchor.checked_sub(back - 1);
        at.and_then(|at| window.before(at))
            .is_some_and(|byte| byte.is_ascii_hexdigit())
    });
    match window.at(anchor) {
        // The first colon has told.
        Some(b':') if anchor.checked_sub(2).and_then(|at| window.before(at)) == Some(b':') => {
            return None;
        }
        Some(b':') => (before.count() == 2).then_some(())?,
        Some(b'.') => (before.count() == PART).then_some(())?,
        _ => {}
    }
    let start = match window.at(anchor) {
        Some(b'-') => anchor.checked_sub(2)?,
        _ => start_before(window, anchor)?,
    };
    if window.before(start) == Some(b'-') {
        return None;
    }
    let end = end(window, start)?;
    let longer = match window.at(end) {
        Some(b':' | b'-') => window
            .at(end + 1)
            .is_some_and(|byte| byte.is_ascii_hexdigit()),
        Some(b'.') => window.at(start + 4) == Some(b'.') && window.at(end + 1).is_some_and(is_word),
        _ => false,
    };
    let sound = end > anchor && !longer && window.parts_words(start, end);
    let mut digits = window
        .slice(start, end)
        .iter()
        .filter(|byte| byte.is_ascii_hexdigit());
    // All zeros is none, all ones is everybody.
    let single = digits.clone().all(|byte| *byte == b'0')
        || digits.all(|byte| byte.eq_ignore_ascii_case(&b'f'));
    if !sound || single {
        return None;
    }
    let score = match scene.near(start).says(MAC) {
        true => 0.95,
        false if is_prose(window.slice(start, end)) => 0.3,
        false => 0.7,
    };
    Some(Match::new(start, end, score))
}

/// Whether the digits at `anchor`, which end at `end`, may be of an address: with the hexadecimal digits around them they are two or four, and one
/// of the forms' separators stands beside them.
pub(super) fn may_hold(window: &Window<'_>, anchor: usize, end: usize) -> bool {
    let hex = |byte: &u8| byte.is_ascii_hexdigit();
    let (mut start, mut end) = (anchor, end);
    while end - start <= PART && window.before(start).as_ref().is_some_and(hex) {
        start -= 1;
    }
    while end - start <= PART && window.at(end).as_ref().is_some_and(hex) {
        end += 1;
    }
    let beside = [window.before(start), window.at(end)];
    match end - start {
        2 => beside.iter().any(|byte| matches!(byte, Some(b':' | b'-'))),
        PART => beside.contains(&Some(b'.')),
        _ => false,
    }
}

/// Where what may be an address starts that has a digit, a colon or a dot at `anchor`.
fn start_before(window: &Window<'_>, anchor: usize) -> Option<usize> {
    let mut start = anchor;
    while let Some(byte) = window.before(start) {
        if !byte.is_ascii_hexdigit() && !matches!(byte, b':' | b'-' | b'.') {
            break;
        }
        if anchor - start == LONGEST {
            return None;
        }
        start -= 1;
    }
    Some(start)
}

/// Whether it may be words or syllables: `dead.beef.cafe`, `da-da-da-da-da-da`.
fn is_prose(address: &[u8]) -> bool {
    if address.iter().any(u8::is_ascii_digit) {
        return false;
    }
    if address.contains(&b'.') {
        let vowel = |byte: &u8| matches!(byte.to_ascii_lowercase(), b'a' | b'e');
        return address
            .split(|byte| *byte == b'.')
            .all(|word| word.iter().any(vowel));
    }
    let mut pairs: Vec<_> = address
        .split(|byte| !byte.is_ascii_hexdigit())
        .map(<[u8]>::to_ascii_lowercase)
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.len() < FEWEST_PAIRS
}

/// Where six pairs or three fours end that one separator parts.
fn end(window: &Window<'_>, start: usize) -> Option<usize> {
    let hex = |from: usize, count: usize| {
        (from..from + count).all(|at| window.at(at).is_some_and(|byte| byte.is_ascii_hexdigit()))
    };
    let (size, count) = match (window.at(start + 2)?, window.at(start + 4)) {
        (b':' | b'-', _) => (2, 6),
        (_, Some(b'.')) => (4, 3),
        _ => return None,
    };
    let separator = window.at(start + size)?;
    let mut at = start;
    for place in 0..count {
        if place > 0 {
            (window.at(at)? == separator).then_some(())?;
            at += 1;
        }
        hex(at, size).then_some(())?;
        at += size;
    }
    Some(at)
}

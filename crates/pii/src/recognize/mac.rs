//! Addresses of network cards: `00:1A:2B:3C:4D:5E`, `00-1a-2b-3c-4d-5e`, `001a.2b3c.4d5e`.

use super::{Match, Scene};
use crate::Entity;
use crate::context::Kind;
use crate::window::Window;

const MAC: Kind = Kind::of(Entity::Mac);

/// As long as any form is.
const LONGEST: usize = 17;

/// At a digit, or where there may be none, at the first colon or dot.
pub(super) fn find(scene: &Scene<'_>) -> Option<Match> {
    let (window, anchor) = (scene.window, scene.anchor);
    // Of an address with colons the first one, or a digit before it, has told.
    if window.before(anchor) == Some(b':') {
        return None;
    }
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
    let end = end(window, start)?;
    let longer = matches!(window.at(end), Some(b':' | b'-'))
        && window
            .at(end + 1)
            .is_some_and(|byte| byte.is_ascii_hexdigit());
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
    let said = scene.near(start).says(MAC);
    Some(Match::new(start, end, if said { 0.95 } else { 0.7 }))
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

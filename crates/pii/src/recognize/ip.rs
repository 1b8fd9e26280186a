//! IP addresses of version 4 and 6, with a prefix length if there is one.

use std::net::Ipv6Addr;

use super::{Match, Scene};
use crate::Entity;
use crate::context::Kind;
use crate::window::{Window, is_word};

const IP: Kind = Kind::of(Entity::Ip);

/// `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`
const LONGEST_V6: usize = 45;

const FEWEST_COLONS: usize = 2;

pub(super) fn find_v4(scene: &Scene<'_>) -> Option<Match> {
    let (window, start) = (scene.window, scene.anchor);
    let end = octets(window, start)?;
    let before = window.before(start);
    if before.is_some_and(is_word)
        || before == Some(b'.')
            && window
                .before(start - 1)
                .is_some_and(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    // A fifth number makes it a version.
    if window.at(end).is_some_and(is_word)
        || window.at(end) == Some(b'.') && window.at(end + 1).is_some_and(is_word)
    {
        return None;
    }
    let text = window.slice(start, end);
    let product = before == Some(b'/')
        && window
            .before(start - 1)
            .is_some_and(|byte| byte.is_ascii_alphabetic());
    let version = window
        .slice(start.saturating_sub(8), start)
        .eq_ignore_ascii_case(b"version ");
    if version || product && text.ends_with(b".0.0") {
        return None;
    }
    Some(Match::new(start, prefix_length(window, end, 32), 0.95))
}

/// Where four numbers up to 255 end that dots part. Zeros before one are only written where all have three digits: `001.88.213.0` is a part's number.
fn octets(window: &Window<'_>, start: usize) -> Option<usize> {
    let mut at = start;
    let (mut padded, mut full) = (false, true);
    for place in 0..4 {
        if place > 0 {
            (window.at(at) == Some(b'.')).then_some(())?;
            at += 1;
        }
        let from = at;
        let mut number = 0u32;
        while let Some(digit) = window.at(at).filter(u8::is_ascii_digit) {
            number = number * 10 + u32::from(digit - b'0');
            at += 1;
            if at - from > 3 {
                return None;
            }
        }
        (at > from && number <= 255).then_some(())?;
        padded |= at - from > 1 && window.slice(from, from + 1) == b"0";
        full &= at - from == 3;
    }
    (full || !padded).then_some(at)
}

pub(super) fn find_v6(scene: &Scene<'_>) -> Option<Match> {
    let (window, anchor) = (scene.window, scene.anchor);
    let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
    // The first colon of an address tells; `Note: ` is what nearly all are.
    if window.before(anchor) == Some(b':') {
        return None;
    }
    if !hex(window.at(anchor + 1)) && window.at(anchor + 1) != Some(b':') {
        return None;
    }
    let mut start = anchor;
    while anchor - start <= 4 && hex(window.before(start)) {
        start -= 1;
    }
    if window
        .before(start)
        .is_some_and(|byte| is_word(byte) || byte == b':')
    {
        return None;
    }
    let mut end = anchor;
    let mut gaps = 0;
    let mut dotted = None;
    while end - start <= LONGEST_V6
        && window
            .at(end)
            .is_some_and(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
    {
        // An address leaves zeros out in one place.
        gaps += u32::from(window.slice(end.saturating_sub(1), end + 1) == b"::");
        if gaps > 1 {
            return None;
        }
        // Nothing follows an address of version 4 in one of version 6.
        match window.slice(end, end + 1) {
            b"." => dotted = Some(dotted.unwrap_or(end)),
            b":" | [] => {}
            _ if dotted.is_some_and(|dot| window.slice(dot, end).contains(&b':')) => return None,
            _ => {}
        }
        end += 1;
    }
    // The dot or colon that ends a sentence or a clause.
    while end > anchor && matches!(window.before(end), Some(b'.'))
        || window.before(end) == Some(b':') && window.before(end - 1) != Some(b':')
    {
        end -= 1;
    }
    let text = window.slice(start, end);
    if text.iter().filter(|byte| **byte == b':').count() < FEWEST_COLONS {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let address: Ipv6Addr = text.parse().ok()?;
    if window.at(end).is_some_and(is_word) {
        return None;
    }
    let zoned = zone(window, end);
    let end = prefix_length(window, zoned.unwrap_or(end), 128);
    // `dead::beef` and `::` are code as well.
    let bare = !text.bytes().any(|byte| byte.is_ascii_digit());
    let said = bare
        && zoned.is_none()
        && (window.before(end).is_some_and(|byte| byte.is_ascii_digit()) || {
            scene.before().has(IP)
        });
    let score = match () {
        () if bare && !said => 0.3,
        () if address.is_unspecified() || address.is_loopback() => 0.6,
        () => 0.95,
    };
    Some(Match::new(start, end, score))
}

/// Where a zone such as `%eth0` ends.
fn zone(window: &Window<'_>, start: usize) -> Option<usize> {
    (window.at(start) == Some(b'%')).then_some(())?;
    let mut end = start + 1;
    while end - start <= 16
        && window
            .at(end)
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
    {
        end += 1;
    }
    (end > start + 1).then_some(end)
}

/// Where a prefix length such as `/24` ends; `end` itself if there is none.
fn prefix_length(window: &Window<'_>, end: usize, most: u32) -> usize {
    if window.at(end) != Some(b'/') {
        return end;
    }
    let mut at = end + 1;
    let mut number = 0u32;
    while let Some(digit) = window.at(at).filter(u8::is_ascii_digit) {
        number = number * 10 + u32::from(digit - b'0');
        at += 1;
        if at - end > 4 {
            return end;
        }
    }
    if at > end + 1 && number <= most && !window.at(at).is_some_and(is_word) {
        at
    } else {
        end
    }
}

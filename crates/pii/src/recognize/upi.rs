//! Addresses for payments in India, `name@okicici`, and of its health accounts, `name@abdm`.
//!
//! They look like an e-mail address whose domain has no dot, and so like `user@host` and `package@tag`. A handle that some bank or app gives
//! out tells, or a word beside the address.

use std::sync::LazyLock;

use super::{Match, Scene};
use crate::Entity;
use crate::context::Kind;
use crate::window::{Window, is_word};

const UPI: Kind = Kind::of(Entity::InUpiId);

/// The rules allow 256; no real one comes near, and a stream holds back what may be one.
const LONGEST_NAME: usize = 50;
const LONGEST_HANDLE: usize = 32;

/// Where the health accounts live, those of its test system too.
const HEALTH: [&[u8]; 2] = [b"abdm", b"sbx"];

pub(super) fn find(scene: &Scene<'_>) -> Option<Match> {
    let (start, handle, end) = address(scene.window, scene.anchor)?;
    if is_health(handle) {
        return None;
    }
    let score = match () {
        () if is_known(handle) => 0.95,
        () if scene.window.slice(start.saturating_sub(3), start) == b"pa=" => 0.95,
        () if scene.near(start).says(UPI) || scene.after(end).says(UPI) => 0.9,
        () => 0.3,
    };
    Some(Match::new(start, end, score))
}

pub(super) fn find_health(scene: &Scene<'_>) -> Option<Match> {
    let first = scene.window.at(scene.anchor + 1)?.to_ascii_lowercase();
    // Most is told by that, before all is read again.
    HEALTH
        .iter()
        .any(|known| known.first() == Some(&first))
        .then_some(())?;
    let (start, handle, end) = address(scene.window, scene.anchor)?;
    is_health(handle).then(|| Match::new(start, end, 0.95))
}

/// The address around the `@` at `anchor`: where it starts, its handle, where it ends.
fn address<'w>(window: &'w Window<'_>, anchor: usize) -> Option<(usize, &'w [u8], usize)> {
    let mut start = anchor;
    while let Some(byte) = window.before(start) {
        let part = byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'_' | b'-') && (start < anchor || byte != b'.');
        if !part {
            break;
        }
        start -= 1;
        if anchor - start > LONGEST_NAME {
            return None;
        }
    }
    // `UPI-name@handle-…`, as statements have it.
    if window
        .slice(start, anchor)
        .get(..4)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"upi-"))
    {
        start += 4;
    }
    // `NAME-9876543210@handle`
    let name = window.slice(start, anchor).iter();
    let letters = name.take_while(|byte| byte.is_ascii_alphabetic()).count();
    let dash = start + letters;
    if window.at(dash) == Some(b'-')
        && anchor > dash + 10
        && window
            .slice(dash + 1, dash + 11)
            .iter()
            .all(u8::is_ascii_digit)
    {
        start = dash + 1;
    }
    while start < anchor && matches!(window.at(start), Some(b'.' | b'-')) {
        start += 1;
    }
    if anchor - start < 2
        || window
            .before(start)
            .is_some_and(|byte| byte == b'@' || is_word(byte))
    {
        return None;
    }
    let from = anchor + 1;
    if !window.at(from)?.is_ascii_alphabetic() {
        return None;
    }
    let mut end = from + 1;
    while let Some(byte) = window.at(end).filter(|byte| is_word(*byte)) {
        if !byte.is_ascii_alphanumeric() || end - from == LONGEST_HANDLE {
            return None;
        }
        end += 1;
    }
    // With a dot behind it is a domain; an `@`, a slash or a colon makes it a user on a host, or a package.
    let handle = window.slice(from, end);
    let known = || is_known(handle);
    let goes_on = match window.at(end) {
        Some(b'.') => window.at(end + 1).is_some_and(is_word),
        Some(b'-' | b':') => window.at(end + 1).is_some_and(is_word) && !known(),
        Some(b'/') => !known(),
        Some(b'@' | b'_') => true,
        _ => false,
    };
    (!goes_on && handle.len() >= 2).then_some((start, handle, end))
}

fn is_health(handle: &[u8]) -> bool {
    HEALTH
        .iter()
        .any(|known| handle.eq_ignore_ascii_case(known))
}

fn is_known(handle: &[u8]) -> bool {
    let handle = handle.to_ascii_lowercase();
    HANDLES
        .binary_search_by(|known| known.as_bytes().cmp(&handle))
        .is_ok()
}

static HANDLES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let mut handles: Vec<&str> = super::table::lines(include_str!("../../data/upi_handles.txt"))
        .flat_map(str::split_whitespace)
        .collect();
    handles.sort_unstable();
    handles
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shipped_handle_is_one_that_an_address_may_have() {
        for handle in HANDLES.iter() {
            let sound = (2..=LONGEST_HANDLE).contains(&handle.len())
                && handle.starts_with(|first: char| first.is_ascii_lowercase())
                && handle
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            assert!(sound && is_known(handle.as_bytes()), "{handle}");
        }
        assert!(HANDLES.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(is_known(b"OKICICI") && !is_known(b"server1"));
    }
}

//! E-mail addresses.

use super::{Match, Scene};
use crate::fold::{LATIN, SCRIPT};
use crate::window::Window;

/// RFC 5321's limit.
const LONGEST_LOCAL: usize = 64;
/// RFC 1035 allows 253; a shorter bound keeps a stream's hold-back short, and no real domain is longer.
const LONGEST_DOMAIN: usize = 128;

/// Names of pictures at twice the size: `icon@2x.png`.
const PICTURES: [&[u8]; 7] = [b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"ico"];

pub(super) fn find(scene: &Scene<'_>) -> Option<Match> {
    let start = local(scene.window, scene.anchor)?;
    let end = domain(scene.window, scene.anchor + 1)?;
    (!is_user(scene.window, start)).then(|| Match::new(start, end, 0.95))
}

/// Whether what starts at `start` is the user or password of an address with a scheme: `https://user:password@host`.
fn is_user(window: &Window<'_>, start: usize) -> bool {
    let earlier = window.slice(start.saturating_sub(LONGEST_LOCAL), start);
    // What ends a scheme is the last slash of it, or there is a path between.
    let last = earlier.iter().rposition(|byte| {
        byte.is_ascii_whitespace()
            || matches!(byte, b'"' | b'\'' | b'<' | b'(' | b'/' | b'?' | b'#')
    });
    let scheme = last.and_then(|last| earlier.get(..=last));
    scheme.is_some_and(|scheme| scheme.ends_with(b"://"))
}

/// Where the local part that ends before `end` starts.
fn local(window: &Window<'_>, end: usize) -> Option<usize> {
    // One script a part, so that `मेरा` before an address isn't taken into it.
    let script = window.before(end) == Some(SCRIPT);
    let mut start = end;
    while end - start < LONGEST_LOCAL {
        match window.before(start) {
            Some(SCRIPT) if script => {}
            Some(byte)
                if byte.is_ascii_digit()
                    || !script && (byte.is_ascii_alphabetic() || byte == LATIN) => {}
            Some(b'.') if start < end && window.at(start) != Some(b'.') => {}
            Some(b'_' | b'%' | b'+' | b'-' | b'&' | b'\'') if !script => {}
            _ => break,
        }
        start -= 1;
    }
    while start < end
        && matches!(
            window.at(start),
            Some(b'.' | b'%' | b'+' | b'-' | b'&' | b'\'')
        )
    {
        start += 1;
    }
    (start < end).then_some(start)
}

/// Where the domain that starts at `start` ends.
fn domain(window: &Window<'_>, start: usize) -> Option<usize> {
    let script = window.at(start) == Some(SCRIPT);
    let mut label = start;
    let mut dots = 0;
    let mut end = None;
    let mut at = start;
    loop {
        let byte = if at < start + LONGEST_DOMAIN {
            window.at(at)
        } else {
            None
        };
        match byte {
            Some(SCRIPT) if script => at += 1,
            Some(byte)
                if byte.is_ascii_alphanumeric() || byte == LATIN || byte == b'-' && at > label =>
            {
                at += 1
            }
            _ => {
                let text = window.slice(label, at);
                if text.is_empty() || text.last() == Some(&b'-') {
                    break;
                }
                if dots > 0 && is_top(text) {
                    end = Some(at);
                }
                if byte != Some(b'.') {
                    break;
                }
                dots += 1;
                at += 1;
                label = at;
            }
        }
    }
    end
}

fn is_top(label: &[u8]) -> bool {
    let punycode = label.len() > 4
        && label
            .get(..4)
            .is_some_and(|head| head.eq_ignore_ascii_case(b"xn--"));
    let letters = (2..=24).contains(&label.len())
        && label
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(*byte, LATIN | SCRIPT));
    (punycode || letters)
        && !PICTURES
            .iter()
            .any(|picture| label.eq_ignore_ascii_case(picture))
}

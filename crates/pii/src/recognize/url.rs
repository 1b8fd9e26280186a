//! Addresses on the web: `https://…`, `www.…`, and a domain's name by itself.
//!
//! A name by itself looks like a file's (`main.rs`), a member's (`user.name`) or two sentences without a blank between (`thanks.in`). So some
//! top level domains count only with `www.`, a scheme, or a word beside them.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Match, Scene};
use crate::Entity;
use crate::context::Kind;
use crate::fold::{LATIN, OTHER, SCRIPT};
use crate::window::{Window, is_word};

const URL: Kind = Kind::of(Entity::Url);

const SCHEMES: [&[u8]; 16] = [
    b"http", b"https", b"ftp", b"ftps", b"sftp", b"ws", b"wss", b"git", b"ssh", b"svn", b"rtsp",
    b"rtmp", b"ldap", b"ldaps", b"smb", b"nfs",
];
const LONGEST_SCHEME: usize = 5;
const LONGEST_LABEL: usize = 63;
/// RFC 1035 allows 253; a shorter bound keeps a stream's hold-back short, and no real name is longer.
const LONGEST_HOST: usize = 128;
const LONGEST_USER: usize = 64;
/// What goes on behind it stays, but names nobody: who is looked for stands at the front.
const LONGEST: usize = 512;

/// At a colon: an address with a scheme.
pub(super) fn find_scheme(scene: &Scene<'_>) -> Option<Match> {
    let (window, anchor) = (scene.window, scene.anchor);
    if window.at(anchor + 1) != Some(b'/') || window.at(anchor + 2) != Some(b'/') {
        return None;
    }
    let mut start = anchor;
    while anchor - start <= LONGEST_SCHEME
        && window
            .before(start)
            .is_some_and(|byte| byte.is_ascii_alphabetic())
    {
        start -= 1;
    }
    let scheme = window.slice(start, anchor);
    if !SCHEMES
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
        || window.before(start).is_some_and(is_word)
    {
        return None;
    }
    let mut host = anchor + 3;
    if let Some(at) = user_end(window, host) {
        host = at + 1;
    }
    let end = match window.at(host) {
        Some(b'[') => bracketed(window, host)?,
        _ => {
            let name = Host::read(window, host)?;
            (name.numeric || name.top.is_some()).then_some(name.end)?
        }
    };
    Some(Match::new(start, tail(window, start, end), 0.9))
}

/// At a dot: a name without a scheme.
pub(super) fn find_bare(scene: &Scene<'_>) -> Option<Match> {
    let (window, anchor) = (scene.window, scene.anchor);
    let mut start = anchor;
    while let Some(byte) = window.before(start).filter(|byte| is_label(*byte)) {
        if !byte.is_ascii() && byte != LATIN || anchor - start == LONGEST_LABEL {
            return None;
        }
        start -= 1;
    }
    // The first dot of a name tells; what a slash or an `@` stands before is a piece of something else.
    if start == anchor
        || matches!(
            window.before(start),
            Some(b'.' | b'@' | b'/' | b'\\' | b'_' | b'$' | b'~' | b'#' | b'%' | b'&')
        )
        || window.at(start) == Some(b'-')
    {
        return None;
    }
    let host = Host::read(window, start)?;
    let top = host.top?;
    let name = window.slice(start, host.end);
    let www = host.labels > 2
        && window
            .slice(start, anchor)
            .get(..3)
            .is_some_and(|first| first.eq_ignore_ascii_case(b"www"));
    let lower = host.last.iter().all(|byte| !byte.is_ascii_uppercase());
    let shouted =
        matches!(host.last, b"COM" | b"ORG" | b"IN") && !name.iter().any(u8::is_ascii_lowercase);
    if !(www || lower || shouted)
        || host.before_last < 2
        || matches!(window.at(host.end), Some(b'@' | b'(' | b'_' | b'='))
    {
        return None;
    }
    // `com.example.app` is a package's name.
    let package = !www && tops().contains_key(window.slice(start, anchor));
    let second = || {
        matches!(
            host.second,
            b"co" | b"com" | b"org" | b"net" | b"gov" | b"ac" | b"edu" | b"nic" | b"gob" | b"res"
        )
    };
    let score = match () {
        () if package => return None,
        () if www => 0.85,
        () if top == Top::Bare => 0.6,
        () if host.labels > 2 && host.last.len() == 2 && second() => 0.6,
        () if scene.near(start).says(URL) => 0.6,
        () => 0.3,
    };
    Some(Match::new(start, tail(window, start, host.end), score))
}

/// The name of a host.
struct Host<'w> {
    end: usize,
    labels: usize,
    /// The last label, if it is no number.
    last: &'w [u8],
    second: &'w [u8],
    /// How long the label before the last is.
    before_last: usize,
    top: Option<Top>,
    /// Four numbers.
    numeric: bool,
}

impl<'w> Host<'w> {
    /// Reads from `start` as many labels as there are.
    fn read(window: &'w Window<'_>, start: usize) -> Option<Self> {
        let mut labels: usize = 0;
        let mut numbers = 0;
        let mut label = start;
        let mut at = start;
        let (mut last, mut second): (&[u8], &[u8]) = (b"", b"");
        let end = loop {
            match window.at(at) {
                Some(byte) if is_label(byte) && at - start < LONGEST_HOST => at += 1,
                next => {
                    let own = window.slice(label, at);
                    if own.is_empty() {
                        // The dot before it ends a sentence.
                        break label.checked_sub(1)?;
                    }
                    (second, last) = (last, own);
                    labels += 1;
                    numbers += usize::from(own.iter().all(u8::is_ascii_digit));
                    if next != Some(b'.') {
                        break at;
                    }
                    at += 1;
                    label = at;
                }
            }
        };
        if labels < 2 || last.starts_with(b"-") || last.ends_with(b"-") {
            return None;
        }
        Some(Self {
            end,
            labels,
            last,
            second,
            before_last: second.len(),
            top: top(last),
            numeric: labels == 4 && numbers == 4,
        })
    }
}

fn is_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | LATIN | SCRIPT)
}

/// Where the `@` is behind `user:password`.
fn user_end(window: &Window<'_>, start: usize) -> Option<usize> {
    (start..=start + LONGEST_USER)
        .find(|at| {
            !window.at(*at).is_some_and(|byte| {
                is_path(byte) && !matches!(byte, b'/' | b'?' | b'#' | b'@' | b'[')
            })
        })
        .filter(|at| *at > start && window.at(*at) == Some(b'@'))
}

/// Where an address of version 6 in brackets ends.
fn bracketed(window: &Window<'_>, start: usize) -> Option<usize> {
    let inside = |at: usize| {
        window
            .at(at)
            .filter(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
    };
    let end = (start + 1..start + 48).find(|at| inside(*at).is_none())?;
    (end > start + 3 && window.at(end) == Some(b']')).then_some(end + 1)
}

/// Where an address ends whose host ends at `host`: behind its port, path, query and fragment, but for what ends a sentence.
fn tail(window: &Window<'_>, start: usize, host: usize) -> usize {
    let mut end = host;
    if window.at(end) == Some(b':') {
        let digits = (end + 1..end + 7)
            .take_while(|at| window.at(*at).is_some_and(|byte| byte.is_ascii_digit()))
            .count();
        if matches!(digits, 1..=5) {
            end += 1 + digits;
        }
    }
    let host = end;
    if !matches!(window.at(end), Some(b'/' | b'?' | b'#')) {
        return host;
    }
    let mut open = 0_i32;
    while end - start < LONGEST {
        let Some(byte) = window.at(end).filter(|byte| is_path(*byte)) else {
            break;
        };
        open += match byte {
            b'(' | b'[' => 1,
            b')' | b']' => -1,
            _ => 0,
        };
        // The parenthesis that the address stands in.
        if open < 0 {
            break;
        }
        end += 1;
    }
    while end > host + 1
        && matches!(
            window.before(end),
            Some(
                b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b'*' | b'_' | b'~' | b'(' | b'['
            )
        )
    {
        end -= 1;
    }
    end
}

fn is_path(byte: u8) -> bool {
    !byte.is_ascii_whitespace()
        && !byte.is_ascii_control()
        && !matches!(
            byte,
            OTHER | b'<' | b'>' | b'"' | b'{' | b'}' | b'|' | b'\\' | b'^' | b'`'
        )
}

/// How a top level domain counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Top {
    /// Where the name stands by itself, too.
    Bare,
    /// With a scheme, `www.`, or a word beside it.
    Other,
}

fn tops() -> &'static HashMap<&'static [u8], Top> {
    static TOPS: LazyLock<HashMap<&[u8], Top>> = LazyLock::new(|| {
        let mut part = Top::Bare;
        let mut tops = HashMap::new();
        for line in super::table::lines(include_str!("../../data/top_level_domains.txt")) {
            match line {
                "[bare]" => part = Top::Bare,
                "[other]" => part = Top::Other,
                names => tops.extend(names.split_whitespace().map(|name| (name.as_bytes(), part))),
            }
        }
        tops
    });
    &TOPS
}

const LONGEST_TOP: usize = 24;

fn top(label: &[u8]) -> Option<Top> {
    if label.len() > 4
        && label
            .get(..4)
            .is_some_and(|head| head.eq_ignore_ascii_case(b"xn--"))
        || label.iter().all(|byte| *byte == SCRIPT)
    {
        return Some(Top::Bare);
    }
    let mut lower = [0; LONGEST_TOP];
    let lower = lower.get_mut(..label.len())?;
    lower.copy_from_slice(label);
    lower.make_ascii_lowercase();
    // The end of a number or of a file's name is not even looked up.
    let letters = lower.iter().all(u8::is_ascii_lowercase);
    letters.then(|| tops().get(&*lower).copied())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_top_level_domain_stands_in_one_part() {
        let text = include_str!("../../data/top_level_domains.txt");
        let names = super::super::table::lines(text)
            .filter(|line| !line.starts_with('['))
            .flat_map(str::split_whitespace);
        let mut count = 0;
        for name in names {
            assert!(
                name.len() >= 2 && name.bytes().all(|byte| byte.is_ascii_lowercase()),
                "{name}"
            );
            count += 1;
        }
        assert_eq!(tops().len(), count);
        assert_eq!(top(b"com"), Some(Top::Bare));
        assert_eq!(top(b"rs"), Some(Top::Other));
        assert_eq!(top(b"js"), None);
    }
}

//! Addresses.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Draw;

/// At `example.com` (RFC 2606), the name's separators kept.
pub(super) fn email(original: &str, draw: &mut Draw) -> Option<String> {
    let name = original.rsplit_once(['@', '＠', '﹫'])?.0;
    Some(format!("{}@example.com", letters(name, draw)))
}

/// At `example`, which pays nobody.
pub(super) fn upi(original: &str, draw: &mut Draw) -> Option<String> {
    let name = original.rsplit_once('@')?.0;
    Some(format!("{}@example", letters(name, draw)))
}

/// Under `example.com`, its path and query replaced by letters.
pub(super) fn url(original: &str, draw: &mut Draw) -> Option<String> {
    let scheme = original
        .split_once("://")
        .map(|(scheme, _)| scheme)
        .filter(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let mut out = String::new();
    if let Some(scheme) = scheme {
        write!(out, "{scheme}://").ok()?;
    }
    write!(out, "example.com/{}", letters("12345678", draw)).ok()?;
    Some(out)
}

/// Of RFC 5737 or RFC 3849; a prefix length stays.
pub(super) fn ip(original: &str, draw: &mut Draw) -> Option<String> {
    let (address, length) = match original.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (original, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let host = u8::try_from(1 + draw.next() % 254).unwrap_or(1);
    let new: IpAddr = match address {
        IpAddr::V4(_) => {
            let [a, b, c] = match draw.below(3) {
                0 => [192, 0, 2],
                1 => [198, 51, 100],
                _ => [203, 0, 113],
            };
            Ipv4Addr::new(a, b, c, host).into()
        }
        IpAddr::V6(_) => {
            let low = draw.next() & 0xffff_ffff_ffff;
            Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) | u128::from(low)).into()
        }
    };
    Some(match length {
        Some(length) => format!("{new}/{length}"),
        None => new.to_string(),
    })
}

/// 00-00-5E-00-53-00 to FF (RFC 9542), written as the original is.
pub(super) fn mac(original: &str, draw: &mut Draw) -> Option<String> {
    let last = u8::try_from(draw.next() & 0xff).unwrap_or(0);
    let mut new = format!("00005e0053{last:02x}").into_bytes().into_iter();
    let upper = original.bytes().any(|byte| byte.is_ascii_uppercase());
    let mut out = String::new();
    for character in original.chars() {
        if character.is_ascii_hexdigit() {
            let digit = char::from(new.next()?);
            out.push(if upper {
                digit.to_ascii_uppercase()
            } else {
                digit
            });
        } else if character.is_ascii_punctuation() {
            out.push(character);
        } else {
            return None;
        }
    }
    new.next().is_none().then_some(out)
}

/// As many letters as `name` has letters and digits, four at least, and its separators.
fn letters(name: &str, draw: &mut Draw) -> String {
    let mut out = String::new();
    let mut solid = 0;
    for character in name.chars() {
        if matches!(character, '.' | '_' | '-') {
            out.push(character);
        } else {
            solid += 1;
            out.push(char::from(draw.letter().to_ascii_lowercase()));
        }
    }
    for _ in solid..4 {
        out.push(char::from(draw.letter().to_ascii_lowercase()));
    }
    out
}

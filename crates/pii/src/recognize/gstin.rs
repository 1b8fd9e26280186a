//! GSTIN: state, PAN, entity number, `Z`, check character.

use super::pan::{LETTERS, is_pan};
use super::{Match, Scene};
use crate::checks::luhn_36;
use crate::window::Window;

pub(super) fn find(scene: &Scene<'_>) -> Option<Match> {
    let window = scene.window;
    let start = scene.anchor;
    // The cheapest tests first: two digits, then a letter.
    if !window.at(start + 1)?.is_ascii_digit() || !window.may_start(start) {
        return None;
    }
    let (code, end) = spell::<15>(window, start)?;
    let (state, rest) = code.split_at_checked(2)?;
    let (pan, tail) = rest.split_at_checked(LETTERS)?;
    let state = state.iter().fold(0, |number: u32, digit| {
        number * 10 + u32::from(digit.wrapping_sub(b'0'))
    });
    let [entity, b'Z', _] = tail else { return None };
    let sound =
        matches!(state, 1..=38 | 97 | 99) && is_pan(pan) && *entity != b'0' && luhn_36(&code);
    (sound && window.may_end(end)).then(|| Match::new(start, end, 1.0).checked("luhn_mod_36"))
}

/// Reads `N` letters and digits in upper case, with at most one separator between any two, and says where they end.
pub(super) fn spell<const N: usize>(window: &Window<'_>, start: usize) -> Option<([u8; N], usize)> {
    let mut code = [0; N];
    let mut at = start;
    for (place, slot) in code.iter_mut().enumerate() {
        let mut byte = window.at(at)?;
        if place > 0 && matches!(byte, b' ' | b'-' | b'.') {
            at += 1;
            byte = window.at(at)?;
        }
        if !byte.is_ascii_alphanumeric() {
            return None;
        }
        *slot = byte.to_ascii_uppercase();
        at += 1;
    }
    Some((code, at))
}

//! Aadhaar: 12 digits, the first 2 to 9, Verhoeff over all, no palindrome.

use super::run::{Separator, separator_of, shaped};
use super::{Match, Scene};
use crate::Entity;
use crate::checks::verhoeff;
use crate::context::Kind;

const AADHAAR: Kind = Kind::of(Entity::InAadhaar);
const PHONE: Kind = Kind::of(Entity::Phone);

/// How far before a number a word ends, in characters, that speaks of it.
const NEXT: u8 = 8;

pub(super) fn find(scene: &Scene<'_>) -> Option<Match> {
    let (window, run) = (scene.window, scene.run()?);
    let (groups, digits) = run.prefixes_of(12..=12).next()?;
    let (first, last) = (groups.first()?, groups.last()?);
    if run.overlong() || !matches!(digits.first(), Some(b'2'..=b'9')) || !verhoeff(digits) {
        return None;
    }
    if digits.iter().eq(digits.iter().rev())
        || !window.may_start(first.start)
        || !window.may_end(last.end)
    {
        return None;
    }
    // A mobile with its country's code.
    let near = scene.before();
    let country = matches!(digits, [b'9', b'1', b'6'..=b'9', ..]);
    let plus = window.before(first.start) == Some(b'+');
    let phone = || {
        let phone = near.distance(PHONE);
        phone.is_some() && phone < near.distance(AADHAAR).or(Some(u8::MAX))
    };
    let printed = shaped(groups, &[4, 4, 4]);
    if country && (plus || first.len() == 2 || !printed && phone()) {
        return None;
    }
    // The virtual id that stands for one.
    if run.prefixes_of(16..=16).any(|(_, longer)| verhoeff(longer)) {
        return None;
    }
    let separator = separator_of(groups);
    // A fourth group of four makes it a longer number: a card, a virtual id.
    let longer = run
        .next(groups.len())
        .is_some_and(|next| Some(next.separator) == separator && next.len() == 4);
    let preceded = separator == Some(Separator::Space)
        && window.before(first.start) == Some(b' ')
        && window
            .slice(first.start.saturating_sub(5), first.start - 1)
            .iter()
            .all(u8::is_ascii_digit)
        && first.start >= 5;
    let said = near.says(AADHAAR) || scene.after(last.end).has(AADHAAR);
    let printed = printed && separator.is_some_and(|separator| separator != Separator::Mixed);
    let another = || {
        near.distance(Kind::OTHER)
            .is_some_and(|distance| distance <= NEXT)
    };
    let hidden = window.folded().hides_something(first.start, last.end);
    let score = match () {
        () if (longer || preceded) && !said => return None,
        () if said => 1.0,
        () if printed || hidden => match another() {
            true => 0.4,
            false => 0.9,
        },
        // A tenth of all numbers pass the check. One that is all the text there is may be a field of a form or a tool
        // call, where the word lies in the field's name.
        () if groups.len() == 1 && window.is_whole(first.start, last.end) => 0.6,
        // The head of a column says it, among those of others.
        () if groups.len() == 1 && near.has(AADHAAR) && !another() => 0.9,
        () if groups.len() == 1
            && !near.has(Kind::OTHER)
            && scene.is_beside_pan(first.start, last.end) =>
        {
            0.6
        }
        () if groups.len() == 1 => 0.3,
        () => return None,
    };
    Some(Match::new(first.start, last.end, score).checked("verhoeff"))
}

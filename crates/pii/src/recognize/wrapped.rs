//! Numbers that go on in the next line, as where a mail is wrapped or text was taken out of a page: `2341 2341\n2346`.
//!
//! Two lines of a table must not join. So a number is only taken over a line break if its check digits hold, and its groups or a word speak for
//! it; if something is written before it in its line; and if it is all that stands at the end of the one line and at the start of the next.

use super::{Match, Scene, card};
use crate::Entity;
use crate::checks::{luhn, verhoeff};
use crate::context::Kind;
use crate::window::{LOOK_BACK, Window};

const MOST_DIGITS: usize = 19;
const MOST_GROUPS: usize = 6;
/// The next line may be indented by so many blanks.
const MOST_INDENT: usize = 8;
/// A group has no fewer digits, but the last.
const FEWEST_IN_GROUP: usize = 2;
/// How far before a number a word ends, in characters, that says it is another.
const NEXT: u8 = 12;

pub(super) const SAID: f32 = 0.95;
const PRINTED: f32 = 0.8;

pub(super) fn find_aadhaar(scene: &Scene<'_>) -> Option<Match> {
    let number = scene.wrapped()?;
    let digits = number.digits();
    let sound = digits.len() == 12
        && matches!(digits.first(), Some(b'2'..=b'9'))
        && verhoeff(digits)
        && !digits.iter().eq(digits.iter().rev());
    let printed = number.is_printed(&[4, 4, 4]);
    sound.then(|| number.judge(scene, Entity::InAadhaar, printed, "verhoeff"))?
}

pub(super) fn find_virtual_id(scene: &Scene<'_>) -> Option<Match> {
    let number = scene.wrapped()?;
    let digits = number.digits();
    let sound =
        digits.len() == 16 && matches!(digits.first(), Some(b'2'..=b'9')) && verhoeff(digits);
    sound.then(|| number.judge(scene, Entity::InAadhaarVid, false, "verhoeff"))?
}

pub(super) fn find_card(scene: &Scene<'_>) -> Option<Match> {
    let number = scene.wrapped()?;
    let digits = number.digits();
    let sound = digits.len() >= 12 && luhn(digits) && card::issued(digits);
    let shapes: [&[usize]; 3] = [&[4, 4, 4, 4], &[4, 6, 5], &[4, 4, 4, 4, 3]];
    let printed = shapes.iter().any(|shape| number.is_printed(shape));
    sound.then(|| number.judge(scene, Entity::Card, printed, "luhn"))?
}

/// Where the text goes on behind one line break at `at`, with a blank or dash before it and blanks behind; `None` where none stands there.
pub(super) fn behind_break(window: &Window<'_>, at: usize) -> Option<usize> {
    let mut at = at;
    if matches!(window.at(at)?, b' ' | b'-') {
        at += 1;
    }
    if window.at(at)? == b'\r' {
        at += 1;
    }
    (window.at(at)? == b'\n').then_some(())?;
    at += 1;
    let first = at;
    while window.at(at) == Some(b' ') && at - first < MOST_INDENT {
        at += 1;
    }
    Some(at)
}

/// Groups of digits over one line break.
#[derive(Debug)]
pub(super) struct Wrapped {
    start: usize,
    end: usize,
    digits: [u8; MOST_DIGITS],
    count: usize,
    /// How many digits each group has.
    groups: [usize; MOST_GROUPS],
    group_count: usize,
}

impl Wrapped {
    pub(super) fn read(window: &Window<'_>, start: usize) -> Option<Self> {
        let digit = |at: usize| window.at(at).filter(u8::is_ascii_digit);
        // A piece of a longer number, or a cell.
        let before = window.before(start);
        let earlier = start.checked_sub(1).and_then(|at| window.before(at));
        let piece = matches!(before, Some(b',' | b';' | b'|' | b'\t'))
            || earlier.is_some_and(|byte| byte.is_ascii_digit());
        if piece || !window.may_start(start) {
            return None;
        }
        let mut number = Self {
            start,
            end: start,
            digits: [0; MOST_DIGITS],
            count: 0,
            groups: [0; MOST_GROUPS],
            group_count: 0,
        };
        let (mut separator, mut broken) = (None, false);
        let mut at = start;
        loop {
            let from = number.count;
            while let Some(digit) = digit(at) {
                *number.digits.get_mut(number.count)? = digit;
                number.count += 1;
                at += 1;
            }
            *number.groups.get_mut(number.group_count)? = number.count - from;
            number.group_count += 1;
            number.end = at;
            let next = window.at(at);
            if let Some(parting @ (b' ' | b'-' | b'.')) = next
                && digit(at + 1).is_some()
            {
                if separator.is_some_and(|known| known != parting) {
                    return None;
                }
                separator = Some(parting);
                at += 1;
                continue;
            }
            if !matches!(next, Some(b' ' | b'-' | b'\r' | b'\n')) {
                break;
            }
            let Some(behind) = behind_break(window, at).filter(|behind| digit(*behind).is_some())
            else {
                break;
            };
            // A third line of digits: a column.
            let dashed = next == Some(b'-') && separator.is_some_and(|known| known != b'-');
            if broken || dashed {
                return None;
            }
            broken = true;
            at = behind;
        }
        let goes_on = match (window.at(at), window.at(at + 1)) {
            (Some(b';' | b'|' | b'\t'), _) => true,
            (Some(b','), next) => next.is_some_and(|next| !next.is_ascii_whitespace()),
            // Blanks align columns.
            (Some(b' '), Some(b' ')) => true,
            _ => !window.may_end(at),
        };
        (broken && !goes_on).then_some(number)
    }

    fn digits(&self) -> &[u8] {
        self.digits.get(..self.count).unwrap_or_default()
    }

    fn groups(&self) -> &[usize] {
        self.groups.get(..self.group_count).unwrap_or_default()
    }

    fn is_printed(&self, groups: &[usize]) -> bool {
        self.groups() == groups
    }

    fn judge(
        &self,
        scene: &Scene<'_>,
        entity: Entity,
        printed: bool,
        check: &'static str,
    ) -> Option<Match> {
        let line = scene
            .window
            .slice(self.start.saturating_sub(LOOK_BACK), self.start);
        let line = line.rsplit(|byte| *byte == b'\n').next()?;
        // A letter of any script.
        let written = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
        let (_, rest) = self.groups().split_last()?;
        if !line.iter().any(written) || rest.iter().any(|group| *group < FEWEST_IN_GROUP) {
            return None;
        }
        let near = scene.before();
        let another = || {
            near.distance(Kind::OTHER)
                .is_some_and(|distance| distance <= NEXT)
        };
        let score = if near.says(Kind::of(entity)) {
            SAID
        } else if printed && !another() {
            PRINTED
        } else {
            return None;
        };
        Some(Match::new(self.start, self.end, score).checked(check))
    }
}

//! Numbers of digits alone, by the lines of `data/numbers.txt`.
//!
//! They are matched on groups of digits, and not on characters, so that each may be written with blanks, dashes or dots where its line allows a
//! separator.

use std::cell::LazyCell;
use std::sync::LazyLock;

use super::run::{Group, Run, Separator, separator_of};
use super::table::{Row, lines};
use super::{Match, Scene};
use crate::Entity;

/// No number that is looked for has more digits.
const MOST_DIGITS: usize = 24;

/// The lines of numbers of one length.
#[derive(Clone, Debug, Default)]
struct Length {
    forms: Vec<(Form, Row)>,
    /// After so many digits some of them may part.
    may_part: u32,
}

static NUMBERS: LazyLock<Vec<Length>> = LazyLock::new(|| {
    let mut by_length = vec![Length::default(); MOST_DIGITS + 1];
    for (pattern, row) in lines(include_str!("../../data/numbers.txt")).filter_map(Row::parse) {
        for form in Form::parse(pattern).unwrap_or_default() {
            if let Some(length) = by_length.get_mut(form.digits.len()) {
                length.may_part |= form.may_part | form.must_part;
                length.forms.push((form, row));
            }
        }
    }
    by_length
});

/// Whether a line allows what no number otherwise starts behind.
static LOOSE: LazyLock<bool> = LazyLock::new(|| {
    let mut forms = NUMBERS.iter().flat_map(|length| &length.forms);
    forms.any(|(_, row)| row.is_loose())
});

/// Finds all of the kinds that start at the scene's anchor and are `wanted` with the score that they may reach.
pub(crate) fn find(
    scene: &Scene<'_>,
    wanted: impl Fn(Entity, f32) -> bool,
    mut found: impl FnMut(Entity, Match),
) {
    let Some(run) = scene.run() else {
        return;
    };
    // Most that is no start of a number is the start of none of the lines.
    if !*LOOSE && !scene.window.may_start(scene.anchor) {
        return;
    }
    // After how many digits the groups part, a bit each.
    let mut parted = 0_u32;
    for (groups, digits) in run.prefixes() {
        if let [.., before, last] = groups {
            // One separator parts all of a number's groups.
            let alike = groups
                .get(1)
                .is_some_and(|second| second.separator == last.separator);
            if !alike
                || !matches!(
                    last.separator,
                    Separator::Space | Separator::Dash | Separator::Dot
                )
            {
                return;
            }
            parted |= 1 << before.digits;
        }
        let Some(length) = NUMBERS.get(digits.len()) else {
            return;
        };
        // Of too many groups, what follows the last isn't known.
        let unsure = run.overlong() && run.next(groups.len()).is_none();
        if length.forms.is_empty() || parted & !length.may_part != 0 || unsure {
            continue;
        }
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else {
            return;
        };
        let piece = LazyCell::new(|| is_piece(scene, run, groups));
        for (form, row) in &length.forms {
            if form.holds(parted, digits)
                && wanted(row.entity, row.best())
                && let Some(one) = row.judge(scene, first.start, last.end, *piece, |score| {
                    wanted(row.entity, score)
                })
            {
                found(row.entity, one);
            }
        }
    }
}

/// How a number is written.
#[derive(Clone, Debug, PartialEq)]
struct Form {
    /// Which digits may stand where, a bit each.
    digits: Vec<u16>,
    /// After so many digits may stand a separator.
    may_part: u32,
    /// After so many digits must stand a separator.
    must_part: u32,
}

/// Whether digits before or behind `groups` are set apart as they are themselves, so that it may be a piece of a longer number, and
/// whether that is likely.
fn is_piece(scene: &Scene<'_>, run: &Run, groups: &[Group]) -> [bool; 2] {
    let separator = separator_of(groups);
    let next = run.next(groups.len()).map(|next| next.separator);
    let start = groups.first().map_or(0, |first| first.start);
    let earlier = start
        .checked_sub(1)
        .and_then(|index| scene.window.before(index));
    let behind = scene.window.before(start) == Some(b' ')
        && earlier.is_some_and(|byte| byte.is_ascii_digit());
    let alike = groups.len() > 1 && next.is_some() && next == separator;
    [
        behind || alike || groups.len() == 1 && next.is_some(),
        alike || groups.len() > 1 && behind && separator == Some(Separator::Space),
    ]
}

impl Form {
    /// Reads a pattern: `\d` is any digit, `[2-9]` one of some, `_` may be a separator, `-` must be one, and `{4}` or `{9,18}` repeats what it
    /// follows. One form for each number of digits that it allows.
    fn parse(pattern: &str) -> Option<Vec<Self>> {
        let mut forms = vec![Self {
            digits: Vec::new(),
            may_part: 0,
            must_part: 0,
        }];
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            let (set, length) = match first {
                '_' | '-' => {
                    for form in &mut forms {
                        let bit = 1 << form.digits.len();
                        match first {
                            '_' => form.may_part |= bit,
                            _ => form.must_part |= bit,
                        }
                    }
                    rest = rest.get(1..)?;
                    continue;
                }
                '\\' => (0x3FF, 2),
                '[' => {
                    let end = rest.find(']')?;
                    (set(rest.get(1..end)?)?, end + 1)
                }
                digit => (1 << digit.to_digit(10)?, 1),
            };
            rest = rest.get(length..)?;
            let (least, most) = match rest.strip_prefix('{') {
                Some(after) => {
                    let (times, after) = after.split_once('}')?;
                    rest = after;
                    let (least, most) = times.split_once(',').unwrap_or((times, times));
                    (least.parse().ok()?, most.parse().ok()?)
                }
                None => (1_usize, 1_usize),
            };
            forms = forms
                .into_iter()
                .flat_map(|form| {
                    (least..=most).map(move |times| {
                        let mut form = form.clone();
                        form.digits.extend(std::iter::repeat_n(set, times));
                        form
                    })
                })
                .collect();
        }
        forms
            .iter()
            .all(|form| (1..=MOST_DIGITS).contains(&form.digits.len()))
            .then_some(forms)
    }

    /// Whether `digits` that part after so many as the bits of `parted` say are written so.
    fn holds(&self, parted: u32, digits: &[u8]) -> bool {
        parted & !(self.may_part | self.must_part) == 0
            && parted & self.must_part == self.must_part
            && self
                .digits
                .iter()
                .zip(digits)
                .all(|(set, digit)| set >> digit.wrapping_sub(b'0') & 1 == 1)
    }
}

/// The digits of a class such as `0-57`.
fn set(class: &str) -> Option<u16> {
    let mut set = 0;
    let mut digits = class.chars().peekable();
    while let Some(from) = digits.next() {
        let from = from.to_digit(10)?;
        let to = match digits.next_if_eq(&'-') {
            Some(_) => digits.next()?.to_digit(10)?,
            None => from,
        };
        set |= (from..=to).fold(0, |set, digit| set | 1 << digit);
    }
    Some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        for line in lines(include_str!("../../data/numbers.txt")) {
            let (pattern, _) = Row::parse(line).unwrap_or_else(|| panic!("{line}"));
            assert!(Form::parse(pattern).is_some(), "{line}");
        }
    }

    #[test]
    fn a_pattern_says_which_digits_and_where_they_part() {
        let forms = Form::parse(r"[2-9]\d{3}_\d{4}-0").unwrap();
        assert_eq!(forms.len(), 1);
        assert_eq!(forms[0].digits.len(), 9);
        assert_eq!((forms[0].digits[0], forms[0].digits[8]), (0x3FC, 1));
        assert_eq!((forms[0].may_part, forms[0].must_part), (1 << 4, 1 << 8));
        let lengths = Form::parse(r"\d{9,11}").unwrap();
        assert_eq!(
            lengths
                .iter()
                .map(|form| form.digits.len())
                .collect::<Vec<_>>(),
            [9, 10, 11]
        );
        for wrong in ["", "x", r"\d{3", "[2", r"\d{25}"] {
            assert_eq!(Form::parse(wrong), None, "{wrong}");
        }
    }
}

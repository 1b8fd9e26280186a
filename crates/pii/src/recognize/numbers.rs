//! Numbers of digits alone, by the lines of `data/numbers.txt`.
//!
//! They are matched on groups of digits, and not on characters, so that each may be written with blanks, dashes or dots where its line allows a
//! separator.

use std::sync::LazyLock;

use super::run::{Group, Run, Separator, separator_of};
use super::table::{Bits, Row, Rows, UNSAID, lines, places};
use super::{Match, Scene, Signs, look};
use crate::Entity;

/// No number that is looked for has more digits.
const MOST_DIGITS: usize = 24;

/// The forms of all lines.
#[derive(Debug, Default)]
struct Numbers {
    forms: Vec<(Form, Row)>,
    /// Those that begin with each digit.
    first: [Bits; 10],
    /// Those of each length.
    length: [Bits; MOST_DIGITS + 1],
    /// Those whose digits may part after so many.
    part: [Bits; MOST_DIGITS + 1],
}

static NUMBERS: LazyLock<Numbers> = LazyLock::new(|| {
    let mut numbers = Numbers::default();
    for (pattern, row) in lines(include_str!("../../data/numbers.txt")).filter_map(Row::parse) {
        for form in Form::parse(pattern).unwrap_or_default() {
            let bit = 1 << numbers.forms.len();
            let begins = form.digits.first().copied().unwrap_or_default();
            let parts = form.may_part | form.must_part;
            for (digit, forms) in numbers.first.iter_mut().enumerate() {
                *forms |= if begins >> digit & 1 == 1 { bit } else { 0 };
            }
            for (digits, forms) in numbers.part.iter_mut().enumerate() {
                *forms |= if parts >> digits & 1 == 1 { bit } else { 0 };
            }
            if let Some(forms) = numbers.length.get_mut(form.digits.len()) {
                *forms |= bit;
            }
            numbers.forms.push((form, row));
        }
    }
    numbers
});

/// The forms that may count, where a kind counts from its `least` score on.
pub(crate) fn rows(least: impl Fn(Entity) -> Option<f32>) -> Rows {
    Rows::of(NUMBERS.forms.iter().map(|(_, row)| row), least)
}

/// Finds all of the kinds that start at the scene's anchor: those that are `worth` it with the best that they may score, and whose score counts.
pub(crate) fn find(
    scene: &Scene<'_>,
    signs: Signs,
    rows: &Rows,
    worth: impl Fn(f32) -> bool,
    counts: impl Fn(Entity, f32) -> bool,
    mut found: impl FnMut(Entity, Match),
) {
    if !signs.answer(Signs::START) {
        return;
    }
    let Some(run) = scene.run() else {
        return;
    };
    let numbers = &*NUMBERS;
    let first = run.digits().first().map(|digit| digit.wrapping_sub(b'0'));
    let first = first.and_then(|first| numbers.first.get(usize::from(first)));
    // The forms that may still come, by how the groups have parted so far.
    let mut open = first.copied().unwrap_or(0) & rows.wanted();
    // It ends after the first group, or parts there and ends or parts after the second.
    let of = |forms: &[Bits], digits: usize| forms.get(digits).copied().unwrap_or(0);
    let after = run.next(0).map_or(0, |group| group.len());
    let goes_on = run.next(1).map_or(0, |second| {
        let both = after + second.len();
        of(&numbers.part, after) & (of(&numbers.length, both) | of(&numbers.part, both))
    });
    open &= of(&numbers.length, after) | goes_on;
    if open == 0 {
        return;
    }
    // After how many digits the groups part, a bit each.
    let (mut parted, mut before) = (0_u32, 0);
    for (groups, digits) in run.prefixes() {
        if let [_, .., last] = groups {
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
            parted |= 1 << before;
            open &= numbers.part.get(before).copied().unwrap_or(0);
        }
        before = digits.len();
        if open == 0 {
            return;
        }
        let held = open & numbers.length.get(digits.len()).copied().unwrap_or(0);
        // Of too many groups, what follows the last isn't known.
        let unsure = run.overlong() && run.next(groups.len()).is_none();
        if held == 0 || unsure {
            continue;
        }
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else {
            return;
        };
        let piece = is_piece(scene, run, groups);
        // Nothing that looks like a piece scores more.
        if piece[1] && UNSAID < scene.settings.least && !look::is_off() {
            continue;
        }
        let row = |place| numbers.forms.get(place).map(|(_, row)| row);
        let held = rows.worth(held, row, &worth, || scene.told(first.start, last.end));
        for (form, row) in places(held).filter_map(|place| numbers.forms.get(place)) {
            if form.holds(parted, digits)
                && worth(row.best())
                && let Some(one) = row.judge(scene, first.start, last.end, piece, |score| {
                    counts(row.entity, score)
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
        assert!(NUMBERS.forms.len() <= Bits::BITS as usize);
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

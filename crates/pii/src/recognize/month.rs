//! Dates with the name of a month in a script of India: `१५ जनवरी १९९०`, `ஜனவரி 15, 1990`, `1990 ജനുവരി 15`.
//!
//! A folded text has one sign for all letters of such a script, so the names are looked for in the text as it came.

use std::sync::LazyLock;

use super::{Match, Scene};
use crate::Entity;
use crate::context::Kind;
use crate::fold::SCRIPT;
use crate::window::Window;

/// The longest name, in characters.
const LONGEST: usize = 12;
/// What may stand behind a day's figures: `১লা`.
const LONGEST_ENDING: usize = 3;
/// How far before a date a word ends, in characters, that says it is another.
const NEXT: u8 = 12;

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let lines = include_str!("../../data/months.txt").lines();
    let names = lines
        .filter_map(|line| line.split_once(':'))
        .filter(|(language, _)| !language.starts_with('#'))
        .flat_map(|(_, names)| names.split([',', '/']));
    let mut names: Vec<String> = names.map(|name| plain(name.trim()).collect()).collect();
    names.sort_unstable();
    names.dedup();
    names
});

pub(super) fn find_date(scene: &Scene<'_>) -> Option<Match> {
    let date = Date::read(scene.window, scene.anchor)?;
    let score = match (date.said(scene, Entity::DateTime), date.full) {
        (true, true) => 0.85,
        (false, true) | (true, false) => 0.8,
        (false, false) => 0.5,
    };
    Some(Match::new(date.start, date.end, score))
}

pub(super) fn find_birth(scene: &Scene<'_>) -> Option<Match> {
    let date = Date::read(scene.window, scene.anchor).filter(|date| date.full)?;
    date.said(scene, Entity::DateOfBirth)
        .then(|| Match::new(date.start, date.end, 0.95))
}

/// Where the name of a month starts that one separator parts from `start`.
pub(crate) fn before(window: &Window<'_>, start: usize) -> Option<usize> {
    if !matches!(window.before(start)?, b' ' | b'-' | b'.' | b'/') {
        return None;
    }
    let end = start - 1;
    let mut from = end;
    while window.before(from) == Some(SCRIPT) {
        from -= 1;
        if end - from > LONGEST {
            return None;
        }
    }
    is_name(window, from, end).then_some(from)
}

struct Date {
    start: usize,
    end: usize,
    /// It has day, month and year.
    full: bool,
}

impl Date {
    fn read(window: &Window<'_>, anchor: usize) -> Option<Self> {
        let (first, after) = figures(window, anchor)?;
        let date = match behind(window, after, first) {
            Some(month) => Self::from_figures(window, anchor, first, month),
            None => Self::from_month(window, anchor, first, after),
        }?;
        (window.may_end(date.end)).then_some(date)
    }

    /// `15 जनवरी 1990`, `15 जनवरी`, `1990 ജനുവരി 15`
    fn from_figures(
        window: &Window<'_>,
        start: usize,
        first: Figures,
        month: usize,
    ) -> Option<Self> {
        if !window.may_start(start) {
            return None;
        }
        let last = parted(window, month).and_then(|at| figures(window, at));
        let short = Self {
            start,
            end: month,
            full: false,
        };
        Some(match (first, last) {
            (Figures::Day, Some((Figures::Year, end)))
            | (Figures::Year, Some((Figures::Day, end))) => Self {
                start,
                end,
                full: true,
            },
            (Figures::Day, _) => short,
            (Figures::Year, _) => return None,
        })
    }

    /// `ஜனவரி 15, 1990`, `ஜனவரி 15`, `ஜனவரி 1990`
    fn from_month(
        window: &Window<'_>,
        anchor: usize,
        first: Figures,
        after: usize,
    ) -> Option<Self> {
        let start = before(window, anchor)?;
        let last = match first {
            Figures::Day => parted(window, after).and_then(|at| figures(window, at)),
            Figures::Year => None,
        };
        Some(match last {
            Some((Figures::Year, end)) => Self {
                start,
                end,
                full: true,
            },
            _ => Self {
                start,
                end: after,
                full: false,
            },
        })
    }

    fn said(&self, scene: &Scene<'_>, entity: Entity) -> bool {
        let kind = Kind::of(entity);
        let near = scene.near(self.start);
        let another = near
            .distance(Kind::OTHER)
            .is_some_and(|distance| distance <= NEXT);
        near.says(kind) || !another && scene.after(self.end).says(kind)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Figures {
    Day,
    Year,
}

/// A day or a year at `at`, and where it ends.
fn figures(window: &Window<'_>, at: usize) -> Option<(Figures, usize)> {
    let mut end = at;
    let mut number = 0_u32;
    while let Some(digit) = window.at(end).filter(u8::is_ascii_digit) {
        number = number * 10 + u32::from(digit - b'0');
        end += 1;
        if end - at > 4 {
            return None;
        }
    }
    match end - at {
        1 | 2 if (1..=31).contains(&number) => Some((Figures::Day, end)),
        4 if (1800..2200).contains(&number) => Some((Figures::Year, end)),
        _ => None,
    }
}

/// Where the name of a month ends that stands behind figures, with an ending of theirs between.
fn behind(window: &Window<'_>, end: usize, first: Figures) -> Option<usize> {
    let script = |at: usize| window.at(at) == Some(SCRIPT);
    let glued = (end..).take(LONGEST + 1).take_while(|at| script(*at));
    let glued = end + glued.count();
    if glued > end && is_name(window, end, glued) {
        return Some(glued);
    }
    let ending = first == Figures::Day && glued - end <= LONGEST_ENDING;
    if glued > end && !ending {
        return None;
    }
    let start = parted(window, glued)?;
    let name = (start..).take(LONGEST + 1).take_while(|at| script(*at));
    let stop = start + name.count();
    is_name(window, start, stop).then_some(stop)
}

/// Behind what parts figures from a month: a blank, a dash, a dot, a slash or a comma, and another blank.
fn parted(window: &Window<'_>, at: usize) -> Option<usize> {
    match window.at(at)? {
        b'-' | b'/' | b'.' | b',' if window.at(at + 1) == Some(b' ') => Some(at + 2),
        b' ' | b'-' | b'/' | b'.' | b',' => Some(at + 1),
        _ => None,
    }
}

fn is_name(window: &Window<'_>, start: usize, end: usize) -> bool {
    let folded = window.folded();
    if !(2..=LONGEST).contains(&end.saturating_sub(start)) {
        return false;
    }
    let word = folded
        .source()
        .get(folded.start(start)..folded.end(end))
        .unwrap_or_default();
    NAMES
        .binary_search_by(|name| name.chars().cmp(plain(word)))
        .is_ok()
}

/// The characters of a word, each in the one way that is compared: letters in parts, and no joiners.
fn plain(word: &str) -> impl Iterator<Item = char> {
    word.chars().flat_map(|character| {
        let (first, second) = match character {
            '\u{958}' => ('\u{915}', '\u{93c}'),
            '\u{95b}' => ('\u{91c}', '\u{93c}'),
            '\u{95e}' => ('\u{92b}', '\u{93c}'),
            '\u{9df}' => ('\u{9af}', '\u{9bc}'),
            '\u{a5e}' => ('\u{a2b}', '\u{a3c}'),
            '\u{d7a}' => ('\u{d23}', '\u{d4d}'),
            '\u{d7b}' => ('\u{d28}', '\u{d4d}'),
            '\u{d7c}' => ('\u{d30}', '\u{d4d}'),
            '\u{d7d}' => ('\u{d32}', '\u{d4d}'),
            '\u{d7e}' => ('\u{d33}', '\u{d4d}'),
            '\u{200c}' | '\u{200d}' => ('\0', '\0'),
            other => (other, '\0'),
        };
        [first, second].into_iter().filter(|part| *part != '\0')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_names_twelve_months() {
        let table = include_str!("../../data/months.txt");
        let lines: Vec<_> = table
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        assert_eq!(lines.len(), 12);
        for line in lines {
            let (_, names) = line.split_once(':').unwrap();
            assert_eq!(names.split(',').count(), 12, "{line}");
            for name in names.split([',', '/']).map(str::trim) {
                let folded = crate::fold::Folded::new(name);
                assert!(folded.bytes().iter().all(|byte| *byte == SCRIPT), "{name}");
                assert!((2..=LONGEST).contains(&folded.len()), "{name}");
                assert!(is_name(&Window::new(&folded, true, true), 0, folded.len()));
            }
        }
    }
}

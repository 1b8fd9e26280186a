//! Codes with letters, by the lines of `data/codes.txt`.
//!
//! All patterns are one automaton, which is tried from the start of a word that holds an anchor, and from up to two short words before it
//! (`MH 12 AB 1234`).

use std::ops::Range;
use std::sync::LazyLock;

use regex_automata::dfa::dense::{self, DFA};
use regex_automata::dfa::{Automaton, StartKind};
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

use super::table::{Bits, MOST, Row, Rows, lines, places};
use super::{Match, Scene, Signs};
use crate::Entity;

/// The lines of the table.
struct Lines {
    patterns: Vec<String>,
    /// The places of the lines that have each pattern.
    places: Vec<Range<usize>>,
    /// In the order of their patterns.
    rows: Vec<Row>,
}

static LINES: LazyLock<Lines> = LazyLock::new(|| {
    let (named, all): (Vec<_>, Vec<_>) =
        lines(include_str!("../../data/codes.txt")).partition(|line| line.starts_with('$'));
    let mut by_pattern: Vec<(&str, Vec<Row>)> = Vec::new();
    for (pattern, row) in all.into_iter().filter_map(Row::parse) {
        match by_pattern.iter_mut().find(|(known, _)| *known == pattern) {
            Some((_, same)) => same.push(row),
            None => by_pattern.push((pattern, vec![row])),
        }
    }
    let mut lines = Lines {
        patterns: Vec::new(),
        places: Vec::new(),
        rows: Vec::new(),
    };
    for (pattern, rows) in by_pattern {
        let from = lines.rows.len();
        lines.patterns.push(regex(pattern, &named));
        lines.places.push(from..from + rows.len());
        lines.rows.extend(rows);
    }
    lines
});

struct Codes {
    automaton: DFA<Vec<u32>>,
    start: StateID,
    lines: &'static Lines,
}

static CODES: LazyLock<Option<Codes>> = LazyLock::new(|| {
    let lines = &*LINES;
    // A test holds that it builds.
    let automaton = automaton(&lines.patterns).ok()?;
    let anchored = start::Config::new().anchored(Anchored::Yes);
    let start = automaton.start_state(&anchored).ok()?;
    Some(Codes {
        automaton,
        start,
        lines,
    })
});

/// In bytes; a test holds that all lines together stay under it.
const LARGEST: usize = 16 << 20;

/// The lines that may count, where a kind counts from its `least` score on.
pub(crate) fn rows(least: impl Fn(Entity) -> Option<f32>) -> Rows {
    Rows::of(LINES.rows.iter(), least)
}

/// Finds all of the kinds in the word of the scene's anchor: those that are `worth` it with the best that they may score, and whose score counts.
pub(crate) fn find(
    scene: &Scene<'_>,
    signs: Signs,
    rows: &Rows,
    worth: impl Fn(f32) -> bool,
    counts: impl Fn(Entity, f32) -> bool,
    mut found: impl FnMut(Entity, Match),
) {
    let (Some(codes), Some(word)) = (CODES.as_ref(), scene.window.word(scene.anchor)) else {
        return;
    };
    let row = |place| codes.lines.rows.get(place);
    let mut at = |start| {
        codes.find(scene, start, |held, end| {
            let held = rows.worth(held, row, &worth, || scene.told(start, end));
            for row in places(held).filter_map(row) {
                if worth(row.best())
                    && let Some(one) = row.judge(scene, start, end, [false; 2], |score| {
                        counts(row.entity, score)
                    })
                {
                    found(row.entity, one);
                }
            }
        });
    };
    if word < scene.anchor || signs.answer(Signs::START) {
        at(word);
    }
    // Of digits with no letter before them, no word can stand before.
    if word < scene.anchor || signs.answer(Signs::LETTER_BEFORE) {
        let before = scene.window.words_before(word);
        before.into_iter().flatten().for_each(at);
    }
}

impl Codes {
    /// Calls `each` with the lines and the end of all that start at `start`.
    fn find(&self, scene: &Scene<'_>, start: usize, mut each: impl FnMut(Bits, usize)) {
        scene.window.ask();
        let mut state = self.start;
        // The automaton tells of a match one byte late.
        for (byte, end) in scene.window.ahead(start, MOST).zip(start..) {
            state = match byte {
                Some(byte) => self.automaton.next_state(state, byte),
                None => self.automaton.next_eoi_state(state),
            };
            // Most are neither of those below: one comparison tells.
            if byte.is_some() && !self.automaton.is_special_state(state) {
                continue;
            }
            if self.automaton.is_match_state(state) {
                let patterns = (0..self.automaton.match_len(state))
                    .map(|index| self.automaton.match_pattern(state, index));
                let places = patterns
                    .filter_map(|pattern| self.lines.places.get(pattern.as_usize()))
                    .flat_map(Range::clone);
                each(places.fold(0, |held, place| held | 1 << place), end);
            }
            if byte.is_none() || self.automaton.is_dead_state(state) {
                return;
            }
        }
    }
}

/// A pattern of the table as a regular expression: `_` may be a separator, and `$name` stands for what a line of that name says.
fn regex(pattern: &str, named: &[&str]) -> String {
    let named = named.iter().filter_map(|line| line.split_once(" = "));
    // What a name means may hold names of lines above it.
    let pattern = named
        .rev()
        .fold(pattern.to_owned(), |pattern, (name, meaning)| {
            pattern.replace(name, &format!("(?:{meaning})"))
        });
    pattern.replace('_', "(?: ?[.-] ?| )?")
}

fn automaton(patterns: &[String]) -> Result<DFA<Vec<u32>>, Box<dense::BuildError>> {
    Ok(DFA::builder()
        .syntax(
            syntax::Config::new()
                .unicode(false)
                .utf8(false)
                .case_insensitive(true),
        )
        .thompson(regex_automata::nfa::thompson::Config::new().utf8(false))
        .configure(
            DFA::config()
                .start_kind(StartKind::Anchored)
                .match_kind(MatchKind::All)
                .accelerate(false)
                .dfa_size_limit(Some(LARGEST))
                .determinize_size_limit(Some(4 * LARGEST)),
        )
        .build_many(patterns)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let all = lines(include_str!("../../data/codes.txt"));
        let mut count = 0;
        let mut patterns = std::collections::BTreeSet::new();
        for line in all {
            if line.starts_with('$') {
                assert!(line.contains(" = "), "{line}");
                continue;
            }
            let (pattern, _) = Row::parse(line).unwrap_or_else(|| panic!("{line}"));
            patterns.insert(pattern);
            count += 1;
        }
        let codes = CODES.as_ref().unwrap();
        assert_eq!(LINES.rows.len(), count);
        assert!(count <= Bits::BITS as usize);
        let automaton = &codes.automaton;
        assert_eq!(automaton.pattern_len(), patterns.len());
        assert!(
            automaton.memory_usage() < LARGEST / 2,
            "{}",
            automaton.memory_usage()
        );
    }
}

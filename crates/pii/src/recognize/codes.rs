//! Codes with letters, by the lines of `data/codes.txt`.
//!
//! All patterns are one automaton, which is tried from the start of a word that holds an anchor, and from up to two short words before it
//! (`MH 12 AB 1234`).

use std::sync::LazyLock;

use regex_automata::dfa::dense::{self, DFA};
use regex_automata::dfa::{Automaton, StartKind};
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

use super::table::{MOST, Row, lines};
use super::{Match, Scene};
use crate::Entity;

struct Codes {
    automaton: DFA<Vec<u32>>,
    start: StateID,
    /// The lines that have each pattern.
    rows: Vec<Vec<Row>>,
}

static CODES: LazyLock<Option<Codes>> = LazyLock::new(|| {
    let (named, all): (Vec<_>, Vec<_>) =
        lines(include_str!("../../data/codes.txt")).partition(|line| line.starts_with('$'));
    let mut patterns: Vec<&str> = Vec::new();
    let mut rows: Vec<Vec<Row>> = Vec::new();
    for (pattern, row) in all.into_iter().filter_map(Row::parse) {
        let known = patterns.iter().position(|known| *known == pattern);
        match known.and_then(|known| rows.get_mut(known)) {
            Some(same) => same.push(row),
            None => {
                patterns.push(pattern);
                rows.push(vec![row]);
            }
        }
    }
    let patterns: Vec<_> = patterns
        .iter()
        .map(|pattern| regex(pattern, &named))
        .collect();
    // A test holds that it builds.
    let automaton = automaton(&patterns).ok()?;
    let anchored = start::Config::new().anchored(Anchored::Yes);
    let start = automaton.start_state(&anchored).ok()?;
    Some(Codes {
        automaton,
        start,
        rows,
    })
});

/// In bytes; a test holds that all lines together stay under it.
const LARGEST: usize = 16 << 20;

/// Finds all of the kinds in the word of the scene's anchor that are `wanted` with the score that they may reach.
pub(crate) fn find(
    scene: &Scene<'_>,
    wanted: impl Fn(Entity, f32) -> bool,
    mut found: impl FnMut(Entity, Match),
) {
    let (Some(codes), Some(word)) = (CODES.as_ref(), scene.window.word(scene.anchor)) else {
        return;
    };
    let before = scene.window.words_before(word);
    for start in [Some(word)].into_iter().chain(before).flatten() {
        codes.find(scene, start, |row, end| {
            if wanted(row.entity, row.best())
                && let Some(one) = row.judge(scene, start, end, [false; 2], |score| {
                    wanted(row.entity, score)
                })
            {
                found(row.entity, one);
            }
        });
    }
}

impl Codes {
    /// Calls `each` with the line and the end of all that start at `start`.
    fn find(&self, scene: &Scene<'_>, start: usize, mut each: impl FnMut(&Row, usize)) {
        let mut state = self.start;
        // The automaton tells of a match one byte late.
        for end in start..start + MOST {
            let byte = scene.window.at(end);
            state = match byte {
                Some(byte) => self.automaton.next_state(state, byte),
                None => self.automaton.next_eoi_state(state),
            };
            // Most are neither of those below: one comparison tells.
            if byte.is_some() && !self.automaton.is_special_state(state) {
                continue;
            }
            if self.automaton.is_match_state(state) {
                (0..self.automaton.match_len(state))
                    .map(|index| self.automaton.match_pattern(state, index))
                    .filter_map(|pattern| self.rows.get(pattern.as_usize()))
                    .flatten()
                    .for_each(|row| each(row, end));
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
        assert_eq!(codes.rows.iter().flatten().count(), count);
        let automaton = &codes.automaton;
        println!(
            "MEM {} stride {} ",
            automaton.memory_usage(),
            automaton.stride()
        );
        assert_eq!(automaton.pattern_len(), patterns.len());
        assert!(
            automaton.memory_usage() < LARGEST / 2,
            "{}",
            automaton.memory_usage()
        );
    }
}

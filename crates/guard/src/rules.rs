//! Rules over words, matched in one pass.
//!
//! A rule is a sequence of steps, each a set of words or phrases, with so many other words allowed in between. All phrases
//! of all rules are found at once, by the words' hashes; what each rule has seen so far is one small record a step, so the
//! cost of a word is bounded by the rules that name it, never by the length of the text. (Two obvious ways were tried.
//! Regular expressions with gaps: their automata grow with every gap, and a hundred of them are a hundred passes. One
//! Aho-Corasick automaton over letters: with three thousand phrases its tables leave the processor's caches, and a byte
//! costs five times as much.) A tally adds up weaker signs: each counts once, and only signs near each other add up.

mod canonical;
mod lexicon;
mod parse;
mod run;

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use canonical::canonical_phrase;
use lexicon::Lexicon;
pub(crate) use parse::forms;
use regex::Regex;
use run::Run;

use crate::words::{self, Oddities};
use crate::{Error, Risk};

/// In words; the matcher remembers where so many words began.
const LONGEST_PHRASE: usize = 8;

/// In bytes, with the spaces around it.
const LONG_GIVEAWAY: usize = 8;

/// Rules, compiled.
#[derive(Default)]
pub(crate) struct Rules {
    phrases: Vec<Phrase>,
    steps: Vec<Step>,
    goals: Vec<Goal>,
    tallies: Vec<Tally>,
    markers: Vec<(Cow<'static, str>, Risk, Regex)>,
    signs: usize,
    unless: usize,
    spaced: Option<Lexicon>,
    /// The phrases with `l` and `i` as one letter, for text where digits stand for letters.
    canonical: Option<Lexicon>,
    /// The canonical words, to cut what was spelled out into words again.
    dense: Option<AhoCorasick>,
}

#[derive(Default)]
struct Phrase {
    text: String,
    steps: Vec<usize>,
    unless: Vec<usize>,
    /// The word is what a reversed (true) or rotated (false) text holds.
    giveaway: Option<bool>,
}

struct Step {
    first: bool,
    last: bool,
    gap: u16,
    goal: u32,
}

enum Goal {
    Rule {
        id: Cow<'static, str>,
        risk: Risk,
        unless: Option<(usize, u32)>,
    },
    Sign {
        tally: usize,
        sign: usize,
    },
}

struct Tally {
    id: Cow<'static, str>,
    risk: Risk,
    score: u32,
    within: u32,
    /// At least one sign must weigh as much.
    core: u32,
    signs: Vec<(usize, u32)>,
}

/// What one pass found: the first rule, its bytes in the folded text, and what else is odd about the text.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    pub(crate) hit: Option<(Cow<'static, str>, Risk, usize, usize)>,
    pub(crate) odd: Oddities,
    pub(crate) reversed: bool,
    pub(crate) rotated: bool,
}

impl Rules {
    fn finish(mut self) -> Result<Self, Error> {
        for phrase in &mut self.phrases {
            // A word may serve two steps that follow each other: the later one looks first.
            phrase.steps.sort_unstable_by(|a, b| b.cmp(a));
        }
        self.spaced = Some(Lexicon::new(
            self.phrases.iter().map(|phrase| phrase.text.as_str()),
        ));
        let canonical_texts: Vec<String> = self
            .phrases
            .iter()
            .map(|phrase| canonical_phrase(&phrase.text))
            .collect();
        self.canonical = Some(Lexicon::new(canonical_texts.iter().map(String::as_str)));
        let mut words: Vec<&str> = canonical_texts
            .iter()
            .flat_map(|text| text.split(' '))
            .filter(|word| word.len() > 2)
            .collect();
        words.sort_unstable();
        words.dedup();
        let dense = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(words);
        self.dense = Some(dense.map_err(|_| Error::TooManyWords)?);
        Ok(self)
    }

    /// Looks at a folded text.
    pub(crate) fn pass(&self, folded: &str) -> Pass {
        let mut run = Run::new(self, self.spaced.as_ref());
        run.pass.odd = words::cut(folded, |word| run.word(word));
        let mut pass = run.pass;
        if pass.hit.is_none() {
            pass.hit = self.markers.iter().find_map(|(id, risk, regex)| {
                regex
                    .find(folded)
                    .map(|found| (id.clone(), *risk, found.start(), found.end()))
            });
        }
        pass
    }
}

#[cfg(test)]
mod tests;

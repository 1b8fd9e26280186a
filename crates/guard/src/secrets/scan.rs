//! Follows candidates byte by byte.

use regex_automata::dfa::Automaton;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, dfa::dense::DFA};

use super::{Forms, Tail, is_placeholder};
use crate::{Finding, Progress, Risk, Watcher};

/// A candidate that is longer than this is none: nothing may be held back without end.
const LONGEST: usize = 8 * 1024;

/// Candidates that run at once. They begin at a boundary and most end within a few bytes, so more is an attack on time.
const MOST: usize = 8;

pub(super) struct Scan<'f> {
    forms: &'f Forms,
    start: StateID,
    candidates: Vec<Candidate>,
    /// The flow's bytes from the first candidate's begin.
    held: Vec<u8>,
    held_from: usize,
    at: usize,
    /// The last two bytes.
    before: [u8; 2],
    found: bool,
}

#[derive(Clone, Copy)]
struct Candidate {
    begin: usize,
    state: StateID,
}

impl<'f> Scan<'f> {
    pub(super) fn new(forms: &'f Forms) -> Self {
        let start = begin(&forms.dfa);
        Self {
            forms,
            start,
            candidates: Vec::new(),
            held: Vec::new(),
            held_from: 0,
            at: 0,
            before: [b' '; 2],
            found: false,
        }
    }

    /// Steps all candidates over `byte`, or over the end.
    fn step(&mut self, byte: Option<u8>) -> Option<Finding> {
        let mut kept = 0;
        for index in 0..self.candidates.len() {
            let Some(mut candidate) = self.candidates.get(index).copied() else {
                break;
            };
            let dfa = &self.forms.dfa;
            candidate.state = match byte {
                Some(byte) => dfa.next_state(candidate.state, byte),
                None => dfa.next_eoi_state(candidate.state),
            };
            // A match is told one byte late: `byte` is what follows it.
            if dfa.is_match_state(candidate.state)
                && let Some(finding) = self.judge(candidate, byte)
            {
                return Some(finding);
            }
            let live = !self.forms.dfa.is_dead_state(candidate.state)
                && self.at - candidate.begin < LONGEST;
            if live && let Some(slot) = self.candidates.get_mut(kept) {
                *slot = candidate;
                kept += 1;
            }
        }
        if kept < self.candidates.len() {
            self.candidates.truncate(kept);
            self.drop_held();
        }
        None
    }

    fn judge(&self, candidate: Candidate, next: Option<u8>) -> Option<Finding> {
        let dfa = &self.forms.dfa;
        (0..dfa.match_len(candidate.state)).find_map(|index| {
            let (id, tail) = self
                .forms
                .ids
                .get(dfa.match_pattern(candidate.state, index).as_usize())?;
            if *tail == Tail::NoTokenCharacter && next.is_some_and(is_token) {
                return None;
            }
            let secret = self
                .held
                .get(candidate.begin - self.held_from..self.at - self.held_from)?;
            let finding = Finding::new(
                Risk::SensitiveInformation,
                id.clone(),
                candidate.begin..self.at,
            );
            (!is_placeholder(id, secret)).then_some(finding)
        })
    }

    fn advance(&mut self, byte: u8) {
        if !self.candidates.is_empty() {
            self.held.push(byte);
        }
        self.before = [self.before[1], byte];
        self.at += 1;
    }

    fn drop_held(&mut self) {
        match self.candidates.first() {
            None => {
                self.held.clear();
            }
            Some(first) if first.begin > self.held_from => {
                self.held
                    .drain(..(first.begin - self.held_from).min(self.held.len()));
                self.held_from = first.begin;
            }
            Some(_) => {}
        }
    }
}

impl Scan<'_> {
    /// The next place at or after `at` where a form may begin. Bytes before it are passed over.
    #[inline]
    fn next_begin(&mut self, bytes: &[u8], mut at: usize) -> usize {
        let [mut second, mut last] = self.before;
        while let Some(&byte) = bytes.get(at) {
            if at_boundary(second, last) && self.forms.begins(byte, bytes.get(at + 1).copied()) {
                break;
            }
            (second, last) = (last, byte);
            at += 1;
        }
        self.before = [second, last];
        at
    }
}

impl Watcher for Scan<'_> {
    fn push(&mut self, piece: &str) -> Progress {
        let bytes = piece.as_bytes();
        let mut next = 0;
        while !self.found {
            if self.candidates.is_empty() {
                let begin = self.next_begin(bytes, next);
                self.at += begin - next;
                next = begin;
            }
            let Some(&byte) = bytes.get(next) else { break };
            if !self.candidates.is_empty()
                && let Some(finding) = self.step(Some(byte))
            {
                self.found = true;
                return Progress::Found(finding);
            }
            let [second, last] = self.before;
            if self.candidates.len() < MOST
                && at_boundary(second, last)
                && self.forms.begins(byte, bytes.get(next + 1).copied())
            {
                if self.candidates.is_empty() {
                    self.held_from = self.at;
                }
                let state = self.forms.dfa.next_state(self.start, byte);
                self.candidates.push(Candidate {
                    begin: self.at,
                    state,
                });
            }
            self.advance(byte);
            next += 1;
        }
        Progress::Clear(self.candidates.first().map_or(self.at, |first| first.begin))
    }

    fn finish(&mut self) -> Option<Finding> {
        if self.found {
            return None;
        }
        self.step(None)
    }
}

pub(super) fn begin(dfa: &DFA<Vec<u32>>) -> StateID {
    #[expect(
        clippy::expect_used,
        reason = "the automaton is built for anchored starts, and no byte quits it"
    )]
    dfa.start_state(&start::Config::new().anchored(Anchored::Yes))
        .expect("an anchored start")
}

/// Whether no token goes on after these two bytes: a letter may be the end of an escape such as `\n`.
#[inline]
const fn at_boundary(second: u8, last: u8) -> bool {
    !is_token(last) || (second == b'\\' && matches!(last, b'n' | b'r' | b't'))
}

pub(super) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

//! Follows candidates byte by byte.

use std::borrow::Cow;

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
    /// What earlier pieces had from the first candidate's begin on, and where that lies in the flow.
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

    /// Steps all candidates over `byte`, or over the end. `piece` is the current one, and begins at `from`.
    fn step(&mut self, byte: Option<u8>, piece: &[u8], from: usize) -> Option<Finding> {
        let (forms, held, held_from, at) = (self.forms, &self.held, self.held_from, self.at);
        let mut found = None;
        self.candidates.retain_mut(|candidate| {
            let dfa = &forms.dfa;
            candidate.state = match byte {
                Some(byte) => dfa.next_state(candidate.state, byte),
                None => dfa.next_eoi_state(candidate.state),
            };
            if dfa.is_dead_state(candidate.state) || at - candidate.begin >= LONGEST {
                return false;
            }
            // A match is told one byte late: `byte` is what follows it.
            if !dfa.is_match_state(candidate.state) || found.is_some() {
                return true;
            }
            let Some(id) = forms.ended(candidate.state, byte) else {
                return true;
            };
            let early = held.get(candidate.begin.saturating_sub(held_from)..);
            let early = early.filter(|_| candidate.begin < from).unwrap_or_default();
            let late = piece.get(candidate.begin.saturating_sub(from)..at - from);
            let secret = [early, late.unwrap_or_default()].concat();
            // What reads like a placeholder is not looked at again as it grows: that would be a cost without bound.
            if !is_placeholder(id, &secret) {
                let span = candidate.begin..at;
                found = Some(Finding::new(Risk::SensitiveInformation, id.clone(), span));
            }
            false
        });
        found
    }

    /// Keeps what the candidates will need of this piece.
    fn hold(&mut self, piece: &[u8], from: usize) {
        let Some(first) = self.candidates.first().map(|first| first.begin) else {
            return self.held.clear();
        };
        if first >= from {
            self.held.clear();
        } else {
            self.held.drain(..first - self.held_from);
        }
        self.held_from = first;
        let piece = piece.get(first.saturating_sub(from)..).unwrap_or_default();
        self.held.extend_from_slice(piece);
    }
}

impl Forms {
    /// The form that ends in `state`, before `next`.
    fn ended(&self, state: StateID, next: Option<u8>) -> Option<&Cow<'static, str>> {
        (0..self.dfa.match_len(state)).find_map(|index| {
            let (id, tail) = self
                .ids
                .get(self.dfa.match_pattern(state, index).as_usize())?;
            let goes_on = *tail == Tail::NoTokenCharacter && next.is_some_and(is_token);
            (!goes_on).then_some(id)
        })
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
        let (bytes, from) = (piece.as_bytes(), self.at);
        let mut next = 0;
        while !self.found {
            if self.candidates.is_empty() {
                let begin = self.next_begin(bytes, next);
                self.at += begin - next;
                next = begin;
            }
            let Some(&byte) = bytes.get(next) else { break };
            if !self.candidates.is_empty()
                && let Some(finding) = self.step(Some(byte), bytes, from)
            {
                self.found = true;
                return Progress::Found(finding);
            }
            let [second, last] = self.before;
            if self.candidates.len() < MOST
                && at_boundary(second, last)
                && self.forms.begins(byte, bytes.get(next + 1).copied())
            {
                let state = self.forms.dfa.next_state(self.start, byte);
                self.candidates.push(Candidate {
                    begin: self.at,
                    state,
                });
            }
            self.before = [last, byte];
            self.at += 1;
            next += 1;
        }
        self.hold(bytes, from);
        Progress::Clear(self.candidates.first().map_or(self.at, |first| first.begin))
    }

    fn finish(&mut self) -> Option<Finding> {
        if self.found {
            return None;
        }
        self.step(None, &[], self.at)
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

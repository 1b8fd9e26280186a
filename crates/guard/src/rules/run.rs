//! One walk over the words of a text.

use super::lexicon::{Lexicon, Open};
use super::{Goal, LONG_GIVEAWAY, LONGEST_PHRASE, Pass, Phrase, Rules};
use crate::words::{Word, is_apostrophe};

/// One walk over one text.
pub(super) struct Run<'r> {
    rules: &'r Rules,
    lexicon: Option<&'r Lexicon>,
    open: Open,
    /// So many words, stops among them, were read: the current one's number.
    words: u32,
    /// Where the latest words began.
    places: [usize; 2 * LONGEST_PHRASE],
    /// For each step: up to which word the next may begin, and where its rule began.
    live: Vec<Live>,
    /// For each sign and each `unless` set: the word where it was seen last.
    signs: Vec<u32>,
    unless: Vec<u32>,
    giveaways: [Option<u32>; 2],
    pub(super) pass: Pass,
}

#[derive(Clone, Copy, Default)]
struct Live {
    until: u32,
    word: u32,
    place: u32,
}

impl<'r> Run<'r> {
    pub(super) fn new(rules: &'r Rules, lexicon: Option<&'r Lexicon>) -> Self {
        Self {
            rules,
            lexicon,
            open: Open::default(),
            words: 0,
            places: [0; 2 * LONGEST_PHRASE],
            live: vec![Live::default(); rules.steps.len()],
            signs: vec![0; rules.signs],
            unless: vec![0; rules.unless],
            giveaways: [None; 2],
            pass: Pass::default(),
        }
    }

    #[inline]
    pub(super) fn word(&mut self, word: Word<'_>) {
        self.words += 1;
        let (text, place) = match word {
            Word::Text(text, place) => (text, place),
            Word::Quoted(text, place) => {
                let plain: String = text.chars().filter(|c| !is_apostrophe(*c)).collect();
                return self.text(&plain, place, place + text.len());
            }
            Word::Stop => return self.open.close(),
        };
        self.text(text, place, place + text.len());
    }

    #[inline]
    fn text(&mut self, text: &str, place: usize, upto: usize) {
        if let Some(start) = self
            .places
            .get_mut(self.words as usize % (2 * LONGEST_PHRASE))
        {
            *start = place;
        }
        if let Some(lexicon) = self.lexicon
            && self.pass.hit.is_none()
        {
            let mut open = std::mem::take(&mut self.open);
            lexicon.read(&mut open, text, |pattern, words| {
                if let Some(phrase) = self.rules.phrases.get(pattern as usize) {
                    self.phrase(phrase, words, pattern, upto);
                }
            });
            self.open = open;
        }
    }

    /// A phrase of so many words ends with the current word, before `place`. Words are numbered from 1.
    fn phrase(&mut self, phrase: &Phrase, words: u32, pattern: u32, place: usize) {
        let rules = self.rules;
        let end = self.words;
        let start = (end + 1).saturating_sub(words);
        let began = self
            .places
            .get(start as usize % (2 * LONGEST_PHRASE))
            .copied()
            .unwrap_or_default();
        for &set in &phrase.unless {
            if let Some(seen) = self.unless.get_mut(set) {
                *seen = end;
            }
        }
        if let Some(reversed) = phrase.giveaway {
            self.giveaway(reversed, pattern, phrase.text.len() > LONG_GIVEAWAY);
        }
        for &index in &phrase.steps {
            let Some(step) = rules.steps.get(index) else {
                continue;
            };
            let origin = if step.first {
                Live {
                    until: 0,
                    word: start,
                    place: u32::try_from(began).unwrap_or(u32::MAX),
                }
            } else {
                match index
                    .checked_sub(1)
                    .and_then(|before| self.live.get(before))
                {
                    Some(live) if live.until >= start => *live,
                    _ => continue,
                }
            };
            if step.last {
                if let Some(goal) = rules.goals.get(step.goal as usize) {
                    self.reach(goal, origin, end, place);
                }
            } else if let Some(live) = self.live.get_mut(index) {
                *live = Live {
                    until: end + 1 + u32::from(step.gap),
                    ..origin
                };
            }
        }
    }

    fn reach(&mut self, goal: &Goal, origin: Live, end: u32, place: usize) {
        match goal {
            Goal::Rule { id, risk, unless } => {
                let spared = unless.is_some_and(|(set, within)| {
                    self.unless
                        .get(set)
                        .is_some_and(|seen| *seen > 0 && seen + within >= origin.word)
                });
                if !spared && self.pass.hit.is_none() {
                    self.pass.hit = Some((id.clone(), *risk, origin.place as usize, place));
                }
            }
            Goal::Sign { tally, sign } => {
                let Some(tally) = self.rules.tallies.get(*tally) else {
                    return;
                };
                let Some(seen) = self.signs.get_mut(*sign) else {
                    return;
                };
                let fresh = *seen == 0 || *seen + tally.within < end;
                *seen = end;
                if fresh && self.pass.hit.is_none() {
                    let near = |sign: usize| {
                        self.signs
                            .get(sign)
                            .is_some_and(|seen| *seen > 0 && seen + tally.within >= end)
                    };
                    let weights = tally
                        .signs
                        .iter()
                        .filter(|(sign, _)| near(*sign))
                        .map(|(_, weight)| *weight);
                    let (score, most) = weights.fold((0, 0), |(sum, most), weight| {
                        (sum + weight, weight.max(most))
                    });
                    if score >= tally.score && most >= tally.core {
                        self.pass.hit =
                            Some((tally.id.clone(), tally.risk, origin.place as usize, place));
                    }
                }
            }
        }
    }

    /// Two different words give a text away, or one that is too long to be a name.
    fn giveaway(&mut self, reversed: bool, pattern: u32, long: bool) {
        let [first_reversed, first_rotated] = &mut self.giveaways;
        let (first, flag) = if reversed {
            (first_reversed, &mut self.pass.reversed)
        } else {
            (first_rotated, &mut self.pass.rotated)
        };
        *flag |= long || first.is_some_and(|first| first != pattern);
        first.get_or_insert(pattern);
    }
}

//! Reads words whose letters are digits or marks, or stand apart.

use std::borrow::Cow;

use super::Rules;
use super::run::Run;
use crate::Risk;
use crate::words::{self, Word};

impl Rules {
    /// Looks at a stretch of folded text whose letters are digits or stand apart. Places are lost.
    pub(crate) fn pass_canonical(&self, folded: &str) -> Option<(Cow<'static, str>, Risk)> {
        let mut run = Run::new(self, self.canonical.as_ref());
        let mut spelled = Spelled::default();
        let mut spelling = String::new();
        words::cut_marked(folded, |word| match word {
            // Stops between letters are part of the disguise.
            Word::Stop if !spelled.letters.is_empty() => {}
            Word::Stop => run.word(Word::Stop),
            Word::Text(word, at) if word.len() == 1 => {
                let gap = folded.get(spelled.end..at).unwrap_or_default();
                spelled.push(word, gap, at + 1);
            }
            Word::Text(word, _) | Word::Quoted(word, _) => {
                self.read_spelled(&mut run, &mut spelled);
                canonical(word, &mut spelling);
                run.word(Word::Text(&spelling, 0));
            }
        });
        self.read_spelled(&mut run, &mut spelled);
        run.pass.hit.map(|(id, risk, ..)| (id, risk))
    }

    /// Reads letters that stood apart. Where their gaps differ, the rarer ones part words; where they don't, the words
    /// that the rules know are looked for.
    fn read_spelled(&self, run: &mut Run<'_>, spelled: &mut Spelled<'_>) {
        let mut spelling = String::new();
        let mut word = String::new();
        let usual = spelled
            .usual_gap()
            .filter(|_| spelled.letters.len() >= words::SPELLED);
        let mut parted = usual.is_none();
        for (at, (letter, gap)) in spelled.letters.iter().enumerate() {
            if at > 0 && Some(*gap) != usual {
                parted = true;
                canonical(&word, &mut spelling);
                run.word(Word::Text(&spelling, 0));
                word.clear();
            }
            word.push_str(letter);
        }
        spelled.letters.clear();
        canonical(&word, &mut spelling);
        let known = self
            .dense
            .iter()
            .filter(|_| !parted)
            .flat_map(|dense| dense.find_iter(&spelling));
        let mut done = 0;
        for found in known {
            for piece in [
                spelling.get(done..found.start()),
                spelling.get(found.range()),
            ]
            .into_iter()
            .flatten()
            {
                if !piece.is_empty() {
                    run.word(Word::Text(piece, 0));
                }
            }
            done = found.end();
        }
        if let Some(rest) = spelling.get(done..).filter(|rest| !rest.is_empty()) {
            run.word(Word::Text(rest, 0));
        }
    }
}

/// Single letters that follow each other, each with what stands before it.
#[derive(Default)]
struct Spelled<'t> {
    letters: Vec<(&'t str, &'t str)>,
    end: usize,
}

impl<'t> Spelled<'t> {
    fn push(&mut self, letter: &'t str, gap: &'t str, end: usize) {
        self.letters.push((letter, gap));
        self.end = end;
    }

    /// The commonest gap.
    fn usual_gap(&self) -> Option<&'t str> {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for (_, gap) in self.letters.iter().skip(1) {
            if let Some((_, count)) = counts.iter_mut().find(|(known, _)| known == gap) {
                *count += 1;
            } else if counts.len() < MOST_GAPS {
                counts.push((gap, 1));
            }
        }
        counts
            .into_iter()
            .max_by_key(|(_, count)| *count)
            .map(|(gap, _)| gap)
    }
}

/// Kinds of gaps between single letters that are counted.
const MOST_GAPS: usize = 8;

/// Writes a word with one letter for `l` and `i`, since `1` and `|` stand for both, and with letters for its digits and
/// marks.
fn canonical(word: &str, out: &mut String) {
    out.clear();
    out.extend(
        word.chars()
            .filter(|c| !words::is_apostrophe(*c))
            .map(|c| match c {
                'l' => 'i',
                _ => leet(c).unwrap_or(c),
            }),
    );
}

/// A phrase of the rules, written so.
pub(super) fn canonical_phrase(text: &str) -> String {
    text.replace('l', "i")
}

const fn leet(c: char) -> Option<char> {
    Some(match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '2' => 'z',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' | '9' => 'g',
        '7' | '+' => 't',
        '8' => 'b',
        _ => return None,
    })
}

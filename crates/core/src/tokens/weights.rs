//! The weights, read from their files when they are first asked for.

use std::sync::LazyLock;

use super::count::{Counts, LETTERS};

/// Characters below this one have a weight of their own.
const CODES: usize = 0x2_0000;

/// What things weigh in one vocabulary.
#[derive(Debug)]
pub(super) struct Weights {
    counts: [i64; COUNTS.len()],
    letters: [i64; LETTERS.len()],
    pub(super) wide: Vec<u8>,
}

const COUNTS: [&str; 12] = [
    "letter",
    "upper",
    "digit",
    "control",
    "mark",
    "lower_start",
    "upper_start",
    "digit_start",
    "mark_start",
    "space_start",
    "same",
    "consonants",
];

pub(super) fn o200k() -> &'static Weights {
    static WEIGHTS: LazyLock<Weights> =
        LazyLock::new(|| Weights::read(include_str!("../../data/tokens/o200k.txt")));
    &WEIGHTS
}

pub(super) fn cl100k() -> &'static Weights {
    static WEIGHTS: LazyLock<Weights> =
        LazyLock::new(|| Weights::read(include_str!("../../data/tokens/cl100k.txt")));
    &WEIGHTS
}

/// Characters at the greater of their weights in the two.
pub(super) fn cautious() -> &'static Vec<u8> {
    static WIDE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let pairs = o200k().wide.iter().zip(&cl100k().wide);
        pairs.map(|(one, two)| *one.max(two)).collect()
    });
    &WIDE
}

impl Weights {
    /// What the counts weigh, in units of a token.
    pub(super) fn ascii(&self, counts: &Counts) -> i64 {
        let of = [
            counts.letter,
            counts.upper,
            counts.digit,
            counts.control,
            counts.mark,
            counts.lower_start,
            counts.upper_start,
            counts.digit_start,
            counts.mark_start,
            counts.space_start,
            counts.same,
            counts.consonants,
        ];
        let all = of.iter().chain(&counts.letters);
        let weights = self.counts.iter().chain(&self.letters);
        all.zip(weights)
            .map(|(count, weight)| i64::from(*count) * weight)
            .sum()
    }

    /// Reads a file. What can't be read leaves the cautious weight in its place; a test reads every line.
    fn read(text: &str) -> Self {
        let mut weights = Self {
            counts: [0; COUNTS.len()],
            letters: [0; LETTERS.len()],
            wide: vec![0; CODES],
        };
        let mut alone: Vec<u8> = (0..CODES)
            .map(|code| if code > 0xFFFF { 4 } else { 3 })
            .collect();
        for line in lines(text, "alone") {
            alone_of(line, &mut alone);
        }
        for ((code, weight), alone) in (0_usize..).zip(&mut weights.wide).zip(&alone) {
            *weight = if code < 0x80 {
                0
            } else {
                alone.saturating_mul(64)
            };
        }
        for line in lines(text, "range") {
            weights.range(line, &alone);
        }
        for line in lines(text, "each") {
            weights.each(line);
        }
        for line in lines(text, "count") {
            weights.count(line);
        }
        weights
    }

    fn range(&mut self, line: &str, alone: &[u8]) -> Option<()> {
        let mut words = line.split(' ');
        let (first, last) = (code(words.next()?)?, code(words.next()?)?);
        let by_alone: Vec<u8> = words.map_while(|word| word.parse().ok()).collect();
        let range = first..=last;
        for (weight, alone) in self
            .wide
            .get_mut(range.clone())?
            .iter_mut()
            .zip(alone.get(range)?)
        {
            *weight = *by_alone.get(usize::from(alone.checked_sub(1)?))?;
        }
        Some(())
    }

    fn each(&mut self, line: &str) -> Option<()> {
        let mut words = line.split(' ');
        let first = code(words.next()?)?;
        for (weight, word) in self.wide.get_mut(first..)?.iter_mut().zip(words) {
            *weight = word.parse().ok()?;
        }
        Some(())
    }

    fn count(&mut self, line: &str) -> Option<()> {
        let (name, weight) = line.split_once(' ')?;
        let place = match name.strip_prefix("letter_") {
            Some(letter) => {
                let at = LETTERS
                    .iter()
                    .position(|known| letter.as_bytes() == [*known])?;
                self.letters.get_mut(at)?
            }
            None => {
                let at = COUNTS.iter().position(|known| *known == name)?;
                self.counts.get_mut(at)?
            }
        };
        *place = weight.parse().ok()?;
        Some(())
    }
}

/// The lines that begin with `word`, without it.
fn lines<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines()
        .filter_map(move |line| line.strip_prefix(word)?.strip_prefix(' '))
}

fn code(word: &str) -> Option<usize> {
    usize::from_str_radix(word, 16).ok()
}

/// How many tokens each of some characters is alone: two to a hexadecimal digit.
fn alone_of(line: &str, alone: &mut [u8]) -> Option<()> {
    let (first, digits) = line.split_once(' ')?;
    let (pairs, _) = alone.get_mut(code(first)?..)?.as_chunks_mut::<2>();
    for ([one, two], digit) in pairs.iter_mut().zip(digits.chars()) {
        let both = u8::try_from(digit.to_digit(16)?).ok()?;
        *one = both / 4 + 1;
        *two = both % 4 + 1;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 2] = [
        include_str!("../../data/tokens/o200k.txt"),
        include_str!("../../data/tokens/cl100k.txt"),
    ];

    #[test]
    fn every_line_is_read() {
        for text in FILES {
            let mut weights = Weights::read(text);
            let mut alone = vec![1; CODES];
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                let (word, rest) = line.split_once(' ').unwrap();
                let read = match word {
                    "alone" => alone_of(rest, &mut alone),
                    "range" => weights.range(rest, &alone),
                    "each" => weights.each(rest),
                    "count" => weights.count(rest),
                    _ => None,
                };
                assert!(read.is_some(), "{line}");
            }
            assert!(
                weights
                    .counts
                    .iter()
                    .chain(&weights.letters)
                    .all(|weight| *weight != 0)
            );
        }
    }

    #[test]
    fn every_character_outside_of_ascii_weighs_something_and_no_more_than_its_bytes() {
        for weights in [o200k(), cl100k()] {
            for code in 0x80..0x2_0000 {
                let Some(character) = char::from_u32(code) else {
                    continue;
                };
                let weight = weights.wide[code as usize];
                let most = (character.len_utf8() * 64).min(255);
                assert!(
                    weight > 0 && usize::from(weight) <= most,
                    "{character:?} {weight}"
                );
            }
        }
    }
}

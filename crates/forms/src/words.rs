//! Which of a few words a text holds, at one look a byte: to search for each by itself would cost more than all else about a secret.

/// Words of two bytes at least.
pub(crate) struct Words {
    /// With the pair that each begins with, in the order of these.
    words: Vec<(usize, &'static str)>,
    /// For each pair one more than the place of its first word; 0 is none.
    firsts: [u8; PAIRS],
}

/// Of two bytes, five bits each count.
const PAIRS: usize = 1 << 10;

impl Words {
    pub(crate) fn new<'w>(words: impl Iterator<Item = &'w &'static str>) -> Self {
        let mut words: Vec<_> = words
            .filter_map(|word| Some((pair(word.as_bytes().first_chunk()?), *word)))
            .collect();
        words.sort_unstable();
        let mut firsts = [0; PAIRS];
        for ((pair, _), next) in words.iter().zip(1_u8..) {
            if let Some(first @ 0) = firsts.get_mut(*pair) {
                *first = next;
            }
        }
        Self { words, firsts }
    }

    /// Whether `text` holds one that `counts`.
    pub(crate) fn any(&self, text: &str, counts: impl Fn(&'static str) -> bool) -> bool {
        let text = text.as_bytes();
        text.array_windows().enumerate().any(|(place, two)| {
            let own = pair(two);
            let first = self.firsts.get(own).copied().unwrap_or(0);
            let Some(first) = usize::from(first).checked_sub(1) else {
                return false;
            };
            let rest = text.get(place..).unwrap_or_default();
            let words = self.words.get(first..).unwrap_or_default().iter();
            let mut words = words.take_while(|(pair, _)| *pair == own);
            words.any(|(_, word)| rest.starts_with(word.as_bytes()) && counts(word))
        })
    }
}

const fn pair([one, two]: &[u8; 2]) -> usize {
    (*one as usize & 31) << 5 | *two as usize & 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_seen_wherever_it_stands() {
        let words = Words::new(["pass", "past", "....", "to"].iter());
        for (text, holds) in [
            ("", None),
            ("p", None),
            ("pas", None),
            ("compass", Some("pass")),
            ("pas past", Some("past")),
            ("a....", Some("....")),
            ("on to", Some("to")),
            // The same five bits.
            ("on 4o", None),
        ] {
            assert_eq!(words.any(text, |_| true), holds.is_some(), "{text}");
            assert!(!words.any(text, |word| Some(word) != holds), "{text}");
        }
    }
}

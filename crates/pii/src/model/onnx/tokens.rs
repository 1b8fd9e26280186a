//! Texts as tokens, and long ones as windows.

use std::ops::Range;
use std::path::Path;

use tokenizers::Tokenizer;

use super::spans::Token;

/// Bytes that are tokenized at once: between two such parts the work can be stopped.
const PART: usize = 16 * 1024;

/// A tokenizer, and what its model wants around a text.
#[derive(Debug)]
pub(super) struct Splitter {
    tokenizer: Tokenizer,
    /// Tokens before and behind each text, as `[CLS]` and `[SEP]`.
    pub(super) before: Vec<i64>,
    pub(super) behind: Vec<i64>,
    pub(super) padding: i64,
}

/// One text in tokens.
#[derive(Debug, Default)]
pub(super) struct Split {
    pub(super) ids: Vec<i64>,
    pub(super) tokens: Vec<Token>,
}

impl Splitter {
    /// # Errors
    ///
    /// What is wrong, and how to mend it.
    pub(super) fn read(path: &Path, padding: Option<i64>) -> Result<Self, String> {
        let mut tokenizer = Tokenizer::from_file(path).map_err(|error| error.to_string())?;
        // We cut by ourselves, and nothing that is written in a text may be taken for a mark of the model's.
        tokenizer
            .with_truncation(None)
            .map_err(|error| error.to_string())?;
        let of_tokenizer = tokenizer
            .get_padding()
            .map(|padding| i64::from(padding.pad_id));
        tokenizer.with_padding(None);
        tokenizer.set_encode_special_tokens(true);
        let probe = tokenizer
            .encode("a", true)
            .map_err(|error| error.to_string())?;
        let special = probe.get_special_tokens_mask();
        let content = |special: &u32| *special == 0;
        let (Some(first), Some(last)) = (
            special.iter().position(content),
            special.iter().rposition(content),
        ) else {
            return Err("it makes no tokens of a text".to_owned());
        };
        let of = |range: &[u32]| range.iter().map(|id| i64::from(*id)).collect();
        let ids = probe.get_ids();
        Ok(Self {
            before: of(ids.get(..first).unwrap_or_default()),
            behind: of(ids.get(last + 1..).unwrap_or_default()),
            padding: of_tokenizer.or(padding).unwrap_or(0),
            tokenizer,
        })
    }

    /// How many tokens stand around each text.
    pub(super) fn around(&self) -> usize {
        self.before.len() + self.behind.len()
    }

    /// `text` in tokens, or `None` when `stopped` says so. What the tokenizer can't read is an error without words, as they would tell of
    /// the text.
    pub(super) fn split(
        &self,
        text: &str,
        stopped: impl Fn() -> bool,
    ) -> Result<Option<Split>, ()> {
        let mut all = Split::default();
        for part in parts(text, PART) {
            if stopped() {
                return Ok(None);
            }
            let start = part.start;
            let part = text.get(part).unwrap_or_default();
            let encoding = self.tokenizer.encode(part, false).map_err(drop)?;
            let mut word = None;
            let words = encoding.get_word_ids();
            for ((id, offsets), of_word) in encoding
                .get_ids()
                .iter()
                .zip(encoding.get_offsets())
                .zip(words)
            {
                all.ids.push(i64::from(*id));
                all.tokens.push(Token {
                    range: start + offsets.0..start + offsets.1,
                    begins_word: of_word.is_none() || word != Some(*of_word),
                });
                word = Some(*of_word);
            }
        }
        keep_marks(text, &mut all.tokens);
        join_at_signs(text, &mut all.tokens);
        Ok(Some(all))
    }
}

/// Adds to each token what the tokenizer dropped behind it, but for blanks: the marks of a letter (`é` in two characters, vowel signs),
/// which would stand alone where a name is taken away.
fn keep_marks(text: &str, tokens: &mut [Token]) {
    let mut next = text.len();
    for token in tokens.iter_mut().rev() {
        let end = token.range.end;
        let dropped = text.get(end..next.max(end)).unwrap_or_default();
        let marks = dropped.find(char::is_whitespace).unwrap_or(dropped.len());
        next = token.range.start;
        token.range.end = end + marks;
    }
}

/// Makes one word of what adjoins in a script of India: patterns that know letters alone (GPT-2's, RoBERTa's) end a word at each vowel sign.
fn join_at_signs(text: &str, tokens: &mut [Token]) {
    let of_india = |c: char| matches!(c, '\u{900}'..='\u{dff}') && !matches!(c, '।' | '॥');
    let mut before = 0;
    for token in tokens {
        let start = token.range.start;
        let adjoins = start == before
            && text
                .get(..start)
                .is_some_and(|head| head.ends_with(of_india))
            && text
                .get(start..)
                .is_some_and(|rest| rest.starts_with(of_india));
        token.begins_word &= !adjoins;
        before = token.range.end;
    }
}

/// `text` in parts of at most `most` bytes that are cut before a blank, where all tokenizers cut, unless a word is longer than a part.
fn parts(text: &str, most: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let fits = rest.floor_char_boundary(most);
        let end = if fits == rest.len() {
            fits
        } else {
            let head = rest.get(..fits).unwrap_or_default();
            head.rfind(char::is_whitespace)
                .filter(|blank| *blank > 0)
                .unwrap_or(fits)
        };
        let part = start..start + end;
        start += end;
        Some(part)
    })
}

/// A part of a text that the model looks at in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// The tokens that it holds.
    pub(super) tokens: Range<usize>,
    /// Those of them for which this window's word counts.
    pub(super) counts: Range<usize>,
}

/// `count` tokens in as few windows of at most `most` as can be, of which neighbours share at least `overlap`; all are equally long, so that
/// none is looked at for the sake of a few tokens. For each token, that window counts in which more stands around it.
pub(super) fn windows(count: usize, most: usize, overlap: usize) -> Vec<Window> {
    let gain = most.saturating_sub(overlap).max(1);
    let needed = count.saturating_sub(overlap).div_ceil(gain).max(1);
    let length = (count + (needed - 1) * overlap).div_ceil(needed);
    let start = |at: usize| at * (count - length.min(count)) / (needed - 1).max(1);
    let mut from = 0;
    (0..needed)
        .map(|at| {
            let tokens = start(at)..(start(at) + length).min(count);
            let to = if at + 1 == needed {
                count
            } else {
                (start(at + 1) + tokens.end).div_ceil(2)
            };
            let counts = from..to;
            from = to;
            Window { tokens, counts }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_window_counts_in_which_more_stands_around_a_token() {
        let window = |tokens, counts| Window { tokens, counts };
        for (count, expected) in [
            (0, vec![window(0..0, 0..0)]),
            (8, vec![window(0..8, 0..8)]),
            (9, vec![window(0..6, 0..5), window(3..9, 5..9)]),
            (14, vec![window(0..8, 0..7), window(6..14, 7..14)]),
            (
                16,
                vec![
                    window(0..7, 0..6),
                    window(4..11, 6..10),
                    window(9..16, 10..16),
                ],
            ),
        ] {
            assert_eq!(windows(count, 8, 2), expected, "{count}");
        }
    }

    proptest! {
        #[test]
        fn each_token_counts_once_with_half_the_overlap_around_it(
            count in 1_usize..400, most in 2_usize..40, overlap in 0_usize..20
        ) {
            let overlap = overlap.min(most / 2);
            let mut next = 0;
            let mut lengths = std::collections::BTreeSet::new();
            for Window { tokens, counts } in windows(count, most, overlap) {
                prop_assert_eq!(counts.start, next);
                prop_assert!(tokens.len() <= most);
                lengths.insert(tokens.len());
                prop_assert!(tokens.start <= counts.start && counts.end <= tokens.end);
                prop_assert!(tokens.start == 0 || counts.start - tokens.start >= overlap / 2);
                prop_assert!(tokens.end == count || tokens.end - counts.end >= overlap / 2);
                next = counts.end;
            }
            prop_assert_eq!(next, count);
            prop_assert_eq!(lengths.len(), 1);
        }

        #[test]
        fn parts_are_the_whole_text_and_cut_before_blanks(words in prop::collection::vec("[a-zé]{1,9}", 0..40)) {
            let text = words.join(" ");
            let mut next = 0;
            for part in parts(&text, 24) {
                prop_assert_eq!(part.start, next);
                prop_assert!(part.len() <= 24 && !part.is_empty());
                prop_assert!(part.start == 0 || text[part.start..].starts_with(' '));
                next = part.end;
            }
            prop_assert_eq!(next, text.len());
        }
    }

    #[test]
    fn words_of_indias_scripts_are_whole_and_hold_their_marks() {
        let word = |range, begins_word| Token { range, begins_word };
        // `र`, `ा`, `व`; `।`; and `e` with its accent dropped.
        let text = "राव। e\u{301} x";
        let mut tokens = [
            word(0..3, true),
            word(3..6, true),
            word(6..9, true),
            word(9..12, true),
            word(13..14, true),
            word(17..18, true),
        ];
        keep_marks(text, &mut tokens);
        join_at_signs(text, &mut tokens);
        let begins: Vec<bool> = tokens.iter().map(|token| token.begins_word).collect();
        assert_eq!(begins, [true, false, false, true, true, true]);
        assert_eq!(tokens[4].range, 13..16);
        assert_eq!(tokens[5].range, 17..18);
    }

    #[test]
    fn a_word_without_end_is_cut_between_characters() {
        let text = "é".repeat(20);
        let parts: Vec<Range<usize>> = parts(&text, 21).collect();
        assert_eq!(parts, [0..20, 20..40]);
        assert!(parts.iter().all(|part| text.get(part.clone()).is_some()));
    }
}

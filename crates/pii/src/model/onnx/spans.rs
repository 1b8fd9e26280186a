//! From what a model says of each token to what it found.

use std::ops::Range;

use super::labels::{Label, Labels, OUTSIDE};
use crate::{Entity, Finding};

/// How what a model says of tokens, which are often parts of words, becomes findings. Both join neighbours of one sort; a label that begins
/// (`B-`, `S-`) starts a new finding. The score is the mean of what the model gave to the labels that it chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Aggregation {
    /// A word is what its first token is, so that no word is masked in part. The default, and what models with `B-` and `I-` are trained for.
    #[default]
    First,
    /// Each token stands for itself. For models whose tokenizer knows no words, as of text without blanks.
    Simple,
}

/// One token of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// Bytes of the text.
    pub(super) range: Range<usize>,
    pub(super) begins_word: bool,
}

/// The label that a model chose for a token, and what it gave to it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Said {
    pub(super) label: usize,
    pub(super) score: f32,
}

/// A finding that grows.
struct Open {
    entity: Entity,
    sort: usize,
    ends: bool,
    range: Range<usize>,
    sum: f32,
    count: f32,
}

/// What stands in `text`, from `threshold` on.
pub(super) fn findings(
    text: &str,
    tokens: &[Token],
    said: &[Said],
    labels: &Labels,
    aggregation: Aggregation,
    threshold: f32,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut open: Option<Open> = None;
    let mut close = |open: Option<Open>| {
        let Some(open) = open else { return };
        let score = (open.sum / open.count).clamp(0.0, 1.0);
        let range = trimmed(text, open.range);
        if score >= threshold && !range.is_empty() {
            found.push(Finding::new(open.entity, range, score));
        }
    };
    for (token, said) in tokens.iter().zip(said) {
        let inner = !token.begins_word;
        if let (Aggregation::First, true, Some(open)) = (aggregation, inner, &mut open) {
            grow(open, &token.range);
            continue;
        }
        if aggregation == Aggregation::First && inner {
            // Of a word that is nothing.
            continue;
        }
        let Some(Label {
            sort,
            begins,
            ends,
            entity: Some(entity),
        }) = labels.of(said.label).copied()
        else {
            close(open.take());
            continue;
        };
        match &mut open {
            Some(open) if open.sort == sort && (inner || (!begins && !open.ends)) => {
                grow(open, &token.range);
                open.ends = ends;
                open.sum += said.score;
                open.count += 1.0;
            }
            _ => {
                debug_assert_ne!(sort, OUTSIDE);
                close(open.replace(Open {
                    entity,
                    sort,
                    ends,
                    range: token.range.clone(),
                    sum: said.score,
                    count: 1.0,
                }));
            }
        }
    }
    close(open);
    found
}

fn grow(open: &mut Open, by: &Range<usize>) {
    open.range.start = open.range.start.min(by.start);
    open.range.end = open.range.end.max(by.end);
}

/// What is no part of a name where it stands before or behind one: punctuation, and Markdown's marks.
const AROUND: &str = ",;:!?\"'“”‘’«»()[]{}<>|*_`#।";

/// Without blanks and punctuation around, which some tokenizers count to words; never a part of a character.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(range.start);
    let end = text.ceil_char_boundary(range.end.min(text.len()));
    let whole = text.get(start..end).unwrap_or_default();
    let around = |c: char| c.is_whitespace() || AROUND.contains(c);
    let rest = whole.trim_start_matches(around);
    let start = end - rest.len();
    start..start + rest.trim_end_matches(around).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 8] = [
        "O", "B-PER", "I-PER", "E-PER", "S-PER", "B-LOC", "I-LOC", "MISC",
    ];

    /// `Ra ##vi` are tokens of one word, `/` stands between words: each with the number of its label.
    fn found(aggregation: Aggregation, said: &[(&str, usize, f32)]) -> Vec<(Entity, String, f32)> {
        let names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
        let labels = Labels::new(&names, &[]).unwrap();
        let (mut text, mut tokens) = (String::new(), Vec::new());
        for (token, _, _) in said {
            let begins_word = !token.starts_with("##");
            if begins_word && !text.is_empty() {
                text.push(' ');
            }
            let start = text.len();
            text.push_str(token.trim_start_matches("##"));
            tokens.push(Token {
                range: start..text.len(),
                begins_word,
            });
        }
        let said: Vec<Said> = said
            .iter()
            .map(|(_, label, score)| Said {
                label: *label,
                score: *score,
            })
            .collect();
        findings(&text, &tokens, &said, &labels, aggregation, 0.5)
            .into_iter()
            .map(|finding| {
                (
                    finding.entity,
                    text[finding.range].to_owned(),
                    finding.score,
                )
            })
            .collect()
    }

    #[test]
    fn neighbours_of_one_sort_are_one_finding_until_one_begins_or_ends() {
        use Aggregation::{First, Simple};
        let person = |text: &str| (Entity::Person, text.to_owned(), 1.0);
        let place = |text: &str| (Entity::Location, text.to_owned(), 1.0);
        for (said, expected) in [
            (
                vec![
                    ("Ravi", 1, 1.0),
                    ("Rao", 2, 1.0),
                    ("in", 0, 1.0),
                    ("Pune", 5, 1.0),
                ],
                vec![person("Ravi Rao"), place("Pune")],
            ),
            // I- alone begins, too.
            (
                vec![("Ravi", 2, 1.0), ("Rao", 2, 1.0)],
                vec![person("Ravi Rao")],
            ),
            (
                vec![("Ravi", 1, 1.0), ("Asha", 1, 1.0)],
                vec![person("Ravi"), person("Asha")],
            ),
            (
                vec![("Ravi", 1, 1.0), ("Rao", 3, 1.0), ("Asha", 2, 1.0)],
                vec![person("Ravi Rao"), person("Asha")],
            ),
            (
                vec![("Ravi", 4, 1.0), ("Asha", 4, 1.0)],
                vec![person("Ravi"), person("Asha")],
            ),
            (
                vec![("Ravi", 1, 1.0), ("Pune", 6, 1.0)],
                vec![person("Ravi"), place("Pune")],
            ),
            (
                vec![("Linux", 7, 1.0), ("Ravi", 2, 1.0)],
                vec![person("Ravi")],
            ),
        ] {
            assert_eq!(found(First, &said), expected, "{said:?}");
            assert_eq!(found(Simple, &said), expected, "{said:?}");
        }
    }

    #[test]
    fn a_word_is_what_its_first_token_is() {
        let said = [
            ("Ra", 1, 0.9),
            ("##vi", 0, 0.9),
            ("Rao", 2, 0.7),
            ("or", 0, 0.9),
            ("##io", 1, 0.9),
        ];
        let (entity, text, score) = found(Aggregation::First, &said).remove(0);
        assert_eq!((entity, text.as_str()), (Entity::Person, "Ravi Rao"));
        assert!((score - 0.8).abs() < 1e-6);
        assert_eq!(found(Aggregation::First, &said).len(), 1);
        let texts: Vec<String> = found(Aggregation::Simple, &said)
            .into_iter()
            .map(|(_, text, _)| text)
            .collect();
        assert_eq!(texts, ["Ra", "Rao", "io"]);
        let whole = [("Ra", 4, 0.9), ("##vi", 4, 0.5)];
        assert_eq!(
            found(Aggregation::Simple, &whole),
            [(Entity::Person, "Ravi".to_owned(), 0.7)]
        );
    }

    #[test]
    fn what_the_model_is_unsure_of_does_not_count() {
        assert_eq!(
            found(Aggregation::First, &[("Ravi", 1, 0.9), ("Rao", 2, 0.08)]),
            []
        );
        assert_eq!(found(Aggregation::First, &[("Ravi", 1, 0.5)]).len(), 1);
    }

    #[test]
    fn findings_end_at_characters_and_hold_no_punctuation_around() {
        for (text, range, expected) in [
            ("mail (Ravi), now", 4..12, "Ravi"),
            ("**Ravi Rao**", 0..12, "Ravi Rao"),
            ("at Acme Inc. ", 2..13, "Acme Inc."),
            ("श्री राव।", 14..22, "राव"),
            ("?!", 0..2, ""),
            ("Ravi", 2..99, "vi"),
        ] {
            assert_eq!(&text[trimmed(text, range)], expected, "{text}");
        }
    }
}

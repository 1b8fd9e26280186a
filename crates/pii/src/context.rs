//! The words beside a number that tell what it is.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::ConfigError;
use crate::Entity;
use crate::entity::PerEntity;
use crate::window::{LOOK_BACK, Window};

/// How many folded characters after a number are read for such a word.
const LOOK_AHEAD: usize = 20;

/// What a word tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Aadhaar,
    Pan,
    Card,
    Ip,
    Phone,
    /// `number`, `contact`: a weak sign of a phone.
    Number,
    /// `order`, `invoice`, an amount: a number of another sort.
    Other,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "aadhaar" => Self::Aadhaar,
            "pan" => Self::Pan,
            "card" => Self::Card,
            "ip" => Self::Ip,
            "phone" => Self::Phone,
            "number" => Self::Number,
            "other" => Self::Other,
            _ => return None,
        })
    }

    fn of(entity: Entity) -> Option<Self> {
        Some(match entity {
            Entity::InAadhaar => Self::Aadhaar,
            Entity::InPan => Self::Pan,
            Entity::Card => Self::Card,
            Entity::Ip => Self::Ip,
            Entity::Phone => Self::Phone,
            Entity::InGstin | Entity::Email | Entity::Iban => return None,
        })
    }
}

/// How near the nearest word of each kind is, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Near([Option<usize>; 7]);

impl Near {
    pub(crate) fn distance(&self, kind: Kind) -> Option<usize> {
        self.0.get(kind as usize).copied().flatten()
    }

    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.distance(kind).is_some()
    }

    /// Whether a word of `kind` is nearer than any that says the number is of another sort.
    pub(crate) fn says(&self, kind: Kind) -> bool {
        match (self.distance(kind), self.distance(Kind::Other)) {
            (Some(mine), Some(other)) => mine <= other,
            (mine, _) => mine.is_some(),
        }
    }

    fn see(&mut self, kind: Kind, distance: usize) {
        if let Some(nearest) = self.0.get_mut(kind as usize) {
            *nearest = Some(nearest.map_or(distance, |known| known.min(distance)));
        }
    }
}

/// All words that are looked for.
#[derive(Debug)]
pub(crate) struct Context {
    words: Option<AhoCorasick>,
    kinds: Vec<Kind>,
}

static SHIPPED: LazyLock<Arc<Context>> = LazyLock::new(|| {
    let (words, kinds) = shipped();
    // A test holds that they build; without them, numbers that need a word would not be found.
    Arc::new(Context {
        words: automaton(&words),
        kinds,
    })
});

impl Context {
    /// The shipped words, read once.
    pub(crate) fn shipped() -> Arc<Self> {
        Arc::clone(&SHIPPED)
    }

    /// The shipped words and those of `more`.
    pub(crate) fn with(more: &PerEntity<Vec<String>>) -> Result<Arc<Self>, ConfigError> {
        let (mut words, mut kinds) = shipped();
        let mut more = more.iter().peekable();
        if more.peek().is_none() {
            return Ok(Self::shipped());
        }
        for (entity, own) in more {
            for word in own {
                if word.trim().is_empty() {
                    return Err(ConfigError::EmptyContextWord {
                        entity: entity.as_str(),
                    });
                }
                if let Some(kind) = Kind::of(entity) {
                    words.push(Cow::Owned(word.trim().to_owned()));
                    kinds.push(kind);
                }
            }
        }
        let words = Some(automaton(&words).ok_or(ConfigError::TooManyContextWords)?);
        Ok(Arc::new(Self { words, kinds }))
    }

    /// The words before `start`.
    pub(crate) fn before(&self, window: &Window<'_>, start: usize) -> Near {
        let folded = window.folded();
        let from = folded.start(start.saturating_sub(LOOK_BACK));
        let to = folded.end(start);
        let text = folded.source().as_bytes().get(from..to).unwrap_or_default();
        let mut near = Near::default();
        for found in self
            .words
            .iter()
            .flat_map(|words| words.find_overlapping_iter(text))
        {
            if stands_alone(text, found.start(), found.end())
                && let Some(kind) = self.kinds.get(found.pattern().as_usize())
            {
                near.see(*kind, text.len() - found.end());
            }
        }
        near
    }

    /// The words after `end`.
    pub(crate) fn after(&self, window: &Window<'_>, end: usize) -> Near {
        let mut last = end;
        while last < end + LOOK_AHEAD && window.at(last).is_some() {
            last += 1;
        }
        let folded = window.folded();
        let text = folded
            .source()
            .as_bytes()
            .get(folded.end(end)..folded.end(last))
            .unwrap_or_default();
        // The last word may be cut off by the window: it counts only if it is seen to end.
        let whole = last < end + LOOK_AHEAD;
        let mut near = Near::default();
        for found in self
            .words
            .iter()
            .flat_map(|words| words.find_overlapping_iter(text))
        {
            if stands_alone(text, found.start(), found.end())
                && (whole || found.end() < text.len())
                && let Some(kind) = self.kinds.get(found.pattern().as_usize())
            {
                near.see(*kind, found.start());
            }
        }
        near
    }
}

fn shipped() -> (Vec<Cow<'static, str>>, Vec<Kind>) {
    let lines = include_str!("../data/context.txt")
        .lines()
        .filter_map(|line| line.split_once(':'));
    lines
        .filter_map(|(name, words)| Some((Kind::named(name)?, words)))
        .flat_map(|(kind, words)| {
            words
                .split(',')
                .map(move |word| (Cow::Borrowed(stem(word)), kind))
        })
        .unzip()
}

/// A word without the sign for "no vowel" at its end, which gives way to an ending: ஆதார் becomes ஆதாரின்.
fn stem(word: &str) -> &str {
    let silent = [
        '\u{94d}', '\u{9cd}', '\u{a4d}', '\u{acd}', '\u{b4d}', '\u{bcd}', '\u{c4d}', '\u{ccd}',
        '\u{d4d}', '\u{200d}',
    ];
    word.trim().trim_end_matches(silent)
}

fn automaton(words: &[Cow<'_, str>]) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        // Three times as fast as the default for so many words, for some megabytes that all analyzers share.
        .kind(Some(AhoCorasickKind::DFA))
        .build(words.iter().map(|word| word.as_bytes()))
        .ok()
}

/// Whether a Latin word is not a piece of a longer one. Words of other scripts take endings, and always count.
fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let letter = |index: Option<usize>| {
        index
            .and_then(|index| text.get(index))
            .is_some_and(u8::is_ascii_alphanumeric)
    };
    let first = letter(Some(start)) && letter(start.checked_sub(1));
    let last = letter(end.checked_sub(1)) && letter(Some(end));
    !first && !last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::Folded;

    fn before(text: &str) -> Near {
        let context = Context::shipped();
        let folded = Folded::new(text);
        context.before(&Window::new(&folded, true, true), folded.len())
    }

    #[test]
    fn every_line_of_the_shipped_words_is_read() {
        for line in include_str!("../data/context.txt")
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (name, words) = line.split_once(':').unwrap();
            assert!(Kind::named(name).is_some(), "{line}");
            assert!(
                words.split(',').all(|word| !word.trim().is_empty()),
                "{line}"
            );
        }
        let context = Context::shipped();
        assert_eq!(
            context.words.as_ref().unwrap().patterns_len(),
            context.kinds.len()
        );
    }

    #[test]
    fn latin_words_count_whole_and_others_with_their_endings() {
        assert!(before("my PAN: ").has(Kind::Pan));
        assert!(!before("company ").has(Kind::Pan));
        assert!(before("ஆதாரின் ").has(Kind::Aadhaar));
        assert!(before("मेरा आधार नंबर ").has(Kind::Aadhaar));
    }

    #[test]
    fn the_nearest_word_decides() {
        assert!(before("about order 7: call ").says(Kind::Phone));
        assert!(!before("call about order ").says(Kind::Phone));
    }

    #[test]
    fn words_further_away_than_the_window_do_not_count() {
        assert!(!before(&format!("phone {}", "x ".repeat(40))).has(Kind::Phone));
    }
}

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

/// What a word tells: a kind of data, or one of the two below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind(u8);

/// How many kinds there may be, those of one's own among them.
const KINDS: usize = 256;

impl Kind {
    /// `number`, `contact`: a weak sign of a phone.
    pub(crate) const NUMBER: Self = Self(255);
    /// `order`, `invoice`, an amount: a number of another sort.
    pub(crate) const OTHER: Self = Self(254);
    /// `sku`, `model`, `part`: the number of a thing for sale.
    pub(crate) const GOODS: Self = Self(253);

    /// That of a built-in kind of data.
    pub(crate) const fn of(entity: Entity) -> Self {
        match entity.index() {
            Some(index) => Self(index),
            None => Self::OTHER,
        }
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "number" => Some(Self::NUMBER),
            "other" => Some(Self::OTHER),
            "goods" => Some(Self::GOODS),
            _ => Some(Self::of(name.parse().ok()?)),
        }
    }
}

/// How near the nearest word of each kind is, in bytes; 255 where there is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Near([u8; KINDS]);

const NONE: u8 = u8::MAX;

impl Near {
    const NOTHING: Self = Self([NONE; KINDS]);

    pub(crate) fn distance(&self, kind: Kind) -> Option<u8> {
        self.0
            .get(usize::from(kind.0))
            .copied()
            .filter(|distance| *distance != NONE)
    }

    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.distance(kind).is_some()
    }

    /// Whether a word of `kind` is nearer than any that says the number is of another sort.
    pub(crate) fn says(&self, kind: Kind) -> bool {
        match (self.distance(kind), self.distance(Kind::OTHER)) {
            (Some(mine), Some(other)) => mine <= other,
            (mine, _) => mine.is_some(),
        }
    }

    fn see(&mut self, kind: Kind, distance: usize) {
        if let Some(nearest) = self.0.get_mut(usize::from(kind.0)) {
            *nearest = (*nearest).min(u8::try_from(distance).unwrap_or(NONE - 1).min(NONE - 1));
        }
    }
}

/// All words that are looked for.
#[derive(Debug)]
pub(crate) struct Context {
    words: Option<AhoCorasick>,
    kinds: Vec<Kind>,
    /// The kinds that a configuration added.
    own: Vec<(Entity, Kind)>,
}

static SHIPPED: LazyLock<Arc<Context>> = LazyLock::new(|| {
    let (words, kinds) = shipped();
    // A test holds that they build; without them, numbers that need a word would not be found.
    Arc::new(Context {
        words: automaton(&words),
        kinds,
        own: Vec::new(),
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
        let mut own = Vec::new();
        for (entity, more) in more {
            let kind = match entity {
                Entity::Custom(_) => {
                    let next = Entity::ALL.len() + own.len();
                    let kind = u8::try_from(next)
                        .ok()
                        .map(Kind)
                        .filter(|kind| kind.0 < Kind::GOODS.0)
                        .ok_or(ConfigError::TooManyContextWords)?;
                    own.push((entity, kind));
                    kind
                }
                built_in => Kind::of(built_in),
            };
            for word in more {
                if word.trim().is_empty() {
                    return Err(ConfigError::EmptyContextWord {
                        entity: entity.as_str(),
                    });
                }
                words.push(Cow::Owned(word.trim().to_owned()));
                kinds.push(kind);
            }
        }
        let words = Some(automaton(&words).ok_or(ConfigError::TooManyContextWords)?);
        Ok(Arc::new(Self { words, kinds, own }))
    }

    /// What the words for `entity` tell, one of one's own too.
    pub(crate) fn kind(&self, entity: Entity) -> Option<Kind> {
        match entity {
            Entity::Custom(_) => {
                let own = self.own.iter().find(|(known, _)| *known == entity);
                own.map(|(_, kind)| *kind)
            }
            built_in => Some(Kind::of(built_in)),
        }
    }

    /// The words before `start`.
    pub(crate) fn before(&self, window: &Window<'_>, start: usize) -> Near {
        let folded = window.folded();
        let from = folded.start(start.saturating_sub(LOOK_BACK));
        let to = folded.end(start);
        let text = folded.source().as_bytes().get(from..to).unwrap_or_default();
        let mut near = Near::NOTHING;
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
        let mut near = Near::NOTHING;
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

    const AADHAAR: Kind = Kind::of(Entity::InAadhaar);
    const PAN: Kind = Kind::of(Entity::InPan);
    const PHONE: Kind = Kind::of(Entity::Phone);

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
        assert!(before("my PAN: ").has(PAN));
        assert!(!before("company ").has(PAN));
        assert!(before("ஆதாரின் ").has(AADHAAR));
        assert!(before("मेरा आधार नंबर ").has(AADHAAR));
    }

    #[test]
    fn the_nearest_word_decides() {
        assert!(before("about order 7: call ").says(PHONE));
        assert!(!before("call about order ").says(PHONE));
    }

    #[test]
    fn words_further_away_than_the_window_do_not_count() {
        assert!(!before(&format!("phone {}", "x ".repeat(40))).has(PHONE));
    }
}

//! The words beside a number that tell what it is.

mod listener;
mod tables;
mod words;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

pub(crate) use self::listener::Listener;
pub(crate) use self::tables::Tables;
use self::words::Words;
use crate::ConfigError;
use crate::Entity;
use crate::entity::PerEntity;

/// How many folded characters after a number are read for such a word.
const LOOK_AHEAD: usize = 36;

/// What a word tells: a kind of data, or one of the two below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// The name of a town or a state of India.
    pub(crate) const PLACE: Self = Self(252);
    /// `id`, which says of a bare number that it is no phone's.
    pub(crate) const ID: Self = Self(251);

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
            "place" => Some(Self::PLACE),
            "id" => Some(Self::ID),
            _ => Some(Self::of(name.parse().ok()?)),
        }
    }
}

/// How near the nearest word of each kind is, in characters; 255 where there is none.
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

    /// Takes in what a word tells.
    fn see(&mut self, words: &Words, word: u16, distance: usize) {
        let distance = u8::try_from(distance).unwrap_or(NONE - 1).min(NONE - 1);
        self.hear(words.kinds(word), distance);
    }

    fn hear(&mut self, kinds: &[Kind], distance: u8) {
        for kind in kinds {
            if let Some(nearest) = self.0.get_mut(usize::from(kind.0)) {
                *nearest = (*nearest).min(distance);
            }
        }
    }
}

/// All words that are looked for.
#[derive(Debug)]
pub(crate) struct Context {
    shipped: Option<Arc<Words>>,
    own_words: Option<Words>,
    /// The kinds of one's own.
    own: Vec<(Entity, Kind)>,
}

// A test holds that they build; without them, numbers that need a word would not be found.
static SHIPPED: LazyLock<Option<Arc<Words>>> =
    LazyLock::new(|| Words::new(shipped()).map(Arc::new));

impl Context {
    /// The shipped words, read once.
    pub(crate) fn shipped() -> Arc<Self> {
        static CONTEXT: LazyLock<Arc<Context>> = LazyLock::new(|| {
            Arc::new(Context {
                shipped: SHIPPED.clone(),
                own_words: None,
                own: Vec::new(),
            })
        });
        Arc::clone(&CONTEXT)
    }

    /// The shipped words and those of `more`.
    pub(crate) fn with(more: &PerEntity<Vec<String>>) -> Result<Arc<Self>, ConfigError> {
        let mut more = more.iter().peekable();
        if more.peek().is_none() {
            return Ok(Self::shipped());
        }
        let mut words = Vec::new();
        let mut own = Vec::new();
        for (entity, more) in more {
            let kind = match entity {
                Entity::Custom(_) => {
                    let next = Entity::ALL.len() + own.len();
                    let kind = u8::try_from(next)
                        .ok()
                        .map(Kind)
                        .filter(|kind| kind.0 < Kind::ID.0)
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
                words.push((Cow::Owned(word.trim().to_ascii_lowercase()), kind));
            }
        }
        let words = Words::new(words.into_iter()).ok_or(ConfigError::TooManyContextWords)?;
        Ok(Arc::new(Self {
            shipped: SHIPPED.clone(),
            own_words: Some(words),
            own,
        }))
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
}

fn shipped() -> impl Iterator<Item = (Cow<'static, str>, Kind)> {
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
}

/// A word without the sign for "no vowel" at its end, which gives way to an ending: ஆதார் becomes ஆதாரின்.
fn stem(word: &str) -> &str {
    let silent = [
        '\u{94d}', '\u{9cd}', '\u{a4d}', '\u{acd}', '\u{b4d}', '\u{bcd}', '\u{c4d}', '\u{ccd}',
        '\u{d4d}', '\u{200d}',
    ];
    word.trim().trim_end_matches(silent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::Folded;
    use crate::window::Window;

    const AADHAAR: Kind = Kind::of(Entity::InAadhaar);
    const PAN: Kind = Kind::of(Entity::InPan);
    const PHONE: Kind = Kind::of(Entity::Phone);

    fn before(text: &str) -> Near {
        let context = Context::shipped();
        let folded = Folded::new(text);
        Listener::new(&context, &Window::new(&folded, true, true)).before(folded.len())
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
        assert!(Context::shipped().shipped.is_some());
    }

    #[test]
    fn latin_words_count_whole_and_others_with_their_endings() {
        assert!(before("my PAN: ").has(PAN));
        assert!(!before("company ").has(PAN));
        assert!(before("ஆதாரின் ").has(AADHAAR));
        assert!(before("मेरा आधार नंबर ").has(AADHAAR));
    }

    #[test]
    fn what_was_read_before_makes_no_difference() {
        let text = "pan 1 phone 2 call 3 आधार 4 ".repeat(9);
        let context = Context::shipped();
        let folded = Folded::new(&text);
        let window = Window::new(&folded, true, true);
        let listener = Listener::new(&context, &window);
        for at in [9, 20, 12, 200, 8, folded.len(), 150, 30, 0] {
            let fresh = Listener::new(&context, &window);
            assert_eq!(listener.before(at).0, fresh.before(at).0, "{at}");
            assert_eq!(listener.after(at).0, fresh.after(at).0, "{at}");
        }
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

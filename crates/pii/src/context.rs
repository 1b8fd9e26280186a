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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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

/// Some kinds, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds([u64; KINDS / 64]);

impl Kinds {
    pub(crate) fn has(&self, kind: Kind) -> bool {
        let bits = self.0.get(usize::from(kind.0 / 64));
        bits.is_some_and(|bits| bits >> (kind.0 % 64) & 1 == 1)
    }

    fn add(&mut self, kind: Kind) {
        if let Some(bits) = self.0.get_mut(usize::from(kind.0 / 64)) {
            *bits |= 1 << (kind.0 % 64);
        }
    }

    pub(crate) fn and(mut self, other: &Self) -> Self {
        for (bits, more) in self.0.iter_mut().zip(&other.0) {
            *bits |= more;
        }
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|bits| *bits == 0)
    }
}

/// How near the nearest word of each kind is, in characters. Most numbers have few words near, or none at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Near {
    kinds: Kinds,
    /// Those that there are.
    first: [(Kind, u8); FIRST],
    count: usize,
    more: Vec<(Kind, u8)>,
}

const FIRST: usize = 12;
const FARTHEST: usize = 254;

impl Near {
    pub(crate) const NOTHING: &Self = &Self {
        kinds: Kinds([0; KINDS / 64]),
        first: [(Kind(0), 0); FIRST],
        count: 0,
        more: Vec::new(),
    };

    /// The kinds that there is a word of.
    pub(crate) fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    pub(crate) fn distance(&self, kind: Kind) -> Option<u8> {
        if !self.kinds.has(kind) {
            return None;
        }
        let first = self.first.get(..self.count).unwrap_or_default();
        let mut all = first.iter().chain(&self.more);
        all.find(|(known, _)| *known == kind)
            .map(|(_, distance)| *distance)
    }

    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.kinds.has(kind)
    }

    /// Whether a word of `kind` is nearer than any that says the number is of another sort.
    pub(crate) fn says(&self, kind: Kind) -> bool {
        match (self.distance(kind), self.distance(Kind::OTHER)) {
            (Some(mine), Some(other)) => mine <= other,
            (mine, _) => mine.is_some(),
        }
    }

    /// Whether words of all these have been heard.
    fn knows(&self, kinds: &[Kind]) -> bool {
        kinds.iter().all(|kind| self.kinds.has(*kind))
    }

    /// Takes in what a word tells that stands so many characters away.
    fn hear(&mut self, kinds: &[Kind], distance: usize) {
        let distance = u8::try_from(distance.min(FARTHEST)).unwrap_or(u8::MAX);
        for kind in kinds {
            if self.kinds.has(*kind) {
                let first = self.first.iter_mut().take(self.count);
                let known = first.chain(&mut self.more).find(|(known, _)| known == kind);
                if let Some((_, nearest)) = known {
                    *nearest = (*nearest).min(distance);
                }
                continue;
            }
            self.kinds.add(*kind);
            match self.first.get_mut(self.count) {
                Some(slot) => {
                    *slot = (*kind, distance);
                    self.count += 1;
                }
                None => self.more.push((*kind, distance)),
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
        let near = Listener::new(&context, &Window::new(&folded, true, true)).before(folded.len());
        near.unwrap_or_default()
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
            let [before, again] = [&listener, &fresh].map(|one| one.before(at));
            assert_eq!(
                before.unwrap_or_default(),
                again.unwrap_or_default(),
                "{at}"
            );
            assert_eq!(*listener.after(at), *fresh.after(at), "{at}");
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

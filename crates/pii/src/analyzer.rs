//! Finding personal data in a text.

use std::ops::Range;
use std::sync::Arc;

use crate::ConfigError;
use crate::Entity;
use crate::context::Context;
use crate::entity::PerEntity;
use crate::fold::Folded;
use crate::recognize::{Anchor, Match, RECOGNIZERS, Recognizer, Scene, is_short};
use crate::window::{Window, is_word};

/// The score from which a finding counts, unless told otherwise.
const THRESHOLD: f32 = 0.5;

const NEAR: usize = 12;
const BLOCK: usize = 32;

/// Personal data found in a text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// Which kind.
    pub entity: Entity,
    /// Where, in bytes of the text as it was given.
    pub range: Range<usize>,
    /// How sure, from 0 to 1.
    pub score: f32,
}

/// Finds personal data. Cloning is cheap.
///
/// ```
/// use bartizan_pii::{Analyzer, Entity};
///
/// let analyzer = Analyzer::all();
/// let text = "मेरा आधार २३४१ २३४१ २३४६ है, mail ravi@example.in";
/// let found = analyzer.analyze(text);
///
/// assert_eq!(found[0].entity, Entity::InAadhaar);
/// assert_eq!(&text[found[0].range.clone()], "२३४१ २३४१ २३४६");
/// assert_eq!(&text[found[1].range.clone()], "ravi@example.in");
/// ```
#[derive(Clone, Debug)]
pub struct Analyzer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    digit: Vec<&'static Recognizer>,
    inside: Vec<&'static Recognizer>,
    at: Vec<&'static Recognizer>,
    colon: Vec<&'static Recognizer>,
    thresholds: PerEntity<f32>,
    context: Arc<Context>,
}

/// Chooses what an [`Analyzer`] looks for.
///
/// By default nothing is looked for, a finding counts from a score of 0.5, and the shipped context words are used.
#[derive(Clone, Debug, Default)]
pub struct AnalyzerBuilder {
    entities: Vec<Entity>,
    thresholds: PerEntity<f32>,
    words: PerEntity<Vec<String>>,
}

impl Analyzer {
    /// Creates an analyzer that looks for every kind this crate knows.
    #[must_use]
    pub fn all() -> Self {
        Self(Arc::new(Inner::new(
            Entity::ALL,
            PerEntity::default(),
            Context::shipped(),
        )))
    }

    /// Starts to choose what is looked for.
    #[must_use]
    pub fn builder() -> AnalyzerBuilder {
        AnalyzerBuilder::default()
    }

    /// Finds what `text` holds, in order, without overlaps. Takes time in proportion to the text, whatever it holds.
    #[must_use]
    pub fn analyze(&self, text: &str) -> Vec<Finding> {
        let folded = Folded::new(text);
        let window = Window::new(&folded, true, true);
        let mut findings = Vec::new();
        self.scan(&window, 0, 0, |entity, found| {
            let range = folded.start(found.start)..folded.end(found.end);
            findings.push(Finding {
                entity,
                range,
                score: found.score,
            });
        });
        findings
    }

    /// Whether a scan of folded text would stop anywhere.
    pub(crate) fn has_anchor(folded: &[u8]) -> bool {
        skip(folded).is_some()
    }

    /// Finds what can be decided from `cursor` on, where no finding may start before `floor`. Says up to where all is
    /// decided, whatever follows.
    pub(crate) fn scan(
        &self,
        window: &Window<'_>,
        cursor: usize,
        floor: usize,
        mut found: impl FnMut(Entity, Match),
    ) -> usize {
        let inner = &*self.0;
        let mut floor = floor;
        let mut cursor = cursor.max(floor);
        while let Some((anchor, recognizers)) = inner.next_anchor(window, cursor) {
            let opening = || window.opening(anchor).max(floor);
            if window
                .slice(anchor, anchor + 1)
                .iter()
                .all(u8::is_ascii_digit)
                && is_short(window, anchor)
            {
                if window.take_touched() {
                    return opening();
                }
                cursor = anchor + 1;
                continue;
            }
            let scene = Scene::new(window, &inner.context, anchor);
            let mut best: Option<(Entity, Match)> = None;
            for recognizer in recognizers {
                let Some(candidate) = (recognizer.find)(&scene) else {
                    continue;
                };
                let threshold = inner
                    .thresholds
                    .of(recognizer.entity)
                    .copied()
                    .unwrap_or(THRESHOLD);
                let better = best.is_none_or(|(_, known)| {
                    (candidate.score, candidate.end - candidate.start)
                        > (known.score, known.end - known.start)
                });
                if candidate.score >= threshold && candidate.start >= opening() && better {
                    best = Some((recognizer.entity, candidate));
                }
            }
            if window.take_touched() {
                return opening();
            }
            cursor = anchor + 1;
            if let Some((entity, best)) = best {
                found(entity, best);
                floor = best.end;
                cursor = cursor.max(best.end);
            }
        }
        if window.closes() {
            window.len()
        } else {
            window.opening(window.len()).max(floor)
        }
    }
}

impl Inner {
    fn new(entities: &[Entity], thresholds: PerEntity<f32>, context: Arc<Context>) -> Self {
        let of = |anchor| {
            let wanted = |recognizer: &&Recognizer| {
                recognizer.anchor == anchor && entities.contains(&recognizer.entity)
            };
            RECOGNIZERS.iter().filter(wanted).collect()
        };
        Self {
            digit: of(Anchor::Digit),
            inside: of(Anchor::Inside),
            at: of(Anchor::At),
            colon: of(Anchor::Colon),
            thresholds,
            context,
        }
    }

    fn next_anchor(
        &self,
        window: &Window<'_>,
        from: usize,
    ) -> Option<(usize, &[&'static Recognizer])> {
        let mut cursor = from;
        loop {
            let anchor = cursor + skip(window.slice(cursor, window.len()))?;
            let recognizers = match (window.slice(anchor, anchor + 1), window.before(anchor)) {
                (b"@", _) => &self.at,
                (b":", _) => &self.colon,
                (_, Some(b'0'..=b'9')) => {
                    // Within a group: on to its end.
                    let digits = window.slice(anchor, window.len());
                    cursor = anchor
                        + digits
                            .iter()
                            .take_while(|byte| byte.is_ascii_digit())
                            .count();
                    continue;
                }
                (_, Some(byte)) if is_word(byte) => &self.inside,
                _ => &self.digit,
            };
            if !recognizers.is_empty() {
                return Some((anchor, recognizers));
            }
            cursor = anchor + 1;
        }
    }
}

/// How many characters come before the first that may be an anchor.
fn skip(bytes: &[u8]) -> Option<usize> {
    let anchor = |byte: &u8| matches!(byte, b'0'..=b':' | b'@');
    // One anchor is often near another.
    let near = bytes.get(..NEAR).unwrap_or(bytes);
    if let Some(place) = near.iter().position(anchor) {
        return Some(place);
    }
    // Then whole blocks, without a branch inside, which the compiler turns into vector instructions.
    let far = bytes.get(NEAR..)?;
    let clean = |block: &&[u8]| !block.iter().fold(false, |any, byte| any | anchor(byte));
    let skipped = far.chunks_exact(BLOCK).take_while(clean).count() * BLOCK;
    let rest = far.get(skipped..)?;
    rest.iter()
        .position(anchor)
        .map(|place| NEAR + skipped + place)
}

impl AnalyzerBuilder {
    /// Looks for `entity` too.
    #[must_use]
    pub fn entity(mut self, entity: Entity) -> Self {
        if !self.entities.contains(&entity) {
            self.entities.push(entity);
        }
        self
    }

    /// Looks for all of `entities` too.
    #[must_use]
    pub fn entities(self, entities: impl IntoIterator<Item = Entity>) -> Self {
        entities.into_iter().fold(self, Self::entity)
    }

    /// Sets the score, from 0 to 1, from which a finding of `entity` counts: 0.5 by default. At 0.3, numbers count that
    /// have the right form and no word beside them that says what they are.
    #[must_use]
    pub fn threshold(mut self, entity: Entity, score: f32) -> Self {
        self.thresholds.set(entity, score);
        self
    }

    /// Adds a word that, near before or after a number, says that it is an `entity`. Case of Latin letters doesn't count.
    ///
    /// Kinds that need no such word (e-mail, IBAN, GSTIN) take no notice.
    #[must_use]
    pub fn context_word(mut self, entity: Entity, word: impl Into<String>) -> Self {
        let mut words = self.words.of(entity).cloned().unwrap_or_default();
        words.push(word.into());
        self.words.set(entity, words);
        self
    }

    /// Builds the analyzer.
    ///
    /// # Errors
    ///
    /// A threshold outside 0 to 1, an empty context word, no entity at all.
    pub fn build(self) -> Result<Analyzer, ConfigError> {
        if self.entities.is_empty() {
            return Err(ConfigError::NothingToFind);
        }
        if let Some((entity, given)) = self
            .thresholds
            .iter()
            .find(|(_, score)| !(0.0..=1.0).contains(*score))
        {
            return Err(ConfigError::Threshold {
                entity: entity.as_str(),
                given: given.to_string(),
            });
        }
        let context = Context::with(&self.words)?;
        Ok(Analyzer(Arc::new(Inner::new(
            &self.entities,
            self.thresholds,
            context,
        ))))
    }
}

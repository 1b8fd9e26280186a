//! Finding personal data in a text.

mod allowed;
mod builder;
#[cfg(test)]
mod cost;
#[cfg(test)]
mod seen;
mod stops;

use std::cell::{Cell, LazyCell, RefCell};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use self::allowed::Allowed;
pub use self::builder::AnalyzerBuilder;
use self::stops::{Stops, skip};
use crate::Entity;
use crate::context::{Context, Listener};
use crate::entity::{Entities, PerEntity};
use crate::fold::Folded;
use crate::own::Own;
use crate::recognize::{
    Anchor, BuiltIn, Look, Match, RECOGNIZERS, Regions, Rows, Run, Scene, Settings, codes, numbers,
    secret,
};
use crate::window::Window;

/// The score from which a finding counts, unless told otherwise.
const THRESHOLD: f32 = 0.5;

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
    /// What found it, by Presidio's name for it where there is one: `CreditCardRecognizer`.
    pub recognizer: &'static str,
    /// The check that it passed, such as `luhn`, where its kind has one.
    pub validated: Option<&'static str>,
}

impl Finding {
    /// Creates a finding of a [`Model`](crate::Model).
    #[must_use]
    pub fn new(entity: Entity, range: Range<usize>, score: f32) -> Self {
        Self {
            entity,
            range,
            score,
            recognizer: entity.recognizer(),
            validated: None,
        }
    }
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
    digit: Vec<&'static BuiltIn>,
    inside: Vec<&'static BuiltIn>,
    at: Vec<&'static BuiltIn>,
    colon: Vec<&'static BuiltIn>,
    dot: Vec<&'static BuiltIn>,
    dash: Vec<&'static BuiltIn>,
    numbers: Rows,
    codes: Rows,
    wanted: Entities,
    own: Own,
    allowed: Allowed,
    threshold: f32,
    thresholds: PerEntity<f32>,
    context: Arc<Context>,
    settings: Settings,
}

impl Analyzer {
    /// Creates an analyzer that looks for every kind that this crate finds by itself.
    #[must_use]
    pub fn all() -> Self {
        static ALL: LazyLock<Analyzer> = LazyLock::new(|| Analyzer::of(Entity::built_in()));
        ALL.clone()
    }

    /// Creates an analyzer that looks for the [usual kinds](Entity::usual).
    #[must_use]
    pub fn usual() -> Self {
        static USUAL: LazyLock<Analyzer> = LazyLock::new(|| Analyzer::of(Entity::usual()));
        USUAL.clone()
    }

    fn of(entities: impl Iterator<Item = Entity>) -> Self {
        let mut wanted = Entities::default();
        entities.for_each(|entity| wanted.add(entity));
        Self(Arc::new(Inner::new(
            &wanted,
            THRESHOLD,
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
            findings.push(Finding {
                entity,
                range: folded.start(found.start)..folded.end(found.end),
                score: found.score,
                recognizer: found.by.unwrap_or(entity.recognizer()),
                validated: found.validated,
            });
        });
        findings
    }

    /// The score from which a finding of `entity` counts.
    pub(crate) fn threshold(&self, entity: Entity) -> f32 {
        self.0.threshold_of(entity)
    }

    /// The words beside a number that tell what it is.
    pub(crate) fn context(&self) -> &Context {
        &self.0.context
    }

    /// Whether a scan of folded text may stop anywhere.
    pub(crate) fn may_stop(&self, folded: &[u8]) -> bool {
        let wanted = self.0.wanted.has(Entity::Secret);
        skip(folded).is_some() || !self.0.own.is_empty() || wanted && secret::may_begin(folded)
    }

    /// Finds what can be decided from `cursor` on, where no finding may start before `floor`. Says up to where all is
    /// decided, whatever follows.
    ///
    /// Of findings that overlap, the surer wins, then the longer, then the one that was found first. It is told when no better one can come:
    /// at the first anchor behind it.
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
        let mut held: Option<Held> = None;
        let mut stops = Stops::default();
        let words = Listener::new(&inner.context, window);
        let groups = RefCell::new(Run::default());
        while let Some(anchor) = stops.next(inner, window, cursor) {
            if let Some(best) = held.take_if(|held| held.found.end <= anchor) {
                floor = window.folded().whole(best.tell(&mut found));
            }
            // Reading back is only worth it where something was found.
            let opening = LazyCell::new(|| window.opening(anchor).max(floor));
            let undecided = |held: &Option<Held>| match held {
                Some(held) => held.opening,
                None => *opening,
            };
            let scene = Scene::new(window, &words, &groups, &inner.settings, anchor);
            let least = Cell::new(held.as_ref().map_or(0.0, |held| held.found.score));
            // What can't win isn't looked for; and what is certain isn't held back until words behind it have come, which others would read.
            let worth = |best: f32| best >= least.get() && least.get() < 1.0;
            let mut next = anchor + 1;
            let mut offer = |entity, candidate: Match| {
                let better = held
                    .as_ref()
                    .is_none_or(|held| candidate.beats(&held.found));
                if better
                    && candidate.score >= inner.threshold_of(entity)
                    && candidate.start >= *opening
                {
                    least.set(candidate.score);
                    held = Some(Held {
                        entity,
                        found: candidate,
                        opening: undecided(&held),
                        allowed: inner.allowed.has(window, entity, &candidate),
                    });
                }
            };
            if let Some(recognizers) = stops.recognizers(anchor) {
                let digit = window.at(anchor).is_some_and(|byte| byte.is_ascii_digit());
                let look = if digit { scene.look() } else { Look::ANY };
                match look {
                    Look::Short => {}
                    Look::List(behind) => next = behind,
                    Look::Signs(signs) => {
                        for recognizer in recognizers.iter().filter(|own| signs.answer(own.signs)) {
                            if digit {
                                window.ask();
                            }
                            if worth(recognizer.best)
                                && let Some(candidate) = (recognizer.find)(&scene)
                            {
                                offer(recognizer.entity, candidate);
                            }
                        }
                        if digit {
                            let counts =
                                |entity, score| worth(score) && score >= inner.threshold_of(entity);
                            let (numbers, codes) = (&inner.numbers, &inner.codes);
                            numbers::find(&scene, signs, numbers, worth, counts, &mut offer);
                            codes::find(&scene, signs, codes, worth, counts, &mut offer);
                        }
                    }
                }
            }
            if stops.own(anchor) {
                inner.own.find(&scene, &mut offer);
            }
            if stops.secret(anchor) {
                window.ask();
                if let Some(candidate) = secret::find(&scene) {
                    offer(Entity::Secret, candidate);
                }
            }
            if window.take_touched() {
                return undecided(&held);
            }
            cursor = next;
            if let Some(sure) = &held
                && sure.found.score >= 1.0
            {
                cursor = cursor.max(sure.found.end);
            }
        }
        if let Some(best) = held {
            if !window.closes() && best.found.end >= window.len() {
                return best.opening;
            }
            floor = window.folded().whole(best.tell(&mut found));
        }
        if window.closes() {
            window.len()
        } else {
            window.opening(window.len()).max(floor)
        }
    }
}

/// The best finding so far, which a better one that overlaps it may still replace.
#[derive(Clone, Copy)]
struct Held {
    entity: Entity,
    found: Match,
    /// Where a finding at the anchor of it could have started.
    opening: usize,
    /// It is no finding after all; nor is what it wins over.
    allowed: bool,
}

impl Held {
    /// Tells of it, and says where it ends.
    fn tell(self, found: &mut impl FnMut(Entity, Match)) -> usize {
        if !self.allowed {
            found(self.entity, self.found);
        }
        self.found.end
    }
}

impl Inner {
    fn new(
        entities: &Entities,
        threshold: f32,
        thresholds: PerEntity<f32>,
        context: Arc<Context>,
    ) -> Self {
        let of = |anchor| {
            let wanted = |recognizer: &&BuiltIn| {
                recognizer.anchor == anchor && entities.has(recognizer.entity)
            };
            RECOGNIZERS.iter().filter(wanted).collect()
        };
        let least = |entity| {
            let own = thresholds.of(entity).copied().unwrap_or(threshold);
            entities.has(entity).then_some(own)
        };
        Self {
            numbers: numbers::rows(least),
            codes: codes::rows(least),
            digit: of(Anchor::Digit),
            inside: of(Anchor::Inside),
            at: of(Anchor::At),
            colon: of(Anchor::Colon),
            dot: of(Anchor::Dot),
            dash: of(Anchor::Dash),
            wanted: entities.clone(),
            own: Own::default(),
            allowed: Allowed::default(),
            settings: Settings {
                regions: Regions::default(),
                least: thresholds
                    .iter()
                    .map(|(_, own)| *own)
                    .fold(threshold, f32::min),
            },
            threshold,
            thresholds,
            context,
        }
    }

    fn threshold_of(&self, entity: Entity) -> f32 {
        let own = self.thresholds.of(entity);
        own.copied().unwrap_or(self.threshold)
    }
}

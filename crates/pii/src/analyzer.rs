//! Finding personal data in a text.

mod allowed;
mod builder;
#[cfg(test)]
mod cost;

use std::cell::{Cell, LazyCell, RefCell};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use self::allowed::Allowed;
pub use self::builder::AnalyzerBuilder;
use crate::Entity;
use crate::context::{Context, Listener};
use crate::eights;
use crate::entity::{Entities, PerEntity};
use crate::fold::Folded;
use crate::own::Own;
use crate::recognize::{
    Anchor, BuiltIn, Match, RECOGNIZERS, Regions, Scene, codes, is_short, mac, numbers, secret,
};
use crate::window::{Window, is_word};

/// The score from which a finding counts, unless told otherwise.
const THRESHOLD: f32 = 0.5;

const NEAR: usize = 16;
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
    wanted: Entities,
    own: Own,
    allowed: Allowed,
    threshold: f32,
    thresholds: PerEntity<f32>,
    context: Arc<Context>,
    regions: Regions,
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
        let series = RefCell::default();
        while let Some(anchor) = stops.next(inner, window, cursor) {
            if let Some(best) = held.take_if(|held| held.found.end <= anchor) {
                floor = window.folded().whole(best.tell(&mut found));
            }
            // Reading back is only worth it where something was found.
            let opening = LazyCell::new(|| window.opening(anchor).max(floor));
            let undecided =
                |held: &Option<Held>| held.map_or_else(|| *opening, |held| held.opening);
            let scene = Scene::new(window, &words, &series, &inner.regions, anchor);
            let least = Cell::new(held.map_or(0.0, |held| held.found.score));
            // What can't win isn't looked for; and what is certain isn't held back until words behind it have come, which others would read.
            let worth = |best: f32| best >= least.get() && least.get() < 1.0;
            let mut next = anchor + 1;
            let mut offer = |entity, candidate: Match| {
                let better = held.is_none_or(|held: Held| candidate.beats(&held.found));
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
                let short = digit && is_short(window, anchor);
                let behind = if digit && !short {
                    scene.behind_list()
                } else {
                    None
                };
                if let Some(behind) = behind {
                    next = behind;
                } else if !short {
                    for recognizer in recognizers.iter().filter(|own| worth(own.best)) {
                        if let Some(candidate) = (recognizer.find)(&scene) {
                            offer(recognizer.entity, candidate);
                        }
                    }
                    if digit {
                        let wanted = |entity, best| {
                            worth(best)
                                && inner.wanted.has(entity)
                                && best >= inner.threshold_of(entity)
                        };
                        numbers::find(&scene, wanted, &mut offer);
                        codes::find(&scene, wanted, &mut offer);
                    }
                }
            }
            if stops.own(anchor) {
                inner.own.find(&scene, &mut offer);
            }
            if stops.secret(anchor)
                && let Some(candidate) = secret::find(&scene)
            {
                offer(Entity::Secret, candidate);
            }
            if window.take_touched() {
                return undecided(&held);
            }
            cursor = next;
            if let Some(sure) = held.filter(|held| held.found.score >= 1.0) {
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

/// The next places to look at, of each sort.
#[derive(Default)]
struct Stops<'i> {
    anchor: Option<(usize, &'i [&'static BuiltIn])>,
    own: Option<usize>,
    secret: Option<usize>,
    /// All before it has been looked for.
    known: Option<usize>,
}

impl<'i> Stops<'i> {
    /// The first place from `from` on.
    fn next(&mut self, inner: &'i Inner, window: &Window<'_>, from: usize) -> Option<usize> {
        let first = self.known.is_none();
        self.known = Some(from);
        if first || self.anchor.is_some_and(|(anchor, _)| anchor < from) {
            self.anchor = inner.next_anchor(window, from);
        }
        if first || self.own.is_some_and(|own| own < from) {
            self.own = inner.own.next(window, from);
        }
        if first || self.secret.is_some_and(|secret| secret < from) {
            let wanted = inner.wanted.has(Entity::Secret);
            self.secret = wanted.then(|| secret::next(window, from)).flatten();
        }
        let anchor = self.anchor.map(|(anchor, _)| anchor);
        [anchor, self.own, self.secret].into_iter().flatten().min()
    }

    fn recognizers(&self, at: usize) -> Option<&'i [&'static BuiltIn]> {
        self.anchor
            .filter(|(anchor, _)| *anchor == at)
            .map(|(_, recognizers)| recognizers)
    }

    fn own(&self, at: usize) -> bool {
        self.own == Some(at)
    }

    fn secret(&self, at: usize) -> bool {
        self.secret == Some(at)
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
        Self {
            digit: of(Anchor::Digit),
            inside: of(Anchor::Inside),
            at: of(Anchor::At),
            colon: of(Anchor::Colon),
            dot: of(Anchor::Dot),
            dash: of(Anchor::Dash),
            wanted: entities.clone(),
            own: Own::default(),
            allowed: Allowed::default(),
            threshold,
            thresholds,
            context,
            regions: Regions::default(),
        }
    }

    fn threshold_of(&self, entity: Entity) -> f32 {
        let own = self.thresholds.of(entity);
        own.copied().unwrap_or(self.threshold)
    }

    fn next_anchor(
        &self,
        window: &Window<'_>,
        from: usize,
    ) -> Option<(usize, &[&'static BuiltIn])> {
        let mut cursor = from;
        loop {
            let anchor = cursor + skip(window.slice(cursor, window.len()))?;
            let recognizers = match (window.slice(anchor, anchor + 1), window.before(anchor)) {
                (b"@", _) => &self.at,
                (b":", _) => &self.colon,
                (b".", before) => match before.is_some_and(is_word)
                    && window
                        .slice(anchor + 1, anchor + 2)
                        .iter()
                        .all(|byte| is_word(*byte))
                {
                    true => &self.dot,
                    false => &NONE,
                },
                (b"-", _) if mac::may_part(window, anchor) => &self.dash,
                (b"/" | b"-", _) => &NONE,
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
                (_, Some(byte)) if is_word(byte) && !window.is_escaped(anchor) => &self.inside,
                _ => &self.digit,
            };
            let digit = window
                .slice(anchor, anchor + 1)
                .iter()
                .all(u8::is_ascii_digit);
            if digit || !recognizers.is_empty() {
                return Some((anchor, recognizers));
            }
            cursor = anchor + 1;
        }
    }
}

static NONE: Vec<&BuiltIn> = Vec::new();

/// How many characters come before the first that may be an anchor.
fn skip(bytes: &[u8]) -> Option<usize> {
    // One anchor is often near another.
    let near = bytes.get(..NEAR).unwrap_or(bytes);
    if let Some(place) = first_anchor(near) {
        return Some(place);
    }
    // Then whole blocks, without a branch inside, which the compiler turns into vector instructions.
    let far = bytes.get(NEAR..)?;
    let clean = |block: &&[u8]| !block.iter().fold(false, |any, byte| any | is_anchor(*byte));
    let skipped = far.chunks_exact(BLOCK).take_while(clean).count() * BLOCK;
    first_anchor(far.get(skipped..)?).map(|place| NEAR + skipped + place)
}

/// A slash is none, but one range is quicker to look for than two.
fn is_anchor(byte: u8) -> bool {
    matches!(byte, b'-'..=b':' | b'@')
}

fn first_anchor(bytes: &[u8]) -> Option<usize> {
    let (eights, rest) = bytes.as_chunks::<8>();
    for (index, eight) in eights.iter().enumerate() {
        let eight = u64::from_le_bytes(*eight);
        let anchors = eights::within::<b'-', b':'>(eight) | eights::within::<b'@', b'@'>(eight);
        if anchors != 0 {
            return Some(8 * index + eights::first(anchors));
        }
    }
    let rest = rest.iter().position(|byte| is_anchor(*byte));
    rest.map(|place| 8 * eights.len() + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_anchor_is_seen_at_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..120 {
                let mut text = [0xFF; 120];
                text[place] = byte;
                assert_eq!(
                    skip(&text),
                    is_anchor(byte).then_some(place),
                    "{byte} {place}"
                );
                text.fill(b' ');
                text[place] = byte;
                assert_eq!(
                    skip(&text),
                    is_anchor(byte).then_some(place),
                    "{byte} {place}"
                );
            }
        }
    }
}

//! Recognizers of one's own.

mod list;
mod pattern;

use std::fmt;
use std::sync::Arc;

pub(crate) use self::list::DenyList;
pub use self::pattern::Pattern;
pub(crate) use self::pattern::Patterns;
use crate::Entity;
use crate::recognize::{Match, Scene};
use crate::window::{Window, is_word};

/// Finds a kind of data that this crate doesn't know, or knows in another form.
///
/// It is asked at the start of each word that begins as [`may_start`](Self::may_start) says, reads on from there as far as it needs, and says
/// where it ends. So it finds the same in a text that arrives in pieces. [`AnalyzerBuilder::pattern`](crate::AnalyzerBuilder::pattern) and
/// [`deny_list`](crate::AnalyzerBuilder::deny_list) need no code.
///
/// ```
/// use bartizan_pii::{Ahead, Analyzer, Entity, Hit, Recognizer};
///
/// /// `ward 7`, `ward 12`
/// #[derive(Debug)]
/// struct Ward(Entity);
///
/// impl Recognizer for Ward {
///     fn name(&self) -> &'static str {
///         "WardRecognizer"
///     }
///     fn entities(&self) -> Vec<Entity> {
///         vec![self.0]
///     }
///     fn may_start(&self, first: u8) -> bool {
///         first.eq_ignore_ascii_case(&b'w')
///     }
///     fn find(&self, text: &Ahead<'_>) -> Option<Hit> {
///         let word = b"ward ".iter().enumerate();
///         for (place, letter) in word {
///             text.at(place)?.eq_ignore_ascii_case(letter).then_some(())?;
///         }
///         let digits = (5..7).take_while(|place| text.at(*place).is_some_and(|byte| byte.is_ascii_digit())).count();
///         (digits > 0).then(|| Hit::new(self.0, 5 + digits, 0.9))
///     }
/// }
///
/// let ward = Entity::custom("WARD")?;
/// let analyzer = Analyzer::builder().recognizer(Ward(ward)).build()?;
/// let found = analyzer.analyze("moved to Ward १२ today");
/// assert_eq!((found[0].entity, found[0].recognizer), (ward, "WardRecognizer"));
/// assert_eq!(found[0].range, 9..20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Recognizer: fmt::Debug + Send + Sync + 'static {
    /// What [`Finding::recognizer`](crate::Finding::recognizer) says.
    fn name(&self) -> &'static str;

    /// The kinds that it finds. They are looked for without being named again.
    fn entities(&self) -> Vec<Entity>;

    /// Whether what it finds may begin with `first`, as [`Ahead::at`] gives it.
    fn may_start(&self, first: u8) -> bool;

    /// Reads on from the start of a word. It should stop as early as it can: a stream holds back what was read to its end.
    fn find(&self, text: &Ahead<'_>) -> Option<Hit>;
}

/// A text from the start of a word on, of which the end may not have come yet.
#[derive(Clone, Copy, Debug)]
pub struct Ahead<'a> {
    window: &'a Window<'a>,
    start: usize,
}

/// What a [`Recognizer`] found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    entity: Entity,
    length: Length,
    score: f32,
    said: f32,
    validated: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Length {
    Folded(usize),
    Original(usize),
}

impl Ahead<'_> {
    /// The character `place` characters on, as ASCII: digits of any script and letters, dashes and blanks of any form are folded into it,
    /// invisible characters are left out, and what has no such form is a byte from 0x80 on. `None` at the end.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<u8> {
        self.window.at(self.start + place)
    }

    /// The byte `place` bytes on in the text as it came.
    #[must_use]
    pub fn original(&self, place: usize) -> Option<u8> {
        self.window
            .original(self.window.folded().start(self.start) + place)
    }

    /// Whether a letter or digit of Latin, Greek or Cyrillic script stands `place` characters on: a word goes on.
    #[must_use]
    pub fn goes_on(&self, place: usize) -> bool {
        self.at(place).is_some_and(is_word)
    }
}

impl Hit {
    /// `length` characters, counted as [`Ahead::at`] counts, with a score from 0 to 1.
    #[must_use]
    pub fn new(entity: Entity, length: usize, score: f32) -> Self {
        Self {
            entity,
            length: Length::Folded(length),
            score,
            said: score,
            validated: None,
        }
    }

    /// The same with a length in bytes, as [`Ahead::original`] counts.
    #[must_use]
    pub fn original(entity: Entity, bytes: usize, score: f32) -> Self {
        Self {
            length: Length::Original(bytes),
            ..Self::new(entity, 0, score)
        }
    }

    /// The score where a [context word](crate::AnalyzerBuilder::context_word) of its kind is near.
    #[must_use]
    pub fn said(mut self, score: f32) -> Self {
        self.said = score;
        self
    }

    /// The check that it passed.
    #[must_use]
    pub fn validated(mut self, check: &'static str) -> Self {
        self.validated = Some(check);
        self
    }
}

/// All recognizers of one's own that an analyzer has.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    recognizers: Vec<Arc<dyn Recognizer>>,
    /// Whether any of them may start with a byte.
    firsts: [bool; 256],
}

impl Default for Own {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Own {
    pub(crate) fn new(recognizers: Vec<Arc<dyn Recognizer>>) -> Self {
        let mut firsts = [false; 256];
        for (byte, first) in (0..=u8::MAX).zip(&mut firsts) {
            *first = recognizers.iter().any(|own| own.may_start(byte));
        }
        Self {
            recognizers,
            firsts,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.recognizers.is_empty()
    }

    /// The next place from `from` on where one may start.
    pub(crate) fn next(&self, window: &Window<'_>, from: usize) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let mut before = window.before(from);
        for (place, byte) in window.slice(from, window.len()).iter().enumerate() {
            let inside = is_word(*byte) && before.is_some_and(is_word);
            if !inside && self.firsts.get(usize::from(*byte)) == Some(&true) {
                return Some(from + place);
            }
            before = Some(*byte);
        }
        None
    }

    /// Finds all that start at `start`.
    pub(crate) fn find(&self, scene: &Scene<'_>, mut found: impl FnMut(Entity, Match)) {
        let window = scene.window;
        let ahead = Ahead {
            window,
            start: scene.anchor,
        };
        let Some(first) = window.at(scene.anchor) else {
            return;
        };
        for own in self.recognizers.iter().filter(|own| own.may_start(first)) {
            let Some(hit) = own.find(&ahead) else {
                continue;
            };
            let end = match hit.length {
                Length::Folded(length) => (scene.anchor + length).min(window.len()),
                Length::Original(bytes) => {
                    let folded = window.folded();
                    folded.index(folded.start(scene.anchor) + bytes)
                }
            };
            if end <= scene.anchor {
                continue;
            }
            let said = hit.said > hit.score && scene.speaks_of(hit.entity, end);
            found(
                hit.entity,
                Match {
                    start: scene.anchor,
                    end,
                    score: if said { hit.said } else { hit.score },
                    validated: hit.validated,
                    by: Some(own.name()),
                },
            );
        }
    }
}

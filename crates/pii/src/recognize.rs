//! One function a kind of personal data, and the table of them.
//!
//! A recognizer is called at an anchor, a place found by a scan for single bytes: the first digit of a group, an `@`, or
//! a colon. It reads around it through the [`Window`], a bounded way, and says what it found. Adding a kind takes an
//! [`Entity`], a function here and a line in the table.

mod aadhaar;
pub(crate) mod bank;
mod card;
pub(crate) mod codes;
mod crypto;
mod email;
mod gstin;
mod iban;
mod ip;
pub(crate) mod look;
pub(crate) mod mac;
pub(crate) mod month;
pub(crate) mod numbers;
#[cfg(test)]
mod page;
mod pan;
mod phone;
mod run;
pub(crate) mod secret;
mod table;
mod upi;
mod url;
mod wrapped;

use std::cell::{Cell, OnceCell, Ref, RefCell};

pub(crate) use self::look::{Look, Signs};
pub(crate) use self::phone::Regions;
pub(crate) use self::run::Run;
pub(crate) use self::table::Rows;
use self::wrapped::Wrapped;
use crate::Entity;
use crate::context::{Kinds, Listener, Near};
use crate::window::Window;

/// How many characters around a number are read for what stands in the same row.
const KIN: usize = 32;

/// What a scan stops at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// The first of a group of digits, not inside a word.
    Digit,
    /// The first of a group of digits right behind a letter.
    Inside,
    /// An `@`.
    At,
    /// A colon.
    Colon,
    /// A dot between letters or digits.
    Dot,
    /// A dash between pairs of the letters that are hexadecimal digits.
    Dash,
}

/// A kind of personal data and how it is found.
#[derive(Debug)]
pub(crate) struct BuiltIn {
    pub(crate) entity: Entity,
    pub(crate) anchor: Anchor,
    pub(crate) find: fn(&Scene<'_>) -> Option<Match>,
    /// The most that one may score.
    pub(crate) best: f32,
    /// What a first look at digits shows where there is one.
    pub(crate) signs: Signs,
}

impl BuiltIn {
    const fn new(
        entity: Entity,
        anchor: Anchor,
        find: fn(&Scene<'_>) -> Option<Match>,
        best: f32,
    ) -> Self {
        Self {
            entity,
            anchor,
            find,
            best,
            signs: Signs::ANY,
        }
    }

    /// It is called only where a first look shows one of these.
    const fn at(self, signs: Signs) -> Self {
        Self { signs, ..self }
    }
}

/// All recognizers. Where two find the same span with the same score, the earlier one wins.
pub(crate) const RECOGNIZERS: &[BuiltIn] = &[
    BuiltIn::new(Entity::InAadhaar, Anchor::Digit, aadhaar::find, 1.0).at(Signs::TWELVE),
    BuiltIn::new(Entity::Card, Anchor::Digit, card::find, 1.0).at(Signs::CARD),
    BuiltIn::new(Entity::InGstin, Anchor::Digit, gstin::find, 1.0).at(Signs::PAIR_AND_LETTER),
    BuiltIn::new(Entity::InPan, Anchor::Digit, pan::find, 1.0).at(Signs::LETTER_BEFORE),
    BuiltIn::new(Entity::InPan, Anchor::Inside, pan::find, 1.0),
    BuiltIn::new(Entity::Iban, Anchor::Inside, iban::find, 1.0),
    BuiltIn::new(Entity::Ip, Anchor::Digit, ip::find_v4, 0.95).at(Signs::OCTET),
    BuiltIn::new(Entity::Ip, Anchor::Colon, ip::find_v6, 0.95),
    BuiltIn::new(Entity::Phone, Anchor::Digit, phone::find, 0.9).at(Signs::PHONE),
    BuiltIn::new(Entity::Email, Anchor::At, email::find, 0.95),
    BuiltIn::new(Entity::InUpiId, Anchor::At, upi::find, 0.95),
    BuiltIn::new(Entity::InAbha, Anchor::At, upi::find_health, 0.95),
    BuiltIn::new(
        Entity::InBankAccount,
        Anchor::Digit,
        bank::find_account,
        0.85,
    )
    .at(Signs::ACCOUNT),
    BuiltIn::new(Entity::Mac, Anchor::Digit, mac::find, 0.95).at(Signs::PAIRS),
    BuiltIn::new(Entity::Mac, Anchor::Inside, mac::find, 0.95).at(Signs::PAIRS),
    BuiltIn::new(Entity::Mac, Anchor::Colon, mac::find, 0.95),
    BuiltIn::new(Entity::Mac, Anchor::Dot, mac::find, 0.95),
    BuiltIn::new(Entity::Mac, Anchor::Dash, mac::find, 0.95),
    BuiltIn::new(Entity::Crypto, Anchor::Digit, crypto::find, 1.0).at(Signs::WORD),
    BuiltIn::new(Entity::Crypto, Anchor::Inside, crypto::find, 1.0),
    BuiltIn::new(Entity::Url, Anchor::Colon, url::find_scheme, 0.9),
    BuiltIn::new(Entity::Url, Anchor::Dot, url::find_bare, 0.85),
    BuiltIn::new(Entity::DateTime, Anchor::Digit, month::find_date, 0.85).at(Signs::SCRIPT),
    BuiltIn::new(Entity::DateOfBirth, Anchor::Digit, month::find_birth, 0.95).at(Signs::SCRIPT),
    BuiltIn::new(
        Entity::InAadhaar,
        Anchor::Digit,
        wrapped::find_aadhaar,
        wrapped::SAID,
    )
    .at(Signs::BREAK),
    BuiltIn::new(
        Entity::InAadhaarVid,
        Anchor::Digit,
        wrapped::find_virtual_id,
        wrapped::SAID,
    )
    .at(Signs::BREAK),
    BuiltIn::new(
        Entity::Card,
        Anchor::Digit,
        wrapped::find_card,
        wrapped::SAID,
    )
    .at(Signs::BREAK),
];

/// A span of the folded text, and how sure it is, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Match {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) score: f32,
    /// The check that it passed.
    pub(crate) validated: Option<&'static str>,
    /// What found it, where that isn't the one recognizer of its kind.
    pub(crate) by: Option<&'static str>,
}

impl Match {
    pub(crate) fn new(start: usize, end: usize, score: f32) -> Self {
        Self {
            start,
            end,
            score,
            validated: None,
            by: None,
        }
    }

    pub(crate) fn checked(mut self, check: &'static str) -> Self {
        self.validated = Some(check);
        self
    }

    /// Whether it wins over `other`, which it overlaps: the surer one does, then the longer.
    pub(crate) fn beats(&self, other: &Self) -> bool {
        (self.score, self.end - self.start) > (other.score, other.end - other.start)
    }
}

/// What recognizers ask of an analyzer.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// Whose phone numbers are known without a calling code.
    pub(crate) regions: Regions,
    /// No kind counts from a lower score on.
    pub(crate) least: f32,
}

/// An anchor and what recognizers share about it, worked out once.
#[derive(Debug)]
pub(crate) struct Scene<'s> {
    pub(crate) window: &'s Window<'s>,
    pub(crate) anchor: usize,
    words: &'s Listener<'s>,
    groups: &'s RefCell<Run>,
    settings: &'s Settings,
    run: OnceCell<Ref<'s, Run>>,
    wrapped: OnceCell<Option<Wrapped>>,
    near: OnceCell<Option<Near>>,
    /// The words before another place that was asked for last.
    earlier: RefCell<Option<(usize, Near)>>,
    /// What may be a number or code by what stands around it, or may not, last.
    bounded: Cell<Option<(usize, usize, bool)>>,
}

impl<'s> Scene<'s> {
    pub(crate) fn new(
        window: &'s Window<'s>,
        words: &'s Listener<'s>,
        groups: &'s RefCell<Run>,
        settings: &'s Settings,
        anchor: usize,
    ) -> Self {
        Self {
            window,
            anchor,
            words,
            groups,
            settings,
            run: OnceCell::new(),
            wrapped: OnceCell::new(),
            near: OnceCell::new(),
            earlier: RefCell::default(),
            bounded: Cell::new(None),
        }
    }

    /// The groups of digits that start at the anchor, if there are enough for anything.
    fn run(&self) -> Option<&Run> {
        Some(self.groups()).filter(|run| run.is_enough())
    }

    /// The groups of digits that start at the anchor.
    fn groups(&self) -> &Run {
        self.run.get_or_init(|| {
            self.groups.borrow_mut().move_to(self.window, self.anchor);
            self.groups.borrow()
        })
    }

    /// What a first look at the digits at the anchor shows.
    pub(crate) fn look(&self) -> Look {
        Look::at(self)
    }

    /// The groups of digits that start at the anchor and go on in the next line.
    fn wrapped(&self) -> Option<&Wrapped> {
        self.wrapped
            .get_or_init(|| Wrapped::read(self.window, self.anchor))
            .as_ref()
    }

    /// Whether a number or code may start at `start` and end before `end`. Many lines of a table ask for the same.
    fn is_bounded(&self, start: usize, end: usize) -> bool {
        match self.bounded.get() {
            Some((from, to, bounded)) if (from, to) == (start, end) => bounded,
            _ => {
                let bounded = self.window.may_start(start) && self.window.may_end(end);
                self.bounded.set(Some((start, end, bounded)));
                bounded
            }
        }
    }

    /// The words before the anchor.
    fn before(&self) -> &Near {
        let near = self.near.get_or_init(|| self.words.before(self.anchor));
        near.as_ref().unwrap_or(Near::NOTHING)
    }

    /// The words before `start`, which may come before the anchor.
    fn near(&self, start: usize) -> Near {
        match start == self.anchor {
            true => self.before().clone(),
            false => match &mut *self.earlier.borrow_mut() {
                Some((known, near)) if *known == start => near.clone(),
                slot => {
                    let near = self.words.before(start).unwrap_or_default();
                    slot.insert((start, near)).1.clone()
                }
            },
        }
    }

    /// All kinds that a word before `start` or after `end` tells.
    fn told(&self, start: usize, end: usize) -> Kinds {
        let before = match start == self.anchor {
            true => *self.before().kinds(),
            false => *self.near(start).kinds(),
        };
        before.and(self.after(end).kinds())
    }

    /// Whether a word before or after `end` says that it is `entity`, one of one's own too.
    pub(crate) fn speaks_of(&self, entity: Entity, end: usize) -> bool {
        let kind = self.words.context().kind(entity);
        kind.is_some_and(|kind| self.before().says(kind) || self.after(end).says(kind))
    }

    /// Whether an e-mail address stands in the same row as `start..end`: what else it holds speaks of a person, too.
    fn is_beside_address(&self, start: usize, end: usize) -> bool {
        self.is_beside(start, end, |row| row.contains(&b'@'))
    }

    /// Whether a PAN does.
    fn is_beside_pan(&self, start: usize, end: usize) -> bool {
        self.is_beside(start, end, |row| row.windows(pan::LETTERS).any(pan::is_pan))
    }

    fn is_beside(&self, start: usize, end: usize, kin: impl Fn(&[u8]) -> bool) -> bool {
        let mut last = end;
        while last < end + KIN && self.window.at(last).is_some_and(|byte| byte != b'\n') {
            last += 1;
        }
        let row = self.window.slice(start.saturating_sub(KIN), start);
        let row = row.rsplit(|byte| *byte == b'\n').next().unwrap_or(row);
        kin(row) || kin(self.window.slice(end, last))
    }

    /// The words after `end`.
    fn after(&self, end: usize) -> Ref<'s, Near> {
        self.words.after(end)
    }
}

/// The fields of each line of a shipped table that isn't a remark.
fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split(',').map(str::trim).collect())
}

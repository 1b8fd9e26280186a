//! Kinds that a line of a table says how to find.

use super::{Match, Scene, look};
use crate::Entity;
use crate::checks::{self, Check};
use crate::context::{Kind, Kinds};

/// What a line of `data/numbers.txt` and `data/codes.txt` says beside the pattern.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) entity: Entity,
    /// The score of one that nothing beside it speaks for.
    score: f32,
    /// The score of one that a word beside it speaks for.
    said: f32,
    check: Option<(&'static str, Check)>,
    case: Case,
    /// One that is all the text says may be a field of a form, where the word lies in the field's name.
    whole: bool,
    /// A word that says it is a number of another sort counts.
    doubted: bool,
    /// Only a word that says it is the number of a thing for sale counts, an amount or an order beside it doesn't.
    goods: bool,
    /// A plus stands before it and belongs to it.
    plus: bool,
    /// The name of a town or state right before it counts.
    placed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    /// In any case alike.
    Any,
    /// With small letters, only a word beside it makes it one.
    Said,
    /// In capitals only.
    Upper,
}

/// The score of one that needs a word beside it and has none.
pub(super) const UNSAID: f32 = 0.3;
const DOUBTED: f32 = 0.4;
const WHOLE: f32 = 0.6;
const PLACED: f32 = 0.7;

/// How far before a number a word ends, in bytes, that speaks of it.
const NEXT: u8 = 12;

impl Row {
    /// The pattern of a line, and what else it says. `None`: the line is wrong, which a test would show.
    pub(super) fn parse(line: &'static str) -> Option<(&'static str, Self)> {
        let mut fields = line.split(" | ").map(str::trim);
        let entity = fields.next()?.parse().ok()?;
        let pattern = fields.next()?;
        let score = fields.next()?.parse().ok()?;
        let said = fields.next()?.parse().ok()?;
        let check = match fields.next()? {
            "-" => None,
            name => Some(checks::named(name)?),
        };
        let mut row = Self {
            entity,
            score,
            said,
            check,
            case: Case::Said,
            whole: false,
            doubted: false,
            goods: false,
            plus: false,
            placed: false,
        };
        for flag in fields.next().unwrap_or_default().split_whitespace() {
            match flag {
                "any" => row.case = Case::Any,
                "upper" => row.case = Case::Upper,
                "whole" => row.whole = true,
                "doubted" => row.doubted = true,
                "goods" => row.goods = true,
                "plus" => row.plus = true,
                "placed" => row.placed = true,
                _ => return None,
            }
        }
        Some((pattern, row))
    }

    /// The most that one may score.
    pub(super) fn best(&self) -> f32 {
        self.score.max(self.said).max(match self.whole {
            true => WHOLE,
            false => 0.0,
        })
    }

    /// The most that one may score which nothing beside it speaks for.
    fn best_unsaid(&self) -> f32 {
        let whole = if self.whole { WHOLE } else { 0.0 };
        let placed = if self.placed { PLACED } else { 0.0 };
        self.score.max(whole).max(placed)
    }

    /// Judges `start..end`, whose pattern holds. `unsure`: it may be a piece of something longer; `piece`: it looks like one.
    /// `counts`: whether a score is enough.
    pub(super) fn judge(
        &self,
        scene: &Scene<'_>,
        start: usize,
        end: usize,
        [unsure, piece]: [bool; 2],
        counts: impl Fn(f32) -> bool,
    ) -> Option<Match> {
        let window = scene.window;
        window.ask();
        let start = match (self.plus, window.before(start)) {
            (true, Some(b'+')) => start - 1,
            (true, _) => return None,
            (false, _) => start,
        };
        if !scene.is_bounded(start, end) {
            return None;
        }
        let text = window.slice(start, end);
        let lower = || text.iter().any(u8::is_ascii_lowercase);
        if self.case == Case::Upper && lower() {
            return None;
        }
        // Nothing beside it speaks for a piece.
        if piece && !counts(self.score.min(UNSAID)) {
            return None;
        }
        let near = scene.near(start);
        let said = {
            let kind = Kind::of(self.entity);
            // A word for a number of another sort that stands right before it says more than one behind.
            let another = near
                .distance(Kind::OTHER)
                .is_some_and(|distance| distance <= NEXT);
            near.says(kind) || !another && scene.after(end).says(kind)
        };
        let placed = self.placed
            && near
                .distance(Kind::PLACE)
                .is_some_and(|distance| distance <= 3);
        let score = match () {
            () if piece => self.score.min(UNSAID),
            () if said => self.said,
            () if placed => PLACED,
            () if unsure || self.case == Case::Said && lower() => self.score.min(UNSAID),
            () if self.doubted && near.has(Kind::OTHER) || self.goods && near.has(Kind::GOODS) => {
                self.score.min(DOUBTED)
            }
            () if self.whole && window.is_whole(start, end) => self.score.max(WHOLE),
            () => self.score,
        };
        // What can't count isn't counted over.
        if !counts(score) {
            return None;
        }
        if let Some((_, check)) = self.check {
            let mut code = [0; MOST];
            check(spelled(text, &mut code)?).then_some(())?;
        }
        let found = Match::new(start, end, score);
        Some(match self.check {
            Some((name, _)) => found.checked(name),
            None => found,
        })
    }
}

/// Which lines of a table may count, a bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rows {
    wanted: Bits,
    /// Those that may without a word that speaks for them.
    unsaid: Bits,
}

/// A bit a line. A test of each table holds that it has no more.
pub(super) type Bits = u128;

impl Rows {
    /// `least`: from which score a kind counts; `None` where it isn't looked for.
    pub(super) fn of<'r>(
        rows: impl Iterator<Item = &'r Row>,
        least: impl Fn(Entity) -> Option<f32>,
    ) -> Self {
        let mut these = Self::default();
        for (place, row) in rows.enumerate() {
            let least = least(row.entity).unwrap_or(f32::INFINITY);
            these.wanted |= Bits::from(row.best() >= least) << place;
            these.unsaid |= Bits::from(row.best_unsaid() >= least) << place;
        }
        these
    }

    pub(super) fn wanted(&self) -> Bits {
        self.wanted
    }

    /// Those of `held` that may count by themselves, or by what is `told` beside them with the `best` that they may score.
    pub(super) fn worth<'r>(
        &self,
        held: Bits,
        row: impl Fn(usize) -> Option<&'r Row>,
        best: impl Fn(f32) -> bool,
        told: impl FnOnce() -> Kinds,
    ) -> Bits {
        if look::is_off() {
            return held & self.wanted;
        }
        let without = |held: Bits, is: &dyn Fn(&Row) -> bool| {
            let those = places(held).filter(|place| !row(*place).is_some_and(is));
            those.fold(held, |held, place| held & !(1 << place))
        };
        let held = held & self.wanted;
        let quiet = without(held & !self.unsaid, &|row| best(row.best()));
        if quiet == 0 {
            return held & self.unsaid;
        }
        let told = told();
        if told.is_empty() {
            return held & self.unsaid;
        }
        held & self.unsaid | without(quiet, &|row| told.has(Kind::of(row.entity)))
    }
}

/// Where the bits are.
pub(super) fn places(bits: Bits) -> impl Iterator<Item = usize> {
    let mut bits = bits;
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros();
        bits &= bits.checked_sub(1)?;
        Some(place as usize)
    })
}

/// The most letters and digits that a pattern of a table may have.
pub(super) const MOST: usize = 96;

/// The letters and digits of `text` in upper case: what a check counts over.
fn spelled<'c>(text: &[u8], code: &'c mut [u8; MOST]) -> Option<&'c [u8]> {
    let mut length = 0;
    for byte in text.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        *code.get_mut(length)? = byte.to_ascii_uppercase();
        length += 1;
    }
    code.get(..length)
}

/// The lines of a table that say something.
pub(super) fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

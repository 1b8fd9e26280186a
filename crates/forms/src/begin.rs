//! Where a form may begin: most of a text is passed over two bytes at a time.
//!
//! Of the first bytes of each form, four that are rare in prose are chosen. Every second place of a text is looked at with
//! the two bytes after it; so one of the two threes that the four make is seen, wherever they stand. A table tells for each
//! three how far before it a form may begin, and only there a reader goes byte by byte.
//!
//! Names (`api_key`, and whatever a vendor is called) are made of common threes. But what makes one a form is the `=` or
//! `:` after it: names have a table of their own, and are looked for only before such a sign.

use crate::class::Class;
use crate::heads::{SIGNS, first_classes, heads, is_before_sign, sign_distance};
use crate::shape::{First, Op, Way};
use crate::threes::{
    DEEPEST, KNOWN, LAST, SIGN, THREES, Threes, index, mark, next_three, set, starts,
};
use crate::tree::{NameWalk, SEPARATORS, Tree};

/// Where forms stand close together, each of the first places is looked at: to go on and back for each would cost more.
const CLOSE: usize = 8;

/// No more of what follows a literal is looked at.
const LOOK_AHEAD: usize = 8;

pub(crate) struct Begin {
    always: Threes,
    named: Threes,
    /// Whether a form begins with a three.
    opens: Threes,
    /// How far before a sign a name may begin, and what may stand from there to the sign.
    reach: usize,
    between: [bool; 256],
    pub(crate) exact: Tree,
    /// Of each way, the alphabet of what follows its literal or name, and how many of it there are at least.
    follows: Vec<Option<(Class, usize)>>,
    pub(crate) names: Tree,
    /// Ways that begin with a run, and the alphabets of their first bytes.
    pub(crate) runs: Vec<(u16, Vec<Class>)>,
}

impl Begin {
    pub(crate) fn new(ways: &[Way]) -> Self {
        let mut begin = Self {
            always: Box::new([0; THREES]),
            named: Box::new([0; THREES]),
            opens: Box::new([0; THREES]),
            reach: 0,
            between: [false; 256],
            exact: Tree::new(),
            follows: ways.iter().map(follows).collect(),
            names: Tree::new(),
            runs: Vec::new(),
        };
        for (way, index) in ways.iter().zip(0..) {
            let mut table = &mut begin.always;
            match &way.first {
                First::Exactly(literal) => begin.exact.add(literal, index),
                First::Name(name) => {
                    begin.names.add_name(name, index);
                    if let Some(distance) = sign_distance(way) {
                        begin.reach = begin.reach.max(name.len() + distance);
                        begin.allow(name, way);
                        table = &mut begin.named;
                    }
                }
                First::Run => {
                    begin.runs.push((index, first_classes(way)));
                    // Digits before a colon are told by it too: there are many digits, and few colons.
                    if let Some(distance) = sign_distance(way) {
                        begin.reach = begin.reach.max(distance);
                        begin.allow(&[], way);
                        table = &mut begin.named;
                    }
                }
            }
            for heads in heads(way) {
                mark(table, &heads);
                set(&mut begin.opens, &heads, 0, 1);
            }
        }
        for (index, back) in begin.always.iter_mut().enumerate() {
            let is_sign = |five| SIGNS.iter().any(|sign| usize::from(sign & 31) == five);
            if is_sign(index >> 10) || is_sign(index >> 5 & 31) {
                *back |= SIGN;
            }
        }
        begin
    }

    /// Notes what a name and what follows it up to its sign are made of.
    fn allow(&mut self, name: &[u8], way: &Way) {
        let mut allow = |byte: u8| {
            if let Some(entry) = self.between.get_mut(usize::from(byte)) {
                *entry = true;
            }
        };
        name.iter()
            .flat_map(|byte| [*byte, byte.to_ascii_uppercase()])
            .for_each(&mut allow);
        SEPARATORS.into_iter().for_each(&mut allow);
        for op in &way.ops {
            match op {
                Op::Literal(literal) => literal.iter().copied().for_each(&mut allow),
                Op::Run(class, ..) | Op::Block(class, ..) => class.bytes().for_each(&mut allow),
            }
            if !is_before_sign(op) {
                break;
            }
        }
    }

    /// Where the name may begin that a sign at or after `sign` makes a form.
    fn name_before(&self, bytes: &[u8], from: usize, sign: usize) -> usize {
        let from = from.max(sign.saturating_sub(self.reach));
        let before = bytes.get(from..sign).unwrap_or_default();
        let allowed = |byte: &&u8| self.between.get(usize::from(**byte)) == Some(&true);
        sign - before.iter().rev().take_while(allowed).count()
    }

    /// The first place at or after `from` where a form begins, or may if more follows.
    pub(crate) fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let close = (from + CLOSE).min(bytes.len());
        let mut near = from..close;
        if let found @ Some(_) = near.find(|at| self.opens(bytes, *at) && self.begins(bytes, *at)) {
            return found;
        }
        // So far names were looked for.
        let (mut found, mut tried) = (None::<usize>, Tried::default());
        let (mut named, mut at) = (close.max(from), close.max(from));
        while let Some((place, back)) = next_three(&self.always, upto(bytes, found), at) {
            if back & SIGN != 0 && is_sign_at(bytes, place) {
                let end = found.unwrap_or(bytes.len()).min(place + 1);
                let before = self.name_before(bytes, named, place);
                found = self.next_name(bytes, before, end).or(found);
                named = named.max(end);
            }
            found = starts(place, back)
                .filter(|start| *start >= from && found.is_none_or(|found| *start < found))
                .find(|start| {
                    tried.is_new(*start) && self.opens(bytes, *start) && self.begins(bytes, *start)
                })
                .or(found);
            at = place + 2;
        }
        let end = found.unwrap_or(bytes.len());
        let before = named.max(end.saturating_sub(self.reach));
        found = self.next_name(bytes, before, end).or(found);
        let end = found.unwrap_or(bytes.len());
        let mut last = bytes.len().saturating_sub(LAST).max(from)..end;
        last.find(|start| self.begins(bytes, *start)).or(found)
    }

    /// The first place from `from` to `end` where a name begins.
    fn next_name(&self, bytes: &[u8], from: usize, end: usize) -> Option<usize> {
        if from >= end {
            return None;
        }
        let (mut found, mut tried) = (None::<usize>, Tried::default());
        let seen = bytes.get(..(end + LAST).min(bytes.len()))?;
        let mut at = from;
        while let Some((place, back)) = next_three(&self.named, upto(seen, found), at) {
            found = starts(place, back)
                .filter(|start| *start >= from && *start < found.unwrap_or(end))
                .find(|start| {
                    tried.is_new(*start) && self.opens(bytes, *start) && self.begins(bytes, *start)
                })
                .or(found);
            at = place + 2;
        }
        let mut last = bytes.len().saturating_sub(LAST).max(from)..found.unwrap_or(end);
        last.find(|start| self.begins(bytes, *start)).or(found)
    }

    /// Whether a form may begin at `start` for its first three bytes. Most that is looked at ends here.
    #[inline]
    fn opens(&self, bytes: &[u8], start: usize) -> bool {
        #[cfg(test)]
        crate::cost::add(1);
        match bytes.get(start..).and_then(<[u8]>::first_chunk::<3>) {
            Some(three) => self
                .opens
                .get(index(*three))
                .is_some_and(|opens| *opens != 0),
            None => true,
        }
    }

    /// Whether all that stands from `start` on is the beginning of a form.
    pub(crate) fn begins(&self, bytes: &[u8], start: usize) -> bool {
        let Some(rest) = bytes.get(start..) else {
            return false;
        };
        let before = bytes
            .get(start.saturating_sub(2)..start)
            .unwrap_or_default();
        let free = at_boundary(before) || rest.first().is_some_and(|first| !is_token(*first));
        (free && (self.begins_exactly(rest) || self.begins_run(rest)))
            || self.begins_name(bytes, start)
    }

    fn begins_exactly(&self, rest: &[u8]) -> bool {
        let mut at = 0;
        for (place, &byte) in rest.iter().enumerate() {
            #[cfg(test)]
            crate::cost::add(1);
            let Some(next) = self.exact.next(at, byte) else {
                return false;
            };
            let behind = rest.get(place + 1..).unwrap_or_default();
            let mut ways = self.exact.ways(next).iter();
            if ways.any(|way| self.may_follow(*way, behind)) {
                return true;
            }
            at = next;
        }
        true
    }

    /// Whether what a way's literal begins goes on as the way does. What hasn't come may.
    fn may_follow(&self, way: u16, behind: &[u8]) -> bool {
        let Some(Some((class, least))) = self.follows.get(usize::from(way)) else {
            return true;
        };
        behind.iter().take(*least).all(|byte| {
            #[cfg(test)]
            crate::cost::add(1);
            class.has(*byte)
        })
    }

    fn begins_name(&self, bytes: &[u8], start: usize) -> bool {
        let mut walk = NameWalk::default();
        for &byte in bytes.get(start..).unwrap_or_default() {
            #[cfg(test)]
            crate::cost::add(1);
            match walk.step(&self.names, byte) {
                Some((next, None)) => walk = next,
                next => return next.is_some(),
            }
        }
        true
    }

    fn begins_run(&self, rest: &[u8]) -> bool {
        self.runs.iter().any(|(_, classes)| {
            let mut pairs = classes.iter().zip(rest);
            pairs.all(|(class, byte)| class.has(*byte))
        })
    }
}

fn follows(way: &Way) -> Option<(Class, usize)> {
    match way.ops.first()? {
        Op::Run(class, least, _) => Some((*class, usize::from(*least).min(LOOK_AHEAD))),
        _ => None,
    }
}

/// Which places were looked at, of the last few: several threes may tell of one.
#[derive(Default)]
struct Tried {
    base: usize,
    places: u32,
}

impl Tried {
    fn is_new(&mut self, place: usize) -> bool {
        let Some(mut at) = place.checked_sub(self.base) else {
            return true;
        };
        if at >= 32 {
            self.places = self
                .places
                .unbounded_shr(u32::try_from(at - 16).unwrap_or(32));
            self.base += at - 16;
            at = 16;
        }
        let new = self.places >> at & 1 == 0;
        self.places |= 1 << at;
        new
    }
}

fn is_sign_at(bytes: &[u8], at: usize) -> bool {
    let two = bytes.get(at..at + 2).unwrap_or_default();
    two.iter().any(|byte| SIGNS.contains(byte))
}

/// As much of a text as may tell of a form that begins before one that is found.
fn upto(bytes: &[u8], found: Option<usize>) -> &[u8] {
    let end = found.map_or(bytes.len(), |found| found + DEEPEST + KNOWN);
    bytes.get(..end).unwrap_or(bytes)
}

/// Whether no token goes on after these two bytes: a letter may be the end of an escape such as `\n`.
pub(crate) fn at_boundary(before: &[u8]) -> bool {
    match before {
        [b'\\', b'n' | b'r' | b't'] => true,
        [.., last] => !is_token(*last),
        [] => true,
    }
}

#[inline]
pub(crate) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

//! Where a form may begin: most of a text is passed over two bytes at a time.
//!
//! Of the first bytes of each form, four that are rare in prose are chosen. Every second place of a text is looked at with
//! the two bytes after it; so one of the two threes that the four make is seen, wherever they stand. A table tells for each
//! three how far before it a form may begin, and only there a reader goes byte by byte.

use crate::class::Class;
use crate::shape::{First, Op, Way};
use crate::tree::{NameWalk, SEPARATORS, Tree};

/// So many neighbours among the first bytes of each form are looked for.
pub(crate) const KNOWN: usize = 4;
/// How far into a form they may stand.
const DEEPEST: usize = 6;
/// No form that begins before the last so many bytes of a text is overlooked.
const LAST: usize = DEEPEST + KNOWN - 1;

/// Threes of bytes, of which five bits each count: both cases of a letter are one.
const THREES: usize = 1 << 15;

pub(crate) struct Begin {
    /// For each three a bit `n` if a form may begin `n` bytes before it.
    back: Box<[u8; THREES]>,
    pub(crate) exact: Tree,
    pub(crate) names: Tree,
    /// Ways that begin with a run, and the alphabets of their first bytes.
    pub(crate) runs: Vec<(u16, Vec<Class>)>,
}

impl Begin {
    pub(crate) fn new(ways: &[Way]) -> Self {
        let mut begin = Self {
            back: Box::new([0; THREES]),
            exact: Tree::new(),
            names: Tree::new(),
            runs: Vec::new(),
        };
        for (way, index) in ways.iter().zip(0..) {
            match &way.first {
                First::Exactly(literal) => begin.exact.add(literal, index),
                First::Name(name) => begin.names.add_name(name, index),
                First::Run => begin.runs.push((index, first_classes(way))),
            }
            for heads in heads(way) {
                begin.mark(&heads);
            }
        }
        begin
    }

    /// Chooses the bytes to look for and marks their threes.
    fn mark(&mut self, heads: &[Vec<u8>]) {
        let deepest = heads.len().saturating_sub(KNOWN).min(DEEPEST);
        let cost = |at: &usize| cost(heads, *at) + cost(heads, *at + 1);
        let at = (0..=deepest).min_by_key(cost).unwrap_or(0);
        for at in [at, at + 1] {
            for three in threes(heads, at) {
                if let Some(back) = self.back.get_mut(index(three)) {
                    *back |= 1 << at;
                }
            }
        }
    }

    /// The first place at or after `from` where a form begins, or may if more follows.
    pub(crate) fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut found = None;
        if let Some((&first, rest)) = bytes.get(from..).and_then(<[u8]>::split_first) {
            let (mut at, mut last) = (from, first);
            for &[a, b] in rest.as_chunks::<2>().0 {
                let back = self.back(last, a, b);
                if back != 0 {
                    found = self.before(bytes, from, at, back, found);
                }
                // What is found further on begins further on.
                if found.is_some_and(|found| at > found + DEEPEST) {
                    break;
                }
                (at, last) = (at + 2, b);
            }
        }
        let known = found.unwrap_or(bytes.len());
        #[cfg(test)]
        crate::cost::add(known.saturating_sub(from) / 2);
        let mut last = bytes.len().saturating_sub(LAST).max(from)..known;
        last.find(|start| self.begins(bytes, *start)).or(found)
    }

    /// The first place before `at` where a form begins that has this three there, if it is before `found`.
    #[cold]
    fn before(
        &self,
        bytes: &[u8],
        from: usize,
        at: usize,
        mut back: u8,
        found: Option<usize>,
    ) -> Option<usize> {
        while back != 0 {
            let distance = 7 - back.leading_zeros() as usize;
            back &= !(1 << distance);
            let start = at.checked_sub(distance).filter(|start| *start >= from);
            if let Some(start) = start
                && found.is_none_or(|found| start < found)
                && self.begins(bytes, start)
            {
                return Some(start);
            }
        }
        found
    }

    #[inline]
    fn back(&self, a: u8, b: u8, c: u8) -> u8 {
        self.back.get(index([a, b, c])).copied().unwrap_or(0)
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
        (free && (self.begins_exactly(rest) || self.begins_run(rest))) || self.begins_name(rest)
    }

    fn begins_exactly(&self, rest: &[u8]) -> bool {
        let mut at = 0;
        for &byte in rest {
            #[cfg(test)]
            crate::cost::add(1);
            match self.exact.next(at, byte) {
                Some(next) if self.exact.ways(next).is_empty() => at = next,
                next => return next.is_some(),
            }
        }
        true
    }

    fn begins_name(&self, rest: &[u8]) -> bool {
        let mut walk = NameWalk::default();
        for &byte in rest {
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

#[inline]
const fn index([a, b, c]: [u8; 3]) -> usize {
    (a as usize & 31) << 10 | (b as usize & 31) << 5 | (c as usize & 31)
}

/// The alphabets of the first bytes of a way that begins with a run.
fn first_classes(way: &Way) -> Vec<Class> {
    let mut classes = Vec::new();
    for op in &way.ops {
        let Op::Run(class, least, most) = op else {
            break;
        };
        classes.extend((0..*least).map(|_| *class));
        if least != most {
            break;
        }
    }
    classes
}

/// What each of the first bytes may be, as far as their places are fixed; a name has several spellings.
pub(crate) fn heads(way: &Way) -> Vec<Vec<Vec<u8>>> {
    let mut spellings = match &way.first {
        First::Exactly(literal) => vec![literal.iter().map(|byte| vec![*byte]).collect()],
        First::Name(name) => name_heads(name),
        First::Run => vec![Vec::new()],
    };
    for heads in &mut spellings {
        // Of what follows the fixed places, whatever may stand in the first.
        let mut next = Vec::new();
        for op in &way.ops {
            if heads.len() > LAST {
                break;
            }
            match op {
                Op::Literal(literal) if next.is_empty() => {
                    heads.extend(literal.iter().map(|byte| vec![*byte]));
                }
                Op::Run(class, least, most) if next.is_empty() && least == most => {
                    heads.extend((0..*least).map(|_| class.bytes().collect::<Vec<u8>>()));
                }
                Op::Run(class, least, _) => {
                    if next.is_empty() {
                        heads.extend((0..*least).map(|_| class.bytes().collect::<Vec<u8>>()));
                    }
                    next.extend(class.bytes());
                    if *least > 0 {
                        break;
                    }
                }
                Op::Literal(literal) => {
                    next.extend(literal.first());
                    break;
                }
                Op::Block(..) => break,
            }
        }
        if !next.is_empty() {
            next.sort_unstable();
            next.dedup();
            heads.push(next);
        }
        heads.truncate(LAST + 1);
    }
    spellings
}

/// The spellings of a name: with a separator between the first words, or none.
fn name_heads(name: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut spellings: Vec<Vec<Vec<u8>>> = vec![Vec::new()];
    for &byte in name {
        if byte != b' ' {
            let both = vec![byte, byte.to_ascii_uppercase()];
            spellings
                .iter_mut()
                .for_each(|heads| heads.push(both.clone()));
        } else if spellings.iter().all(|heads| heads.len() <= LAST) {
            let joined = spellings.clone();
            spellings
                .iter_mut()
                .for_each(|heads| heads.push(SEPARATORS.to_vec()));
            spellings.extend(joined);
        } else {
            break;
        }
    }
    spellings
}

fn threes(heads: &[Vec<u8>], at: usize) -> impl Iterator<Item = [u8; 3]> + '_ {
    let of = |at| heads.get(at).map(Vec::as_slice).unwrap_or_default();
    let (first, second, third) = (of(at), of(at + 1), of(at + 2));
    let pairs = first
        .iter()
        .flat_map(move |a| second.iter().map(move |b| (*a, *b)));
    pairs.flat_map(move |(a, b)| third.iter().map(move |c| [a, b, *c]))
}

/// How often the threes at a place stand in text, roughly, so that a form is looked for by what is rare in it.
fn cost(heads: &[Vec<u8>], at: usize) -> u32 {
    let of = |at| heads.get(at).map_or(0, Vec::len);
    if of(at) * of(at + 1) * of(at + 2) > 1_000 {
        return 1 << 20;
    }
    threes(heads, at)
        .map(|[a, b, c]| 1 + commonness(a, b) * commonness(b, c))
        .sum()
}

/// The commonest pairs of English letters, in their order.
const COMMON: &[u8] = b"th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co \
me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns ss ot il lo no ut wh ho pe ac un ad et po ly ov wi em \
ge ow ai us sh wa ke pa mo so tr pr sp ee rs ts ie na di tu ";

fn commonness(a: u8, b: u8) -> u32 {
    let letters = a.is_ascii_lowercase() && b.is_ascii_lowercase();
    if letters {
        let place = COMMON.chunks_exact(3).position(|pair| pair == [a, b, b' ']);
        place.map_or(6, |place| 120 - u32::try_from(place).unwrap_or(100))
    } else if a == b' ' || b == b' ' {
        60
    } else {
        1 + 5 * u32::from(a.is_ascii_digit() && b.is_ascii_digit())
    }
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

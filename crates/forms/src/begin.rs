//! Where a form may begin: most of a text is passed over two bytes at a time.
//!
//! Of the first bytes of each form, four that are rare in prose are chosen. Every second place of a text is looked at with
//! the two bytes after it; so one of the two threes that the four make is seen, wherever they stand. A table tells for each
//! three how far before it a form may begin, and only there a reader goes byte by byte.
//!
//! Names (`api_key`, and whatever a vendor is called) are made of common threes. But what makes one a form is the `=` or
//! `:` after it: names have a table of their own, and are looked for only before such a sign.

use crate::class::Class;
use crate::shape::{First, Op, Way};
use crate::tree::{NameWalk, SEPARATORS, Tree};

/// So many neighbours among the first bytes of each form are looked for.
pub(crate) const KNOWN: usize = 4;
/// How far into a form they may stand.
const DEEPEST: usize = 2;
/// No form that begins before the last so many bytes of a text is overlooked.
const LAST: usize = DEEPEST + KNOWN - 1;

/// Threes of bytes, of which five bits each count: both cases of a letter are one.
const THREES: usize = 1 << 15;

/// For each three a bit `n` if a form may begin `n` bytes before it.
type Threes = Box<[u8; THREES]>;

/// In the table: one of the first two may be a sign. No form is found that far from its beginning.
const SIGN: u8 = 1 << 7;
const SIGNS: [u8; 3] = *b":=>";
/// Names are looked for at once where they stand close together: to go to the sign and back for each would cost more.
const CLOSE: usize = 8;

pub(crate) struct Begin {
    always: Threes,
    named: Threes,
    both: Threes,
    /// Whether a form begins with a three.
    opens: Threes,
    /// How far before a sign a name may begin.
    reach: usize,
    pub(crate) exact: Tree,
    pub(crate) names: Tree,
    /// Ways that begin with a run, and the alphabets of their first bytes.
    pub(crate) runs: Vec<(u16, Vec<Class>)>,
}

impl Begin {
    pub(crate) fn new(ways: &[Way]) -> Self {
        let mut begin = Self {
            always: Box::new([0; THREES]),
            named: Box::new([0; THREES]),
            both: Box::new([0; THREES]),
            opens: Box::new([0; THREES]),
            reach: 0,
            exact: Tree::new(),
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
                        table = &mut begin.named;
                    }
                }
                First::Run => begin.runs.push((index, first_classes(way))),
            }
            for heads in heads(way) {
                mark(table, &heads);
                set(&mut begin.opens, &heads, 0, 1);
            }
        }
        let two = begin.always.iter().zip(begin.named.iter());
        for (both, (always, named)) in begin.both.iter_mut().zip(two) {
            *both = always | named;
        }
        for (index, back) in begin.always.iter_mut().enumerate() {
            let is_sign = |five| SIGNS.iter().any(|sign| usize::from(sign & 31) == five);
            if is_sign(index >> 10) || is_sign(index >> 5 & 31) {
                *back |= SIGN;
            }
        }
        begin
    }

    /// The first place at or after `from` where a form begins, or may if more follows.
    pub(crate) fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let (mut found, mut at, mut tried) = (None::<usize>, from, Tried::default());
        let close = bytes.get(..from + CLOSE).unwrap_or(bytes);
        while let Some((place, back)) = next_three(&self.both, upto(close, found), at) {
            found = starts(place, back)
                .filter(|start| *start >= from && found.is_none_or(|found| *start < found))
                .find(|start| {
                    tried.is_new(*start) && self.opens(bytes, *start) && self.begins(bytes, *start)
                })
                .or(found);
            at = place + 2;
        }
        // So far names were looked for.
        let mut named = (close.len().max(from + LAST) - LAST).max(from);
        at = from + (named - from) / 2 * 2;
        while let Some((place, back)) = next_three(&self.always, upto(bytes, found), at) {
            if back & SIGN != 0 && is_sign_at(bytes, place) {
                let end = found.unwrap_or(bytes.len()).min(place + 1);
                let before = named.max(place.saturating_sub(self.reach));
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
                    tried.is_new(*start)
                        && self.opens(bytes, *start)
                        && self.begins_name(bytes, *start)
                })
                .or(found);
            at = place + 2;
        }
        let mut last = bytes.len().saturating_sub(LAST).max(from)..found.unwrap_or(end);
        last.find(|start| self.begins_name(bytes, *start)).or(found)
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

/// Chooses the bytes to look for and marks their threes.
fn mark(table: &mut Threes, heads: &[Vec<u8>]) {
    let deepest = heads.len().saturating_sub(KNOWN).min(DEEPEST);
    let cost = |at: &usize| cost(heads, *at) + cost(heads, *at + 1);
    let at = (0..=deepest).min_by_key(cost).unwrap_or(0);
    for at in [at, at + 1] {
        set(table, heads, at, 1 << at);
    }
}

fn set(table: &mut Threes, heads: &[Vec<u8>], at: usize, bits: u8) {
    for three in threes(heads, at) {
        if let Some(entry) = table.get_mut(index(three)) {
            *entry |= bits;
        }
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

/// The first place at or after `from`, of every second, with a three that the table knows.
#[inline]
fn next_three(table: &Threes, bytes: &[u8], from: usize) -> Option<(usize, u8)> {
    let (first, rest) = bytes.get(from..)?.split_first()?;
    let (mut at, mut last) = (from, *first);
    let (eights, _) = rest.as_chunks::<8>();
    for eight in eights {
        let fives = u64::from(last & 31) << 40 | fives(*eight);
        let known = |shift: u32| {
            table
                .get((fives >> shift) as usize & (THREES - 1))
                .is_some_and(|b| *b != 0)
        };
        if known(30) | known(20) | known(10) | known(0) {
            break;
        }
        #[cfg(test)]
        crate::cost::add(4);
        (at, last) = (at + 8, eight[7]);
    }
    for &[a, b] in bytes.get(at + 1..)?.as_chunks::<2>().0 {
        #[cfg(test)]
        crate::cost::add(1);
        let back = table.get(index([last, a, b])).copied().unwrap_or(0);
        if back != 0 {
            return Some((at, back));
        }
        (at, last) = (at + 2, b);
    }
    None
}

/// Five bits of each of eight bytes, the first highest.
#[inline]
const fn fives(eight: [u8; 8]) -> u64 {
    let each = u64::from_be_bytes(eight) & 0x1F1F_1F1F_1F1F_1F1F;
    let two = each >> 3 & 0x03E0_03E0_03E0_03E0 | each & 0x001F_001F_001F_001F;
    let four = two >> 6 & 0x000F_FC00_000F_FC00 | two & 0x0000_03FF_0000_03FF;
    four >> 12 & 0xFF_FFF0_0000 | four & 0xF_FFFF
}

/// Where a form may begin that has a three at `at`, in order.
fn starts(at: usize, back: u8) -> impl Iterator<Item = usize> {
    let distances = (0..=DEEPEST + 1)
        .rev()
        .filter(move |distance| back >> distance & 1 == 1);
    distances.filter_map(move |distance| at.checked_sub(distance))
}

/// The most bytes between a name and a sign that must follow. None if there need be no sign.
fn sign_distance(way: &Way) -> Option<usize> {
    let mut distance = 0;
    for op in &way.ops {
        match op {
            Op::Literal(literal) => {
                let sign = literal.iter().position(|byte| SIGNS.contains(byte));
                if let Some(sign) = sign {
                    return Some(distance + sign);
                }
                distance += literal.len();
            }
            Op::Run(class, least, _) if *least > 0 && class.bytes().all(|b| SIGNS.contains(&b)) => {
                return Some(distance);
            }
            Op::Run(_, _, most) => distance += usize::from(*most),
            Op::Block(..) => return None,
        }
    }
    None
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

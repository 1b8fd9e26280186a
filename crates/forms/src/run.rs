//! Follows all forms that may begin at one place, byte by byte.

use crate::begin::{at_boundary, is_token};
use crate::shape::{First, Op};
use crate::tree::{NameWalk, Node};
use crate::{Forms, Way};

/// Ways that are followed at once. A test holds that no text needs more.
pub(crate) const MOST: usize = 16;

/// A way of writing that holds so far. Offsets are from where it begins.
#[derive(Clone, Copy, Debug, Default)]
struct Thread {
    way: u16,
    op: u16,
    count: u16,
    hyphens: u16,
    begin: u32,
    end: Option<u32>,
    /// Where it would end if what follows doesn't hold.
    enough: Option<u32>,
}

/// What matched, before it is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) way: u16,
    /// The secret itself.
    pub(crate) begin: usize,
    pub(crate) end: usize,
    /// The end of all that belongs to it.
    pub(crate) until: usize,
}

/// A place where a form may begin, and how far it was followed.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    at: u32,
    exact: Option<Node>,
    names: Option<NameWalk>,
    threads: [Thread; MOST],
    count: usize,
    /// It stands where base64 may go on: a form that could hold itself doesn't begin there.
    runs_on: bool,
    /// A form that may go on is told as soon as it can be.
    early: bool,
}

impl Run {
    /// `before` is the two bytes before it, or as many as there are.
    pub(crate) fn new(before: &[u8], early: bool) -> Self {
        Self {
            at: 0,
            exact: at_boundary(before).then_some(0),
            runs_on: matches!(before, [.., b'/' | b'+']),
            names: Some(NameWalk::default()),
            threads: [Thread::default(); MOST],
            count: 0,
            early,
        }
    }

    /// How many bytes were read.
    pub(crate) fn len(&self) -> usize {
        self.at as usize
    }

    /// Whether more bytes could make a match.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.count > 0 || self.exact.is_some() || self.names.is_some()
    }

    /// Takes the next byte, or the end of the text.
    #[inline]
    pub(crate) fn step(&mut self, forms: &Forms, byte: Option<u8>, mut hit: impl FnMut(Hit)) {
        if self.at == 0 && self.exact.is_none() && byte.is_some_and(|byte| !is_token(byte)) {
            self.exact = Some(0);
        }
        if self.at == 0 && self.exact.is_some() {
            for (way, classes) in &forms.begin.runs {
                if let (Some(first), Some(byte)) = (classes.first(), byte)
                    && first.has(byte)
                {
                    self.spawn(forms, *way);
                }
            }
        }
        let mut kept = 0;
        for index in 0..self.count {
            #[cfg(test)]
            crate::cost::add(1);
            let Some(thread) = self.threads.get_mut(index) else {
                break;
            };
            let lives = forms
                .ways
                .get(usize::from(thread.way))
                .is_some_and(|way| thread.step(way, byte, self.at, self.early, &mut hit));
            if lives {
                if kept < index {
                    self.threads.copy_within(index..=index, kept);
                }
                kept += 1;
            }
        }
        self.count = kept;
        let Some(byte) = byte else {
            (self.exact, self.names, self.count) = (None, None, 0);
            return;
        };
        self.at = self.at.saturating_add(1);
        if let Some(node) = self.exact {
            let next = forms.begin.exact.next(node, byte);
            for way in next
                .map(|next| forms.begin.exact.ways(next))
                .unwrap_or_default()
            {
                self.spawn(forms, *way);
            }
            self.exact = next.filter(|next| !forms.begin.exact.is_leaf(*next));
        }
        if let Some(walk) = self.names {
            let next = walk.step(&forms.begin.names, byte);
            if let Some((_, Some(node))) = next {
                for way in forms.begin.names.ways(node) {
                    self.spawn(forms, *way);
                }
            }
            self.names = next.map(|(walk, _)| walk);
        }
    }

    /// Takes as many bytes as only make the runs longer that all ways are in: most of a secret, at a look each.
    pub(crate) fn glide(&mut self, forms: &Forms, mut read: impl FnMut(usize) -> Option<u8>) {
        if self.exact.is_some() || self.names.is_some() || self.count == 0 {
            return;
        }
        let mut room = usize::MAX;
        let mut alphabets = [None; 3];
        let threads = self.threads.get(..self.count).unwrap_or_default();
        for (place, thread) in threads.iter().enumerate() {
            let way = forms.ways.get(usize::from(thread.way));
            let op = way.and_then(|way| way.way.ops.get(usize::from(thread.op)));
            // Before the first byte of a run it is noted whether the secret begins there.
            match (op, thread.count, alphabets.get_mut(place)) {
                (Some(Op::Run(class, _, most)), 1.., Some(alphabet)) => {
                    room = room.min(usize::from(most.saturating_sub(thread.count)));
                    *alphabet = Some(class.table());
                }
                _ => return,
            }
        }
        let takes = |byte: u8| {
            let mut alphabets = alphabets.iter().flatten();
            alphabets.all(|alphabet| alphabet.get(usize::from(byte)) == Some(&true))
        };
        let mut taken = 0;
        while taken < room && read(taken).is_some_and(takes) {
            taken += 1;
        }
        #[cfg(test)]
        crate::cost::add(taken * self.count);
        let (bytes, far) = (
            u16::try_from(taken).unwrap_or(0),
            u32::try_from(taken).unwrap_or(0),
        );
        for thread in self.threads.iter_mut().take(self.count) {
            thread.count += bytes;
        }
        self.at += far;
    }

    fn spawn(&mut self, forms: &Forms, way: u16) {
        let apart = forms
            .ways
            .get(usize::from(way))
            .is_some_and(|way| way.apart);
        if apart && self.runs_on {
            return;
        }
        if let Some(place) = self.threads.get_mut(self.count) {
            *place = Thread {
                way,
                ..Thread::default()
            };
            self.count += 1;
        }
    }
}

impl Thread {
    /// Whether it still holds after `byte`, which stands at `at`.
    #[inline]
    fn step(
        &mut self,
        way: &Way,
        byte: Option<u8>,
        at: u32,
        early: bool,
        hit: &mut impl FnMut(Hit),
    ) -> bool {
        loop {
            if self.count == 0 {
                self.mark(way, at);
            }
            let Some(op) = way.way.ops.get(usize::from(self.op)) else {
                if way.open || !byte.is_some_and(is_token) {
                    hit(self.hit(at));
                }
                return false;
            };
            match (op, byte) {
                (Op::Literal(literal), Some(byte)) => {
                    if literal.get(usize::from(self.count)) != Some(&byte) {
                        return self.leave(hit);
                    }
                    self.count += 1;
                    if usize::from(self.count) == literal.len() {
                        self.advance();
                    }
                    return true;
                }
                (Op::Run(class, least, most), _) => {
                    if self.count < *most && byte.is_some_and(|byte| class.has(byte)) {
                        self.count += 1;
                        return true;
                    }
                    if self.count < *least {
                        return self.leave(hit);
                    }
                    self.advance();
                    self.mark(way, at);
                }
                (Op::Block(class, least, most), Some(byte))
                    if self.count < *most && class.has(byte) =>
                {
                    self.count += 1;
                    if self.count >= *least {
                        self.enough = Some(at + 1);
                        if early {
                            hit(self.hit(at + 1));
                            return false;
                        }
                    }
                    self.hyphens = if byte == b'-' { self.hyphens + 1 } else { 0 };
                    if self.hyphens < 5 {
                        return true;
                    }
                    self.advance();
                    return self.enough.is_some();
                }
                _ => return self.leave(hit),
            }
        }
    }

    fn advance(&mut self) {
        self.op += 1;
        self.count = 0;
    }

    /// Notes where the secret itself begins and ends.
    fn mark(&mut self, way: &Way, at: u32) {
        let here = Some(usize::from(self.op));
        if way.way.secret.0 == here {
            self.begin = at;
        }
        if way.way.secret.1 == here {
            self.end = Some(at);
        }
    }

    fn leave(&self, hit: &mut impl FnMut(Hit)) -> bool {
        if let Some(enough) = self.enough {
            hit(self.hit(enough));
        }
        false
    }

    fn hit(&self, until: u32) -> Hit {
        Hit {
            way: self.way,
            begin: self.begin as usize,
            end: self.end.unwrap_or(until) as usize,
            until: until as usize,
        }
    }
}

/// The most bytes that [`Forms::at`] reads for ways that are followed one by one.
pub(crate) fn longest(ways: &[Way]) -> usize {
    ways.iter()
        .map(|way| way.way.longest() + usize::from(way.way.first != First::Run) * 8 + 1)
        .max()
        .unwrap_or(0)
}

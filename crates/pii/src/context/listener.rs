//! Reading a text for words once, however many numbers ask for those beside them.

use std::cell::{Cell, Ref, RefCell};

use super::tables::Columns;
use super::words::{Words, is_letter};
use super::{Context, Kind, LOOK_AHEAD, Near};
use crate::window::{LOOK_BACK, Window};

/// What starts so much earlier, in bytes, is read too: a code may start before its anchor.
const EARLIER: usize = 24;
/// So few bytes between what was read and what is asked for are read as well.
const NEARBY: usize = 24;

/// The words of a text, read as far as was asked.
#[derive(Debug)]
pub(crate) struct Listener<'l> {
    context: &'l Context,
    window: &'l Window<'l>,
    shipped: Option<RefCell<Heard>>,
    own: Option<RefCell<Heard>>,
    columns: Columns,
    /// What stands after the places that were asked for last, each in the slot that its place gives it: the numbers of a list end at the same ones.
    after: RefCell<[(usize, Option<Near>); AFTER]>,
    /// Characters of which none ends what speaks of a number before them.
    clause: Cell<(usize, usize)>,
}

const AFTER: usize = 16;

/// What one set of words made of a part of the text.
#[derive(Debug, Default)]
struct Heard {
    /// The part, in bytes of the text.
    from: usize,
    to: usize,
    /// In the order of their starts.
    hits: Vec<Hit>,
}

#[derive(Clone, Copy, Debug)]
struct Hit {
    start: usize,
    end: usize,
    word: u16,
    /// It ends in a Latin letter or digit, and another stands right behind it.
    glued: bool,
}

impl<'l> Listener<'l> {
    pub(crate) fn new(context: &'l Context, window: &'l Window<'l>) -> Self {
        let heard = |_: &Words| RefCell::default();
        Self {
            context,
            window,
            shipped: context.shipped.as_deref().map(heard),
            own: context.own_words.as_ref().map(heard),
            columns: Columns::default(),
            after: RefCell::new(std::array::from_fn(|_| (usize::MAX, None))),
            clause: Cell::default(),
        }
    }

    pub(crate) fn context(&self) -> &'l Context {
        self.context
    }

    /// The words before `start`. In a table whose head says what the column holds, that is the nearest, and other rows don't count.
    /// `None`: there are none.
    pub(crate) fn before(&self, start: usize) -> Option<Near> {
        self.window.ask();
        let folded = self.window.folded();
        let mut from = folded.start(start.saturating_sub(LOOK_BACK));
        let to = folded.end(start);
        let column = self.columns.above(self.window, self.context, start);
        if column.is_none() && self.is_silent(from, to) {
            return None;
        }
        let mut near = Near::default();
        if let Some(column) = column {
            from = from.max(column.row);
            near.hear(column.told(), 0);
        }
        // From the nearest on, and from word to word, so that no character is counted twice.
        let (mut known, mut distance) = (to, 0);
        self.hits(from, to, |words, hits| {
            for hit in hits.iter().rev().filter(|hit| hit.stands_alone(to)) {
                let kinds = words.kinds(hit.word);
                if hit.end > known {
                    near.hear(kinds, self.characters(hit.end, to));
                } else if !near.knows(kinds) {
                    distance += self.characters(hit.end, known);
                    known = hit.end;
                    near.hear(kinds, distance);
                }
            }
        });
        Some(near)
    }

    /// The words after `end`. Nothing may be asked for while it is held.
    pub(crate) fn after(&self, end: usize) -> Ref<'_, Near> {
        let slot = end % AFTER;
        let known = self
            .after
            .borrow()
            .get(slot)
            .is_some_and(|slot| slot.0 == end);
        if !known {
            let near = self.listen_after(end);
            if let Some(slot) = self.after.borrow_mut().get_mut(slot) {
                slot.0 = end;
                slot.1 = near;
            }
        }
        Ref::map(self.after.borrow(), |all| match all.get(slot) {
            Some((_, Some(near))) => near,
            _ => Near::NOTHING,
        })
    }

    fn listen_after(&self, end: usize) -> Option<Near> {
        self.window.ask();
        // Behind a comma or the end of a line, a word speaks of something else.
        let goes_on = |byte: u8| !matches!(byte, b'\n' | b',' | b'.' | b';' | b'|' | b'\t');
        let (from, to) = self.clause.get();
        let known = (from..=to).contains(&end);
        let mut last = if known { to.min(end + LOOK_AHEAD) } else { end };
        while last < end + LOOK_AHEAD && self.window.at(last).is_some_and(goes_on) {
            last += 1;
        }
        self.clause.set(if known {
            (from, to.max(last))
        } else {
            (end, last)
        });
        // The last word may be cut off by the window: it counts only if it is seen to end.
        let whole = last < end + LOOK_AHEAD;
        let folded = self.window.folded();
        let (from, to) = (folded.end(end), folded.end(last));
        if self.is_silent(from, to) {
            return None;
        }
        let mut near = Near::default();
        self.hits(from, to, |words, hits| {
            for hit in hits.iter().filter(|hit| hit.stands_alone(to)) {
                let kinds = words.kinds(hit.word);
                if (whole || hit.end < to) && !near.knows(kinds) {
                    near.hear(kinds, self.characters(from, hit.start));
                }
            }
        });
        Some(near)
    }

    /// Whether it is known that no word starts in `from..to`.
    fn is_silent(&self, from: usize, to: usize) -> bool {
        let silent = |heard: &RefCell<Heard>| {
            let heard = heard.borrow();
            let last = heard.hits.last();
            heard.from <= from && to <= heard.to && last.is_none_or(|hit| hit.start < from)
        };
        self.own.is_none() && self.shipped.as_ref().is_some_and(silent)
    }

    fn characters(&self, from: usize, to: usize) -> usize {
        let text = self.window.folded().source();
        text.get(from..to).unwrap_or_default().chars().count()
    }

    /// Calls `each` with the words that start in `from..to`.
    fn hits(&self, from: usize, to: usize, mut each: impl FnMut(&Words, &[Hit])) {
        let shipped = self.context.shipped.as_deref().zip(self.shipped.as_ref());
        let own = self.context.own_words.as_ref().zip(self.own.as_ref());
        for (words, heard) in shipped.into_iter().chain(own) {
            let mut heard = heard.borrow_mut();
            heard.listen(words, self.window.folded().source().as_bytes(), from, to);
            // From the last one backwards: numbers are asked about in turn.
            let hits = heard.hits.as_slice();
            let behind = hits.iter().rev().take_while(|hit| hit.start >= to);
            let hits = hits.get(..hits.len() - behind.count()).unwrap_or_default();
            let within = hits.iter().rev().take_while(|hit| hit.start >= from);
            let hits = hits.get(hits.len() - within.count()..).unwrap_or_default();
            if !hits.is_empty() {
                each(words, hits);
            }
        }
    }
}

impl Hit {
    /// Whether it is a word of what ends at `to`, where all that lies behind is unseen.
    fn stands_alone(&self, to: usize) -> bool {
        self.end == to || self.end < to && !self.glued
    }
}

impl Context {
    /// What the words of `text` tell.
    pub(super) fn told(&self, text: &[u8]) -> Vec<Kind> {
        let mut told = Vec::new();
        for words in self.shipped.as_deref().into_iter().chain(&self.own_words) {
            let mut heard = Heard::default();
            heard.listen(words, text, 0, text.len());
            let whole = heard.hits.iter().filter(|hit| !hit.glued);
            told.extend(whole.flat_map(|hit| words.kinds(hit.word)));
        }
        told.sort_unstable();
        told.dedup();
        told
    }
}

impl Heard {
    /// Reads on until `from..to` has been read.
    fn listen(&mut self, words: &Words, text: &[u8], from: usize, to: usize) {
        let earlier = from.saturating_sub(EARLIER);
        // What lies between is mostly asked for next.
        if from < self.from || earlier > self.to + NEARBY {
            self.hits.clear();
            self.from = earlier;
            self.to = earlier;
        }
        let plain = |index: usize| text.get(index).is_some_and(|byte| is_letter(*byte));
        let mut see = |start: usize| {
            words.at(text, start, |end, word| {
                let glued = plain(end - 1) && plain(end);
                self.hits.push(Hit {
                    start,
                    end,
                    word,
                    glued,
                });
            });
        };
        let mut at = self.to;
        // A Latin word counts whole. Words of other scripts take endings, and stand anywhere.
        let mut within = at.checked_sub(1).is_some_and(plain);
        while let Some(rest) = text.get(at..).filter(|_| at < to)
            && let Some(byte) = rest.first()
        {
            if byte.is_ascii_digit() && !words.may_start(*byte) {
                at += 1;
                within = true;
                continue;
            }
            if is_letter(*byte) {
                let (may_be, length) = words.latin(rest);
                if !within && may_be {
                    see(at);
                }
                at += length;
                within = true;
                continue;
            }
            within = false;
            // The rest of a letter begins no word.
            if (byte.is_ascii() || *byte >= 0xC0) && words.may_start(*byte) && words.other(rest) {
                see(at);
            }
            at += match byte {
                ..0xC0 => 1,
                ..0xE0 => 2,
                ..0xF0 => 3,
                _ => 4,
            };
        }
        // The last word may end further on.
        self.to = self.to.max(at).max(to);
    }
}

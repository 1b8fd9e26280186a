//! The words that are looked for, and what they tell.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Kind;

/// Words, each with the kinds that it tells: a tree of their bytes, small enough for the processor's nearest cache.
///
/// They are looked for where a word starts, and most are no longer looked for after two or three letters; an automaton that finds them
/// anywhere steps over each byte of the text, through a table of megabytes.
#[derive(Debug)]
pub(crate) struct Words {
    /// The node that a first byte leads to.
    first: Vec<u16>,
    nodes: Vec<Node>,
    /// Those of each node together.
    edges: Vec<(u8, u16)>,
    kinds: Vec<Vec<Kind>>,
    /// A bit for each hash of how a Latin one begins.
    heads: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    edges: u16,
    count: u8,
    /// The word that ends here.
    word: u16,
}

const NONE: u16 = u16::MAX;

/// A word and its number.
type Numbered = (Vec<u8>, u16);

const HEADS: usize = 1 << 16;

/// The first four letters or digits of a Latin word, or as many as there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head(u32);

impl Head {
    pub(super) fn of(word: &[u8]) -> Self {
        let letters = word.iter().take(4);
        let letters = letters.take_while(|byte| byte.is_ascii_alphanumeric());
        Self(letters.fold(0, |head, byte| {
            head << 8 | u32::from(byte.to_ascii_lowercase())
        }))
    }

    /// Where the bit of it is.
    fn place(self) -> (usize, u32) {
        let hash = self.0.wrapping_mul(0x9E37_79B1) >> 16;
        (usize::try_from(hash / 64).unwrap_or(0), hash % 64)
    }
}

impl Words {
    /// `None` where there are too many.
    pub(super) fn new<'w>(words: impl Iterator<Item = (Cow<'w, str>, Kind)>) -> Option<Self> {
        let mut told: BTreeMap<Vec<u8>, Vec<Kind>> = BTreeMap::new();
        for (word, kind) in words {
            told.entry(word.to_ascii_lowercase().into_bytes())
                .or_default()
                .push(kind);
        }
        let mut this = Self {
            first: vec![NONE; 256],
            nodes: Vec::new(),
            edges: Vec::new(),
            kinds: Vec::new(),
            heads: vec![0; HEADS / 64],
        };
        let mut sorted = Vec::new();
        for (word, kinds) in told {
            let (place, bit) = Head::of(&word).place();
            if let Some(bits) = this.heads.get_mut(place) {
                *bits |= 1 << bit;
            }
            sorted.push((word, u16::try_from(this.kinds.len()).ok()?));
            this.kinds.push(kinds);
        }
        let mut rest = sorted.as_slice();
        while let Some(byte) = rest.first().and_then(|(word, _)| word.first().copied()) {
            let (same, others) = split(rest, 0, byte);
            let node = this.grow(same, 1)?;
            if let Some(slot) = this.first.get_mut(usize::from(byte)) {
                *slot = node;
            }
            rest = others;
        }
        Some(this)
    }

    /// Adds the node of all of `words`, which are alike up to `depth`.
    fn grow(&mut self, words: &[Numbered], depth: usize) -> Option<u16> {
        let (word, mut rest) = match words.split_first() {
            Some(((word, number), rest)) if word.len() == depth => (*number, rest),
            _ => (NONE, words),
        };
        let own = self.nodes.len();
        self.nodes.push(Node {
            edges: 0,
            count: 0,
            word,
        });
        let mut edges = Vec::new();
        while let Some(byte) = rest.first().and_then(|(word, _)| word.get(depth).copied()) {
            let (same, others) = split(rest, depth, byte);
            edges.push((byte, self.grow(same, depth + 1)?));
            rest = others;
        }
        let node = self.nodes.get_mut(own)?;
        node.edges = u16::try_from(self.edges.len()).ok()?;
        node.count = u8::try_from(edges.len()).ok()?;
        self.edges.extend(edges);
        u16::try_from(own).ok().filter(|own| *own != NONE)
    }

    /// Whether a Latin word may be one: it begins as some does.
    pub(super) fn may_be(&self, head: Head) -> bool {
        let (place, bit) = head.place();
        self.heads
            .get(place)
            .is_some_and(|bits| bits >> bit & 1 == 1)
    }

    /// Whether one starts with `byte`, which is no Latin letter.
    pub(super) fn may_start(&self, byte: u8) -> bool {
        self.first
            .get(usize::from(byte))
            .is_some_and(|node| *node != NONE)
    }

    /// Calls `each` with the end and the number of all words that stand at `start`.
    pub(super) fn at(&self, text: &[u8], start: usize, mut each: impl FnMut(usize, u16)) {
        let rest = text.get(start..).unwrap_or_default();
        let Some((byte, rest)) = rest.split_first() else {
            return;
        };
        let mut next = self
            .first
            .get(usize::from(byte.to_ascii_lowercase()))
            .copied();
        let mut end = start + 1;
        let mut bytes = rest.iter();
        while let Some(node) = next.and_then(|node| self.nodes.get(usize::from(node))) {
            if node.word != NONE {
                each(end, node.word);
            }
            let Some(byte) = bytes.next().map(u8::to_ascii_lowercase) else {
                return;
            };
            let edges = usize::from(node.edges)..usize::from(node.edges) + usize::from(node.count);
            let edges = self.edges.get(edges).unwrap_or_default();
            let edge = edges.iter().find(|(own, _)| *own == byte);
            next = edge.map(|(_, node)| *node);
            end += 1;
        }
    }

    /// What a word tells.
    pub(super) fn kinds(&self, word: u16) -> &[Kind] {
        self.kinds.get(usize::from(word)).map_or(&[], Vec::as_slice)
    }
}

/// The words that have `byte` at `depth`, and those behind them.
fn split(words: &[Numbered], depth: usize, byte: u8) -> (&[Numbered], &[Numbered]) {
    let count = words.partition_point(|(word, _)| word.get(depth) == Some(&byte));
    words.split_at_checked(count).unwrap_or((words, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_at_a_place_are_found() {
        let all = ["pan", "pan card", "PAN no", "phone", "पैन"];
        let words =
            Words::new(all.iter().map(|word| (Cow::Borrowed(*word), Kind::NUMBER))).unwrap();
        let at = |text: &str, start: usize| {
            let mut found = Vec::new();
            words.at(text.as_bytes(), start, |end, _| {
                found.push(text[start..end].to_owned())
            });
            found
        };
        assert_eq!(at("my Pan Card", 3), ["Pan", "Pan Card"]);
        assert_eq!(at("pan no", 0), ["pan", "pan no"]);
        assert_eq!(at("पैन", 0), ["पैन"]);
        assert!(at("pa", 0).is_empty() && at("", 0).is_empty() && at("xpan", 0).is_empty());
    }
}

//! The words that are looked for, and what they tell.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Kind;
use crate::eights;

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
    /// A bit for each hash of how one begins.
    heads: Vec<u64>,
    /// First bytes, no Latin letters, of those that can't be told from how they begin.
    brief: Vec<bool>,
    /// The node that the head of others leads to, in order.
    others: Vec<(Head, u16)>,
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

/// So many edges are looked through in turn.
const FEW: usize = 4;

const HEADS: usize = 1 << 16;

/// How a word begins.
///
/// Few words of a text begin as one that is looked for does, so that most are told from a bit, without a step into the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Head(u64);

impl Head {
    /// In how many letters or digits a Latin word is told.
    const LATIN: usize = 4;
    /// In how many bytes another one is: two letters of an Indian script.
    const OTHER: usize = 6;

    /// That of the Latin word at the start of `text`, and how many letters or digits it has.
    fn of_latin(text: &[u8]) -> (Self, usize) {
        let eight = match text.first_chunk::<8>() {
            Some(eight) => u64::from_le_bytes(*eight),
            None => text
                .iter()
                .rfold(0, |all, byte| all << 8 | u64::from(*byte)),
        };
        let mut length = eights::first(!eights::letters(eight) & eights::TOP);
        let beyond = 8 * (8 - length.min(Self::LATIN)) as u32;
        let head = eights::small(eight).unbounded_shl(beyond);
        if length == 8 {
            let rest = text.get(length..).unwrap_or_default().iter();
            length += rest.take_while(|byte| is_letter(**byte)).count();
        }
        (Self(head), length)
    }

    /// That of the word at the start of `text`, if so many bytes follow.
    fn of_other(text: &[u8]) -> Option<Self> {
        let bytes = text.first_chunk::<8>()?;
        Some(Self(u64::from_le_bytes(*bytes) << (8 * (8 - Self::OTHER))))
    }

    /// Where the bit of it is.
    fn place(self) -> (usize, u32) {
        let hash = (self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as u16;
        (usize::from(hash / 64), u32::from(hash % 64))
    }
}

/// A Latin letter or a digit. By a table: this is asked for each byte before a number.
pub(super) fn is_letter(byte: u8) -> bool {
    static LETTERS: [bool; 256] = {
        let mut letters = [false; 256];
        let mut rest = letters.as_mut_slice();
        let mut byte = 0_u8;
        while let [letter, others @ ..] = rest {
            *letter = byte.is_ascii_alphanumeric();
            byte = byte.wrapping_add(1);
            rest = others;
        }
        letters
    };
    LETTERS.get(usize::from(byte)) == Some(&true)
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
            brief: vec![false; 256],
            others: Vec::new(),
        };
        let mut sorted = Vec::new();
        for (word, kinds) in told {
            this.mark(&word);
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
        for (word, _) in &sorted {
            if let Some((head, node)) = this.other_head(word) {
                this.others.push((head, node));
            }
        }
        this.others.sort_unstable();
        this.others.dedup();
        Some(this)
    }

    /// How a word that isn't Latin begins, and the node that this leads to.
    fn other_head(&self, word: &[u8]) -> Option<(Head, u16)> {
        let (first, rest) = word.get(..Head::OTHER)?.split_first()?;
        let known = !is_letter(*first) && self.brief.get(usize::from(*first)) == Some(&false);
        let root = self.first.get(usize::from(*first)).filter(|_| known)?;
        let node = rest
            .iter()
            .try_fold(*root, |node, byte| self.next(node, *byte))?;
        let mut bytes = [0; 8];
        bytes
            .get_mut(..Head::OTHER)?
            .copy_from_slice(word.get(..Head::OTHER)?);
        Some((Head::of_other(&bytes)?, node))
    }

    /// The node that `byte` leads to from `node`.
    fn next(&self, node: u16, byte: u8) -> Option<u16> {
        let node = self.nodes.get(usize::from(node))?;
        let edges = usize::from(node.edges)..usize::from(node.edges) + usize::from(node.count);
        let edges = self.edges.get(edges)?;
        // In order; after the first byte of a script there are many.
        let edge = match edges.len() {
            ..=FEW => edges.iter().position(|(own, _)| *own == byte)?,
            _ => edges.binary_search_by_key(&byte, |(own, _)| *own).ok()?,
        };
        edges.get(edge).map(|(_, node)| *node)
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

    /// Notes how a word begins.
    fn mark(&mut self, word: &[u8]) {
        let Some(first) = word.first() else {
            return;
        };
        let head = if is_letter(*first) {
            Some(Head::of_latin(word).0)
        } else {
            let mut bytes = [0; 8];
            // Of a Latin letter the case doesn't count.
            let known = word
                .get(..Head::OTHER)
                .filter(|known| !known.iter().any(u8::is_ascii_alphabetic));
            let known = known.and_then(|known| {
                bytes.get_mut(..Head::OTHER)?.copy_from_slice(known);
                Head::of_other(&bytes)
            });
            if known.is_none()
                && let Some(brief) = self.brief.get_mut(usize::from(*first))
            {
                *brief = true;
            }
            known
        };
        if let Some((place, bit)) = head.map(Head::place)
            && let Some(bits) = self.heads.get_mut(place)
        {
            *bits |= 1 << bit;
        }
    }

    fn begins(&self, head: Head) -> bool {
        let (place, bit) = head.place();
        self.heads
            .get(place)
            .is_some_and(|bits| bits >> bit & 1 == 1)
    }

    /// Whether the Latin word at the start of `text` may be one, and how many letters or digits it has.
    pub(super) fn latin(&self, text: &[u8]) -> (bool, usize) {
        let (head, length) = Head::of_latin(text);
        (self.begins(head), length)
    }

    /// Whether one may start with `byte`, which is no Latin letter.
    pub(super) fn may_start(&self, byte: u8) -> bool {
        self.first
            .get(usize::from(byte))
            .is_some_and(|node| *node != NONE)
    }

    /// Whether one may start at the start of `text`, whose first byte [may start](Self::may_start) one.
    pub(super) fn other(&self, text: &[u8]) -> bool {
        let first = text.first().map_or(0, |first| usize::from(*first));
        // At the end of the text, none is ruled out.
        Head::of_other(text).is_none_or(|head| self.begins(head))
            || self.brief.get(first) == Some(&true)
    }

    /// Calls `each` with the end and the number of all words that stand at `start`.
    pub(super) fn at(&self, text: &[u8], start: usize, mut each: impl FnMut(usize, u16)) {
        let rest = text.get(start..).unwrap_or_default();
        let Some(first) = rest.first().map(u8::to_ascii_lowercase) else {
            return;
        };
        let first = usize::from(first);
        // Where no word is as short as a head, the first step is over all of it.
        let long = first >= 0x80 && self.brief.get(first) == Some(&false);
        let (mut next, length) = match Head::of_other(rest).filter(|_| long) {
            Some(head) => {
                let known = self.others.binary_search_by_key(&head, |(own, _)| *own);
                let known = known.ok().and_then(|at| self.others.get(at));
                (known.map(|(_, node)| *node), Head::OTHER)
            }
            None => (self.first.get(first).copied(), 1),
        };
        let mut end = start + length;
        let mut bytes = rest.get(length..).unwrap_or_default().iter();
        while let Some(node) = next {
            let word = self.nodes.get(usize::from(node)).map(|node| node.word);
            match word {
                None => return,
                Some(NONE) => {}
                Some(word) => each(end, word),
            }
            let Some(byte) = bytes.next() else {
                return;
            };
            next = self.next(node, byte.to_ascii_lowercase());
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

    #[test]
    fn none_is_passed_over_for_how_it_begins() {
        let all = [
            "pan",
            "a",
            "phone",
            "पैन",
            "ए",
            "📞",
            "₹",
            "$",
            "№ 1",
            "été",
            "телефон",
            "é1",
        ];
        let words =
            Words::new(all.iter().map(|word| (Cow::Borrowed(*word), Kind::NUMBER))).unwrap();
        for word in all {
            for behind in ["", " ", " 12345678", "ों का हाल"] {
                let text = format!("{word}{behind}").to_ascii_uppercase();
                let text = text.as_bytes();
                let told = match is_letter(text[0]) {
                    true => words.latin(text).0,
                    false => words.may_start(text[0]) && words.other(text),
                };
                assert!(told, "{word}{behind}");
            }
        }
        assert_eq!(words.latin(b"committee met"), (false, 9));
        let words = Words::new([(Cow::Borrowed("पैन"), Kind::NUMBER)].into_iter()).unwrap();
        assert!(!words.other("समिति की बैठक".as_bytes()));
    }
}

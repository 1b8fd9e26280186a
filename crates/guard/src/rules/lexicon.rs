//! Finds phrases in a sequence of words.

use std::collections::HashMap;

use crate::words::is_apostrophe;

/// Bits of the filter that most words of a text fail: 8 KiB, so that it stays in a processor's first cache.
const FILTER: usize = 1 << 16;

/// All phrases, by their words. A word is known by its hash alone: two words of one hash would at worst be taken for each
/// other.
pub(super) struct Lexicon {
    filter: Vec<u64>,
    /// From a word's hash to its number.
    words: Table,
    /// From a node and a word's number to the next node.
    edges: Table,
    nodes: Vec<Node>,
}

#[derive(Default)]
struct Node {
    /// Whether longer phrases go on from here.
    open: bool,
    /// Those that end here: several may fall together.
    phrases: Vec<usize>,
}

/// The phrases that are open, and how many words they have come.
#[derive(Default)]
pub(super) struct Open(Vec<(u32, u32)>);

impl Open {
    /// No phrase goes on over what was read.
    #[inline]
    pub(super) fn close(&mut self) {
        self.0.clear();
    }
}

impl Lexicon {
    /// `phrases` have one space between their words and around them.
    pub(super) fn new<'p>(phrases: impl Iterator<Item = &'p str>) -> Self {
        let mut nodes = vec![Node::default()];
        let mut words: HashMap<u64, u32> = HashMap::new();
        let mut edges: HashMap<u64, u32> = HashMap::new();
        for (index, phrase) in phrases.enumerate() {
            let mut at = 0;
            for word in phrase.split(' ').filter(|word| !word.is_empty()) {
                let number = words.len() as u32 + 1;
                let number = *words.entry(hash(word)).or_insert(number);
                let fresh = nodes.len() as u32;
                let child = *edges.entry(edge(at, number)).or_insert(fresh);
                if child == fresh {
                    nodes.push(Node::default());
                }
                if let Some(node) = nodes.get_mut(at as usize) {
                    node.open = true;
                }
                at = child;
            }
            if let Some(node) = nodes.get_mut(at as usize) {
                node.phrases.push(index);
            }
        }
        let mut filter = vec![0; FILTER / 64];
        for word in words.keys() {
            if let Some(bits) = filter.get_mut(filter_place(*word) / 64) {
                *bits |= 1_u64 << (filter_place(*word) % 64);
            }
        }
        Self {
            filter,
            words: Table::new(&words),
            edges: Table::new(&edges),
            nodes,
        }
    }

    /// Reads one more word, and gives each phrase that ends with it and how many words that has, longest first.
    #[inline]
    pub(super) fn read(&self, open: &mut Open, word: &str, found: impl FnMut(usize, u32)) {
        let hash = hash(word);
        let place = filter_place(hash);
        if self
            .filter
            .get(place / 64)
            .is_none_or(|bits| bits >> (place % 64) & 1 == 0)
        {
            open.close();
            return;
        }
        self.advance(open, hash, found);
    }

    fn advance(&self, open: &mut Open, hash: u64, mut found: impl FnMut(usize, u32)) {
        let Some(word) = self.words.get(hash) else {
            return open.close();
        };
        open.0.push((0, 0));
        open.0.retain_mut(|(node, words)| {
            let Some(child) = self.edges.get(edge(*node, word)) else {
                return false;
            };
            (*node, *words) = (child, *words + 1);
            let Some(child) = self.nodes.get(child as usize) else {
                return false;
            };
            child
                .phrases
                .iter()
                .for_each(|phrase| found(*phrase, *words));
            child.open
        });
    }
}

/// A hash table that is only read: open addressing, at most half full, no key 0.
struct Table(Vec<(u64, u32)>);

impl Table {
    fn new(entries: &HashMap<u64, u32>) -> Self {
        let mut slots = vec![(0, 0); (entries.len() * 2).next_power_of_two().max(2)];
        let mask = slots.len() - 1;
        for (key, value) in entries {
            let mut at = *key as usize & mask;
            while slots.get(at).is_some_and(|slot| slot.0 != 0) {
                at = (at + 1) & mask;
            }
            if let Some(slot) = slots.get_mut(at) {
                *slot = (*key, *value);
            }
        }
        Self(slots)
    }

    #[inline]
    fn get(&self, key: u64) -> Option<u32> {
        let mask = self.0.len() - 1;
        let mut at = key as usize & mask;
        loop {
            match self.0.get(at) {
                Some((found, value)) if *found == key => return Some(*value),
                Some((0, _)) | None => return None,
                Some(_) => at = (at + 1) & mask,
            }
        }
    }
}

/// The key of the step from a node by a word; never 0, since words count from 1.
#[inline]
fn edge(node: u32, word: u32) -> u64 {
    let key = (u64::from(node) << 32 | u64::from(word)).wrapping_mul(MIX);
    key ^ key >> 32
}

const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

const fn filter_place(hash: u64) -> usize {
    (hash >> 48) as usize % FILTER
}

/// A hash of a word without its apostrophes.
#[inline]
fn hash(word: &str) -> u64 {
    if word.contains(is_apostrophe) {
        let plain: String = word.chars().filter(|c| !is_apostrophe(*c)).collect();
        return hash_bytes(plain.as_bytes());
    }
    hash_bytes(word.as_bytes())
}

#[inline]
fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hash = bytes.len() as u64;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*chunk)).wrapping_mul(MIX);
    }
    let tail = rest
        .iter()
        .fold(0_u64, |tail, byte| tail << 8 | u64::from(*byte));
    hash = (hash.rotate_left(23) ^ tail).wrapping_mul(MIX);
    hash ^ hash >> 29
}

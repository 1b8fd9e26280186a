//! Finds phrases in a sequence of words.

use std::collections::HashMap;

/// Bits of the filter that most words of a text fail: 8 KiB, so that it stays in a processor's first cache.
const FILTER: usize = 1 << 16;

/// All phrases, by their words. A word is known by its hash alone: two words of one hash would at worst be taken for each
/// other.
pub(super) struct Lexicon {
    filter: Vec<u64>,
    /// From a word's hash to its number and the node after it.
    words: Table,
    /// From a node and a word's number to the next node.
    edges: Table,
    nodes: Vec<Node>,
    /// The phrases that end at the nodes, node by node.
    phrases: Vec<u32>,
}

/// Small, since each word of a text that stands in any rule reads some.
#[derive(Clone, Copy, Default)]
struct Node {
    /// Where its phrases begin: several may fall together.
    first: u32,
    count: u16,
    /// Whether longer phrases go on from here.
    open: bool,
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
        let mut ends: Vec<(u32, u32)> = Vec::new();
        let mut words: HashMap<u64, (u32, u32)> = HashMap::new();
        let mut edges: HashMap<u64, (u32, u32)> = HashMap::new();
        for (phrase, index) in phrases.zip(0..) {
            let mut at = 0;
            for word in phrase.split(' ').filter(|word| !word.is_empty()) {
                let (number, fresh) = (words.len() as u32 + 1, nodes.len() as u32);
                let (number, root) = words.entry(hash(word)).or_insert((number, 0));
                let child = match at {
                    0 if *root != 0 => *root,
                    0 => {
                        *root = fresh;
                        fresh
                    }
                    _ => edges.entry(edge(at, *number)).or_insert((fresh, 0)).0,
                };
                if child == fresh {
                    nodes.push(Node::default());
                }
                if let Some(node) = nodes.get_mut(at as usize) {
                    node.open = true;
                }
                at = child;
            }
            ends.push((at, index));
        }
        ends.sort_unstable();
        for (place, (node, _)) in ends.iter().enumerate() {
            if let Some(node) = nodes.get_mut(*node as usize) {
                node.first = if node.count == 0 {
                    place as u32
                } else {
                    node.first
                };
                node.count += 1;
            }
        }
        let mut filter = vec![0; FILTER / 64];
        for word in words.keys() {
            if let Some(bits) = filter.get_mut(filter_place(*word) / 64) {
                *bits |= 1_u64 << (filter_place(*word) % 64);
            }
        }
        let phrases = ends.into_iter().map(|(_, phrase)| phrase).collect();
        Self {
            filter,
            words: Table::new(&words),
            edges: Table::new(&edges),
            nodes,
            phrases,
        }
    }

    /// Reads one more word, and gives each phrase that ends with it and how many words that has, longest first.
    #[inline]
    pub(super) fn read(&self, open: &mut Open, word: &str, found: impl FnMut(u32, u32)) {
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

    fn advance(&self, open: &mut Open, hash: u64, mut found: impl FnMut(u32, u32)) {
        let Some((word, root)) = self.words.get(hash) else {
            return open.close();
        };
        let mut reach = |node: u32, words: u32| {
            let node = self.nodes.get(node as usize).copied().unwrap_or_default();
            let first = node.first as usize;
            for phrase in self
                .phrases
                .get(first..first + usize::from(node.count))
                .unwrap_or_default()
            {
                found(*phrase, words);
            }
            node.open
        };
        if !open.0.is_empty() {
            open.0.retain_mut(|(node, words)| {
                let Some((child, _)) = self.edges.get(edge(*node, word)) else {
                    return false;
                };
                (*node, *words) = (child, *words + 1);
                reach(child, *words)
            });
        }
        if root != 0 && reach(root, 1) {
            open.0.push((root, 1));
        }
    }
}

/// A hash table that is only read: open addressing, at most half full, no key 0.
struct Table(Vec<(u64, (u32, u32))>);

impl Table {
    fn new(entries: &HashMap<u64, (u32, u32)>) -> Self {
        let mut slots = vec![(0, (0, 0)); (entries.len() * 2).next_power_of_two().max(2)];
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
    fn get(&self, key: u64) -> Option<(u32, u32)> {
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

#[inline]
fn hash(word: &str) -> u64 {
    let bytes = word.as_bytes();
    let mut hash = bytes.len() as u64;
    let mut mix = |part: u64| hash = (hash.rotate_left(23) ^ part).wrapping_mul(MIX);
    // The ends are read as they lie, over each other where the word is short, so that nothing is read byte by byte.
    match (
        bytes.first_chunk::<8>(),
        bytes.last_chunk::<8>(),
        bytes.first_chunk::<4>(),
        bytes.last_chunk::<4>(),
    ) {
        (Some(_), Some(last), ..) => {
            bytes
                .as_chunks::<8>()
                .0
                .iter()
                .for_each(|chunk| mix(u64::from_le_bytes(*chunk)));
            mix(u64::from_le_bytes(*last));
        }
        (_, _, Some(first), Some(last)) => {
            mix(u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)));
        }
        _ => mix(bytes
            .iter()
            .fold(0, |all, byte| all << 8 | u64::from(*byte))),
    }
    hash ^ hash >> 29
}

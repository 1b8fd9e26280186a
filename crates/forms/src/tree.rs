//! The first bytes of all forms, as a tree.

/// Where a walk stands. The root is 0.
pub(crate) type Node = u32;

#[derive(Clone, Debug, Default)]
struct Place {
    /// Byte and node, in no order: few nodes have more than three.
    next: Vec<(u8, Node)>,
    ways: Vec<u16>,
    /// A word of a name ends here, and another follows.
    parts: bool,
}

/// A tree of literals, and which ways of writing begin after each.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    places: Vec<Place>,
    /// The root's branches by byte: all but a few starts end here. 0 is none.
    roots: [Node; 256],
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self {
            places: vec![Place::default()],
            roots: [0; 256],
        }
    }

    /// Adds a name: words with a space between.
    pub(crate) fn add_name(&mut self, name: &[u8], way: u16) {
        let mut joined = Vec::new();
        for word in name.split(|byte| *byte == b' ') {
            if !joined.is_empty() {
                let at = self.place(&joined);
                if let Some(place) = self.places.get_mut(at as usize) {
                    place.parts = true;
                }
            }
            joined.extend_from_slice(word);
        }
        self.add(&joined, way);
    }

    /// Adds a literal, of at least one byte.
    pub(crate) fn add(&mut self, literal: &[u8], way: u16) {
        let at = self.place(literal);
        if let Some(place) = self.places.get_mut(at as usize) {
            place.ways.push(way);
        }
    }

    fn place(&mut self, literal: &[u8]) -> Node {
        let mut at = 0;
        for &byte in literal {
            let fresh = Node::try_from(self.places.len()).unwrap_or(0);
            let Some(place) = self.places.get_mut(at as usize) else {
                return 0;
            };
            let known = place.next.iter().find(|(next, _)| *next == byte);
            if let Some((_, node)) = known {
                at = *node;
                continue;
            }
            place.next.push((byte, fresh));
            if at == 0
                && let Some(root) = self.roots.get_mut(usize::from(byte))
            {
                *root = fresh;
            }
            self.places.push(Place::default());
            at = fresh;
        }
        at
    }

    /// Whether a separator may stand after `at`.
    #[inline]
    fn parts(&self, at: Node) -> bool {
        self.places
            .get(at as usize)
            .is_some_and(|place| place.parts)
    }

    /// The node after `byte`.
    #[inline]
    pub(crate) fn next(&self, at: Node, byte: u8) -> Option<Node> {
        if at == 0 {
            let node = *self.roots.get(usize::from(byte))?;
            return (node != 0).then_some(node);
        }
        let place = self.places.get(at as usize)?;
        let next = place.next.iter().find(|(next, _)| *next == byte);
        next.map(|(_, node)| *node)
    }

    /// The ways that begin after `at`.
    #[inline]
    pub(crate) fn ways(&self, at: Node) -> &[u16] {
        self.places
            .get(at as usize)
            .map(|place| place.ways.as_slice())
            .unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn most_ways(&self) -> usize {
        let ways = self.places.iter().map(|place| place.ways.len());
        ways.max().unwrap_or(0)
    }

    /// Whether nothing goes on after `at`.
    #[inline]
    pub(crate) fn is_leaf(&self, at: Node) -> bool {
        self.places
            .get(at as usize)
            .is_none_or(|place| place.next.is_empty())
    }
}

/// What may stand between the words of a name.
pub(crate) const SEPARATORS: [u8; 4] = *b"_-. ";

/// Walks names: without regard to case, and over one separator at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NameWalk {
    at: Node,
    separated: bool,
}

impl NameWalk {
    /// The walk after `byte`; with a node if a name may end here.
    #[inline]
    pub(crate) fn step(self, tree: &Tree, byte: u8) -> Option<(Self, Option<Node>)> {
        if SEPARATORS.contains(&byte) {
            let on = !self.separated && tree.parts(self.at);
            return on.then_some((
                Self {
                    at: self.at,
                    separated: true,
                },
                None,
            ));
        }
        let at = tree.next(self.at, byte.to_ascii_lowercase())?;
        let ends = (!tree.ways(at).is_empty()).then_some(at);
        Some((
            Self {
                at,
                separated: false,
            },
            ends,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_and_with_separators() {
        let mut tree = Tree::new();
        tree.add_name(b"api key", 7);
        tree.add_name(b"api", 1);
        for (text, ends) in [
            ("apikey", Some(7)),
            ("API_KEY", Some(7)),
            ("Api Key", Some(7)),
            ("api", Some(1)),
            ("api__key", None),
            ("apike", None),
            ("ap_ikey", None),
            ("_api", None),
        ] {
            let mut walk = Some((NameWalk::default(), None));
            for byte in text.bytes() {
                walk = walk.and_then(|(walk, _)| walk.step(&tree, byte));
            }
            let end = walk.and_then(|(_, node)| node);
            assert_eq!(
                end.and_then(|node| tree.ways(node).first().copied()),
                ends,
                "{text}"
            );
        }
    }
}

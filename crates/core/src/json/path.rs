//! Where a byte lies, in words.

use super::{Kind, Node};
use crate::dialect::known_key;

/// The path from the root to the value at `offset`. Keys that no dialect knows show as `*`: they may be content.
pub(super) fn path_to(bytes: &[u8], nodes: &[Node], offset: usize) -> String {
    let mut path = String::new();
    let mut at = 0;
    while let Some(node) = nodes
        .get(at)
        .filter(|node| (node.start() + 1..node.end()).contains(&offset))
    {
        let step = match node.kind() {
            Kind::Object => member(bytes, nodes, at, offset, &mut path),
            Kind::Array => item(bytes, nodes, at, offset, &mut path),
            _ => None,
        };
        match step {
            Some(child) => at = child,
            None => break,
        }
    }
    path
}

fn children(nodes: &[Node], parent: usize, offset: usize) -> impl Iterator<Item = (usize, Node)> {
    let end = nodes.get(parent).map_or(0, |node| node.next());
    let mut at = parent + 1;
    std::iter::from_fn(move || {
        let node = nodes
            .get(at)
            .filter(|node| at < end && node.start() <= offset)?;
        let child = (at, *node);
        at = node.next();
        Some(child)
    })
}

fn member(
    bytes: &[u8],
    nodes: &[Node],
    parent: usize,
    offset: usize,
    path: &mut String,
) -> Option<usize> {
    let (at, last) = children(nodes, parent, offset).last()?;
    let (key, value) = if last.kind() == Kind::Key {
        (last, None)
    } else {
        (*nodes.get(at.checked_sub(1)?)?, Some(at))
    };
    let name = bytes
        .get(key.start() + 1..key.end().saturating_sub(1))
        .unwrap_or_default();
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(known_key(name).unwrap_or("*"));
    value
}

fn item(
    bytes: &[u8],
    nodes: &[Node],
    parent: usize,
    offset: usize,
    path: &mut String,
) -> Option<usize> {
    // Short numbers in arrays are not noted, but strings all are: what lies between noted items holds no comma but separators.
    let mut index = 0;
    let mut from = nodes.get(parent)?.start() + 1;
    let mut found = None;
    let commas = |from: usize, to: usize| {
        bytes
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .filter(|byte| **byte == b',')
            .count()
    };
    for (at, child) in children(nodes, parent, offset) {
        index += commas(from, child.start());
        from = child.end();
        found = (child.end() > offset).then_some(at);
    }
    if found.is_none() {
        index += commas(from, offset);
    }
    path.push_str(&format!("[{index}]"));
    found
}

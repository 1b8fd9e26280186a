//! One strict pass over the bytes, which notes where every value lies.

use std::cell::Cell;
use std::collections::HashSet;

use super::fault::{Fault, FaultKind};
use super::text;
use super::value::is_id;
use super::{Kind, Node};

thread_local! {
    // Of a thread and not of the process: tests run side by side, and two cores need not share a line for it.
    static SCANS: Cell<u64> = const { Cell::new(0) };
    // What a scan needs besides its result: kept, since an event of a stream costs little more than an allocation.
    static SCRATCH: Cell<(Vec<Open>, Vec<Key>, Vec<u64>)> = const { Cell::new((Vec::new(), Vec::new(), Vec::new())) };
}

/// How many documents this thread has scanned.
///
/// A stack of layers scans a body once; a test that counts, on a runtime of one thread, holds it to that.
#[must_use]
pub fn scans() -> u64 {
    SCANS.get()
}

/// How much structure a document may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Containers inside one another. 128 unless told.
    pub depth: usize,
    /// Values and keys noted. 131,072 unless told: with its text, index and decoded strings, a document then stays within
    /// twice the 10 MiB limit of a body.
    pub values: usize,
    /// Whether an object may have a key twice. No unless told.
    pub duplicate_keys: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            depth: 128,
            values: 131_072,
            duplicate_keys: false,
        }
    }
}

/// Past this many keys an object's keys are hashed: comparing each with all others would be quadratic.
const FEW_KEYS: usize = 24;

struct Key {
    start: usize,
    end: usize,
    escaped: bool,
}

struct Open {
    node: usize,
    first_key: usize,
    object: bool,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    pos: usize,
    nodes: Vec<Node>,
    open: Vec<Open>,
    keys: Vec<Key>,
    /// Length and first seven bytes of each decoded key: most keys differ here.
    marks: Vec<u64>,
    many: Vec<(usize, HashSet<Vec<u8>>)>,
    bounds: Bounds,
    /// What stopped the scan. Kept here so that what every value passes through returns in registers.
    wrong: Option<(FaultKind, usize)>,
    /// Whether the last string had escapes.
    escaped: bool,
}

pub(super) fn scan(text: &str, bounds: Bounds) -> Result<Vec<Node>, Fault> {
    SCANS.set(SCANS.get().wrapping_add(1));
    let bytes = text.as_bytes();
    let (open, keys, marks) = SCRATCH.take();
    let mut scanner = Scanner {
        bytes,
        pos: 0,
        // An event of a stream has a value or key every 10 bytes, a request every 20 to 40.
        nodes: Vec::with_capacity((bytes.len() / 10).clamp(8, 4_096)),
        open,
        keys,
        marks,
        many: Vec::new(),
        bounds,
        wrong: None,
        escaped: false,
    };
    let scanned = if u32::try_from(bytes.len()).is_ok() {
        scanner.document()
    } else {
        scanner.fail(FaultKind::TooLarge, 0)
    };
    let result = scanned.ok_or_else(|| scanner.fault());
    let Scanner {
        nodes,
        mut open,
        mut keys,
        mut marks,
        ..
    } = scanner;
    open.clear();
    keys.clear();
    marks.clear();
    if keys.capacity() <= MOST_SCRATCH {
        SCRATCH.set((open, keys, marks));
    }
    result.map(|()| nodes)
}

/// Keys for which the scratch space of a thread is kept; a document with more gives its space back.
const MOST_SCRATCH: usize = 1_024;

impl Scanner<'_> {
    fn document(&mut self) -> Option<()> {
        loop {
            // ## Here a value must stand.
            let at = self.space();
            match self.bytes.get(at) {
                Some(b'{') => {
                    self.enter(at, true)?;
                    let next = self.space();
                    if self.bytes.get(next) == Some(&b'}') {
                        self.leave(next);
                    } else {
                        self.key()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.enter(at, false)?;
                    let next = self.space();
                    if self.bytes.get(next) == Some(&b']') {
                        self.leave(next);
                    } else {
                        continue;
                    }
                }
                Some(b'"') => {
                    let end = self.string(at)?;
                    self.note(Kind::String, at, end, self.escaped)?;
                    self.pos = end;
                }
                Some(b'-' | b'0'..=b'9') => {
                    let end = self.number(at)?;
                    self.scalar(Kind::Number, at, end)?;
                }
                Some(b't') => self.word(Kind::True, at, b"true")?,
                Some(b'f') => self.word(Kind::False, at, b"false")?,
                Some(b'n') => self.word(Kind::Null, at, b"null")?,
                _ => return self.fail(FaultKind::Syntax, at),
            }
            // ## A value has ended: a comma leads to the next, a bracket closes, the end ends.
            loop {
                let Some(open) = self.open.last() else {
                    let end = self.space();
                    return if end == self.bytes.len() {
                        Some(())
                    } else {
                        self.fail(FaultKind::Syntax, end)
                    };
                };
                let object = open.object;
                let at = self.space();
                match self.bytes.get(at) {
                    Some(b',') => {
                        self.pos = at + 1;
                        if object {
                            self.key()?;
                        }
                        break;
                    }
                    Some(b'}') if object => self.leave(at),
                    Some(b']') if !object => self.leave(at),
                    _ => return self.fail(FaultKind::Syntax, at),
                }
            }
        }
    }

    fn space(&mut self) -> usize {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.pos) {
            self.pos += 1;
        }
        self.pos
    }

    fn enter(&mut self, at: usize, object: bool) -> Option<()> {
        if self.open.len() >= self.bounds.depth {
            return self.fail(FaultKind::TooDeep, at);
        }
        let node = self.nodes.len();
        self.note(
            if object { Kind::Object } else { Kind::Array },
            at,
            at + 1,
            false,
        )?;
        self.open.push(Open {
            node,
            first_key: self.keys.len(),
            object,
        });
        self.pos = at + 1;
        Some(())
    }

    fn leave(&mut self, at: usize) {
        self.pos = at + 1;
        let next = self.nodes.len();
        if let Some(open) = self.open.pop() {
            self.keys.truncate(open.first_key);
            self.marks.truncate(open.first_key);
            if self.many.last().is_some_and(|(node, _)| *node == open.node) {
                self.many.pop();
            }
            if let Some(node) = self.nodes.get_mut(open.node) {
                node.close(at + 1, next);
            }
        }
    }

    /// Reads a key and its colon; a value must follow.
    fn key(&mut self) -> Option<()> {
        let at = self.space();
        if self.bytes.get(at) != Some(&b'"') {
            return self.fail(FaultKind::Syntax, at);
        }
        let end = self.string(at)?;
        let escaped = self.escaped;
        self.note(Kind::Key, at, end, escaped)?;
        let key = Key {
            start: at + 1,
            end: end - 1,
            escaped,
        };
        let mark = self.mark(&key);
        if !self.bounds.duplicate_keys && self.seen(&key, mark) {
            return self.fail(FaultKind::DuplicateKey, at);
        }
        self.keys.push(key);
        self.marks.push(mark);
        self.pos = end;
        let colon = self.space();
        if self.bytes.get(colon) != Some(&b':') {
            return self.fail(FaultKind::Syntax, colon);
        }
        self.pos = colon + 1;
        Some(())
    }

    fn mark(&self, key: &Key) -> u64 {
        if key.escaped {
            let decoded = self.decoded(key);
            mark(&decoded, decoded.len())
        } else {
            mark(
                self.bytes.get(key.start..).unwrap_or_default(),
                key.end - key.start,
            )
        }
    }

    fn seen(&mut self, key: &Key, mark: u64) -> bool {
        let Some(open) = self.open.last() else {
            return false;
        };
        let marks = self.marks.get(open.first_key..).unwrap_or_default();
        let before = self.keys.get(open.first_key..).unwrap_or_default();
        if before.len() < FEW_KEYS {
            return marks.contains(&mark)
                && marks.iter().zip(before).any(|(other_mark, other)| {
                    *other_mark == mark && self.decoded(other) == self.decoded(key)
                });
        }
        let name = self.decoded(key).into_owned();
        if let Some((node, set)) = self.many.last_mut()
            && *node == open.node
        {
            return !set.insert(name);
        }
        let mut set: HashSet<Vec<u8>> = before
            .iter()
            .map(|other| self.decoded(other).into_owned())
            .collect();
        let twice = !set.insert(name);
        let node = open.node;
        self.many.push((node, set));
        twice
    }

    fn decoded(&self, key: &Key) -> std::borrow::Cow<'_, [u8]> {
        let raw = self.bytes.get(key.start..key.end).unwrap_or_default();
        if key.escaped {
            text::unescape_bytes(raw)
        } else {
            raw.into()
        }
    }

    /// Finds the end of the string that opens at `at`, past its closing quote, and whether it has escapes.
    fn string(&mut self, at: usize) -> Option<usize> {
        let mut pos = at + 1;
        self.escaped = false;
        loop {
            pos = text::plain_run(self.bytes, pos);
            match self.bytes.get(pos) {
                Some(b'"') => return Some(pos + 1),
                Some(b'\\') => {
                    self.escaped = true;
                    pos = self.escape(pos)?;
                }
                _ => return self.fail(FaultKind::Syntax, pos),
            }
        }
    }

    fn escape(&mut self, at: usize) -> Option<usize> {
        match self.bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Some(at + 2),
            Some(b'u') => {
                let Some(unit) = text::hex4(self.bytes, at + 2) else {
                    return self.fail(FaultKind::Syntax, at);
                };
                match unit {
                    0xD800..=0xDBFF => {
                        let low = (self.bytes.get(at + 6..at + 8) == Some(b"\\u"))
                            .then(|| text::hex4(self.bytes, at + 8))
                            .flatten();
                        match low {
                            Some(0xDC00..=0xDFFF) => Some(at + 12),
                            _ => self.fail(FaultKind::LoneSurrogate, at),
                        }
                    }
                    0xDC00..=0xDFFF => self.fail(FaultKind::LoneSurrogate, at),
                    _ => Some(at + 6),
                }
            }
            _ => self.fail(FaultKind::Syntax, at),
        }
    }

    /// RFC 8259 section 6: no leading zeros, a digit on each side of the point, a digit in the exponent.
    fn number(&mut self, at: usize) -> Option<usize> {
        let mut pos = at;
        let bytes = self.bytes;
        let digit = |pos: usize| bytes.get(pos).is_some_and(u8::is_ascii_digit);
        let digits = |mut pos: usize| {
            while digit(pos) {
                pos += 1;
            }
            pos
        };
        if self.bytes.get(pos) == Some(&b'-') {
            pos += 1;
        }
        match self.bytes.get(pos) {
            Some(b'0') => pos += 1,
            Some(b'1'..=b'9') => pos = digits(pos),
            _ => return self.fail(FaultKind::Syntax, pos),
        }
        if self.bytes.get(pos) == Some(&b'.') {
            if !digit(pos + 1) {
                return self.fail(FaultKind::Syntax, pos);
            }
            pos = digits(pos + 1);
        }
        if let Some(b'e' | b'E') = self.bytes.get(pos) {
            pos += 1;
            if let Some(b'+' | b'-') = self.bytes.get(pos) {
                pos += 1;
            }
            if !digit(pos) {
                return self.fail(FaultKind::Syntax, pos);
            }
            pos = digits(pos);
        }
        Some(pos)
    }

    fn word(&mut self, kind: Kind, at: usize, word: &[u8]) -> Option<()> {
        let end = at + word.len();
        if self.bytes.get(at..end) != Some(word) {
            return self.fail(FaultKind::Syntax, at);
        }
        self.scalar(kind, at, end)
    }

    /// Notes a number, boolean or null. Of those in an array only numbers that may be somebody's: an embedding has thousands of others, and no
    /// rule reads them.
    fn scalar(&mut self, kind: Kind, at: usize, end: usize) -> Option<()> {
        self.pos = end;
        let listed = self.open.last().is_some_and(|open| !open.object);
        if listed && !(kind == Kind::Number && is_id(self.bytes.get(at..end).unwrap_or_default())) {
            return Some(());
        }
        self.note(kind, at, end, false)
    }

    fn note(&mut self, kind: Kind, start: usize, end: usize, escaped: bool) -> Option<()> {
        if self.nodes.len() >= self.bounds.values {
            return self.fail(FaultKind::TooLarge, start);
        }
        let next = self.nodes.len() + 1;
        self.nodes.push(Node::new(kind, start, end, escaped, next));
        Some(())
    }

    #[cold]
    fn fail<T>(&mut self, kind: FaultKind, offset: usize) -> Option<T> {
        self.wrong = Some((kind, offset));
        None
    }

    #[cold]
    fn fault(&self) -> Fault {
        let (kind, offset) = self.wrong.unwrap_or((FaultKind::Syntax, self.pos));
        let mut nodes = self.nodes.clone();
        for open in &self.open {
            if let Some(node) = nodes.get_mut(open.node) {
                // Past the end: an open container holds whatever comes.
                node.close(self.bytes.len() + 1, self.nodes.len());
            }
        }
        Fault {
            kind,
            offset,
            path: super::path::path_to(self.bytes, &nodes, offset),
        }
    }
}

/// Length and first bytes of a key, which tell most keys apart. `after` is the key and what follows it.
fn mark(after: &[u8], length: usize) -> u64 {
    let start = match after.first_chunk::<8>() {
        Some(first) => u64::from_le_bytes(*first),
        None => after
            .iter()
            .rev()
            .fold(0, |start, byte| start << 8 | u64::from(*byte)),
    };
    let bits = 8 * length.min(7);
    (start & !(u64::MAX << bits)) | (u64::try_from(length).unwrap_or(u64::MAX) << 56)
}

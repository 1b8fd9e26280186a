//! Fakes that stand in a text, and how they are found again.
//!
//! A fake is known by its letters, digits and `@` alone: a model that parts or joins a number's groups, or writes another case, is understood.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use crate::fold::LATIN;
use crate::spelling::Spelling;

/// Separators in a row that don't end a fake.
const MOST_BETWEEN: usize = 3;
/// As far as invisible characters before the next one may reach, in bytes.
const NEAR: usize = 64;
/// What a fake is longer than is none.
const LONGEST: usize = 128;
/// A shorter one could be a word or number of its own.
const SHORTEST: usize = 5;

/// The fakes of one exchange, and what can't be one.
#[derive(Debug, Default)]
pub(crate) struct Fakes {
    /// What each is known by, in order, with the number of its value.
    known: Vec<(Box<[u8]>, usize)>,
    /// Hashes of what the texts of the exchange hold already.
    taken: HashSet<u64>,
    hasher: RandomState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// No fake.
    Nothing,
    /// It may become one, when more comes.
    Start,
    /// One of so many bytes, for this value.
    Whole { length: usize, value: usize },
}

impl Fakes {
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Notes what `text` holds that looks like a fake, so that none is made that a text holds already.
    pub(crate) fn reserve(&mut self, text: &Spelling<'_>) {
        let bytes = text.bytes();
        for (start, byte) in bytes.iter().enumerate() {
            if !is_solid(*byte) || text.before(start).is_some_and(joins) {
                continue;
            }
            let mut read = Vec::new();
            let mut telling = false;
            walk(bytes.get(start..).unwrap_or_default(), |solid, next| {
                telling |= !solid.is_ascii_alphabetic();
                read.push(solid);
                if next.is_none_or(ends) && telling && read.len() >= SHORTEST {
                    self.taken.insert(self.hasher.hash_one(read.as_slice()));
                }
                read.len() < LONGEST
            });
        }
    }

    /// Takes in `fake` for `value`; `false` where it can't be told from what is there.
    pub(crate) fn add(&mut self, fake: &[u8], value: usize) -> bool {
        let Some(known_by) = known_by(fake) else {
            return false;
        };
        if self.taken.contains(&self.hasher.hash_one(&*known_by)) {
            return false;
        }
        match self
            .known
            .binary_search_by(|(known, _)| (**known).cmp(&known_by))
        {
            Ok(_) => false,
            Err(at) => {
                self.known.insert(at, (known_by, value));
                true
            }
        }
    }

    /// Reads a fake at the start of `bytes`, before which no word goes on. `last`: nothing more comes.
    pub(crate) fn read(&self, bytes: &[u8], last: bool) -> Seen {
        let mut among = self.known.as_slice();
        let mut depth = 0;
        let mut best = Seen::Nothing;
        let mut open = true;
        let length = walk(bytes, |solid, next| {
            let from = among.partition_point(|(known, _)| known.get(depth) < Some(&solid));
            let to = among.partition_point(|(known, _)| known.get(depth) <= Some(&solid));
            among = among.get(from..to).unwrap_or_default();
            depth += 1;
            if let Some((known, value)) = among.first()
                && known.len() == depth
                && next.is_none_or(ends)
            {
                // Its length is known once the walk says how far it is.
                best = Seen::Whole {
                    length: depth,
                    value: *value,
                };
            }
            open = among.iter().any(|(known, _)| known.len() > depth);
            open && !among.is_empty()
        });
        // What follows the last byte may belong to it, or make it a longer word.
        let undecided = !last && length.reached_end && !among.is_empty();
        if undecided {
            return Seen::Start;
        }
        match best {
            Seen::Whole {
                length: solids,
                value,
            } => Seen::Whole {
                length: end_of(bytes, solids),
                value,
            },
            other => other,
        }
    }
}

/// What a fake is known by; `None` for one that could not be told from a word.
fn known_by(fake: &[u8]) -> Option<Box<[u8]>> {
    let mut read = Vec::new();
    let walked = walk(fake, |solid, _| {
        read.push(solid);
        true
    });
    let telling = read.iter().any(|byte| !byte.is_ascii_alphabetic());
    let sound = walked.read == fake.len() && (SHORTEST..LONGEST).contains(&read.len()) && telling;
    sound.then(|| read.into_boxed_slice())
}

struct Walked {
    read: usize,
    reached_end: bool,
}

/// Calls `each` with the letters, digits and `@` of `bytes`, in lower case, and the byte behind each, until it says `false` or too many other
/// bytes stand between two of them.
fn walk(bytes: &[u8], mut each: impl FnMut(u8, Option<u8>) -> bool) -> Walked {
    let mut between = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if is_solid(*byte) {
            between = 0;
            if !each(byte.to_ascii_lowercase(), bytes.get(at + 1).copied()) {
                return Walked {
                    read: at + 1,
                    reached_end: at + 1 == bytes.len(),
                };
            }
        } else {
            between += 1;
            if between > MOST_BETWEEN || !is_separator(*byte) {
                return Walked {
                    read: at,
                    reached_end: false,
                };
            }
        }
    }
    Walked {
        read: bytes.len(),
        reached_end: true,
    }
}

/// Where the `solids`th letter, digit or `@` of `bytes` ends.
fn end_of(bytes: &[u8], solids: usize) -> usize {
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| is_solid(**byte))
        .nth(solids.saturating_sub(1))
        .map_or(0, |(at, _)| at + 1)
}

/// Whether a fake may be found from this byte on.
pub(crate) fn is_solid(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'@'
}

/// Whether a fake before `byte` ends there.
fn ends(byte: u8) -> bool {
    !is_solid(byte) && byte != LATIN
}

/// Whether `character` belongs to the word that goes on behind it, so that no fake begins there.
pub(crate) fn joins(character: char) -> bool {
    character != '_' && crate::spelling::joins(character)
}

/// Whether what is at `range` of `text` is a word of its own, so that a fake in its place is found again.
pub(crate) fn stands_alone(text: &str, range: Range<usize>) -> bool {
    let before = text.get(..range.start).unwrap_or_default();
    let behind = text.get(range.end..).unwrap_or_default();
    let near = behind
        .get(..behind.floor_char_boundary(NEAR))
        .unwrap_or_default();
    let joined = before
        .chars()
        .next_back()
        .is_some_and(|character| character == '@' || joins(character));
    !joined
        && Spelling::of(near)
            .bytes()
            .first()
            .is_none_or(|byte| ends(*byte))
}

/// The part of `text` from its first letter or digit to its last.
pub(crate) fn solid_range(text: &Spelling<'_>) -> Range<usize> {
    let first = text.bytes().iter().position(|byte| is_solid(*byte));
    let last = text.bytes().iter().rposition(|byte| is_solid(*byte));
    match first.zip(last) {
        Some((first, last)) => text.source(first..last + 1),
        None => 0..0,
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'-' | b'.' | b'_' | b'/' | b':' | b'(' | b')' | b'+'
    )
}

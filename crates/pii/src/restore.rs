//! Putting back what was taken out, in a text that arrives in pieces.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bartizan_core::TextRewriter;

use crate::Vault;
use crate::fakes::{self, Seen};
use crate::placeholder::{self, Parsed, Starts};
use crate::spelling::{Spelling, joins};

/// Puts back what placeholders and fakes stand for. What it gives out doesn't depend on where the pieces are cut.
///
/// It holds back only what may be the start of a placeholder or a fake of its vault: at most some sixty bytes of usual text, and a few hundred
/// where invisible characters are strewn into one.
pub struct Restorer {
    vault: Arc<Vault>,
    held: String,
    /// The last character that went by.
    before: Option<char>,
    restored: Arc<AtomicU64>,
}

impl Restorer {
    pub(crate) fn new(vault: Arc<Vault>) -> Self {
        Self {
            vault,
            held: String::new(),
            before: None,
            restored: Arc::default(),
        }
    }

    /// Counts what is put back in `restored` too.
    pub(crate) fn counting(mut self, restored: Arc<AtomicU64>) -> Self {
        self.restored = restored;
        self
    }

    fn rewrite(&mut self, text: &str, last: bool, out: &mut String) {
        let mut done = 0;
        let held = scan(&self.vault, text, self.before, last, |range, original| {
            out.push_str(text.get(done..range.start).unwrap_or_default());
            out.push_str(&original);
            self.restored.fetch_add(1, Ordering::Relaxed);
            done = range.end;
        });
        out.push_str(text.get(done..held).unwrap_or_default());
        let passed = text.get(..held).unwrap_or_default();
        self.before = passed.chars().next_back().or(self.before);
        self.held = text.get(held..).unwrap_or_default().to_owned();
    }
}

/// Calls `found` for each place in `text` where something of `vault` stands, with what stood there first. `before` precedes the text. Gives the
/// place from which on it can't be decided yet; the end, if nothing more comes (`last`).
pub(crate) fn scan(
    vault: &Vault,
    text: &str,
    before: Option<char>,
    last: bool,
    mut found: impl FnMut(Range<usize>, Cow<'_, str>),
) -> usize {
    let spelling = Spelling::of(text);
    let bytes = spelling.bytes();
    let (starts, fakes) = (Starts::of(vault.entities()), vault.fakes());
    let may_be_fake = |byte: u8| !fakes.is_empty() && fakes::is_solid(byte);
    let may_start = |byte: &u8| starts.has(*byte) || may_be_fake(*byte);
    let mut at = 0;
    while let Some(rest) = bytes.get(at..)
        && let Some(skipped) = rest.iter().position(may_start)
    {
        at += skipped;
        let rest = rest.get(skipped..).unwrap_or_default();
        let byte = rest.first().copied().unwrap_or_default();
        let (placeholder, fake) = (starts.has(byte), may_be_fake(byte));
        let previous = if at == 0 { before } else { spelling.before(at) };
        let mut length = 1;
        if placeholder {
            let joined = previous.is_some_and(joins);
            match placeholder::parse(rest, joined, vault.entities(), last) {
                Parsed::Start => return spelling.start(at),
                Parsed::Whole {
                    length: whole,
                    entity,
                    number,
                    coding,
                } => {
                    if let Some(original) = vault.original(entity, number) {
                        found(spelling.source(at..at + whole), coding.encode(original));
                        length = whole;
                    }
                }
                Parsed::Nothing => {}
            }
        }
        if fake && length == 1 && !previous.is_some_and(fakes::joins) {
            match fakes.read(rest, last) {
                Seen::Start => return spelling.start(at),
                Seen::Whole {
                    length: whole,
                    value,
                } => {
                    if let Some(original) = vault.behind_fake(value) {
                        found(spelling.source(at..at + whole), Cow::Borrowed(original));
                        length = whole;
                    }
                }
                Seen::Nothing => {}
            }
        }
        at += length;
    }
    text.len()
}

impl TextRewriter for Restorer {
    fn push(&mut self, delta: &str, out: &mut String) {
        if self.vault.is_empty() {
            out.push_str(delta);
        } else if self.held.is_empty() {
            self.rewrite(delta, false, out);
        } else {
            let mut text = std::mem::take(&mut self.held);
            text.push_str(delta);
            self.rewrite(&text, false, out);
        }
    }

    /// A fake may come back as the number that it was given out as.
    fn reads_numbers(&self) -> bool {
        !self.vault.fakes().is_empty()
    }

    fn finish(&mut self, out: &mut String) {
        let text = std::mem::take(&mut self.held);
        self.rewrite(&text, true, out);
        self.before = None;
    }
}

impl fmt::Debug for Restorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restorer")
            .field("vault", &self.vault)
            .finish_non_exhaustive()
    }
}

//! Putting back what was masked, in a text that arrives in pieces.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bartizan_core::TextRewriter;

use crate::Vault;
use crate::placeholder::{self, Parsed};

/// Puts back what placeholders stand for. What it gives out doesn't depend on where the pieces are cut.
///
/// It holds back only what may be the start of a placeholder of its vault: at most some forty bytes.
pub struct Restorer {
    vault: Arc<Vault>,
    held: String,
    /// The last byte that went out.
    before: Option<u8>,
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
        let before = |index: usize| {
            index
                .checked_sub(1)
                .and_then(|index| text.as_bytes().get(index))
                .copied()
        };
        let mut done = 0;
        let mut cursor = 0;
        let mut held = text.len();
        while let Some(start) = placeholder::next_start(text, cursor) {
            let rest = text.get(start..).unwrap_or_default();
            cursor = start + 1;
            let previous = before(start).or(self.before.filter(|_| start == 0));
            match placeholder::parse(rest, previous, self.vault.entities(), last) {
                Parsed::Whole {
                    length,
                    entity,
                    number,
                } => {
                    if let Some(original) = self.vault.original(entity, number) {
                        out.push_str(text.get(done..start).unwrap_or_default());
                        out.push_str(original);
                        self.restored.fetch_add(1, Ordering::Relaxed);
                        done = start + length;
                        cursor = done;
                    }
                }
                Parsed::Start => {
                    held = start;
                    break;
                }
                Parsed::Nothing => {}
            }
        }
        out.push_str(text.get(done..held).unwrap_or_default());
        self.before = before(held).or(self.before);
        self.held = text.get(held..).unwrap_or_default().to_owned();
    }
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

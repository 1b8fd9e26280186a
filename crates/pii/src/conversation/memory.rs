//! Conversations kept in this process.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bartizan_core::{Clock, SystemClock};

use super::{ConversationId, Sealed, Stored, VaultStore};

/// Keeps conversations in memory, of this process alone. What is too old, or too much, is overwritten with zeros and gone: its placeholders are
/// then left in answers as they stand.
pub struct MemoryStore {
    kept: Mutex<Kept>,
    keep: Duration,
    most: usize,
    most_bytes: usize,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Kept {
    all: HashMap<ConversationId, (Duration, Sealed)>,
    /// By the time at which each ends.
    by_end: BTreeSet<(Duration, ConversationId)>,
    bytes: usize,
}

/// Keeps 10,000 conversations of 64 MiB together for an hour after their last call.
impl Default for MemoryStore {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            keep: Duration::from_secs(3_600),
            most: 10_000,
            most_bytes: 64 << 20,
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long a conversation is kept after its last call: an hour by default.
    #[must_use]
    pub fn keep(mut self, keep: Duration) -> Self {
        self.keep = keep;
        self
    }

    /// Sets how many conversations are kept, and how many bytes they have together: 10,000 and 64 MiB by default. Past that those go whose last
    /// call is longest ago.
    #[must_use]
    pub fn bounds(mut self, conversations: usize, bytes: usize) -> Self {
        (self.most, self.most_bytes) = (conversations, bytes);
        self
    }

    /// Sets the clock: the machine's own by default.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many conversations are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut kept = self.kept();
        kept.expire(self.clock.monotonic());
        kept.all.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Each change is whole before the next begins.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn expire(&mut self, now: Duration) {
        while let Some((_, id)) = self.by_end.first().filter(|(end, _)| *end <= now) {
            let id = *id;
            self.remove(&id);
        }
    }

    fn remove(&mut self, id: &ConversationId) -> Option<Sealed> {
        let (end, sealed) = self.all.remove(id)?;
        self.by_end.remove(&(end, *id));
        self.bytes -= sealed.len();
        Some(sealed)
    }

    fn insert(&mut self, id: ConversationId, end: Duration, sealed: Sealed) {
        self.bytes += sealed.len();
        self.by_end.insert((end, id));
        self.all.insert(id, (end, sealed));
    }
}

impl VaultStore for MemoryStore {
    fn load<'s>(&'s self, id: &'s ConversationId) -> Stored<'s, Option<Sealed>> {
        Box::pin(async move {
            let now = self.clock.monotonic();
            let mut kept = self.kept();
            kept.expire(now);
            let Some(sealed) = kept.remove(id) else {
                return Ok(None);
            };
            kept.insert(*id, now + self.keep, sealed.clone());
            Ok(Some(sealed))
        })
    }

    fn save<'s>(&'s self, id: &'s ConversationId, sealed: Sealed) -> Stored<'s, bool> {
        Box::pin(async move {
            let now = self.clock.monotonic();
            let mut kept = self.kept();
            kept.expire(now);
            let there = kept.all.get(id).map_or(0, |(_, sealed)| sealed.version());
            if there + 1 != sealed.version() {
                return Ok(false);
            }
            kept.remove(id);
            kept.insert(*id, now + self.keep, sealed);
            while kept.all.len() > self.most || kept.bytes > self.most_bytes {
                let Some((_, oldest)) = kept.by_end.first() else {
                    break;
                };
                let oldest = *oldest;
                kept.remove(&oldest);
            }
            metrics::gauge!("bartizan.pii.conversations").set(count(kept.all.len()));
            Ok(true)
        })
    }
}

/// For a gauge, which takes no whole numbers.
fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("keep", &self.keep)
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

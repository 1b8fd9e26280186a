//! Tokens that were verified a moment ago.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::claim_map::Said;

/// Names the one purpose of this digest.
const LABEL: &[u8] = b"bartizan/jwt/v1\0";

/// The digest of a whole token. Two that begin alike, or differ in nothing but their signature, have two.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenDigest([u8; 32]);

impl TokenDigest {
    pub(super) fn of(token: &str) -> Self {
        Self(
            Sha256::new_with_prefix(LABEL)
                .chain_update(token)
                .finalize()
                .into(),
        )
    }
}

/// A token that was verified, and until when that speaks for it.
#[derive(Clone)]
pub(super) struct Verified {
    /// Which issuer's it is.
    pub(super) issuer: usize,
    /// With which of its sets of keys it was verified: no other one vouches for it.
    pub(super) edition: u64,
    /// The moment of the wall clock from which on it is no longer valid.
    pub(super) ends_at: Duration,
    /// The moment of the monotonic clock from which on it is verified anew.
    pub(super) rests_until: Duration,
    pub(super) said: Arc<Said>,
}

/// Remembers verified tokens, in two generations as the cache of keys does: when the young one is full it becomes the old one, and that is forgotten.
pub(super) struct Seen {
    generations: Mutex<Generations>,
    half: usize,
}

#[derive(Default)]
struct Generations {
    young: HashMap<TokenDigest, Verified>,
    old: HashMap<TokenDigest, Verified>,
}

impl Seen {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            generations: Mutex::default(),
            half: (capacity / 2).max(1),
        }
    }

    /// The token, if it was verified and neither its own time nor the memory's is over.
    pub(super) fn get(
        &self,
        digest: &TokenDigest,
        unix: Duration,
        monotonic: Duration,
    ) -> Option<Verified> {
        let mut generations = self.generations();
        let known = match generations.young.get(digest) {
            Some(known) => known.clone(),
            None => {
                let known = generations.old.remove(digest)?;
                self.put(&mut generations, *digest, known.clone());
                known
            }
        };
        (unix < known.ends_at && monotonic < known.rests_until).then_some(known)
    }

    pub(super) fn insert(&self, digest: TokenDigest, verified: Verified) {
        let mut generations = self.generations();
        generations.old.remove(&digest);
        self.put(&mut generations, digest, verified);
    }

    pub(super) fn len(&self) -> usize {
        let generations = self.generations();
        generations.young.len() + generations.old.len()
    }

    fn put(&self, generations: &mut Generations, digest: TokenDigest, verified: Verified) {
        if generations.young.len() >= self.half && !generations.young.contains_key(&digest) {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(digest, verified);
    }

    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").field("tokens", &self.len()).finish()
    }
}

//! What a store of counters is asked, and what it answers.
//!
//! A store knows nothing of callers, models or money: it keeps named counts, and decides on all counts of a call at one moment. What a count stands
//! for, and what a refusal of it means, is the layer's to say.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

/// Into how many slots a sliding window is divided: what was taken counts for one window, and for up to one slot more.
pub const SLOTS: u64 = 60;

/// How a count runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What was taken in the last such span. A multiple of 60 ms.
    ///
    /// Time is divided into slots of a sixtieth of the window. An amount is charged to the slot in which its call began, and counts until the slot has
    /// wholly left the window: so in no stretch of the window's length is more taken than the limit, and what was taken is free again a slot
    /// later at the latest.
    Sliding(Duration),
    /// What is held at this moment: an amount counts from the decision to its settlement.
    Gauge,
    /// What was settled and what is held since `start`, seconds since 1970. The name of such a counter holds its period, so that a new period is a
    /// new counter. After `end`, where it has one, the counter can be forgotten.
    Period {
        /// When the period began.
        start: u64,
        /// When it ends.
        end: Option<u64>,
    },
}

/// One count.
#[derive(Clone, Debug)]
pub struct Counter {
    name: Arc<str>,
    hash: u64,
    kind: Kind,
}

impl Counter {
    /// Names a count. The name is the same in every process that shares it; it holds no secret, and what a caller may choose freely is
    /// digested in it.
    pub fn new(name: impl Into<Arc<str>>, kind: Kind) -> Self {
        let name = name.into();
        // Of this process alone: it picks a shard, and is told to nobody.
        let hash = hasher().hash_one(&*name);
        Self { name, hash, kind }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the name picks its place by, in this process.
    pub(crate) const fn hash_value(&self) -> u64 {
        self.hash
    }

    /// How it runs.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }
}

fn hasher() -> &'static std::hash::RandomState {
    static HASHER: std::sync::LazyLock<std::hash::RandomState> =
        std::sync::LazyLock::new(std::hash::RandomState::new);
    &HASHER
}

impl PartialEq for Counter {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.name == other.name
    }
}

impl Eq for Counter {}

impl Hash for Counter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// An amount that a call wants of a count, and the limit that binds it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Which count.
    pub counter: Counter,
    /// How much there may be in it: requests, tokens, calls, or 10⁻⁹ dollars. At most 2⁵³, which every store counts exactly.
    pub limit: u64,
    /// How much the call takes at the most.
    pub amount: u64,
    /// How the limit is shared between classes of callers, where it is.
    pub share: Option<Share>,
}

/// The part of a limit that is kept for one class of callers.
///
/// A class may take its own minimum whenever the whole limit has room. Beyond it, it may take what the others leave: the whole limit less what
/// each other class has yet to take of its minimum; of a class that has taken nothing in the last window, a tenth of its minimum is kept. Of
/// sliding windows and gauges.
#[derive(Clone, Debug)]
pub struct Share {
    /// What the class itself has taken: of the same kind as the claim's counter, and charged and settled with it.
    pub own: Counter,
    /// Its minimum.
    pub minimum: u64,
    /// The other classes and their minima.
    pub others: Arc<[(Counter, u64)]>,
}

/// Where a count stands for a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What is taken of it, held amounts too.
    pub taken: u64,
    /// What could be taken now: the limit less what is taken, for a share what the class may take.
    pub remaining: u64,
    /// How long until all that is taken is free again, if nothing more comes: for a period until its end, `Duration::MAX` where it has none.
    /// Zero for a gauge, and where nothing is taken.
    pub reset: Duration,
}

/// When a call was let in, as the store knows it; given back at the settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The store's own time, in milliseconds.
    pub at: u64,
    /// Which of a store's parts holds it, where it has several.
    pub by: u64,
}

/// What a store decided. All counts of a call are looked at in one moment, and charged together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// All amounts are taken.
    Admitted {
        /// For the settlement.
        charge: Charge,
        /// Where each claim stands after it, in the order of the claims.
        standings: Vec<Standing>,
    },
    /// Nothing is taken.
    Refused {
        /// The claim that holds longest, by its place among the claims; the first of equals.
        claim: usize,
        /// How long until it may pass, if nothing more comes. Zero for a gauge: as soon as another call ends. `None`: it never may, since it asks
        /// for more than the limit, or since a period that doesn't end is spent.
        wait: Option<Duration>,
        /// Where each claim stands.
        standings: Vec<Standing>,
    },
    /// Nothing is taken, since of some periods' counts the store doesn't know what was spent before: they must be seeded, and the question
    /// asked again. By their places among the claims.
    Unseeded(Vec<usize>),
}

/// Why a store can't decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Away {
    /// As many counts are in use as the store may hold.
    #[error("as many counts are in use as the store holds: raise its bound")]
    Full,
    /// It can't be reached, or was too slow.
    #[error("the store of limits is away")]
    Unreachable,
}

/// Keeps counts.
///
/// Dropping the future of [`decide`](Self::decide) at any moment leaves nothing taken, or gives it back.
pub trait LimitStore: fmt::Debug + Send + Sync + 'static {
    /// Takes the amounts of all `claims`, or none. A count stands at most once among the claims' own counters.
    ///
    /// # Errors
    /// [`Away`], where the store can't decide. Nothing is taken then, or is given back.
    fn decide(&self, claims: &[Claim]) -> impl Future<Output = Result<Decision, Away>> + Send;

    /// Ends what was taken for a call: `used` says for each claim what it turned out to be, zero where it is to be given back.
    ///
    /// Less than was taken is given back to the slot in which it was charged, if that still counts; more is charged now. A gauge gives all back. A
    /// period's count holds it no more, and has spent what was used. Called from destructors: it neither blocks nor fails.
    fn settle(&self, claims: &[Claim], charge: Charge, used: &[u64]);

    /// Says what was spent in a period before the store knew of its count. A count that is known stays as it is.
    ///
    /// # Errors
    /// [`Away`], where the store can't be told.
    fn seed(&self, counter: &Counter, spent: u64) -> impl Future<Output = Result<(), Away>> + Send;

    /// Whether it decides, at this moment, without what other processes have taken, since it can't reach what they share.
    fn degraded(&self) -> bool {
        false
    }
}

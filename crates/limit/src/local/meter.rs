//! One count.

use std::time::Duration;

use super::window::Window;
use crate::store::Kind;

/// The moment of a decision.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// Milliseconds since 1970 when the store was made, and monotonic ever since: windows slide by it.
    pub(super) slid: u64,
    /// Since 1970 by the wall clock: periods end by it.
    pub(super) wall: Duration,
}

#[derive(Debug)]
pub(super) enum Meter {
    Sliding(Window),
    Gauge {
        held: u64,
    },
    Period {
        /// `None` until the count is seeded.
        spent: Option<u64>,
        held: u64,
        end: Option<u64>,
    },
}

impl Meter {
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Sliding(length) => Self::Sliding(Window::new(length)),
            Kind::Gauge => Self::Gauge { held: 0 },
            Kind::Period { end, .. } => Self::Period {
                spent: None,
                held: 0,
                end,
            },
        }
    }

    /// Brings it to `now`. A name that has changed its kind counts anew.
    pub(super) fn advance(&mut self, kind: Kind, now: Now) {
        match (&mut *self, kind) {
            (Self::Sliding(window), Kind::Sliding(length)) if window.is_of(length) => {
                window.advance(now.slid);
            }
            (Self::Gauge { .. }, Kind::Gauge) | (Self::Period { .. }, Kind::Period { .. }) => {}
            _ => *self = Self::new(kind),
        }
    }

    /// What is taken. `None`: it isn't known what was spent before.
    pub(super) fn taken(&self) -> Option<u64> {
        match self {
            Self::Sliding(window) => Some(window.sum()),
            Self::Gauge { held } => Some(*held),
            Self::Period { spent, held, .. } => spent.map(|spent| spent.saturating_add(*held)),
        }
    }

    pub(super) fn seed(&mut self, before: u64) {
        if let Self::Period { spent, .. } = self {
            spent.get_or_insert(before);
        }
    }

    pub(super) fn take(&mut self, amount: u64, now: Now) {
        match self {
            Self::Sliding(window) => window.take(amount, now.slid),
            Self::Gauge { held } | Self::Period { held, .. } => {
                *held = held.saturating_add(amount);
            }
        }
    }

    /// Ends what was taken at `at`.
    pub(super) fn settle(&mut self, amount: u64, used: u64, at: u64, now: Now) {
        match self {
            Self::Sliding(window) => {
                window.give_back(amount.saturating_sub(used), at);
                window.take(used.saturating_sub(amount), now.slid);
            }
            Self::Gauge { held } => *held = held.saturating_sub(amount),
            Self::Period { spent, held, .. } => {
                *held = held.saturating_sub(amount);
                // What a count spends before it is known what it had spent is in what it will be seeded with.
                *spent = spent.map(|spent| spent.saturating_add(used));
            }
        }
    }

    /// How long until no more than `room` is taken, if nothing more comes.
    pub(super) fn wait_for(&self, room: u64, now: Now) -> Option<Duration> {
        match self {
            Self::Sliding(window) => Some(until(window.down_to(room), now)),
            Self::Gauge { .. } => Some(Duration::ZERO),
            Self::Period { end, .. } => end.map(|end| until_end(end, now)),
        }
    }

    /// How long until all that is taken is free again.
    pub(super) fn reset(&self, now: Now) -> Duration {
        match self {
            Self::Sliding(window) => until(window.empty_at(), now),
            Self::Gauge { .. } => Duration::ZERO,
            Self::Period { .. } if self.taken().unwrap_or_default() == 0 => Duration::ZERO,
            Self::Period { end, .. } => end.map_or(Duration::MAX, |end| until_end(end, now)),
        }
    }

    /// What is held by calls under way.
    pub(super) fn held(&self) -> u64 {
        match self {
            Self::Sliding(_) => 0,
            Self::Gauge { held } | Self::Period { held, .. } => *held,
        }
    }

    /// Whether it stands as a new one would, or is of a period that is over.
    pub(super) fn is_idle(&mut self, now: Now) -> bool {
        match self {
            Self::Sliding(window) => {
                window.advance(now.slid);
                window.sum() == 0
            }
            Self::Gauge { held } => *held == 0,
            Self::Period { spent, held, end } => {
                let over = end.is_some_and(|end| Duration::from_secs(end) <= now.wall);
                *held == 0 && (over || spent.unwrap_or_default() == 0)
            }
        }
    }
}

pub(super) fn until(moment: Option<u64>, now: Now) -> Duration {
    Duration::from_millis(moment.map_or(0, |moment| moment.saturating_sub(now.slid)))
}

fn until_end(end: u64, now: Now) -> Duration {
    Duration::from_secs(end).saturating_sub(now.wall)
}

//! Time, injected, so that a limit can be tested at its boundary.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells the time to whatever limits, expires or records.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Time since 1970-01-01 00:00 UTC, by the wall clock. May jump.
    fn unix(&self) -> Duration;

    /// Time since some fixed moment. Never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's own clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: tokio::time::Instant,
}

impl SystemClock {
    /// Creates a clock whose monotonic time starts now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: tokio::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn unix(&self) -> Duration {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands still until it is told to move, for tests.
///
/// ```
/// use std::time::Duration;
/// use bartizan_core::{Clock, ManualClock};
///
/// let clock = ManualClock::at(Duration::from_secs(1_700_000_000));
/// clock.advance(Duration::from_millis(1));
/// assert_eq!(clock.unix(), Duration::from_millis(1_700_000_000_001));
/// assert_eq!(clock.monotonic(), Duration::from_millis(1));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    start: Duration,
    passed: Arc<AtomicU64>,
}

impl ManualClock {
    /// Creates a clock whose wall time is `unix` after 1970.
    #[must_use]
    pub fn at(unix: Duration) -> Self {
        Self {
            start: unix,
            passed: Arc::default(),
        }
    }

    /// Moves every clone of this clock on by `by`; nanoseconds count.
    pub fn advance(&self, by: Duration) {
        self.passed.fetch_add(
            u64::try_from(by.as_nanos()).unwrap_or(u64::MAX),
            Ordering::SeqCst,
        );
    }
}

impl Clock for ManualClock {
    fn unix(&self) -> Duration {
        self.start + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.passed.load(Ordering::SeqCst))
    }
}

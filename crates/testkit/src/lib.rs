//! Mock providers, parse counters, canaries and private servers for tests.
//!
//! - [`mock`]: a provider that says, delays, cuts and breaks what it is told, and records what it received.
//! - [`ParseCounter`]: how often a stack of layers has read a body.
//! - [`Canaries`]: unique strings to plant, and a search for them in everything that came out.
//! - [`PrivateRedis`], [`PrivateCluster`], [`PrivateSentinel`] and [`PrivatePostgres`]: real servers of a test's own. Where they are not installed
//!   a test fails, and says what to install.

mod canary;
mod counter;
mod error;
pub mod mock;
mod private;

pub use canary::{Canaries, Captured, Form, Sighting};
pub use counter::ParseCounter;
pub use error::Error;
pub use mock::{LineEnd, MockProvider, Outcome, Received, Script};
pub use private::{
    PrivateCluster, PrivatePgbouncer, PrivatePostgres, PrivateRedis, PrivateSentinel,
};

/// Compiles what the guide shows.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/your-own-layer.md")]
struct YourOwnLayer;

//! What is told of an unusual use.

use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use super::place::{Country, Point};

/// Takes alerts to whoever should know. Every alert is logged and counted whether or not there is one.
pub trait Alerts: Send + Sync + 'static {
    /// Passes one on. It has a second: what takes longer belongs into a queue, as a webhook has it.
    fn alert(&self, alert: Alert) -> impl Future<Output = ()> + Send;
}

/// A key was used in an unusual way. Holds no secret: keys go by their public names.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Alert {
    /// When it was used so, from 1970-01-01 00:00 UTC.
    pub at: Duration,
    /// By what the caller is known: a key's public name, or what stands for it, such as `jwt:…`.
    pub key_id: String,
    /// The name that people gave the key.
    pub alias: Option<String>,
    /// The team that pays.
    pub team_id: Option<String>,
    /// The person or service whose key it is.
    pub user_id: Option<String>,
    /// The rule, by its [name](super::Rule::name).
    pub rule: &'static str,
    /// What was seen.
    pub finding: Finding,
    /// What was done.
    pub action: ActionTaken,
    /// How many findings of the same key and rule were not told since the last that was: one an hour is.
    pub left_out: u64,
}

/// What was done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionTaken {
    /// Nothing but this alert.
    Alerted,
    /// The key was blocked.
    Blocked,
    /// The key is to be blocked, and the store could not do it yet. It is refused in the process that saw it, and tried again.
    BlockPending,
    /// Nothing but this alert, though the rule blocks: the caller has no record that could be blocked. It is known by a token, by the word of a peer
    /// or by the master key, and goes on until that is mended where it was given out.
    NoRecord,
}

impl ActionTaken {
    /// The word for it in payloads, logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alerted => "alerted",
            Self::Blocked => "blocked",
            Self::BlockPending => "block_pending",
            Self::NoRecord => "no_record",
        }
    }
}

/// What was seen.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// More addresses within an hour than the rule allows.
    Addresses {
        /// Those seen, as many as are remembered.
        addresses: Vec<IpAddr>,
        /// How many are allowed.
        most: usize,
    },
    /// Two places too far apart.
    Travel {
        /// The address before.
        from: IpAddr,
        /// Where that is.
        from_point: Point,
        /// The address now.
        to: IpAddr,
        /// Where that is.
        to_point: Point,
        /// The kilometres that certainly lie between.
        km: f64,
        /// The speed that it would take.
        kmh: f64,
    },
    /// A country where the key was not used.
    Country {
        /// The address.
        address: IpAddr,
        /// Its country.
        country: Country,
        /// Where the key is used.
        known: Vec<Country>,
    },
    /// A use at another hour.
    Hours {
        /// The address.
        address: IpAddr,
    },
}

pub(super) type AlertFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// [`Alerts`] with its type forgotten.
pub(super) trait AnyAlerts: Send + Sync {
    fn alert(&self, alert: Alert) -> AlertFuture<'_>;
}

impl<A: Alerts> AnyAlerts for A {
    fn alert(&self, alert: Alert) -> AlertFuture<'_> {
        Box::pin(Alerts::alert(self, alert))
    }
}

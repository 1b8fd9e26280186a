//! The scripts, and what they are told of a call.

use std::time::Duration;

use redis::Cmd;

use crate::store::{Claim, Counter, Kind, SLOTS};

/// How the counts of a store are named in Redis. One hash tag: in a cluster all are on one node, since one script decides on all of them.
#[derive(Debug)]
pub(super) struct Space {
    prefix: String,
}

impl Space {
    pub(super) fn new(namespace: &str) -> Self {
        Self {
            prefix: format!("{{{namespace}}}:"),
        }
    }

    /// Where the holders are.
    pub(super) fn live(&self) -> String {
        format!("{}live", self.prefix)
    }

    /// Where a process's last settlement is.
    pub(super) fn done(&self, process: u64) -> String {
        format!("{}done:{process}", self.prefix)
    }

    pub(super) fn key(&self, counter: &Counter) -> String {
        let (prefix, name) = (&self.prefix, counter.name());
        match counter.kind() {
            Kind::Sliding(window) => format!("{prefix}w{}:{name}", width(window)),
            Kind::Gauge => format!("{prefix}g:{name}"),
            Kind::Period { .. } => format!("{prefix}p:{name}"),
        }
    }
}

/// The length of a window's slot in milliseconds.
pub(super) fn width(window: Duration) -> u64 {
    let window = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
    // A slot of a thousand years is as good as an endless one, and Lua still counts it exactly.
    (window / SLOTS).clamp(1, 1 << 45)
}

/// A count's kind in a word: a slot's width, 0 for a gauge, -1 less its end in milliseconds for a period.
fn kind(counter: &Counter) -> i64 {
    match counter.kind() {
        Kind::Sliding(window) => i64::try_from(width(window)).unwrap_or(i64::MAX),
        Kind::Gauge => 0,
        Kind::Period { end: None, .. } => -1,
        Kind::Period { end: Some(end), .. } => {
            let end = i64::try_from(end.min(1 << 40)).unwrap_or(i64::MAX);
            -1 - end.saturating_mul(1_000)
        }
    }
}

/// The counts of a call, each once.
#[derive(Debug)]
pub(super) struct Named<'a> {
    pub(super) counters: Vec<&'a Counter>,
    /// Of each count that the claims name, in their order (a claim's own, its class's, the other classes'), its place among the counters.
    pub(super) places: Vec<usize>,
}

impl<'a> Named<'a> {
    pub(super) fn of(claims: &'a [Claim]) -> Self {
        let mut named = Self {
            counters: Vec::with_capacity(claims.len()),
            places: Vec::with_capacity(claims.len()),
        };
        for claim in claims {
            named.add(&claim.counter);
            if let Some(share) = &claim.share {
                named.add(&share.own);
                for (counter, _) in &*share.others {
                    named.add(counter);
                }
            }
        }
        named
    }

    fn add(&mut self, counter: &'a Counter) {
        // So few that a map would be slower.
        let known = self.counters.iter().position(|known| *known == counter);
        self.places.push(known.unwrap_or_else(|| {
            self.counters.push(counter);
            self.counters.len() - 1
        }));
    }

    fn holds(&self) -> bool {
        let mut counters = self.counters.iter();
        counters.any(|counter| !matches!(counter.kind(), Kind::Sliding(_)))
    }
}

/// How many words of a claim's counts come before the next claim's.
pub(super) fn names(claim: &Claim) -> usize {
    match &claim.share {
        None => 1,
        Some(share) => 2 + share.others.len(),
    }
}

/// Asks for a decision.
pub(super) fn decide(
    script: &str,
    space: &Space,
    holder: u64,
    life: Duration,
    claims: &[Claim],
    named: &Named<'_>,
) -> Cmd {
    let mut words = redis::cmd("EVALSHA");
    words.arg(script).arg(named.counters.len() + 1);
    words.arg(space.live());
    for counter in &named.counters {
        words.arg(space.key(counter));
    }
    if named.holds() {
        words.arg(holder);
    } else {
        words.arg("");
    }
    words.arg(millis(life)).arg(named.counters.len());
    for counter in &named.counters {
        words.arg(kind(counter));
    }
    // From one on, as Lua counts.
    let mut places = named.places.iter().map(|place| place + 1);
    for claim in claims {
        let mut next = || places.next().unwrap_or_default();
        words.arg(next()).arg(claim.limit).arg(claim.amount);
        match &claim.share {
            None => {
                words.arg(0);
            }
            Some(share) => {
                words.arg(next()).arg(share.minimum).arg(share.others.len());
                for (_, minimum) in &*share.others {
                    words.arg(next()).arg(minimum);
                }
            }
        }
    }
    words
}

/// The same, with the whole script: for a server that doesn't know it.
pub(super) fn in_full(words: &Cmd, text: &str) -> Cmd {
    let mut full = redis::cmd("EVAL");
    full.arg(text);
    for word in words.args_iter().skip(2) {
        match word {
            redis::Arg::Simple(word) => full.arg(word),
            _ => &mut full,
        };
    }
    full
}

pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The scripts' texts. Each begins with how the time is told, and with how counts are kept.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) decide: String,
    pub(super) settle: String,
    pub(super) beat: String,
    pub(super) seed: String,
}

impl Texts {
    pub(super) fn new(clock: &str) -> Self {
        let whole = |script: &str| format!("{clock}{}{script}", include_str!("lua/counts.lua"));
        Self {
            decide: whole(include_str!("lua/decide.lua")),
            settle: whole(include_str!("lua/settle.lua")),
            beat: whole(include_str!("lua/beat.lua")),
            seed: whole(include_str!("lua/seed.lua")),
        }
    }
}

/// The server's own time.
pub(super) const CLOCK: &str = include_str!("lua/clock.lua");

/// What a server knows the scripts by.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) decide: String,
    pub(super) settle: String,
    pub(super) beat: String,
    pub(super) seed: String,
}

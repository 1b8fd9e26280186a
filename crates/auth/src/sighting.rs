//! From where keys were used.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

/// A caller at an address: the first and the last time in an hour, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// By what the caller is known: a key's public name, or what stands for it where there is no key, such as `jwt:…`.
    pub key_id: String,
    /// The address that it was used from.
    pub address: IpAddr,
    /// The country of the address, as ISO 3166-1 has it, where it is known.
    pub country: Option<String>,
    /// The first use, from 1970-01-01 00:00 UTC.
    pub first_seen: Duration,
    /// The last use.
    pub last_seen: Duration,
    /// How often.
    pub uses: u64,
}

/// A key, or another caller, that was used from several addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// By what the caller is known.
    pub key_id: String,
    /// How many addresses.
    pub addresses: u64,
    /// The sightings, the latest first.
    pub sightings: Vec<Sighting>,
}

impl Spread {
    /// What the sightings of one key say, if they are of `least` addresses or more.
    fn of(key_id: String, mut sightings: Vec<Sighting>, least: u64) -> Option<Self> {
        let addresses: HashSet<IpAddr> = sightings.iter().map(|seen| seen.address).collect();
        let addresses = u64::try_from(addresses.len()).unwrap_or(u64::MAX);
        sightings.sort_by_key(|seen| Reverse(seen.last_seen));
        (addresses >= least).then_some(Self {
            key_id,
            addresses,
            sightings,
        })
    }

    /// Those of `least` addresses or more, those of the most first, 100 at most.
    pub(crate) fn rank(by_key: BTreeMap<String, Vec<Sighting>>, least: u64) -> Vec<Self> {
        let mut found: Vec<Self> = by_key
            .into_iter()
            .filter_map(|(key_id, sightings)| Self::of(key_id, sightings, least))
            .collect();
        found.sort_by_key(|spread| Reverse(spread.addresses));
        found.truncate(MOST);
        found
    }
}

/// The most keys that are told of.
const MOST: usize = 100;

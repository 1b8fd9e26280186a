//! From where keys were used.

use std::time::Duration;

use bartizan_auth::{Keys, Sighting, SightingQuery, Spread};
use bartizan_core::{Clock, Refusal, SystemClock};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::capability::{Permitted, SeeSightings};
use crate::page::Size;
use crate::read::invalid;
use crate::rights::moment;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .see(
            "/key/addresses",
            "Shows from where a key was used, the latest first",
            addresses,
        )
        .see(
            "/key/several_addresses",
            "Shows keys that were used from several addresses",
            several,
        )
}

/// Of which key.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    /// Its public name, or that of another caller, such as `jwt:…`; the caller's own by default. The same as `key_id`.
    key: Option<String>,
    /// Its public name.
    key_id: Option<String>,
    /// In the last so many hours; 24 by default, a year at most.
    #[schema(minimum = 1, maximum = 8784)]
    hours: Option<u32>,
    /// How many; 100 by default, 500 at most.
    #[schema(minimum = 1, maximum = 500)]
    size: Option<u16>,
}

#[derive(Serialize, ToSchema)]
struct KeyAddresses {
    /// The key's public name.
    key: String,
    addresses: Vec<AddressSeen>,
}

/// A key used from an address in an hour.
#[derive(Serialize, ToSchema)]
struct AddressSeen {
    address: String,
    /// ISO 3166-1, where it is known.
    country: Option<String>,
    first_seen: String,
    last_seen: String,
    uses: u64,
}

/// How many, since when.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct AskedSeveral {
    /// In the last so many hours; 1 by default, a year at most.
    #[schema(minimum = 1, maximum = 8784)]
    hours: Option<u32>,
    /// From so many addresses or more; 2 by default.
    #[schema(minimum = 2)]
    at_least: Option<u32>,
}

#[derive(Serialize, ToSchema)]
struct KeysOfSeveralAddresses {
    /// Those of the most addresses first, 100 at most.
    keys: Vec<KeySpread>,
}

#[derive(Serialize, ToSchema)]
struct KeySpread {
    /// The key's public name.
    key: String,
    /// How many addresses.
    addresses: u64,
    sightings: Vec<AddressSeen>,
}

const MOST_HOURS: u32 = 366 * 24;

async fn addresses(
    keys: Keys,
    by: Permitted<SeeSightings>,
    asked: Asked,
) -> Result<KeyAddresses, Refusal> {
    let own = || by.principal().key_id().to_owned();
    let which = asked.key.or(asked.key_id).unwrap_or_else(own);
    let mut query = SightingQuery::since(since(asked.hours.unwrap_or(24))?);
    query.limit = Size::read(asked.size)?.get();
    query.key_id = Some(which.clone());
    let found = keys.sightings(by.principal(), query).await?;
    Ok(KeyAddresses {
        key: which,
        addresses: found.iter().map(AddressSeen::from).collect(),
    })
}

async fn several(
    keys: Keys,
    by: Permitted<SeeSightings>,
    asked: AskedSeveral,
) -> Result<KeysOfSeveralAddresses, Refusal> {
    let least = asked.at_least.unwrap_or(2);
    if least < 2 {
        return Err(invalid("at_least", "`at_least` is 2 or more"));
    }
    let since = since(asked.hours.unwrap_or(1))?;
    let found = keys.spread(by.principal(), since, least.into()).await?;
    Ok(KeysOfSeveralAddresses {
        keys: found.iter().map(KeySpread::from).collect(),
    })
}

fn since(hours: u32) -> Result<Duration, Refusal> {
    if !(1..=MOST_HOURS).contains(&hours) {
        return Err(invalid("hours", "`hours` is 1 to 8784"));
    }
    let back = Duration::from_secs(u64::from(hours) * 3_600);
    Ok(SystemClock::new().unix().saturating_sub(back))
}

impl From<&Sighting> for AddressSeen {
    fn from(sighting: &Sighting) -> Self {
        Self {
            address: sighting.address.to_string(),
            country: sighting.country.clone(),
            first_seen: moment(sighting.first_seen),
            last_seen: moment(sighting.last_seen),
            uses: sighting.uses,
        }
    }
}

impl From<&Spread> for KeySpread {
    fn from(spread: &Spread) -> Self {
        Self {
            key: spread.key_id.clone(),
            addresses: spread.addresses,
            sightings: spread.sightings.iter().map(AddressSeen::from).collect(),
        }
    }
}

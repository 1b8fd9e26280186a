//! Sightings in a SQLite file.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, Row, named_params};

use super::wrong;
use crate::sighting::{Sighting, Spread};
use crate::store::row::{Unreadable, milliseconds, time};
use crate::store::{SightingQuery, SpreadQuery};

const SEE: &str = include_str!("see.sql");
const LIST: &str =
    "SELECT * FROM sightings WHERE last_seen >= :since AND (:key_id IS NULL OR key_id = :key_id)
    ORDER BY last_seen DESC LIMIT :limit";
const SPREAD: &str = include_str!("spread.sql");
const FORGET: &str = "DELETE FROM sightings WHERE last_seen < :before";

const HOUR: u64 = 3_600;

pub(super) fn see(connection: &mut Connection, sightings: &[Sighting]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut statement = transaction.prepare_cached(SEE)?;
        for seen in sightings {
            statement.execute(named_params! {
                ":key_id": seen.key_id,
                ":address": seen.address.to_string(),
                ":hour": i64::try_from(seen.last_seen.as_secs() / HOUR).unwrap_or(i64::MAX),
                ":country": seen.country,
                ":first_seen": milliseconds(seen.first_seen),
                ":last_seen": milliseconds(seen.last_seen),
                ":uses": i64::try_from(seen.uses).unwrap_or(i64::MAX),
            })?;
        }
    }
    transaction.commit()
}

pub(super) fn list(
    connection: &Connection,
    query: &SightingQuery,
) -> rusqlite::Result<Vec<Sighting>> {
    let mut statement = connection.prepare_cached(LIST)?;
    let rows = statement.query_map(
        named_params! {
            ":since": milliseconds(query.since),
            ":key_id": query.key_id,
            ":limit": i64::try_from(query.page()).unwrap_or(i64::MAX),
        },
        read,
    )?;
    rows.collect()
}

pub(super) fn spread(
    connection: &Connection,
    query: &SpreadQuery,
) -> rusqlite::Result<Vec<Spread>> {
    let mut statement = connection.prepare_cached(SPREAD)?;
    let viewer = query.visible_to.as_ref();
    let rows = statement.query_map(
        named_params! {
            ":since": milliseconds(query.since),
            ":least": i64::try_from(query.least).unwrap_or(i64::MAX),
            ":viewer_key": viewer.map(|viewer| &viewer.key_id),
            ":viewer_user": viewer.and_then(|viewer| viewer.user_id.as_ref()),
            ":viewer_team": viewer.and_then(|viewer| viewer.team_id.as_ref()),
            ":viewer_organization": viewer.and_then(|viewer| viewer.organization_id.as_ref()),
        },
        read,
    )?;
    let mut by_key: BTreeMap<String, Vec<Sighting>> = BTreeMap::new();
    for seen in rows {
        let seen = seen?;
        by_key.entry(seen.key_id.clone()).or_default().push(seen);
    }
    Ok(Spread::rank(by_key, query.least))
}

pub(super) fn forget(connection: &Connection, before: Duration) -> rusqlite::Result<u64> {
    let forgotten = connection
        .prepare_cached(FORGET)?
        .execute(named_params! { ":before": milliseconds(before) })?;
    Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Sighting> {
    let address: String = row.get("address")?;
    Ok(Sighting {
        key_id: row.get("key_id")?,
        address: address
            .parse()
            .map_err(|_| wrong(Unreadable("sightings.address")))?,
        country: row.get("country")?,
        first_seen: time(row.get("first_seen")?),
        last_seen: time(row.get("last_seen")?),
        uses: u64::try_from(row.get::<_, i64>("uses")?).unwrap_or(0),
    })
}

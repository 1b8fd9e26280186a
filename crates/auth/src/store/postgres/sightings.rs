//! Sightings in PostgreSQL.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bartizan_database::{Pool, Values};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::rows::whole;
use crate::sighting::{Sighting, Spread};
use crate::store::row::{Unreadable, milliseconds, time};
use crate::store::{SightingQuery, SpreadQuery, StoreError};

const SEE: &str = include_str!("see.sql");
const LIST: &str = "SELECT key_id, address, country, first_seen, last_seen, uses FROM sightings
    WHERE last_seen >= $1 AND ($2::text IS NULL OR key_id = $2) ORDER BY last_seen DESC LIMIT $3";
const SPREAD: &str = include_str!("spread.sql");
const FORGET: &str = "WITH gone AS (DELETE FROM sightings WHERE last_seen < $1 RETURNING 1) SELECT count(*) FROM gone";

const HOUR: u64 = 3_600;

pub(super) async fn see(pool: &Pool, sightings: Vec<Sighting>) -> Result<(), StoreError> {
    // One statement must not change a row twice; and in one order, so that processes don't wait for each other in a circle.
    let mut rows: BTreeMap<(String, IpAddr, u64), Sighting> = BTreeMap::new();
    for seen in sightings {
        let place = (
            seen.key_id.clone(),
            seen.address,
            seen.last_seen.as_secs() / HOUR,
        );
        match rows.get_mut(&place) {
            None => {
                rows.insert(place, seen);
            }
            Some(old) => {
                old.first_seen = old.first_seen.min(seen.first_seen);
                old.last_seen = old.last_seen.max(seen.last_seen);
                old.uses = old.uses.saturating_add(seen.uses);
                old.country = seen.country.or(old.country.take());
            }
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&Sighting) -> i64| rows.values().map(of).collect::<Vec<i64>>();
    let (first, last) = (
        column(|seen| milliseconds(seen.first_seen)),
        column(|seen| milliseconds(seen.last_seen)),
    );
    let uses = column(|seen| whole(seen.uses));
    let hours: Vec<i64> = rows.keys().map(|(_, _, hour)| whole(*hour)).collect();
    let addresses: Vec<String> = rows
        .keys()
        .map(|(_, address, _)| address.to_string())
        .collect();
    let countries: Vec<Option<String>> = rows.values().map(|seen| seen.country.clone()).collect();
    let key_ids: Vec<String> = rows.into_keys().map(|(key_id, _, _)| key_id).collect();
    let bound = Values::default()
        .with(key_ids)?
        .with(addresses)?
        .with(hours)?
        .with(countries)?
        .with(first)?
        .with(last)?
        .with(uses)?;
    pool.change(SEE, bound.done()).await?;
    Ok(())
}

pub(super) async fn list(pool: &Pool, query: &SightingQuery) -> Result<Vec<Sighting>, StoreError> {
    let bound = Values::default()
        .with(milliseconds(query.since))?
        .with(query.key_id.clone())?
        .with(i64::try_from(query.page()).unwrap_or(i64::MAX))?;
    let rows = pool.read(LIST, bound.done()).await?;
    rows.iter().map(read).collect()
}

pub(super) async fn spread(pool: &Pool, query: &SpreadQuery) -> Result<Vec<Spread>, StoreError> {
    let viewer = query.visible_to.as_ref();
    let bound = Values::default()
        .with(milliseconds(query.since))?
        .with(whole(query.least))?
        .with(viewer.map(|viewer| viewer.key_id.clone()))?
        .with(viewer.and_then(|viewer| viewer.user_id.clone()))?
        .with(viewer.and_then(|viewer| viewer.team_id.clone()))?
        .with(viewer.and_then(|viewer| viewer.organization_id.clone()))?;
    let mut by_key: BTreeMap<String, Vec<Sighting>> = BTreeMap::new();
    for row in pool.read(SPREAD, bound.done()).await? {
        let seen = read(&row)?;
        by_key.entry(seen.key_id.clone()).or_default().push(seen);
    }
    Ok(Spread::rank(by_key, query.least))
}

pub(super) async fn forget(pool: &Pool, before: Duration) -> Result<u64, StoreError> {
    let bound = Values::default().with(milliseconds(before))?;
    let rows = pool.change(FORGET, bound.done()).await?;
    let gone: i64 = match rows.first() {
        Some(row) => row.try_get(0)?,
        None => 0,
    };
    Ok(u64::try_from(gone).unwrap_or(0))
}

fn read(row: &PgRow) -> Result<Sighting, StoreError> {
    let wrong = |column| StoreError::unavailable(Unreadable(column));
    let (key_id, address): (String, String) = (row.try_get("key_id")?, row.try_get("address")?);
    Ok(Sighting {
        key_id,
        address: address.parse().map_err(|_| wrong("sightings.address"))?,
        country: row.try_get("country")?,
        first_seen: time(row.try_get("first_seen")?),
        last_seen: time(row.try_get("last_seen")?),
        uses: u64::try_from(row.try_get::<i64, _>("uses")?).unwrap_or(0),
    })
}

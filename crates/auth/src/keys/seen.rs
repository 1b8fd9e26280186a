//! From where keys were used.

use std::time::Duration;

use bartizan_core::Principal;

use super::hand::{permitted, touches, viewer};
use super::{Keys, check};
use crate::Error;
use crate::key::KeyId;
use crate::matrix::{Action, Reach};
use crate::sighting::{Sighting, Spread};
use crate::store::{SightingQuery, SpreadQuery, StoreError};

impl Keys {
    /// Keeps sightings, for the questions below.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn see(&self, sightings: Vec<Sighting>) -> Result<(), StoreError> {
        self.ask(self.store.see(sightings)).await
    }

    /// Forgets sightings last seen before then. Gives how many.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn forget_sightings(&self, before: Duration) -> Result<u64, StoreError> {
        self.ask(self.store.forget_sightings(before)).await
    }

    /// From where keys were used, the latest first. Whoever does not see all keys names one. A caller that is known by something else than a key
    /// sees itself, and is seen by whoever sees all.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a key that the asker may not see; [`Error::Invalid`] when one has to be named, and for what is no name; [`Error::Forbidden`];
    /// [`Error::Store`].
    pub async fn sightings(
        &self,
        by: &Principal,
        query: SightingQuery,
    ) -> Result<Vec<Sighting>, Error> {
        let reach = permitted(by, Action::SeeSightings)?;
        check::filters(&[("key_id", &query.key_id)])?;
        if reach != Reach::All {
            let name = query.key_id.clone().ok_or(Error::Invalid {
                field: "key_id",
                mend: "name a key that you may see",
            })?;
            if !self.is_visible(by, reach, &name).await? {
                return Err(Error::NotFound);
            }
        }
        Ok(self.ask(self.store.sightings(&query)).await?)
    }

    /// The keys used from `least` addresses or more since then that the asker may see, those of the most addresses first, 100 at most.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::Store`].
    pub async fn spread(
        &self,
        by: &Principal,
        since: Duration,
        least: u64,
    ) -> Result<Vec<Spread>, Error> {
        let reach = permitted(by, Action::SeeSightings)?;
        let mut query = SpreadQuery::since(since, least);
        if reach != Reach::All {
            query.visible_to = viewer(by, reach);
        }
        Ok(self.ask(self.store.spread(&query)).await?)
    }

    /// Whether the asker may see what is known of that caller.
    async fn is_visible(&self, by: &Principal, reach: Reach, name: &str) -> Result<bool, Error> {
        let Some(key_id) = KeyId::parse(name) else {
            return Ok(name == by.key_id());
        };
        let record = self.ask(self.store.get(&[key_id])).await?.pop();
        Ok(record.is_some_and(|record| touches(by, reach, &record)))
    }
}

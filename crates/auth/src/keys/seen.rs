//! From where keys were used.

use std::time::Duration;

use bartizan_core::Principal;

use super::hand::{permitted, touches};
use super::{Keys, check};
use crate::Error;
use crate::key::KeyId;
use crate::matrix::{Action, Reach};
use crate::sighting::{Sighting, Spread};
use crate::store::{SightingQuery, StoreError};

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
            self.visible(by, reach, vec![name])
                .await?
                .pop()
                .ok_or(Error::NotFound)?;
        }
        Ok(self.ask(self.store.sightings(&query)).await?)
    }

    /// The keys used from `least` addresses or more since then, those of the most addresses first, 100 at most; of these, those that the asker
    /// may see.
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
        let mut found = self.ask(self.store.spread(since, least)).await?;
        if reach != Reach::All {
            let named = found.iter().map(|spread| spread.key_id.clone()).collect();
            let seen = self.visible(by, reach, named).await?;
            found.retain(|spread| seen.contains(&spread.key_id));
        }
        Ok(found)
    }

    /// Those of the callers that the asker may see.
    async fn visible(
        &self,
        by: &Principal,
        reach: Reach,
        names: Vec<String>,
    ) -> Result<Vec<String>, Error> {
        let key_ids: Vec<KeyId> = names.iter().filter_map(|name| KeyId::parse(name)).collect();
        let records = if key_ids.is_empty() {
            Vec::new()
        } else {
            self.ask(self.store.get(&key_ids)).await?
        };
        let seen = records
            .into_iter()
            .filter(|record| touches(by, reach, record))
            .map(|record| record.key_id.to_string());
        let itself = names
            .into_iter()
            .filter(|name| KeyId::parse(name).is_none() && name == by.key_id());
        Ok(seen.chain(itself).collect())
    }
}

//! Keys that are named, and not presented: by a client certificate's rule, or by a trusted peer.

use std::sync::Arc;

use bartizan_core::Principal;
use sha2::{Digest, Sha256};

use super::{Denied, Keys};
use crate::cache::Known;
use crate::chain::Caller;
use crate::digest::KeyDigest;
use crate::key::KeyId;
use crate::record::KeyRecord;
use crate::store::{KeyQuery, StoreError};

/// Names the one purpose of this digest. No key's digest is made with it, nor claims'.
const LABEL: &[u8] = b"bartizan/key-name/v1\0";

impl Keys {
    /// Gives the principal of the key of that `key_id` or, where it has not the form of one, of that alias: for a holder that was verified by something
    /// else than the key's text. Its record binds it, its standing and its accounts are checked, as for [`verify`](Self::verify).
    ///
    /// # Errors
    /// [`Denied`], as [`verify`](Self::verify).
    pub async fn principal_of_key(&self, which: &str) -> Result<Principal, Denied> {
        let known = self.known_by_name(which).await?;
        Ok(known.admitted.principal.clone())
    }

    /// Who the key of that name lets in.
    pub(crate) async fn known_by_name(&self, which: &str) -> Result<Arc<Known>, Denied> {
        let known = self
            .look_up_name(which)
            .await
            .map_err(Denied::Unchecked)?
            .ok_or(Denied::Unknown)?;
        self.standing(known)
    }

    async fn look_up_name(&self, which: &str) -> Result<Option<Arc<Known>>, StoreError> {
        let hash = Sha256::new_with_prefix(LABEL).chain_update(which);
        let digest = KeyDigest::from_bytes(hash.finalize().into());
        let now = self.clock.monotonic();
        if let Some(known) = self.named.get(&digest, now) {
            return Ok(Some(known));
        }
        let ticket = self.named.ticket(now);
        let Some(record) = self.record_named(which).await? else {
            return Ok(None);
        };
        let caller = Caller::from(&record);
        let (chain, accounts) = self.chain(&caller, &record.lineage, None).await?;
        let known = Known::of_key(digest, record, None, &chain, accounts, &self.groups);
        let known = Arc::new(known);
        self.named.insert(Arc::clone(&known), ticket);
        Ok(Some(known))
    }

    async fn record_named(&self, which: &str) -> Result<Option<KeyRecord>, StoreError> {
        let (found, is) = match KeyId::parse(which) {
            Some(key_id) => {
                let found = self
                    .ask(self.store.get(std::slice::from_ref(&key_id)))
                    .await?;
                (found, Name::Id(key_id))
            }
            None => {
                let query = KeyQuery {
                    alias: Some(which.to_owned()),
                    limit: 2,
                    ..KeyQuery::default()
                };
                (self.ask(self.store.list(&query)).await?, Name::Alias(which))
            }
        };
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(record), None) if is.of(&record) => Ok(Some(record)),
            // A store that mixes up its rows must not hand one caller another's rights.
            _ => Err(StoreError::unavailable(
                "the store gave another key than was asked for",
            )),
        }
    }
}

enum Name<'a> {
    Id(KeyId),
    Alias(&'a str),
}

impl Name<'_> {
    fn of(&self, record: &KeyRecord) -> bool {
        match self {
            Self::Id(key_id) => record.key_id == *key_id,
            Self::Alias(alias) => record.alias.as_deref() == Some(*alias),
        }
    }
}

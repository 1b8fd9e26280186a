//! Gives keys another text under the same name: by hand, and by a schedule.

use std::time::Duration;

use bartizan_core::{BoxError, Period, Principal};
use secrecy::SecretString;

use super::Keys;
use super::check::whole_milliseconds;
use super::hand::Hand;
use super::manage::{MOST_TRIES, Written};
use super::wish::MintedKey;
use crate::chain::Caller;
use crate::digest::KeyDigest;
use crate::matrix::Action;
use crate::narrow;
use crate::record::{KeyRecord, Previous, Standing};
use crate::store::KeyQuery;
use crate::{Error, StoreError};

/// Brings a key's next text to whoever is to have it: into a vault of secrets, to a person.
pub trait Deliver: Send + Sync {
    /// Hands over what the key's holder is to present from now on. Where it fails, the key stays as it is, and is rotated a while later.
    fn deliver(
        &self,
        record: &KeyRecord,
        key: SecretString,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// How long a rotation that has been begun may take, and how long one that failed waits.
const LEASE: Duration = Duration::from_secs(600);

impl Keys {
    /// Gives a key another text under the same name; its rights, its budget and what was spent of it stay. The old text works until `grace` is
    /// over, or no longer without one. `which` is its public name, or the key itself.
    ///
    /// Whoever gets the text has all that the key may do. So one regenerates one's own key, and within one's reach those that may do no more.
    ///
    /// # Errors
    /// As [`info`](Self::info); [`Error::Forbidden`] beyond the reach of [`Action::RegenerateKey`], for a key that may do more than the caller's
    /// own, and for one that was revoked.
    pub async fn regenerate(
        &self,
        by: &Principal,
        which: &str,
        grace: Option<Period>,
    ) -> Result<MintedKey, Error> {
        let hand = self.hand(by).await?;
        hand.reach(Action::RegenerateKey)?;
        let mut record = self.info(&hand.principal, which).await?;
        let (key, digest) = self.draw()?;
        for _ in 0..MOST_TRIES {
            self.may_hold(&hand, &record).await?;
            let now = self.clock.unix();
            let mut after = record.clone();
            let until = grace.map(|grace| grace.after(now));
            give(&mut after, digest, until, now);
            match self.write(record, after).await? {
                Written::As(changed) => {
                    let record = changed.after;
                    tracing::debug!(key_id = %record.key_id, by = by.key_id(), "regenerated a key");
                    return Ok(MintedKey { key, record });
                }
                Written::Not(now) => record = now,
            }
        }
        Err(Error::Conflict)
    }

    /// Fails unless the caller may get hold of the key: it is the caller's own, or may do no more than that.
    async fn may_hold(&self, hand: &Hand, record: &KeyRecord) -> Result<(), Error> {
        hand.may(Action::RegenerateKey, record)?;
        if record.revoked_at.is_some() {
            return Err(Error::Forbidden("the key was revoked: mint another"));
        }
        if record.key_id.as_str() == hand.principal.key_id() {
            return Ok(());
        }
        let caller = Caller::from(record);
        let (chain, _) = self.chain(&caller, &record.lineage, None).await?;
        let theirs = chain.rights(&caller, &self.groups);
        let ends_later = match (hand.expires_at, record.expires_at) {
            (Some(ours), Some(theirs)) => theirs > ours,
            (ours, _) => ours.is_some(),
        };
        if ends_later || !narrow::holds(&hand.rights, &theirs, &self.groups) {
            return Err(Error::Forbidden(
                "the key may do more than your own: let a greater one regenerate it",
            ));
        }
        Ok(())
    }

    /// Regenerates every key whose time has come, hands the new texts to `deliver`, and gives how many there were. Call it now and then from a
    /// background task; of several processes on one store that call it, one takes a key.
    ///
    /// The old text goes on working for a day, or what [`KeysBuilder::rotation_grace`](super::KeysBuilder::rotation_grace) says. The new one works
    /// a moment after it was delivered. Where a delivery fails, the key is left alone, and tried again after ten minutes.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails. What was rotated until then is.
    pub async fn rotate_due(&self, deliver: &impl Deliver) -> Result<usize, StoreError> {
        let mut query = KeyQuery {
            rotates_by: Some(self.clock.unix()),
            ..KeyQuery::default()
        };
        let mut rotated = 0;
        loop {
            let due = self.ask(self.store.list(&query)).await?;
            let Some(last) = due.last() else {
                return Ok(rotated);
            };
            query.after = Some(last.key_id.clone());
            for record in due {
                if record.standing(self.clock.unix()) == Standing::Live
                    && self.rotate(record, deliver).await?
                {
                    rotated += 1;
                }
            }
        }
    }

    /// ## Due => taken => delivered => rotated
    ///
    /// Taken first, by putting off when it is next due, so that no other process delivers another text. Delivered before it is written: a process
    /// that dies in between leaves a text that opens nothing and an old one that goes on working, and not the other way round.
    async fn rotate(&self, record: KeyRecord, deliver: &impl Deliver) -> Result<bool, StoreError> {
        let now = self.clock.unix();
        let lease = whole_milliseconds(now + LEASE);
        let version = record.version;
        let taken = self
            .edit(record, Some(version), |record| {
                if let Some(rotation) = &mut record.rotation {
                    rotation.next_at = lease;
                }
                Ok(())
            })
            .await;
        let Some(taken) = stored(taken)? else {
            return Ok(false);
        };
        let record = taken.after;
        let (key, digest) = match self.draw() {
            Ok(drawn) => drawn,
            Err(error) => return Err(StoreError::unavailable(error)),
        };
        let outcome = deliver.deliver(&record, key).await;
        if let Err(error) = outcome {
            metrics::counter!("bartizan.auth.rotations", "outcome" => "undelivered").increment(1);
            tracing::warn!(key_id = %record.key_id, %error, "a key's next text could not be delivered: it stays as it is");
            return Ok(false);
        }
        let until = now + self.grace;
        let rotated = self
            .edit(record, None, |record| {
                give(record, digest, Some(until), now);
                Ok(())
            })
            .await;
        let Some(rotated) = stored(rotated)? else {
            return Ok(false);
        };
        metrics::counter!("bartizan.auth.rotations", "outcome" => "rotated").increment(1);
        tracing::debug!(key_id = %rotated.after.key_id, "rotated a key");
        Ok(true)
    }
}

/// Gives a key another text from now on, and leaves it the one that it has until then.
fn give(record: &mut KeyRecord, digest: KeyDigest, until: Option<Duration>, now: Duration) {
    record.previous = until.map(|until| Previous {
        digest: record.digest,
        until: whole_milliseconds(until),
    });
    record.digest = digest;
    if let Some(rotation) = &mut record.rotation {
        rotation.next_at = whole_milliseconds(rotation.interval.after(now));
    }
}

/// Somebody else having changed or removed the key is no failure.
fn stored<T>(changed: Result<T, Error>) -> Result<Option<T>, StoreError> {
    match changed {
        Ok(changed) => Ok(Some(changed)),
        Err(Error::Store(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

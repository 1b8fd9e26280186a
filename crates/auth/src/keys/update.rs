//! Changes keys.

use bartizan_core::Principal;

use super::Keys;
use super::check::{self, whole_milliseconds};
use super::hand::Hand;
use super::manage::{MOST_TRIES, Written, is_seen};
use super::mint::earlier;
use super::wish::{Changed, KeyChange};
use crate::Error;
use crate::matrix::Action;
use crate::narrow;
use crate::record::{KeyRecord, Rotation};

impl Keys {
    /// Changes a key, at once in this process. `which` is its public name, or the key itself. With `seen`, only the version that the caller saw.
    ///
    /// Whatever is changed of its rights becomes the meet of what was asked for, what `by` has, and what the keys have that it was minted with;
    /// what is not named stays as it is. A key one of whose elders was purged is not widened at all: nobody can tell how far it may go.
    ///
    /// # Errors
    /// As [`info`](Self::info) and [`generate`](Self::generate); [`Error::Forbidden`] beyond the reach of [`Action::UpdateKey`], for `blocked` of
    /// [`Action::BlockKey`], and for a key that was revoked; [`Error::Conflict`] when it has another version than `seen`.
    pub async fn update(
        &self,
        by: &Principal,
        which: &str,
        change: KeyChange,
        seen: Option<u64>,
    ) -> Result<Changed<KeyRecord>, Error> {
        let hand = self.hand(by).await?;
        hand.reach(Action::UpdateKey)?;
        if change.blocked.is_some() {
            hand.reach(Action::BlockKey)?;
        }
        let mut record = self.info(&hand.principal, which).await?;
        for _ in 0..MOST_TRIES {
            is_seen(&record, seen)?;
            let mut after = record.clone();
            self.apply(&hand, &mut after, change.clone()).await?;
            match self.write(record, after).await? {
                Written::As(changed) => {
                    tracing::debug!(key_id = %changed.after.key_id, by = by.key_id(), "changed a key");
                    return Ok(changed);
                }
                Written::Not(now) => record = now,
            }
        }
        Err(Error::Conflict)
    }

    async fn apply(
        &self,
        hand: &Hand,
        record: &mut KeyRecord,
        change: KeyChange,
    ) -> Result<(), Error> {
        hand.may(Action::UpdateKey, record)?;
        if let Some(guardrails) = &change.rights.guardrails {
            self.check_guardrails(guardrails)?;
        }
        self.check_schedule(matches!(change.rotation_interval, Some(Some(_))))?;
        if record.revoked_at.is_some() {
            return Err(Error::Forbidden("the key was revoked: mint another"));
        }
        if let Some(blocked) = change.blocked {
            hand.may(Action::BlockKey, record)?;
            record.blocked = blocked;
        }
        let now = self.clock.unix();
        let before = record.clone();
        set(&mut record.alias, change.alias);
        set(&mut record.key_type, change.key_type);
        set(&mut record.aliases, change.aliases);
        set(&mut record.metadata, change.metadata);
        set(&mut record.tags, change.tags);
        let moved = [&change.team_id, &change.user_id, &change.organization_id]
            .iter()
            .any(|place| place.is_some());
        set(&mut record.team_id, change.team_id);
        set(&mut record.user_id, change.user_id);
        set(&mut record.organization_id, change.organization_id);
        if let Some(interval) = change.rotation_interval {
            record.rotation = interval.map(|interval| Rotation {
                interval,
                next_at: whole_milliseconds(interval.after(now)),
            });
        }
        let rights = !change.rights.is_empty();
        change.rights.apply(&mut record.rights);
        check::key(record)?;
        if moved {
            let reach = hand.reach(Action::UpdateKey)?;
            self.put(hand, reach, record).await?;
        }
        let elders = if record.lineage.is_empty() {
            Vec::new()
        } else {
            self.ask(self.store.get(&record.lineage)).await?
        };
        let orphan = elders.len() < record.lineage.len();
        if rights {
            let mut met = narrow::rights(&hand.rights, &record.rights, &self.groups);
            for elder in &elders {
                met = narrow::rights(&elder.rights, &met, &self.groups);
            }
            if orphan {
                met = narrow::rights(&before.rights, &met, &self.groups);
            }
            record.rights = met;
        }
        if let Some(role) = change.role {
            record.role = elders
                .iter()
                .fold(hand.role().meet(role), |role, elder| elder.role.meet(role));
            if orphan {
                record.role = before.role.meet(record.role);
            }
        }
        if let Some(duration) = change.duration {
            let asked = duration.map(|period| whole_milliseconds(period.after(now)));
            let ends = elders.iter().map(|elder| elder.expires_at);
            record.expires_at = ends.fold(earlier(asked, hand.expires_at), earlier);
            if orphan {
                record.expires_at = earlier(record.expires_at, before.expires_at);
            }
        }
        Ok(())
    }
}

fn set<T>(place: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *place = new;
    }
}

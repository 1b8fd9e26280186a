//! What a watch does in the background: tells the store, asks it, blocks and alerts.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use bartizan_core::{Identity, KeyType, Principal, Role};

use super::alert::{ActionTaken, Alert};
use super::rule::What;
use super::seen::{HOUR, Seen};
use super::{Inner, MOST_PENDING, Watch, judge, place};
use crate::sighting::Sighting;
use crate::store::SightingQuery;
use crate::{Error, StoreError};

/// How often a key that needs the store is asked for.
const TICK: Duration = Duration::from_secs(1);

/// How often the store is told of sightings where nothing else needs it.
const FLUSH: Duration = Duration::from_secs(5);

/// How long a receiver of alerts may take.
const PATIENCE: Duration = Duration::from_secs(1);

const BATCH: usize = 500;

/// The most keys that are asked for in one turn.
const MOST_ASKED: usize = 256;

/// The most rows of a key's history that a store gives at once.
const MOST_ROWS: usize = 1_000;

/// Who is half around the earth after this could have flown.
const JOURNEY: Duration = Duration::from_secs(86_400);

/// Who blocks.
const ACTOR: &str = "watch";

impl Watch {
    /// Tells the store what was seen every few seconds, asks what others saw, blocks, alerts, and forgets what is old. It never ends: spawn it,
    /// and abort the task at the end, before a last [`flush`](Self::flush).
    pub async fn keep(&self) {
        let inner = &*self.0;
        let (mut flushed, mut swept) = (Duration::ZERO, None);
        loop {
            // Woken or not, there may be something.
            let _ = tokio::time::timeout(TICK, inner.wake.notified()).await;
            let now = inner.clock.monotonic();
            let is_due = now.saturating_sub(flushed) >= FLUSH;
            if is_due {
                flushed = now;
            }
            inner.turn(is_due).await;
            let hour = inner.clock.unix().as_secs() / HOUR.as_secs();
            if swept.replace(hour) != Some(hour) {
                inner.sweep().await;
            }
        }
    }

    /// Does now what [`keep`](Self::keep) does every few seconds.
    pub async fn flush(&self) {
        self.0.turn(true).await;
    }
}

impl Inner {
    async fn turn(&self, is_due: bool) {
        self.block().await;
        self.tell().await;
        let mut asked = Vec::new();
        self.memory.each(|seen| {
            if seen.ask && asked.len() < MOST_ASKED {
                seen.ask = false;
                asked.push(seen.name().to_owned());
            }
        });
        // Told before it is asked: of two processes, the one that asks last then knows all that both saw.
        if is_due || !asked.is_empty() {
            let keys = self.memory.send();
            metrics::gauge!("bartizan.auth.watch.keys").set(keys as f64);
            self.send().await;
        }
        for key_id in asked {
            if let Err(error) = self.learn(&key_id).await {
                tracing::debug!(%error, %key_id, "what others saw of a key can't be told");
                self.memory.with(&key_id, |seen| seen.ask = true);
            }
        }
        self.block().await;
        self.tell().await;
    }

    /// Tells the store. What it does not take waits.
    async fn send(&self) {
        loop {
            let Some(batch) = self.memory.waiting.batch(BATCH) else {
                return;
            };
            if self.keys.see(batch.sightings().to_vec()).await.is_err() {
                return;
            }
            batch.taken();
        }
    }

    /// Asks the store what others saw of a key, and where it was used before.
    async fn learn(&self, name: &str) -> Result<(), Error> {
        let now = self.clock.unix();
        let history = self.judges.iter().map(|judge| match judge.rule.what {
            What::Country { within, learning } => within.max(learning),
            What::Travel { .. } => JOURNEY,
            _ => HOUR,
        });
        let mut query = SightingQuery::since(now.saturating_sub(history.max().unwrap_or(HOUR)));
        query.key_id = Some(name.to_owned());
        query.limit = MOST_ROWS;
        let rows = self.keys.sightings(&actor(), query).await?;
        self.memory
            .with(name, |seen| self.learn_of(seen, &rows, now));
        Ok(())
    }

    fn learn_of(&self, seen: &mut Seen, rows: &[Sighting], now: Duration) {
        let waiting = &self.memory.waiting;
        seen.expire(now, waiting);
        let begin = now.saturating_sub(HOUR).max(seen.forgiven);
        let mut new = Vec::new();
        let most = self.memory.most_addresses();
        for row in rows {
            let address = place::unit(row.address);
            let place = || place::is_public(address).then(|| self.places.place(address))?;
            let is_new = if row.last_seen > begin {
                seen.told_of(row, address, most, place(), waiting)
            } else if now.saturating_sub(row.last_seen) < JOURNEY {
                place().is_some_and(|place| seen.was_before(row, place))
            } else {
                false
            };
            if is_new {
                new.push(address);
            }
        }
        let begun = rows.iter().map(|row| row.first_seen).min().unwrap_or(now);
        let begun = seen.begun.map_or(begun, |known| known.min(begun));
        let who = seen.who.clone();
        let judges = !self.is_exempt(&who) && !seen.blocking;
        if judges {
            for (index, judge) in self.judges_of(&who) {
                if let Some(finding) = judge.at_learning(seen, &new, now) {
                    self.found(seen, index, finding, now);
                }
            }
        }
        self.learn_countries(seen, rows, begun, judges);
        seen.begun = Some(begun);
    }

    /// Holds countries of uses that came before the store was asked against those of the history.
    fn learn_countries(&self, seen: &mut Seen, rows: &[Sighting], begun: Duration, judges: bool) {
        let first_use = |country| {
            let uses = seen.at.iter().filter(|at| !at.judged);
            let uses = uses.filter(|at| at.country() == Some(country));
            uses.map(|at| at.first).min()
        };
        let of_row = |row: &Sighting| row.country.as_deref().and_then(place::Country::parse);
        let mut history = Vec::new();
        for row in rows {
            let Some(country) = of_row(row) else {
                continue;
            };
            // What was just used is no history of itself.
            if first_use(country).is_none_or(|first| row.first_seen < first) {
                history.push((country, row.last_seen));
            }
        }
        for (country, last) in history {
            seen.remember(country, last);
        }
        let mut unjudged = Vec::new();
        for at in seen.at.iter_mut().filter(|at| !at.judged) {
            at.judged = true;
            unjudged.extend(at.country().map(|country| (country, at.address, at.first)));
        }
        let who = seen.who.clone();
        for (country, address, at) in unjudged {
            for (index, judge) in self.judges_of(&who).filter(|_| judges) {
                let What::Country { within, learning } = judge.rule.what else {
                    continue;
                };
                let learnt = at.saturating_sub(begun) >= learning;
                if learnt && !judge::is_known(seen, country, within, at) {
                    let finding = judge::abroad(seen, address, country);
                    self.found(seen, index, finding, at);
                }
            }
            seen.remember(country, at);
        }
    }

    /// Blocks the keys that are to be blocked.
    async fn block(&self) {
        let mut blocking = Vec::new();
        self.memory.each(|seen| {
            if seen.blocking {
                blocking.push(seen.name().to_owned());
            }
        });
        for key_id in blocking {
            match self.keys.set_blocked(&actor(), &key_id, true).await {
                Ok(_) | Err(Error::NotFound) => {
                    let now = self.clock.unix();
                    self.memory
                        .with(&key_id, |seen| seen.forgive(now, &self.memory.waiting));
                }
                Err(error) => {
                    tracing::warn!(%error, %key_id, "a key can't be blocked yet: it is refused here, and tried again");
                }
            }
        }
    }

    /// Tells alerts.
    async fn tell(&self) {
        let mut undone = BTreeSet::new();
        self.memory.each(|seen| {
            if seen.blocking {
                undone.insert(seen.name().to_owned());
            }
        });
        // One at a time: whoever tells them may be cut off.
        for _ in 0..MOST_PENDING {
            let next = {
                let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
                pending.pop_front()
            };
            let Some(mut alert) = next else { return };
            if alert.action == ActionTaken::BlockPending && !undone.contains(&alert.key_id) {
                alert.action = ActionTaken::Blocked;
            }
            self.pass_on(alert).await;
        }
    }

    async fn pass_on(&self, alert: Alert) {
        let (rule, action) = (alert.rule, alert.action.as_str());
        metrics::counter!("bartizan.auth.watch.alerts", "rule" => rule, "action" => action)
            .increment(1);
        tracing::warn!(
            key_id = %alert.key_id,
            team_id = alert.team_id.as_deref(),
            rule,
            action,
            finding = ?alert.finding,
            "a key was used in an unusual way"
        );
        if let Some(alerts) = &self.alerts
            && tokio::time::timeout(PATIENCE, alerts.alert(alert))
                .await
                .is_err()
        {
            metrics::counter!("bartizan.auth.watch.dropped_alerts").increment(1);
            tracing::warn!(
                rule,
                "the receiver of alerts takes too long: one was dropped"
            );
        }
    }

    async fn sweep(&self) {
        let before = self.clock.unix().saturating_sub(self.retention);
        let swept: Result<u64, StoreError> = self.keys.forget_sightings(before).await;
        if let Ok(rows) = swept {
            tracing::debug!(rows, "forgot old sightings");
        }
    }
}

fn actor() -> Principal {
    Principal::assume_verified(
        Identity::new(ACTOR)
            .role(Role::ProxyAdmin)
            .key_type(KeyType::Management),
    )
}

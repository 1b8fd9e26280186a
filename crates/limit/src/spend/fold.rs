//! Sums up what is old.

use std::sync::Arc;
use std::time::Duration;

use bartizan_core::Clock;
use metrics::counter;

use super::memory::QUARTER;
use super::store::{Fold, SpendError, SpendSpan, SpendStore};
use super::zone::Zone;

/// How often it is looked for what has grown old.
const EVERY: Duration = Duration::from_secs(300);
/// How much is summed up in one transaction, so that none is long.
const AT_ONCE: Duration = Duration::from_secs(3_600);

pub(crate) struct Folding {
    pub(crate) store: Arc<dyn SpendStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) fold_after: Duration,
    pub(crate) days_after: Duration,
    pub(crate) retention: Option<Duration>,
    pub(crate) zone: Zone,
}

impl Folding {
    /// Runs until it is dropped.
    pub(crate) async fn run(self) {
        loop {
            if let Err(error) = self.pass().await {
                tracing::warn!(%error, "spending that is old can't be summed up now");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Sums up all that is old enough.
    pub(crate) async fn pass(&self) -> Result<(), SpendError> {
        let now = self.clock.unix();
        if let Some(retention) = self.retention {
            let forgotten = self.store.forget(now.saturating_sub(retention)).await?;
            counter!("bartizan.spend.forgotten").increment(forgotten);
        }
        let until = quarter(now.saturating_sub(self.fold_after));
        let mut before = None;
        while let Some(oldest) = self.store.oldest(false).await? {
            // What can't be summed up would keep us here.
            if before.replace(oldest) == Some(oldest) {
                break;
            }
            let from = quarter(oldest);
            let span = SpendSpan {
                from,
                to: (from + AT_ONCE).min(until),
            };
            if span.from >= until {
                break;
            }
            self.fold(Fold::Quarters(span)).await?;
        }
        let until = now.saturating_sub(self.days_after);
        let mut before = None;
        while let Some(oldest) = self.store.oldest(true).await? {
            if before.replace(oldest) == Some(oldest) {
                break;
            }
            match self.zone.day(oldest) {
                Some(day) if day.to <= until => self.fold(Fold::Day(day)).await?,
                _ => break,
            }
        }
        Ok(())
    }

    async fn fold(&self, fold: Fold) -> Result<(), SpendError> {
        let fewer = self.store.fold(fold).await?;
        counter!("bartizan.spend.folded").increment(fewer);
        tracing::debug!(fewer, "summed up spending");
        Ok(())
    }
}

fn quarter(time: Duration) -> Duration {
    let seconds = time.as_secs();
    Duration::from_secs(seconds - seconds % QUARTER.as_secs())
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;

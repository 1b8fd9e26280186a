//! Where changes are recorded.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bartizan_audit::{Change, Entry, Fields, Journal, Stage, Who};
use bartizan_core::{Principal, Refusal, RefusalKind};

use crate::done::Touched;

/// Why a record was not made.
#[derive(Debug, thiserror::Error)]
#[error("the change can't be recorded: {0}")]
pub struct LogError(pub Box<dyn std::error::Error + Send + Sync>);

/// Keeps records of changes. [`Journal`] does, in its hash chain.
pub trait ChangeLog: Send + Sync + 'static {
    /// The time by which changes are dated, from 1970-01-01 00:00 UTC.
    fn now(&self) -> Duration;

    /// Makes a record durable. Until it has, nothing is changed, and nothing that was changed is answered.
    fn record(&self, change: Change) -> impl Future<Output = Result<(), LogError>> + Send;
}

impl ChangeLog for Journal {
    fn now(&self) -> Duration {
        self.clock().unix()
    }

    /// A lossy journal loses records of calls, and none of these: they are few, and each is waited for.
    async fn record(&self, change: Change) -> Result<(), LogError> {
        let recorded = Journal::record(self, Entry::Change(Box::new(change))).await;
        recorded.map_err(|error| LogError(Box::new(error)))
    }
}

/// Records nothing: for tests, and for whoever wants no records of who changed what.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoChangeLog;

impl ChangeLog for NoChangeLog {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    async fn record(&self, _: Change) -> Result<(), LogError> {
        Ok(())
    }
}

type Recording<'a> = Pin<Box<dyn Future<Output = Result<(), LogError>> + Send + 'a>>;

/// [`ChangeLog`] with its type forgotten.
pub(crate) trait AnyLog: Send + Sync {
    fn now(&self) -> Duration;
    fn record(&self, change: Change) -> Recording<'_>;
}

impl<L: ChangeLog> AnyLog for L {
    fn now(&self) -> Duration {
        ChangeLog::now(self)
    }

    fn record(&self, change: Change) -> Recording<'_> {
        Box::pin(ChangeLog::record(self, change))
    }
}

/// One change on its way: all its records have one id, and say who asks.
pub(crate) struct Recorder {
    log: Arc<dyn AnyLog>,
    id: String,
    action: &'static str,
    who: Option<Who>,
    address: Option<IpAddr>,
}

impl Recorder {
    pub(crate) fn new(
        log: Arc<dyn AnyLog>,
        action: &'static str,
        by: Option<&Principal>,
        address: Option<IpAddr>,
    ) -> Self {
        let mut bytes = [0_u8; 16];
        // Without randomness the records of a change are told apart by their order alone.
        let _ = getrandom::fill(&mut bytes);
        Self {
            log,
            id: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            action,
            who: by.map(Who::from),
            address,
        }
    }

    /// ## Asked for => intended
    pub(crate) async fn intend(&self, targets: &[&str]) -> Result<(), Refusal> {
        let change = self.change(Stage::Intended);
        let recorded = self
            .log
            .record(change.targets(targets.iter().copied()))
            .await;
        recorded.map_err(|error| {
            tracing::warn!(%error, action = self.action, "no record, no change");
            Refusal::new(
                RefusalKind::Unavailable,
                "audit_unavailable",
                "changes can't be recorded at the moment, so nothing was changed",
            )
            .retry_after(Duration::from_secs(1))
        })
    }

    /// ## Intended => made
    pub(crate) async fn made(&self, touched: Vec<Touched>) -> Result<(), Refusal> {
        let mut failed = None;
        for object in touched {
            let mut change = self.change(Stage::Made).targets([object.id.as_str()]);
            let (mut before, mut after) = (object.before, object.after);
            if let (Some(before), Some(after)) = (&mut before, &mut after) {
                Fields::differ(before, after);
            }
            (change.before, change.after) = (before, after);
            failed = self.log.record(change).await.err().or(failed);
        }
        let Some(error) = failed else {
            return Ok(());
        };
        tracing::error!(%error, action = self.action, change = self.id, "a change was made and its record is not durable");
        Err(Refusal::new(
            RefusalKind::Unavailable,
            "audit_outcome_unavailable",
            "it was changed, and that can't be recorded at the moment: look at it before you ask again",
        ))
    }

    /// ## Asked for, or intended => refused
    pub(crate) async fn refused(&self, targets: &[&str], code: &'static str) {
        let mut change = self.change(Stage::Refused).targets(targets.iter().copied());
        change.code = Some(code);
        // Nothing was changed, so the refusal stands whether or not it can be told of.
        if let Err(error) = self.log.record(change).await {
            tracing::warn!(%error, action = self.action, code, "a refusal could not be recorded");
        }
    }

    fn change(&self, stage: Stage) -> Change {
        let mut change = Change::new(self.log.now(), &self.id, stage, self.action);
        change.who = self.who.clone();
        change.address = self.address;
        change
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("id", &self.id)
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}

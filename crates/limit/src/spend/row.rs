//! Rows as databases hold them.

use std::time::Duration;

use bartizan_core::Usage;

use super::entry::{SpendEntry, SpendId, SpendOutcome, milliseconds};
use super::store::{Fold, SpendError, SpendRow, SpendSpan};

/// A column that holds what this program could not have written.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` holds what this program could not have written")]
pub(crate) struct Unreadable(pub(crate) &'static str);

pub(crate) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(crate) fn time(at: Duration) -> i64 {
    whole(milliseconds(at))
}

pub(crate) fn tags(entry: &SpendEntry) -> String {
    // A list of strings is always written.
    serde_json::to_string(&entry.tags).unwrap_or_else(|_| "[]".to_owned())
}

/// The first id of that moment.
#[cfg(feature = "sqlite")]
pub(crate) fn id_at(at: i64) -> [u8; 16] {
    (u128::from(count(at)) << 80).to_be_bytes()
}

/// A span in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Within {
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Before which no row that reaches into the span begins: days have 25 hours at most.
    pub(crate) earliest: i64,
}

impl From<SpendSpan> for Within {
    fn from(span: SpendSpan) -> Self {
        let from = time(span.from);
        Self {
            from,
            // Ids end there.
            to: time(span.to),
            earliest: (from - 25 * 3_600_000).max(0),
        }
    }
}

/// How a fold is told to a database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Folded {
    pub(crate) within: Within,
    pub(crate) day: bool,
    /// How long a span the sums are of, in seconds.
    pub(crate) span: i64,
    /// Rows of a shorter span are summed up.
    pub(crate) below: i64,
}

impl From<Fold> for Folded {
    fn from(fold: Fold) -> Self {
        match fold {
            Fold::Quarters(span) => Self {
                within: span.into(),
                day: false,
                span: 900,
                below: 1,
            },
            Fold::Day(span) => Self {
                within: span.into(),
                day: true,
                span: whole(span.to.saturating_sub(span.from).as_secs()),
                below: DAYS,
            },
        }
    }
}

/// Spans from here on are days, in seconds.
pub(crate) const DAYS: i64 = 20 * 3_600;

/// The columns of a row but its cost and its tags.
pub(crate) struct Columns {
    pub(crate) id: Vec<u8>,
    pub(crate) span: i64,
    pub(crate) calls: i64,
    pub(crate) key_id: String,
    pub(crate) user_id: Option<String>,
    pub(crate) team_id: Option<String>,
    pub(crate) organization_id: Option<String>,
    pub(crate) end_user: Option<String>,
    pub(crate) model: String,
    pub(crate) provider: Option<String>,
    pub(crate) served_model: Option<String>,
    pub(crate) outcome: String,
    pub(crate) estimated: bool,
    pub(crate) priced: bool,
    pub(crate) usage: [i64; 7],
    pub(crate) tags: Vec<String>,
    pub(crate) cost: bartizan_core::Cost,
}

impl Columns {
    pub(crate) fn row(self) -> Result<SpendRow, Unreadable> {
        let id: [u8; 16] = self.id.try_into().map_err(|_| Unreadable("spend.id"))?;
        let outcome = SpendOutcome::parse(&self.outcome).ok_or(Unreadable("spend.outcome"))?;
        Ok(SpendRow {
            entry: SpendEntry {
                id: SpendId::from_bytes(id),
                key_id: self.key_id,
                user_id: self.user_id,
                team_id: self.team_id,
                organization_id: self.organization_id,
                model: self.model,
                provider: self.provider,
                served_model: self.served_model,
                tags: self.tags,
                end_user: self.end_user,
                usage: usage(self.usage),
                cost: self.cost,
                estimated: self.estimated,
                priced: self.priced,
                outcome,
            },
            calls: count(self.calls),
            span: Duration::from_secs(count(self.span)),
        })
    }
}

pub(crate) fn usage(counts: [i64; 7]) -> Usage {
    let [
        input,
        cached_input,
        cache_write,
        output,
        reasoning,
        audio_input,
        audio_output,
    ] = counts.map(count);
    Usage {
        input,
        cached_input,
        cache_write,
        output,
        reasoning,
        audio_input,
        audio_output,
    }
}

impl From<Unreadable> for SpendError {
    fn from(column: Unreadable) -> Self {
        Self::unavailable(column)
    }
}

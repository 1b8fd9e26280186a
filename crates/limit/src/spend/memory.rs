//! Entries in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bartizan_core::Cost;

use super::entry::{SpendEntry, SpendId};
use super::store::{
    Batch, Erase, Fold, JournalId, SpendError, SpendFilter, SpendGroup, SpendQuery, SpendRow,
    SpendScope, SpendSpan, SpendStore, SpendSum, StoreFuture,
};

/// A quarter of an hour: the offsets of all time zones are multiples of it.
pub(crate) const QUARTER: Duration = Duration::from_secs(900);
/// Spans from here on are days; the shortest has 23 hours.
pub(crate) const DAYS: Duration = Duration::from_secs(20 * 3_600);

/// Keeps entries in memory, for tests and for services that need none of them after their end.
#[derive(Default)]
pub struct MemorySpend(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    rows: BTreeMap<SpendId, SpendRow>,
    journals: BTreeMap<JournalId, u64>,
}

impl MemorySpend {
    /// Creates an empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps one entry, of no journal.
    pub(crate) fn keep(&self, entry: SpendEntry) {
        self.kept().keep(entry);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpendStore for MemorySpend {
    fn moved(&self, journal: JournalId) -> StoreFuture<'_, Option<u64>> {
        let moved = self.kept().journals.get(&journal).copied();
        Box::pin(async move { Ok(moved) })
    }

    fn append(&self, batch: Batch) -> StoreFuture<'_, ()> {
        let done = self.kept().append(batch);
        Box::pin(async move { done })
    }

    fn close(&self, journal: JournalId) -> StoreFuture<'_, ()> {
        self.kept().journals.remove(&journal);
        Box::pin(async { Ok(()) })
    }

    fn spent(&self, scope: SpendScope, span: SpendSpan) -> StoreFuture<'_, Cost> {
        let mut filter = SpendFilter::within(span);
        filter.scope = scope;
        let kept = self.kept();
        let rows = kept.rows.values().filter(|row| matches(&filter, row));
        let cost = rows.map(|row| row.entry.cost).sum();
        Box::pin(async move { Ok(cost) })
    }

    fn sums(&self, query: SpendQuery) -> StoreFuture<'_, Vec<SpendSum>> {
        let sums = self.kept().sums(&query);
        Box::pin(async move { Ok(sums) })
    }

    fn rows(
        &self,
        filter: SpendFilter,
        before: Option<SpendId>,
        limit: u64,
    ) -> StoreFuture<'_, Vec<SpendRow>> {
        let kept = self.kept();
        let rows = kept.rows.iter().rev();
        let rows = rows
            .filter(|(id, row)| before.is_none_or(|before| **id < before) && matches(&filter, row));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let rows = rows.take(limit).map(|(_, row)| row.clone()).collect();
        Box::pin(async move { Ok(rows) })
    }

    fn oldest(&self, days: bool) -> StoreFuture<'_, Option<Duration>> {
        let kept = self.kept();
        let mut rows = kept.rows.values().filter(|row| foldable(row, days));
        let oldest = rows.next().map(|row| row.entry.time());
        Box::pin(async move { Ok(oldest) })
    }

    fn fold(&self, fold: Fold) -> StoreFuture<'_, u64> {
        let fewer = self.kept().fold(fold);
        Box::pin(async move { Ok(fewer) })
    }

    fn erase(&self, whom: Erase) -> StoreFuture<'_, u64> {
        let mut erased = 0;
        for row in self.kept().rows.values_mut() {
            let (place, name) = match &whom {
                Erase::User(name) => (&mut row.entry.user_id, name),
                Erase::EndUser(name) => (&mut row.entry.end_user, name),
            };
            if place.as_ref() == Some(name) {
                *place = None;
                erased += 1;
            }
        }
        Box::pin(async move { Ok(erased) })
    }

    fn forget(&self, before: Duration) -> StoreFuture<'_, u64> {
        let mut kept = self.kept();
        let rows = kept.rows.len();
        kept.rows
            .retain(|_, row| row.entry.time() + row.span >= before);
        let gone = rows - kept.rows.len();
        Box::pin(async move { Ok(gone as u64) })
    }
}

impl Kept {
    fn append(&mut self, batch: Batch) -> Result<(), SpendError> {
        let moved = self.journals.get(&batch.journal).copied().unwrap_or(0);
        if moved == batch.to {
            return Ok(());
        }
        if moved != batch.from {
            return Err(SpendError::Misplaced);
        }
        self.journals.insert(batch.journal, batch.to);
        batch.entries.into_iter().for_each(|entry| self.keep(entry));
        Ok(())
    }

    fn keep(&mut self, entry: SpendEntry) {
        self.rows.entry(entry.id).or_insert_with(|| SpendRow {
            entry,
            calls: 1,
            span: Duration::ZERO,
        });
    }

    fn sums(&self, query: &SpendQuery) -> Vec<SpendSum> {
        let mut sums: BTreeMap<Option<String>, SpendSum> = BTreeMap::new();
        let rows = self.rows.values().filter(|row| matches(&query.filter, row));
        for row in rows {
            for name in names(query.group, row) {
                let sum = sums.entry(name.clone()).or_insert_with(|| SpendSum {
                    name,
                    ..SpendSum::default()
                });
                sum.calls += row.calls;
                if row.entry.outcome == super::SpendOutcome::Failed {
                    sum.failed += row.calls;
                }
                sum.usage += row.entry.usage;
                sum.cost += row.entry.cost;
            }
        }
        let mut sums: Vec<SpendSum> = sums.into_values().collect();
        if query.group == SpendGroup::Quarter {
            sums.sort_by_key(|sum| sum.name.as_ref().and_then(|at| at.parse::<u64>().ok()));
        } else {
            // Stable: what cost the same stays in the order of names, those without one first.
            sums.sort_by_key(|sum| std::cmp::Reverse(sum.cost));
        }
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let page = sums.into_iter().skip(place(query.skip));
        page.take(place(query.limit)).collect()
    }

    fn fold(&mut self, fold: Fold) -> u64 {
        let (days, span) = match fold {
            Fold::Quarters(span) => (false, span),
            Fold::Day(span) => (true, span),
        };
        let mut sums: Vec<SpendRow> = Vec::new();
        let before = self.rows.len();
        let taken = self.rows.extract_if(.., |_, row| {
            let time = row.entry.time();
            foldable(row, days) && time >= span.from && time < span.to
        });
        for (_, row) in taken {
            let (at, length) = if days {
                (span.from, span.to.saturating_sub(span.from))
            } else {
                let seconds = row.entry.time().as_secs();
                (
                    Duration::from_secs(seconds - seconds % QUARTER.as_secs()),
                    QUARTER,
                )
            };
            let sum = sums
                .iter_mut()
                .find(|sum| sum.entry.time() == at && alike(&sum.entry, &row.entry));
            match sum {
                Some(sum) => {
                    sum.calls += row.calls;
                    sum.entry.usage += row.entry.usage;
                    sum.entry.cost += row.entry.cost;
                }
                None => sums.push(SpendRow {
                    entry: SpendEntry {
                        id: SpendId::at(at),
                        ..row.entry
                    },
                    calls: row.calls,
                    span: length,
                }),
            }
        }
        self.rows
            .extend(sums.into_iter().map(|sum| (sum.entry.id, sum)));
        (before - self.rows.len()) as u64
    }
}

fn foldable(row: &SpendRow, days: bool) -> bool {
    if days {
        row.span < DAYS
    } else {
        row.span.is_zero()
    }
}

/// Whether they differ in nothing but time and amounts.
fn alike(one: &SpendEntry, other: &SpendEntry) -> bool {
    let same = SpendEntry {
        id: one.id,
        usage: one.usage,
        cost: one.cost,
        ..other.clone()
    };
    *one == same
}

fn matches(filter: &SpendFilter, row: &SpendRow) -> bool {
    let (entry, scope) = (&row.entry, &filter.scope);
    let asked =
        |asked: &Option<String>, is: Option<&String>| asked.is_none() || asked.as_ref() == is;
    let same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
    let time = entry.time();
    let in_time =
        time < filter.span.to && (time >= filter.span.from || time + row.span > filter.span.from);
    in_time
        && asked(&scope.organization, entry.organization_id.as_ref())
        && asked(&scope.team, entry.team_id.as_ref())
        && asked(&scope.user, entry.user_id.as_ref())
        && asked(&scope.key, Some(&entry.key_id))
        && asked(&scope.model, Some(&entry.model))
        && asked(&scope.end_user, entry.end_user.as_ref())
        && scope
            .tag
            .as_ref()
            .is_none_or(|tag| entry.tags.contains(tag))
        && filter.visible_to.as_ref().is_none_or(|viewer| {
            viewer.key == entry.key_id
                || same(&viewer.user, &entry.user_id)
                || same(&viewer.team, &entry.team_id)
                || same(&viewer.organization, &entry.organization_id)
        })
}

fn names(group: SpendGroup, row: &SpendRow) -> Vec<Option<String>> {
    let entry = &row.entry;
    vec![match group {
        SpendGroup::Total => None,
        SpendGroup::Key => Some(entry.key_id.clone()),
        SpendGroup::User => entry.user_id.clone(),
        SpendGroup::Team => entry.team_id.clone(),
        SpendGroup::Organization => entry.organization_id.clone(),
        SpendGroup::Model => Some(entry.model.clone()),
        SpendGroup::Provider => entry.provider.clone(),
        SpendGroup::EndUser => entry.end_user.clone(),
        SpendGroup::Tag if entry.tags.is_empty() => None,
        SpendGroup::Tag => return entry.tags.iter().cloned().map(Some).collect(),
        SpendGroup::Quarter => {
            let seconds = entry.time().as_secs();
            Some((seconds - seconds % QUARTER.as_secs()).to_string())
        }
    }]
}

/// Says how much there is, and not what.
impl fmt::Debug for MemorySpend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySpend")
            .field("rows", &self.kept().rows.len())
            .finish_non_exhaustive()
    }
}

//! Where entries are kept, and what is asked of them.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bartizan_core::{Cost, Usage};

use super::entry::{SpendEntry, SpendId, tidy};

/// What a store is asked. Boxed, so that [`Spend`](super::Spend) needs no parameter; the box costs nothing beside a database.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, SpendError>> + Send + 'a>>;

/// Why what was spent can't be told or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpendError {
    /// The store can't be reached, did not answer in time, or broke.
    #[error("the store of spending does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its tables can't be brought to the version that this program reads. Nothing was changed.
    #[error("the tables of spending can't be used: {0}")]
    Migration(String),
    /// Entries of a journal come in the place of others.
    #[error("entries of a journal don't follow those that were kept of it")]
    Misplaced,
    /// The folder of journals can't be used.
    #[error("the folder of journals can't be used: {0}")]
    Journal(#[source] std::io::Error),
    /// A time zone that isn't known.
    #[error("`{0}` is no time zone: give a name such as Europe/Berlin or UTC")]
    Zone(String),
}

impl SpendError {
    /// Wraps what went wrong beneath.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl From<bartizan_database::Error> for SpendError {
    fn from(error: bartizan_database::Error) -> Self {
        match error {
            bartizan_database::Error::Migration(why) => Self::Migration(why),
            bartizan_database::Error::Unavailable(source) => Self::Unavailable(source),
            other => Self::unavailable(other),
        }
    }
}

/// The name of a journal's file.
pub type JournalId = [u8; 16];

/// Entries that lie together in a journal.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Which journal.
    pub journal: JournalId,
    /// Where in it what came before them ends; 0 where nothing did.
    pub from: u64,
    /// Where they end.
    pub to: u64,
    /// The entries.
    pub entries: Vec<SpendEntry>,
}

/// Whose spending. What is `None` doesn't narrow: the default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SpendScope {
    /// Of this organisation.
    pub organization: Option<String>,
    /// Of this team.
    pub team: Option<String>,
    /// Of this user.
    pub user: Option<String>,
    /// Of the key of this public name.
    pub key: Option<String>,
    /// Of this model, as it was asked for.
    pub model: Option<String>,
    /// Of calls with this tag, and perhaps others.
    pub tag: Option<String>,
    /// For this end user, named by its digest.
    pub end_user: Option<String>,
}

impl SpendScope {
    pub(crate) fn tidy(&mut self) {
        for name in [
            &mut self.organization,
            &mut self.team,
            &mut self.user,
            &mut self.key,
            &mut self.model,
            &mut self.tag,
            &mut self.end_user,
        ] {
            name.iter_mut().for_each(tidy);
        }
    }
}

/// A span of time since 1970. What began in it lies in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpendSpan {
    /// Its first moment.
    pub from: Duration,
    /// The first moment behind it.
    pub to: Duration,
}

impl SpendSpan {
    /// All of time.
    pub const EVER: Self = Self {
        from: Duration::ZERO,
        // As far as an id counts.
        to: Duration::from_millis(1 << 48),
    };
}

/// Who looks, where not everything may be seen: what any of these names is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpendViewer {
    /// The spending of this key.
    pub key: String,
    /// That of this user.
    pub user: Option<String>,
    /// That of this team.
    pub team: Option<String>,
    /// That of this organisation.
    pub organization: Option<String>,
}

/// Which entries are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpendFilter {
    /// Whose.
    pub scope: SpendScope,
    /// When.
    pub span: SpendSpan,
    /// Of those that this one sees.
    pub visible_to: Option<SpendViewer>,
}

impl SpendFilter {
    /// Those of that span, whosever.
    #[must_use]
    pub fn within(span: SpendSpan) -> Self {
        Self {
            scope: SpendScope::default(),
            span,
            visible_to: None,
        }
    }
}

/// By what spending is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpendGroup {
    /// All together.
    Total,
    /// By key.
    Key,
    /// By user.
    User,
    /// By team.
    Team,
    /// By organisation.
    Organization,
    /// By model, as it was asked for.
    Model,
    /// By who served it.
    Provider,
    /// By tag: what has several counts in each.
    Tag,
    /// By end user.
    EndUser,
    /// By quarter of an hour, of which days of every zone are made.
    Quarter,
}

/// What is to be added up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpendQuery {
    /// Which entries.
    pub filter: SpendFilter,
    /// By what.
    pub group: SpendGroup,
    /// How many groups to leave out: those of the pages before.
    pub skip: u64,
    /// The most groups to give.
    pub limit: u64,
}

impl SpendQuery {
    /// The groups in which most was spent, of all.
    #[must_use]
    pub fn new(filter: SpendFilter, group: SpendGroup) -> Self {
        Self {
            filter,
            group,
            skip: 0,
            limit: u64::from(u32::MAX),
        }
    }
}

/// What was spent in one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpendSum {
    /// Whose, or of what; `None` for what has none. Of a quarter of an hour: its first second since 1970.
    pub name: Option<String>,
    /// How many calls.
    pub calls: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Their tokens.
    pub usage: Usage,
    /// What they cost.
    pub cost: Cost,
}

/// A row: one call, or the sum of calls that differ in nothing but time and amounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendRow {
    /// The call. Of a sum: its id's time is the beginning of the span, its usage and cost are those of all.
    pub entry: SpendEntry,
    /// How many calls it is.
    pub calls: u64,
    /// How long a span it sums up; zero for a single call.
    pub span: Duration,
}

/// What is to be summed up into one row for each set of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Single calls of that span, by quarter of an hour.
    Quarters(SpendSpan),
    /// All of that span, which is a day.
    Day(SpendSpan),
}

/// Whom entries shall name no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erase {
    /// The user of that name.
    User(String),
    /// The end user of that digest.
    EndUser(String),
}

/// Keeps entries.
///
/// What it has answered is durable. Rows are never changed but to be summed up ([`fold`](Self::fold)), to name somebody no more
/// ([`erase`](Self::erase)), and to be forgotten ([`forget`](Self::forget)). Several processes may use one.
pub trait SpendStore: fmt::Debug + Send + Sync + 'static {
    /// Up to where entries of that journal were kept; `None` for none of it.
    fn moved(&self, journal: JournalId) -> StoreFuture<'_, Option<u64>>;

    /// Keeps entries and notes up to where, in one transaction. Where they were kept already nothing is done: told twice they count once, even
    /// when they were summed up meanwhile. [`SpendError::Misplaced`] when what is noted is neither where they begin nor where they end.
    fn append(&self, batch: Batch) -> StoreFuture<'_, ()>;

    /// Forgets up to where that journal was kept. Its file is gone.
    fn close(&self, journal: JournalId) -> StoreFuture<'_, ()>;

    /// What was spent there and then. A day that was summed up counts if any of it lies in the span: never too little.
    fn spent(&self, scope: SpendScope, span: SpendSpan) -> StoreFuture<'_, Cost>;

    /// Adds up: those groups first in which most was spent, and quarters of an hour in their order.
    fn sums(&self, query: SpendQuery) -> StoreFuture<'_, Vec<SpendSum>>;

    /// The rows of a filter, the latest first, before that one, `limit` of them.
    fn rows(
        &self,
        filter: SpendFilter,
        before: Option<SpendId>,
        limit: u64,
    ) -> StoreFuture<'_, Vec<SpendRow>>;

    /// When the oldest row begins that such a fold could take: single calls, or all that is no day.
    fn oldest(&self, days: bool) -> StoreFuture<'_, Option<Duration>>;

    /// Sums up, in one transaction. Gives how many rows there are fewer.
    fn fold(&self, fold: Fold) -> StoreFuture<'_, u64>;

    /// Names somebody no more. Gives how many rows did.
    fn erase(&self, whom: Erase) -> StoreFuture<'_, u64>;

    /// Forgets rows that ended before then. Gives how many.
    fn forget(&self, before: Duration) -> StoreFuture<'_, u64>;
}

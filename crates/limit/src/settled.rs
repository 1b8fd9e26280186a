//! What becomes of a call is told here: to whoever keeps the record of spend, and by it a store of limits learns what was spent before.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bartizan_core::{BoxError, Cost, Principal, Served, Usage};

use crate::scope::Whose;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Its answer came through.
    Complete,
    /// Its answer broke off, or the client left.
    Aborted,
    /// It had none but an error or a refusal.
    Failed,
}

/// A call that has ended, and what it used. Of content there is nothing in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settled {
    /// When it was let pass, since 1970: by that its periods were chosen.
    pub at: Duration,
    /// Who called.
    pub principal: Option<Principal>,
    /// The end user's digest, where the layer was given a secret to make it with.
    pub end_user: Option<String>,
    /// The model, as it was asked for, where somebody answered as it or its prices are known: another name may be any text of the caller's.
    pub model: Option<String>,
    /// Who answered, where that was told.
    pub served: Option<Served>,
    /// What it used.
    pub usage: Usage,
    /// Whether the provider left that to be estimated.
    pub estimated: bool,
    /// What it costs.
    pub cost: Cost,
    /// Whether its model's prices are known.
    pub priced: bool,
    /// How it ended.
    pub outcome: Outcome,
}

/// Whose money it is: what [`Spent`] is asked of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Payer {
    /// `global`, `organization`, `team`, `user`, `key`, `tag`, `end_user` or `anonymous`.
    pub level: &'static str,
    /// Its name at that level; of an end user the digest. Empty for `global` and `anonymous`.
    pub id: String,
    /// Of the calls to this model alone.
    pub model: Option<String>,
}

impl Payer {
    pub(crate) fn of(whose: &Whose) -> Self {
        Self {
            level: whose.who.as_str(),
            id: whose.who.id().to_owned(),
            model: whose.model.as_deref().map(str::to_owned),
        }
    }
}

/// Keeps the record of what calls used.
pub trait Record: fmt::Debug + Send + Sync + 'static {
    /// A call that was let pass has ended. Called from destructors, for every call that could use something: it neither blocks nor fails.
    fn settled(&self, settled: Settled);

    /// Whether it can keep more. Calls are refused with 503 while it can't: what isn't recorded is not paid.
    fn takes(&self) -> bool {
        true
    }
}

/// Knows what was spent before a store of limits counted it.
pub trait Spent: fmt::Debug + Send + Sync + 'static {
    /// What calls that were let pass since then, since 1970, and have been settled cost the payer.
    ///
    /// # Errors
    /// Where that can't be told: the call is refused with 503, since a budget can't be held that nobody knows.
    fn spent(
        &self,
        payer: &Payer,
        since: Duration,
    ) -> impl Future<Output = Result<Cost, BoxError>> + Send;
}

/// A [`Spent`] of whatever type.
pub(crate) trait AnySpent: fmt::Debug + Send + Sync {
    fn spent<'a>(
        &'a self,
        payer: &'a Payer,
        since: Duration,
    ) -> Pin<Box<dyn Future<Output = Result<Cost, BoxError>> + Send + 'a>>;
}

impl<T: Spent> AnySpent for T {
    fn spent<'a>(
        &'a self,
        payer: &'a Payer,
        since: Duration,
    ) -> Pin<Box<dyn Future<Output = Result<Cost, BoxError>> + Send + 'a>> {
        Box::pin(Spent::spent(self, payer, since))
    }
}

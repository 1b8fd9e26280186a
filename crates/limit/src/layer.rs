//! The layer: what it is told.

use std::fmt;
use std::sync::Arc;

use bartizan_core::{Clock, Filtered, Level, Limits};

use crate::Local;
use crate::admission::{Store, Till};
use crate::alerts::BudgetAlerts;
use crate::allowance::Allowance;
use crate::calendar::{Calendar, NoZone};
use crate::end_user::EndUsers;
use crate::measure::TokenKind;
use crate::plan::Plans;
use crate::prices::{PriceList, UnknownPrices};
use crate::rules::Rules;
use crate::settled::{Record, Spent};
use crate::store::LimitStore;

const DEFAULT_OUTPUT: u64 = 512;

/// Applies limits and budgets: refuses with 429 the call that would exceed what one of its scopes may take.
///
/// Clones, and all services made by [`layer`](tower_layer::Layer::layer), count together. See the [crate's documentation](crate).
#[derive(Clone, Debug)]
pub struct LimitLayer(Arc<Limit>);

/// The filter of [`LimitLayer`].
#[derive(Clone)]
pub struct Limit {
    pub(crate) rules: Rules,
    pub(crate) plans: Arc<Plans>,
    pub(crate) till: Arc<Till>,
    pub(crate) prices: Option<Arc<dyn PriceList>>,
    pub(crate) unknown_prices: UnknownPrices,
    pub(crate) default_output: u64,
}

impl LimitLayer {
    /// Creates a layer that applies what limits and budgets the callers themselves carry, and no others, and counts in this process.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Limit {
            rules: Rules::default(),
            plans: Arc::default(),
            till: Arc::default(),
            prices: None,
            unknown_prices: UnknownPrices::default(),
            default_output: DEFAULT_OUTPUT,
        }))
    }

    /// What all calls together may take.
    #[must_use]
    pub fn global(self, allowance: impl Into<Allowance>) -> Self {
        self.with(|limit| limit.rules.global = allowance.into())
    }

    /// Requests a minute for each key that carries no limit of its own, and for all calls without a key together. None by default.
    #[must_use]
    pub fn default_rpm(self, requests: u32) -> Self {
        self.default_limits(
            Level::Key,
            Limits {
                rpm: Some(requests),
                ..Limits::default()
            },
        )
    }

    /// Tokens a minute for each key that carries no limit of its own, and for all calls without a key together. None by default.
    #[must_use]
    pub fn default_tpm(self, tokens: u32) -> Self {
        self.default_limits(
            Level::Key,
            Limits {
                tpm: Some(tokens),
                ..Limits::default()
            },
        )
    }

    /// What each key, team, user or organisation may take where it says nothing of its own, window by window; that of keys also what all calls
    /// without a key may take together. Told twice, it adds to what was said before.
    #[must_use]
    pub fn default_limits(self, level: Level, allowance: impl Into<Allowance>) -> Self {
        self.with(|limit| {
            let known = limit.rules.defaults.entry(level).or_default();
            *known = allowance.into().or(known);
        })
    }

    /// What all callers together may ask of `model`, named as they name it. Proxy admins are no exception.
    #[must_use]
    pub fn model(self, model: impl Into<String>, allowance: impl Into<Allowance>) -> Self {
        self.with(|limit| {
            limit.rules.models.insert(model.into(), allowance.into());
        })
    }

    /// What each key may ask of `model`, named as the caller names it.
    #[must_use]
    pub fn model_per_key(self, model: impl Into<String>, allowance: impl Into<Allowance>) -> Self {
        self.with(|limit| {
            let allowance = allowance.into();
            limit.rules.models_per_key.insert(model.into(), allowance);
        })
    }

    /// What all callers whose keys have that tag may take together.
    #[must_use]
    pub fn tag(self, tag: impl Into<String>, allowance: impl Into<Allowance>) -> Self {
        self.with(|limit| {
            limit.rules.tags.insert(tag.into(), allowance.into());
        })
    }

    /// Describes a tier: what each key or account that names it may take, besides its own limits (LiteLLM's `budget_id`). Callers of a tier that
    /// nobody has described are refused.
    #[must_use]
    pub fn tier(self, name: impl Into<String>, allowance: impl Into<Allowance>) -> Self {
        self.with(|limit| {
            limit.rules.tiers.insert(name.into(), allowance.into());
        })
    }

    /// What binds end users, and the secret by which they are known. Without it none are.
    #[must_use]
    pub fn end_users(self, end_users: EndUsers) -> Self {
        self.with(|limit| limit.rules.end_users = Some(end_users))
    }

    /// The time zone by whose calendar budgets run. UTC by default.
    ///
    /// # Errors
    /// [`NoZone`], where the IANA database has none of that name.
    pub fn time_zone(self, name: &str) -> Result<Self, NoZone> {
        let calendar = Calendar::of(name)?;
        Ok(self.with(|limit| limit.rules.calendar = calendar))
    }

    /// Which tokens a limit counts that doesn't say it. All by default.
    #[must_use]
    pub fn token_kind(self, kind: TokenKind) -> Self {
        self.counting(|counting| counting.kind = kind)
    }

    /// What an input token that the provider had in its cache counts against limits of tokens, in thousandths. 1,000 by default.
    #[must_use]
    pub fn cached_input_weight(self, thousandths: u32) -> Self {
        self.counting(|counting| counting.cached_weight = thousandths)
    }

    /// Who knows what models cost. Nobody by default.
    #[must_use]
    pub fn prices(self, prices: impl PriceList) -> Self {
        self.with(|limit| limit.prices = Some(Arc::new(prices)))
    }

    /// What becomes of calls to a model whose prices aren't known, where a budget binds them. They are refused by default.
    #[must_use]
    pub fn unknown_prices(self, unknown: UnknownPrices) -> Self {
        self.with(|limit| limit.unknown_prices = unknown)
    }

    /// Who keeps the record of what calls used. Nobody by default. Bodies are then read even where nothing limits a call.
    #[must_use]
    pub fn record(self, record: impl Record) -> Self {
        self.with(|limit| Arc::make_mut(&mut limit.till).record = Some(Arc::new(record)))
    }

    /// Who knows what was spent in a period before the store of limits counted it: asked once for each count. Without it that is nothing.
    #[must_use]
    pub fn spent(self, spent: impl Spent) -> Self {
        self.with(|limit| Arc::make_mut(&mut limit.till).spent = Some(Arc::new(spent)))
    }

    /// Who hears of budgets that run out, besides log and metric.
    #[must_use]
    pub fn alerts(self, alerts: impl BudgetAlerts) -> Self {
        self.with(|limit| Arc::make_mut(&mut limit.till).bells.to = Some(Arc::new(alerts)))
    }

    /// At which shares of a budget, in percent, it is told that it runs out. 50, 80 and 100 by default.
    #[must_use]
    pub fn alert_shares(self, shares: impl IntoIterator<Item = u8>) -> Self {
        self.with(|limit| {
            let mut shares = shares.into_iter().collect::<Vec<_>>();
            shares.sort_unstable();
            Arc::make_mut(&mut limit.till).bells.shares = shares;
        })
    }

    /// Output tokens that are reserved for an answer whose length the caller doesn't cap. 512 by default. Of money more is reserved where
    /// the [prices](Self::prices) know the model's longest answer.
    #[must_use]
    pub fn default_output_tokens(self, tokens: u64) -> Self {
        self.with(|limit| limit.default_output = tokens)
    }

    /// Whether default limits and limits per key and model bind proxy admins. `false` by default, as in LiteLLM: whoever holds the master
    /// key can lift any limit anyway. Limits that an admin's own key carries, and those of a model, bind always.
    #[must_use]
    pub fn limit_admins(self, limited: bool) -> Self {
        self.with(|limit| limit.rules.admins = limited)
    }

    /// Where counts are kept: in this process by default ([`Local`]).
    #[must_use]
    pub fn store(self, store: impl LimitStore) -> Self {
        self.with(|limit| {
            limit.till = Arc::new(limit.till.with_store(Store::Other(Arc::new(store))));
        })
    }

    /// Where the time is taken from, and a fresh count in this process. The machine's clocks by default.
    #[must_use]
    pub fn clock(self, clock: impl Clock + Clone) -> Self {
        self.with(|limit| {
            let local = Local::new().clock(clock.clone());
            let mut till = limit.till.with_store(Store::Local(local));
            till.clock = Arc::new(clock);
            limit.till = Arc::new(till);
        })
    }

    /// A fresh count in this process, of so many counts at a time at the most: see [`Local::max_counters`].
    #[must_use]
    pub fn max_counters(self, most: usize) -> Self {
        self.with(|limit| {
            let local = match &limit.till.store {
                Store::Local(local) => local.clone(),
                Store::Other(_) => Local::new(),
            };
            let local = local.max_counters(most);
            limit.till = Arc::new(limit.till.with_store(Store::Local(local)));
        })
    }

    /// Calls that were let pass and have not ended. Zero when none is on its way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.0.till.under_way()
    }

    fn counting(self, change: impl FnOnce(&mut crate::measure::Counting)) -> Self {
        self.with(|limit| {
            change(&mut limit.rules.counting);
            Arc::make_mut(&mut limit.till).counting = limit.rules.counting;
        })
    }

    fn with(mut self, change: impl FnOnce(&mut Limit)) -> Self {
        let limit = Arc::make_mut(&mut self.0);
        change(limit);
        // Plans of other rules are no longer true.
        limit.plans = Arc::default();
        self
    }
}

impl Default for LimitLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> tower_layer::Layer<S> for LimitLayer {
    type Service = Filtered<S, Limit>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::clone(&self.0))
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit")
            .field("rules", &self.rules)
            .field("store", &self.till.store)
            .field("prices", &self.prices)
            .finish_non_exhaustive()
    }
}

//! The counts that a caller's calls fall under, made once and kept.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bartizan_core::Principal;

use crate::allowance::Allowance;
use crate::calendar::Calendar;
use crate::measure::{Counting, MOST, Measure, TokenKind};
use crate::scope::Whose;
use crate::store::{Counter, Kind};

/// One count, and what binds it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) counter: Counter,
    pub(crate) limit: u64,
    pub(crate) measure: Measure,
    pub(crate) whose: Arc<Whose>,
    /// Of money: where it warns.
    pub(crate) soft: Option<u64>,
}

impl Line {
    /// The period of a count of money, in seconds since 1970.
    pub(crate) fn period(&self) -> Option<(u64, Option<u64>)> {
        match self.counter.kind() {
            Kind::Period { start, end } => Some((start, end)),
            Kind::Sliding(_) | Kind::Gauge => None,
        }
    }
}

/// All counts of a caller's calls to one model.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) lines: Vec<Arc<Line>>,
    /// When a period of it is over, and the plan with it.
    until: Option<u64>,
    principal: Option<Principal>,
    model: Option<Arc<str>>,
}

impl Plan {
    /// Makes the lines of `allowances`. What several of them say of one count binds all together.
    pub(crate) fn new(
        allowances: Vec<(Whose, Allowance)>,
        counting: Counting,
        calendar: &Calendar,
        now: Duration,
    ) -> Self {
        let mut plan = Self {
            lines: Vec::new(),
            until: None,
            principal: None,
            model: None,
        };
        let mut scopes: BTreeMap<Whose, Allowance> = BTreeMap::new();
        for (whose, allowance) in allowances {
            let known = scopes.entry(whose).or_default();
            *known = std::mem::take(known).and(&allowance);
        }
        for (whose, allowance) in scopes {
            plan.scope(&Arc::new(whose), &allowance, counting, calendar, now);
        }
        // Locked in their order anyway: found in it, they needn't be sorted by each call.
        plan.lines.sort_by_key(|line| line.counter.hash_value());
        plan
    }

    fn scope(
        &mut self,
        whose: &Arc<Whose>,
        allowance: &Allowance,
        counting: Counting,
        calendar: &Calendar,
        now: Duration,
    ) {
        let mut push = |what: String, kind, measure, limit, soft| {
            self.lines.push(Arc::new(Line {
                counter: Counter::new(format!("{whose}/{what}"), kind),
                limit: u64::min(limit, MOST),
                measure,
                whose: Arc::clone(whose),
                soft,
            }));
        };
        for (window, most) in &allowance.requests {
            let what = format!("requests/{}ms", window.as_millis());
            let measure = Measure::Requests(*window);
            push(what, Kind::Sliding(*window), measure, *most, None);
        }
        let mut tokens: BTreeMap<(Duration, TokenKind), u64> = BTreeMap::new();
        for ((window, kind), most) in &allowance.tokens {
            let place = tokens.entry((*window, kind.unwrap_or(counting.kind)));
            let known = place.or_insert(MOST);
            *known = (*known).min(*most);
        }
        for ((window, kind), most) in tokens {
            let what = format!("{}_tokens/{}ms", kind.as_str(), window.as_millis());
            let measure = Measure::Tokens(window, kind);
            push(what, Kind::Sliding(window), measure, most, None);
        }
        if let Some(most) = allowance.calls {
            push("calls".to_owned(), Kind::Gauge, Measure::Calls, most, None);
        }
        if let Some(most) = allowance.streams {
            let what = "streams".to_owned();
            push(what, Kind::Gauge, Measure::Streams, most, None);
        }
        for (span, money) in &allowance.budgets {
            let (name, start, end) = match span {
                None => ("ever".to_owned(), 0, None),
                Some(span) => {
                    let (start, end) = calendar.around(*span, now);
                    (format!("{span}/{start}"), start, Some(end))
                }
            };
            let kind = Kind::Period { start, end };
            // What only warns is counted all the same.
            let limit = money.most.unwrap_or(MOST);
            let what = format!("nusd/{name}");
            push(what, kind, Measure::Money, limit, money.soft);
            self.until = match (self.until, end) {
                (Some(until), Some(end)) => Some(until.min(end)),
                (until, end) => until.or(end),
            };
        }
    }
}

/// Plans that were made, so that names aren't made for each call. Bounded; what is forgotten is made again.
#[derive(Debug)]
pub(crate) struct Plans {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
}

type Shard = HashMap<u64, Arc<Plan>>;

const SHARDS: usize = 16;
const MOST_PLANS: usize = 20_000;

impl Default for Plans {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Plans {
    /// The plan of `principal` for `model`, as `make` makes it.
    pub(crate) fn of<E>(
        &self,
        principal: Option<&Principal>,
        model: Option<&str>,
        now: Duration,
        make: impl FnOnce(Option<&Arc<str>>) -> Result<Plan, E>,
    ) -> Result<Arc<Plan>, E> {
        let hash = self
            .hasher
            .hash_one((principal.map(Principal::key_id), model));
        if let Some(plan) = self.shard(hash).and_then(|plans| {
            plans
                .get(&hash)
                .filter(|plan| plan.is_of(principal, model, now))
                .map(Arc::clone)
        }) {
            return Ok(plan);
        }
        let model: Option<Arc<str>> = model.map(Arc::from);
        let mut plan = make(model.as_ref())?;
        plan.principal = principal.cloned();
        plan.model = model;
        let plan = Arc::new(plan);
        if let Some(mut plans) = self.shard(hash) {
            if plans.len() >= MOST_PLANS / SHARDS && !plans.contains_key(&hash) {
                plans.clear();
            }
            plans.insert(hash, Arc::clone(&plan));
        }
        Ok(plan)
    }

    fn shard(&self, hash: u64) -> Option<MutexGuard<'_, Shard>> {
        let shard = self.shards.get((hash >> 40) as usize % SHARDS)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Plan {
    fn is_of(&self, principal: Option<&Principal>, model: Option<&str>, now: Duration) -> bool {
        // A principal whose bounds have changed is another.
        self.principal.as_ref() == principal
            && self.model.as_deref() == model
            && self.until.is_none_or(|until| now.as_secs() < until)
    }
}

//! Budgets that run out: told once a period and share, before they refuse.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::measure::{MOST, Measure};
use crate::plan::Line;
use crate::store::Counter;

/// Hears of budgets that run out. Called from where calls are settled: it must not block.
pub trait BudgetAlerts: fmt::Debug + Send + Sync + 'static {
    /// A budget has reached a share of what may be spent, or its soft budget.
    fn reached(&self, reached: &Reached);
}

/// A budget that has reached a share. Amounts are in 10⁻⁹ US dollars, and hold what calls under way may yet spend.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reached {
    /// Whose budget: `key`, `team`, `user`, `organization`, `tag`, `end_user`, `global`, with `_model` at the end where it is for one.
    pub scope: &'static str,
    /// Which of them; an end user by its digest.
    pub id: String,
    /// For which model, where it is for one.
    pub model: Option<String>,
    /// In percent; `None`: the soft budget.
    pub share: Option<u8>,
    /// What is spent.
    pub spent: u64,
    /// What may be spent, or the soft budget.
    pub budget: u64,
    /// When the period began, in seconds since 1970.
    pub start: u64,
    /// When it ends, where it does.
    pub end: Option<u64>,
}

/// Which shares are told, and which have been.
#[derive(Clone, Debug)]
pub(crate) struct Bells {
    /// In percent, the smallest first.
    pub(crate) shares: Vec<u8>,
    pub(crate) to: Option<Arc<dyn BudgetAlerts>>,
    told: Arc<Mutex<HashMap<Counter, Told>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Told {
    soft: bool,
    share: u8,
}

/// What is forgotten beyond is told again.
const MOST_TOLD: usize = 50_000;

impl Default for Bells {
    fn default() -> Self {
        Self {
            shares: vec![50, 80, 100],
            to: None,
            told: Arc::default(),
        }
    }
}

impl Bells {
    /// Tells what a budget has newly reached, of which `spent` is spent.
    pub(crate) fn ring(&self, line: &Line, spent: u64) {
        if line.measure != Measure::Money {
            return;
        }
        let soft = line.soft.is_some_and(|soft| spent >= soft);
        let share = (line.limit < MOST)
            .then(|| {
                let reached = |share: &&u8| {
                    u128::from(spent) * 100 >= u128::from(line.limit) * u128::from(**share)
                };
                self.shares.iter().rev().find(reached).copied()
            })
            .flatten();
        if !soft && share.is_none() {
            return;
        }
        let (soft, share) = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() >= MOST_TOLD && !told.contains_key(&line.counter) {
                told.clear();
            }
            let known = told.entry(line.counter.clone()).or_default();
            let new = (
                soft && !known.soft,
                share.filter(|share| *share > known.share),
            );
            known.soft |= soft;
            known.share = known.share.max(share.unwrap_or_default());
            new
        };
        if soft {
            self.tell(line, None, spent, line.soft.unwrap_or_default());
        }
        if share.is_some() {
            self.tell(line, share, spent, line.limit);
        }
    }

    fn tell(&self, line: &Line, share: Option<u8>, spent: u64, budget: u64) {
        let (start, end) = line.period().unwrap_or_default();
        let reached = Reached {
            scope: line.whose.word(),
            id: line.whose.who.id().to_owned(),
            model: line.whose.model.as_deref().map(str::to_owned),
            share,
            spent,
            budget,
            start,
            end,
        };
        let word = share.map_or_else(|| "soft".to_owned(), |share| format!("{share}%"));
        metrics::counter!("bartizan.limit.budget_alerts", "scope" => reached.scope, "share" => word.clone())
            .increment(1);
        tracing::warn!(
            scope = reached.scope,
            id = reached.id,
            model = reached.model,
            share = word,
            spent_nano_dollars = spent,
            budget_nano_dollars = budget,
            "a budget runs out"
        );
        if let Some(to) = &self.to {
            to.reached(&reached);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bartizan_core::Budget;

    use super::*;
    use crate::Allowance;
    use crate::plan::Plan;
    use crate::scope::{Who, Whose};

    #[derive(Debug, Default)]
    struct Heard(Mutex<Vec<Option<u8>>>);

    impl BudgetAlerts for Heard {
        fn reached(&self, reached: &Reached) {
            assert_eq!((reached.scope, &*reached.id), ("team", "t"));
            self.0.lock().unwrap().push(reached.share);
        }
    }

    fn line(at: u64) -> Arc<Line> {
        let budget = Budget {
            max_budget: Some("10".parse().unwrap()),
            soft_budget: Some("7".parse().unwrap()),
            budget_duration: Some("1d".parse().unwrap()),
        };
        let allowance = Allowance::new().budget(budget).unwrap();
        let whose = Whose::all(Who::Team("t".into()));
        let plan = Plan::new(
            vec![(whose, allowance)],
            Default::default(),
            &Default::default(),
            Duration::from_secs(at),
        );
        Arc::clone(&plan.lines[0])
    }

    #[test]
    fn each_share_is_told_once_a_period() {
        let heard = Arc::new(Heard::default());
        let bells = Bells {
            to: Some(Arc::clone(&heard) as _),
            ..Bells::default()
        };
        let dollar = 1_000_000_000;
        for (day, spent, told) in [
            (0, 4 * dollar, vec![]),
            (0, 5 * dollar, vec![Some(50)]),
            (0, 6 * dollar, vec![]),
            (0, 7 * dollar, vec![None]),
            (0, 6 * dollar, vec![]),
            (0, 10 * dollar, vec![Some(100)]),
            (0, 11 * dollar, vec![]),
            (1, 9 * dollar, vec![None, Some(80)]),
            (1, 9 * dollar, vec![]),
        ] {
            // The line is made anew, as it is when a plan was forgotten.
            bells.ring(&line(day * 86_400), spent);
            assert_eq!(
                std::mem::take(&mut *heard.0.lock().unwrap()),
                told,
                "{day} {spent}"
            );
        }
    }
}

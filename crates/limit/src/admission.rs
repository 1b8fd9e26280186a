//! Decides on a call, and ends what was taken for it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Clock, SystemClock, Usage};

use crate::Local;
use crate::alerts::Bells;
use crate::measure::{Counting, MOST, Measure};
use crate::plan::Line;
use crate::settled::{AnySpent, Payer, Record};
use crate::store::{Away, Charge, Claim, Counter, Decision, LimitStore, Standing};

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Away>> + Send + 'a>>;

/// A [`LimitStore`] of whatever type.
pub(crate) trait AnyStore: fmt::Debug + Send + Sync {
    fn decide<'a>(&'a self, claims: &'a [Claim]) -> Answer<'a, Decision>;
    fn settle(&self, claims: &[Claim], charge: Charge, used: &[u64]);
    fn seed<'a>(&'a self, counter: &'a Counter, spent: u64) -> Answer<'a, ()>;
    fn degraded(&self) -> bool;
}

impl<T: LimitStore> AnyStore for T {
    fn decide<'a>(&'a self, claims: &'a [Claim]) -> Answer<'a, Decision> {
        Box::pin(LimitStore::decide(self, claims))
    }

    fn settle(&self, claims: &[Claim], charge: Charge, used: &[u64]) {
        LimitStore::settle(self, claims, charge, used);
    }

    fn seed<'a>(&'a self, counter: &'a Counter, spent: u64) -> Answer<'a, ()> {
        Box::pin(LimitStore::seed(self, counter, spent))
    }

    fn degraded(&self) -> bool {
        LimitStore::degraded(self)
    }
}

/// Where the counts are kept. In this process it is asked without a boxed future.
#[derive(Clone, Debug)]
pub(crate) enum Store {
    Local(Local),
    Other(Arc<dyn AnyStore>),
}

impl Store {
    async fn decide(&self, claims: &[Claim]) -> Result<Decision, Away> {
        match self {
            Self::Local(local) => LimitStore::decide(local, claims).await,
            Self::Other(store) => store.decide(claims).await,
        }
    }

    async fn seed(&self, counter: &Counter, spent: u64) -> Result<(), Away> {
        match self {
            Self::Local(local) => LimitStore::seed(local, counter, spent).await,
            Self::Other(store) => store.seed(counter, spent).await,
        }
    }

    fn degraded(&self) -> bool {
        match self {
            Self::Local(_) => false,
            Self::Other(store) => store.degraded(),
        }
    }

    fn settle(&self, claims: &[Claim], charge: Charge, used: &[u64]) {
        match self {
            Self::Local(local) => LimitStore::settle(local, claims, charge, used),
            Self::Other(store) => store.settle(claims, charge, used),
        }
    }
}

/// What decisions and settlements need. Clones share their counts.
#[derive(Clone)]
pub(crate) struct Till {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counting: Counting,
    pub(crate) bells: Bells,
    pub(crate) record: Option<Arc<dyn Record>>,
    pub(crate) spent: Option<Arc<dyn AnySpent>>,
    /// Held by each admission.
    open: Arc<()>,
}

impl Default for Till {
    fn default() -> Self {
        Self {
            store: Store::Local(Local::new()),
            clock: Arc::new(SystemClock::new()),
            counting: Counting::default(),
            bells: Bells::default(),
            record: None,
            spent: None,
            open: Arc::default(),
        }
    }
}

/// One count that a call wants something of.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) line: Arc<Line>,
    pub(crate) amount: u64,
}

/// Why a call may not pass.
#[derive(Debug)]
pub(crate) enum Denied {
    Over(Box<Over>),
    Away(Away),
}

/// The limit that holds longest of those that are reached.
#[derive(Debug)]
pub(crate) struct Over {
    pub(crate) line: Arc<Line>,
    pub(crate) asked: u64,
    pub(crate) standing: Standing,
    pub(crate) wait: Option<Duration>,
    pub(crate) quotes: Vec<Quote>,
}

/// Where a count of the caller's own stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quote {
    pub(crate) measure: Measure,
    pub(crate) limit: u64,
    pub(crate) standing: Standing,
}

/// How often a store may say that it doesn't know what was spent: once for each period that begins between two questions.
const MOST_SEEDINGS: usize = 4;

impl Till {
    /// Takes what is wished for, all or nothing.
    pub(crate) async fn admit(self: &Arc<Self>, wishes: Vec<Wish>) -> Result<Admission, Denied> {
        let claims = wishes
            .iter()
            .map(|wish| Claim {
                counter: wish.line.counter.clone(),
                limit: wish.line.limit,
                amount: wish.amount,
                share: None,
            })
            .collect::<Vec<_>>();
        if claims.is_empty() {
            return Ok(self.admitted(wishes, claims, Charge { at: 0, by: 0 }, Vec::new()));
        }
        for _ in 0..MOST_SEEDINGS {
            match self.store.decide(&claims).await.map_err(Denied::Away)? {
                Decision::Admitted { charge, standings } => {
                    return Ok(self.admitted(wishes, claims, charge, standings));
                }
                Decision::Refused {
                    claim,
                    wait,
                    standings,
                } => {
                    return Err(self.over(&wishes, claim, wait, &standings));
                }
                Decision::Unseeded(places) => {
                    for place in places {
                        let Some(line) = wishes.get(place).map(|wish| &wish.line) else {
                            continue;
                        };
                        let spent = self.spent(line).await.map_err(Denied::Away)?;
                        let seeded = self.store.seed(&line.counter, spent).await;
                        seeded.map_err(Denied::Away)?;
                    }
                }
            }
        }
        Err(Denied::Away(Away::Unreachable))
    }

    fn admitted(
        self: &Arc<Self>,
        wishes: Vec<Wish>,
        claims: Vec<Claim>,
        charge: Charge,
        standings: Vec<Standing>,
    ) -> Admission {
        Admission {
            till: Arc::clone(self),
            wishes,
            claims,
            charge,
            standings,
            open: Some(Arc::clone(&self.open)),
        }
    }

    /// What was spent in a period before the store knew of it.
    async fn spent(&self, line: &Line) -> Result<u64, Away> {
        let (Some(spent), Some((start, _))) = (&self.spent, line.period()) else {
            return Ok(0);
        };
        let payer = Payer::of(&line.whose);
        match spent.spent(&payer, Duration::from_secs(start)).await {
            Ok(cost) => Ok(cost.nano_dollars().min(MOST)),
            Err(error) => {
                tracing::warn!(%error, "what was spent in a period can't be looked up");
                Err(Away::Unreachable)
            }
        }
    }

    fn over(
        &self,
        wishes: &[Wish],
        claim: usize,
        wait: Option<Duration>,
        standings: &[Standing],
    ) -> Denied {
        let (Some(wish), Some(standing)) = (wishes.get(claim), standings.get(claim)) else {
            return Denied::Away(Away::Unreachable);
        };
        // A tenth that is left isn't spent, however much a call asks for.
        let spent = if standing.taken >= wish.line.limit / 10 * 9 {
            wish.line.limit
        } else {
            standing.taken
        };
        self.bells.ring(&wish.line, spent);
        Denied::Over(Box::new(Over {
            line: Arc::clone(&wish.line),
            asked: wish.amount,
            standing: *standing,
            wait,
            quotes: quotes(wishes, standings),
        }))
    }

    /// Whether the store decides without what other processes have taken.
    pub(crate) fn degraded(&self) -> bool {
        self.store.degraded()
    }

    /// Admissions that haven't ended.
    pub(crate) fn under_way(&self) -> usize {
        Arc::strong_count(&self.open).saturating_sub(1)
    }

    /// The same, counting anew.
    pub(crate) fn with_store(&self, store: Store) -> Self {
        Self {
            store,
            open: Arc::default(),
            ..self.clone()
        }
    }
}

/// Where the caller's own counts stand.
fn quotes(wishes: &[Wish], standings: &[Standing]) -> Vec<Quote> {
    wishes
        .iter()
        .zip(standings)
        .filter(|(wish, _)| wish.line.whose.is_own())
        .map(|(wish, standing)| Quote {
            measure: wish.line.measure,
            limit: wish.line.limit,
            standing: *standing,
        })
        .collect()
}

/// A call that passed. What it took is ended when it is settled; dropped before, it costs what was taken.
pub(crate) struct Admission {
    till: Arc<Till>,
    wishes: Vec<Wish>,
    claims: Vec<Claim>,
    charge: Charge,
    standings: Vec<Standing>,
    open: Option<Arc<()>>,
}

/// What a call turned out to use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bill {
    pub(crate) usage: Usage,
    /// In 10⁻⁹ US dollars.
    pub(crate) cost: u64,
}

impl Admission {
    /// Where the caller's own counts stand. `None`: nothing binds the call.
    pub(crate) fn quotes(&self) -> Option<Vec<Quote>> {
        (!self.wishes.is_empty()).then(|| quotes(&self.wishes, &self.standings))
    }

    pub(crate) fn till(&self) -> &Till {
        &self.till
    }

    /// Whether it holds something for as long as the call is under way.
    pub(crate) fn holds(&self) -> bool {
        let mut wishes = self.wishes.iter();
        wishes.any(|wish| matches!(wish.line.measure, Measure::Calls | Measure::Streams))
    }

    pub(crate) fn settle(mut self, bill: &Bill) {
        self.end(Some(bill));
    }

    fn end(&mut self, bill: Option<&Bill>) {
        if self.open.take().is_none() {
            return;
        }
        let counting = self.till.counting;
        let used = self
            .wishes
            .iter()
            .map(|wish| match (wish.line.measure, bill) {
                (Measure::Requests(_), _) => wish.amount,
                (Measure::Calls | Measure::Streams, _) => 0,
                (_, None) => wish.amount,
                (Measure::Tokens(_, kind), Some(bill)) => {
                    counting.used(kind, &bill.usage).min(MOST)
                }
                (Measure::Money, Some(bill)) => bill.cost.min(MOST),
            })
            .collect::<Vec<_>>();
        if !used.is_empty() {
            self.till.store.settle(&self.claims, self.charge, &used);
        }
        let standings = self.standings.iter();
        for ((wish, used), standing) in self.wishes.iter().zip(used).zip(standings) {
            let spent = standing.taken.saturating_sub(wish.amount);
            self.till.bells.ring(&wish.line, spent.saturating_add(used));
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("wishes", &self.wishes)
            .finish_non_exhaustive()
    }
}

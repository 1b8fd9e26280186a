//! Sees what a call used, and settles it however the call ends.

use std::fmt;
use std::time::Duration;

use bartizan_core::{
    Document, End, Event, Form, Out, Prices, Principal, Refusal, Served, Step, Tap, TextRole,
    TokenEstimate, Tokenizer, Trail, Usage, Watch,
};
use http::response;

use crate::admission::{Admission, Bill, Quote};
use crate::estimate::Estimate;
use crate::headers;
use crate::settled::{Outcome, Settled};

/// Who pays for what.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) at: Duration,
    pub(crate) principal: Option<Principal>,
    pub(crate) end_user: Option<String>,
    pub(crate) model: Option<String>,
    /// What the model costs that was asked for.
    pub(crate) prices: Option<Prices>,
}

/// The tap of [`Limit`](crate::Limit): writes the headers, holds what its call takes at once, and settles what was reserved for it when the answer is
/// through, fails, or is dropped.
pub struct LimitTap {
    admission: Option<Admission>,
    quotes: Option<Vec<Quote>>,
    /// The store of limits decided without what other processes have taken.
    degraded: bool,
    trail: Option<Trail>,
    /// `None`: nothing but requests and calls at once is counted.
    estimate: Option<Estimate>,
    account: Account,
    /// Who answered, and what that costs.
    served: Option<Served>,
    /// What the provider has said of its usage so far.
    reported: Option<Usage>,
    /// What has streamed by.
    streamed: TokenEstimate,
    progress: Progress,
    /// The answer came to its end.
    complete: bool,
}

// ## Waiting => Answering: a head came that may cost something.
// ## Waiting => Failed: a head came that costs nothing.
// ## Answering => Through: the answer's last event, or its whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Waiting,
    Answering,
    /// Nobody can look into the answer.
    Opaque,
    Failed,
    Through,
}

impl LimitTap {
    pub(crate) fn new(
        admission: Admission,
        estimate: Option<Estimate>,
        account: Account,
        trail: Option<Trail>,
    ) -> Self {
        let model = account.model.as_deref();
        let tokenizer = model.map_or(Tokenizer::Other, Tokenizer::of_model);
        Self {
            quotes: admission.quotes(),
            degraded: admission.till().degraded(),
            admission: Some(admission),
            trail,
            estimate,
            streamed: TokenEstimate::new(tokenizer),
            account,
            served: None,
            reported: None,
            progress: Progress::Waiting,
            complete: false,
        }
    }

    fn see(&mut self, document: &Document, all: bool) {
        if let Some(usage) = &document.facts().usage {
            self.reported.get_or_insert_default().raise_to(usage);
        }
        for text in document
            .texts()
            .filter(|text| (all || text.is_delta()) && is_output(text.role()))
        {
            self.streamed.add(text.as_str());
        }
    }

    /// What the call used, and whether that is an estimate. `None`: nothing.
    fn used(&self) -> Option<(Usage, bool)> {
        let streamed = self.streamed.tokens();
        let estimate = self.estimate.unwrap_or_default();
        if let Some(mut usage) = self.reported {
            let through = self.progress == Progress::Through;
            if !through {
                // What a provider says in the middle is true of the input only.
                usage.output = usage
                    .output
                    .saturating_add(streamed.saturating_sub(usage.total_output()));
            }
            return Some((usage, !through));
        }
        let output = match self.progress {
            Progress::Failed => return None,
            Progress::Waiting => 0,
            Progress::Opaque => estimate.output,
            Progress::Answering | Progress::Through => streamed,
        };
        Some((
            Usage {
                input: estimate.input,
                output,
                ..Usage::default()
            },
            true,
        ))
    }

    fn outcome(&self) -> Outcome {
        match self.progress {
            Progress::Failed => Outcome::Failed,
            Progress::Through => Outcome::Complete,
            _ if self.complete => Outcome::Complete,
            Progress::Waiting | Progress::Answering | Progress::Opaque => Outcome::Aborted,
        }
    }

    /// Ends the call, the first time.
    fn settle(&mut self) {
        let Some(admission) = self.admission.take() else {
            return;
        };
        let told = self.trail.as_ref().and_then(Trail::usage);
        let used = match (self.reported, told) {
            // A layer inside has seen what this one could not.
            (None, Some(told)) => Some(told),
            _ => self.used(),
        };
        let Some(estimate) = self.estimate else {
            admission.settle(&Bill::default());
            return;
        };
        let (usage, basis) = match &used {
            Some((usage, false)) => (*usage, "reported"),
            Some((usage, true)) => (*usage, "estimated"),
            None => (Usage::default(), "refunded"),
        };
        let served = self.served.as_ref().map(|served| served.prices);
        let prices = served.filter(|prices| !prices.is_unknown());
        let prices = prices.or(self.account.prices);
        let cost = prices.map(|prices| prices.cost(&usage)).unwrap_or_default();
        if prices.is_none() && used.is_some() {
            metrics::counter!("bartizan.limit.unpriced").increment(1);
        }
        if let Some(record) = &admission.till().record {
            let outcome = self.outcome();
            // What a caller writes in the place of a model's name may be anything: it is kept where it turned out to be one.
            let known = self.served.is_some() || prices.is_some() || outcome == Outcome::Complete;
            record.settled(Settled {
                at: self.account.at,
                principal: self.account.principal.take(),
                end_user: self.account.end_user.take(),
                model: self.account.model.take().filter(|_| known),
                served: self.served.take(),
                usage,
                estimated: used.is_some_and(|(_, estimated)| estimated),
                cost,
                priced: prices.is_some(),
                outcome,
            });
        }
        admission.settle(&Bill {
            usage,
            cost: cost.nano_dollars(),
        });
        let total = usage.total();
        metrics::counter!("bartizan.limit.settled_tokens", "basis" => basis).increment(total);
        tracing::debug!(
            tokens = total,
            reserved = estimate.total(),
            cost = %cost,
            basis,
            "settled"
        );
        if let (Some(trail), Some((usage, estimated))) = (&self.trail, used) {
            trail.settle(usage, estimated);
        }
    }
}

/// Whether a model wrote it: some answers repeat what they were asked.
fn is_output(role: TextRole) -> bool {
    matches!(
        role,
        TextRole::Assistant | TextRole::Reasoning | TextRole::Refusal | TextRole::ToolArguments
    )
}

impl Tap for LimitTap {
    fn watch(&self) -> Watch {
        match (&self.admission, &self.estimate, self.progress) {
            (Some(_), Some(_), _) => Watch::Content,
            (Some(_), None, _) | (None, _, Progress::Waiting) => Watch::End,
            (None, ..) => Watch::Nothing,
        }
    }

    async fn head(&mut self, head: &mut response::Parts) -> Result<(), Refusal> {
        if let Some(quotes) = &self.quotes {
            headers::replace(&mut head.headers, quotes);
        }
        if self.degraded {
            let (name, value) = headers::DEGRADED;
            head.headers.insert(name, value);
        }
        self.served = head.extensions.get::<Served>().cloned();
        if head.status.is_client_error()
            || head.status.is_server_error()
            || head.extensions.get::<Refusal>().is_some()
        {
            self.progress = Progress::Failed;
            self.settle();
        } else if Form::of(&head.headers) == Form::Opaque {
            self.progress = Progress::Opaque;
        } else {
            self.progress = Progress::Answering;
        }
        let waits = |admission: &Admission| self.estimate.is_some() || admission.holds();
        if !self.admission.as_ref().is_some_and(waits) {
            self.settle();
        }
        Ok(())
    }

    fn event(&mut self, event: Event, out: &mut Out) -> Step {
        let done = match event.peek() {
            Some(document) => {
                self.see(document, false);
                document.facts().terminal && !document.facts().error
            }
            None => event.data() == Some("[DONE]"),
        };
        if done {
            self.progress = Progress::Through;
            self.settle();
        }
        out.push(event);
        Step::Go
    }

    fn reply(&mut self, reply: &mut Document) -> Step {
        self.see(reply, true);
        self.progress = Progress::Through;
        self.settle();
        Step::Go
    }

    fn end(&mut self, end: End<'_>, _: &mut Out) -> Step {
        self.complete = matches!(end, End::Complete);
        if self.complete && self.progress == Progress::Answering {
            self.progress = Progress::Through;
        }
        self.settle();
        Step::Go
    }
}

impl Drop for LimitTap {
    fn drop(&mut self) {
        self.settle();
    }
}

impl fmt::Debug for LimitTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitTap")
            .field("estimate", &self.estimate)
            .field("reported", &self.reported)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

//! Sees what a call used, and settles it however the call ends.

use std::fmt;

use bartizan_core::{
    Document, End, Event, Form, Out, Refusal, Step, Tap, TextRole, TokenEstimate, Trail, Usage,
    Watch,
};
use http::response;

use crate::estimate::Estimate;
use crate::headers;
use crate::ledger::Quotes;
use crate::limiter::Admission;

/// The tap of [`Limit`](crate::Limit): writes the headers, and settles the tokens reserved for its call when the answer is through, fails, or is dropped.
pub struct LimitTap {
    admission: Option<Admission>,
    quotes: Quotes,
    trail: Option<Trail>,
    estimate: Estimate,
    /// What the provider has said of its usage so far.
    reported: Option<Usage>,
    /// What has streamed by.
    streamed: TokenEstimate,
    progress: Progress,
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
    /// `estimate` is what was reserved; without it only requests are limited, and nothing is watched but the head.
    pub(crate) fn new(
        admission: Admission,
        estimate: Option<Estimate>,
        trail: Option<Trail>,
    ) -> Self {
        Self {
            quotes: admission.quotes(),
            admission: estimate.is_some().then_some(admission),
            trail,
            estimate: estimate.unwrap_or_default(),
            reported: None,
            streamed: TokenEstimate::default(),
            progress: Progress::Waiting,
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
            Progress::Opaque => self.estimate.output,
            Progress::Answering | Progress::Through => streamed,
        };
        Some((
            Usage {
                input: self.estimate.input,
                output,
                ..Usage::default()
            },
            true,
        ))
    }

    /// Settles, the first time.
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
        let (total, basis) = match &used {
            Some((usage, false)) => (usage.total(), "reported"),
            Some((usage, true)) => (usage.total(), "estimated"),
            None => (0, "refunded"),
        };
        admission.settle(total);
        metrics::counter!("bartizan.limit.settled_tokens", "basis" => basis).increment(total);
        tracing::debug!(
            tokens = total,
            reserved = self.estimate.total(),
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
        match (&self.admission, self.progress) {
            (Some(_), _) => Watch::Content,
            (None, Progress::Waiting) => Watch::End,
            (None, _) => Watch::Nothing,
        }
    }

    async fn head(&mut self, head: &mut response::Parts) -> Result<(), Refusal> {
        headers::replace(&mut head.headers, &self.quotes);
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
        if matches!((end, self.progress), (End::Complete, Progress::Answering)) {
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

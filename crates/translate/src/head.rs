//! The head of an answer on its way to the client: which headers pass, and what a failure says.

use std::sync::Arc;

use bartizan_core::{Clock, Dialect, Document, Form, Refusal, towards_client};
use http::HeaderName;
use http::response::Parts;

use crate::fault::Failure;
use crate::headers::rename;
use crate::tap::read;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Said in the answer's body, in the client's own words.
const COUNTS: [HeaderName; 2] = [
    HeaderName::from_static("x-amzn-bedrock-input-token-count"),
    HeaderName::from_static("x-amzn-bedrock-output-token-count"),
];

/// How an answer stands, by its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// A layer inside refused it: nothing of it is a provider's.
    Refused,
    /// The provider failed, and its body says how.
    Failed,
    /// It is what was asked for.
    Well,
}

/// Sees the head of one answer, and tells a failure anew.
#[derive(Debug)]
pub(crate) struct Head {
    inner: Dialect,
    outer: Dialect,
    clock: Arc<dyn Clock>,
    failure: Option<Failure>,
    told: Option<Refusal>,
}

impl Head {
    pub(crate) fn new(inner: Dialect, outer: Dialect, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner,
            outer,
            clock,
            failure: None,
            told: None,
        }
    }

    /// Takes from the head what is not for the client.
    ///
    /// # Errors
    ///
    /// The answer failed, and nobody can read how.
    pub(crate) fn see(&mut self, head: &mut Parts) -> Result<Stands, Refusal> {
        if head.extensions.get::<Refusal>().is_some() {
            return Ok(Stands::Refused);
        }
        let now = self.clock.unix();
        let failed = !head.status.is_success();
        if failed {
            self.failure = Some(Failure::of(head, self.inner, now.as_secs()));
        }
        head.headers = towards_client(&head.headers);
        // What Amazon's clients call a failure by is said anew.
        head.headers.remove(&ERROR_TYPE);
        if self.inner != self.outer {
            for count in COUNTS {
                head.headers.remove(count);
            }
            rename(&mut head.headers, self.outer, now.as_secs());
        }
        let Some(failure) = self.failure.as_mut() else {
            return Ok(Stands::Well);
        };
        if Form::of(&head.headers) == Form::Json {
            return Ok(Stands::Failed);
        }
        let refusal = failure.unreadable();
        // The refusal has a body and retry guidance of its own.
        let passing = head.headers.iter().filter(|(name, value)| {
            !matches!(
                name.as_str(),
                "content-type" | "content-encoding" | "retry-after" | "retry-after-ms"
            ) && (*name != "x-should-retry" || *value == "true")
        });
        Err(passing.fold(refusal, |refusal, (name, value)| {
            refusal.header(name.clone(), value.clone())
        }))
    }

    /// Tells the reply of a provider that failed; `None` where it did not fail.
    pub(crate) fn reply(&mut self, reply: &Document) -> Result<Option<Document>, Refusal> {
        let Some(failure) = &mut self.failure else {
            return Ok(None);
        };
        let refusal = failure.read(reply);
        let text = refusal.body(self.outer);
        self.told = Some(refusal);
        read(&text, self.outer).map(Some)
    }

    /// Puts into the head what the body said.
    pub(crate) fn replied(&self, head: &mut Parts) {
        let (Some(failure), Some(refusal)) = (&self.failure, &self.told) else {
            return;
        };
        head.status = refusal.status_in(self.outer);
        failure.say_again(&mut head.headers);
        if self.outer == Dialect::BedrockConverse
            && let Some(exception) = refusal.render(self.outer).headers().get(&ERROR_TYPE)
        {
            head.headers.insert(ERROR_TYPE, exception.clone());
        }
    }
}

//! Whether and when to try again.

use std::time::{Duration, UNIX_EPOCH};

use bartizan_core::{Dialect, Refusal};
use http::header::RETRY_AFTER;
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// What a failure says of trying again.
#[derive(Debug)]
pub(crate) struct Again {
    /// The head says something of it, which passes.
    told: bool,
    after: Option<Duration>,
    never: bool,
}

impl Again {
    /// Reads the head of a failure of `inner`. `now` in seconds since 1970.
    pub(super) fn of(head: &Parts, inner: Dialect, now: u64) -> Self {
        let should = head.headers.get(&SHOULD_RETRY);
        let after = after(&head.headers, now);
        // Anthropic says when to come back, unless a budget is spent: then trying again can't help.
        let spent = matches!(
            inner,
            Dialect::AnthropicMessages | Dialect::AnthropicCountTokens
        ) && head.status == StatusCode::TOO_MANY_REQUESTS;
        let told = after.is_some() || should.is_some();
        Self {
            told,
            after,
            never: should.is_some_and(|should| should == "false") || (spent && !told),
        }
    }

    /// Takes in what the body says, where the head said nothing.
    pub(super) fn add(&mut self, after: Option<Duration>) {
        if !self.told {
            self.after = after;
        }
    }

    /// What is used up does not come back by waiting, unless the provider has said when.
    pub(super) fn spent(&mut self) {
        if !self.told && self.after.is_none() {
            self.never = true;
        }
    }

    pub(super) fn never(&mut self) {
        self.never = true;
    }

    pub(super) fn say(&self, refusal: Refusal) -> Refusal {
        match self.after {
            _ if self.never => refusal,
            Some(after) => refusal.retry_after(after),
            None => refusal.retry_as_usual(),
        }
    }

    /// Adds what the head itself does not say.
    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        if let Some(after) = self.after.filter(|_| !self.told) {
            let milliseconds = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            headers.insert(RETRY_AFTER, milliseconds.div_ceil(1_000).into());
            headers.insert(RETRY_AFTER_MS, milliseconds.into());
        } else if self.never && !headers.contains_key(&SHOULD_RETRY) {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        // A date means what the reader's clock makes of it.
        if self.told
            && let Some(after) = self.after
            && let Some(said) = headers.get_mut(RETRY_AFTER)
            && said.as_bytes().iter().any(u8::is_ascii_alphabetic)
        {
            *said = after.as_secs().into();
        }
    }
}

/// What the headers say: milliseconds are the finer word.
fn after(headers: &HeaderMap, now: u64) -> Option<Duration> {
    let said = |name: &HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(milliseconds) = said(&RETRY_AFTER_MS).and_then(|after| after.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(milliseconds / 1_000.0).ok();
    }
    let after = said(&RETRY_AFTER)?;
    if let Ok(seconds) = after.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(after).ok()?;
    let date = date.duration_since(UNIX_EPOCH).ok()?;
    Some(date.saturating_sub(Duration::from_secs(now)))
}

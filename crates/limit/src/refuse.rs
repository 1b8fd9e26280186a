//! What a caller is told when a limit is reached.

use std::time::Duration;

use bartizan_core::{Note, Refusal, RefusalKind};

use crate::headers;
use crate::ledger::{Measure, Over, Quotes, Refused, Scope};

/// The refusal, and the note for the record.
pub(crate) fn refusal(refused: Refused) -> (Refusal, Note) {
    let Refused::Over(over) = refused else {
        metrics::counter!("bartizan.limit.calls", "outcome" => "full").increment(1);
        tracing::warn!(
            "as many scopes are limited as may be remembered: calls of further ones are refused"
        );
        let message =
            "as many callers are active as this gateway can limit at a time: try again later";
        let refusal = Refusal::new(RefusalKind::Unavailable, "limiter_full", message)
            .retry_after(Duration::from_secs(1));
        return (
            refusal,
            Note::new("limit", "refused").word("reason", "full"),
        );
    };
    let Over {
        scope,
        measure,
        limit,
        asked,
        wait,
        quotes,
    } = *over;
    let (measure_word, measure_text) = match measure {
        Measure::Requests => ("requests", "requests per min (RPM)"),
        Measure::Tokens => ("tokens", "tokens per min (TPM)"),
    };
    let scope_word = match &scope {
        Scope::Key(_) => "key",
        Scope::Anonymous => "anonymous",
        Scope::Model(_) => "model",
        Scope::KeyModel(..) => "key_model",
    };
    metrics::counter!("bartizan.limit.calls", "outcome" => "refused", "scope" => scope_word, "measure" => measure_word)
        .increment(1);
    let note = Note::new("limit", "refused")
        .word("scope", scope_word)
        .word("measure", measure_word);
    let whose = match &scope {
        Scope::Key(_) => "this key".to_owned(),
        Scope::Anonymous => "calls without a key".to_owned(),
        // A name from the configuration, which the request has merely matched.
        Scope::Model(model) => format!("model {model}"),
        Scope::KeyModel(_, model) => format!("this key and model {model}"),
    };
    let used = used(measure, &quotes);
    let message = match wait {
        Some(wait) => format!(
            "Rate limit reached for {whose} on {measure_text}: Limit {limit}, Used {used}, Requested {asked}. Please try again in {}.",
            headers::short(wait)
        ),
        None if limit == 0 => format!(
            "Rate limit reached for {whose} on {measure_text}: Limit 0. No call is allowed."
        ),
        None => format!(
            "Request too large for {whose} on {measure_text}: Limit {limit}, Requested {asked}. The input or output tokens must be reduced in \
             order to run successfully."
        ),
    };
    let mut refusal = Refusal::new(RefusalKind::RateLimited, "rate_limit_exceeded", message);
    if let Some(wait) = wait {
        refusal = refusal.retry_after(wait);
    }
    for (name, value) in headers::of(&quotes) {
        refusal = refusal.header(name, value);
    }
    (refusal, note)
}

fn used(measure: Measure, quotes: &Quotes) -> u64 {
    let quote = match measure {
        Measure::Requests => quotes.requests,
        Measure::Tokens => quotes.tokens,
    };
    quote.map_or(0, |quote| {
        u64::from(quote.limit).saturating_sub(quote.remaining)
    })
}

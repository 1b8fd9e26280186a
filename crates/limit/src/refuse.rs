//! What a caller is told when a limit is reached.

use std::time::Duration;

use bartizan_core::{Note, Refusal, RefusalKind};

use crate::admission::{Denied, Over};
use crate::headers;
use crate::measure::{Measure, TokenKind};
use crate::store::Away;

/// How soon to come back where nobody can tell: when a call under way ends, or a store is there again.
const SOON: Duration = Duration::from_secs(1);

/// The refusal, and the note for the record.
pub(crate) fn refusal(denied: Denied) -> (Refusal, Note) {
    match denied {
        Denied::Over(over) => reached(&over),
        Denied::Away(Away::Full) => {
            tracing::warn!(
                "as many counts are in use as the store of limits holds: calls that need another are refused"
            );
            away(
                "full",
                "limiter_full",
                "as many callers are active as this gateway can limit at a time: try again later",
            )
        }
        Denied::Away(Away::Unreachable) => away(
            "away",
            "limits_unavailable",
            "the limits of this call can't be looked up now: try again later",
        ),
    }
}

fn away(outcome: &'static str, code: &'static str, message: &'static str) -> (Refusal, Note) {
    metrics::counter!("bartizan.limit.calls", "outcome" => outcome).increment(1);
    let refusal = Refusal::new(RefusalKind::Unavailable, code, message).retry_after(SOON);
    (
        refusal,
        Note::new("limit", "refused").word("reason", outcome),
    )
}

/// The refusal of a call that could not be recorded.
pub(crate) fn unrecorded() -> (Refusal, Note) {
    tracing::warn!("the record of spend is full: calls are refused");
    away(
        "unrecorded",
        "spend_unrecorded",
        "what this call costs can't be recorded now: try again later",
    )
}

/// The refusal of a call whose model has no price, while a budget binds it.
pub(crate) fn unpriced() -> (Refusal, Note) {
    metrics::counter!("bartizan.limit.calls", "outcome" => "unpriced").increment(1);
    let message = "a budget binds this call, and the price of its model is not known here: the gateway's operator has to state it";
    (
        Refusal::new(RefusalKind::Forbidden, "unknown_price", message),
        Note::new("limit", "refused").word("reason", "unpriced"),
    )
}

/// The refusal of a caller whose limits nobody knows.
pub(crate) fn unknown_tier() -> (Refusal, Note) {
    metrics::counter!("bartizan.limit.calls", "outcome" => "unknown_tier").increment(1);
    tracing::warn!("a caller's limits are those of a tier that is not described: it is refused");
    let message = "this caller's limits are those of a tier that the gateway does not know: its operator has to describe it";
    (
        Refusal::new(RefusalKind::Forbidden, "unknown_tier", message),
        Note::new("limit", "refused").word("reason", "unknown_tier"),
    )
}

fn reached(over: &Over) -> (Refusal, Note) {
    let whose = &over.line.whose;
    let measure = over.line.measure;
    metrics::counter!("bartizan.limit.calls", "outcome" => "refused", "scope" => whose.word(), "measure" => measure.as_str())
        .increment(1);
    tracing::debug!(
        counter = over.line.counter.name(),
        limit = over.line.limit,
        asked = over.asked,
        "a limit is reached"
    );
    let note = Note::new("limit", "refused")
        .word("scope", whose.word())
        .word("measure", measure.as_str());
    let refusal = match (measure, over.wait) {
        (Measure::Money, _) => {
            Refusal::new(RefusalKind::RateLimited, "insufficient_quota", budget(over))
        }
        (_, wait) => {
            let refusal = Refusal::new(
                RefusalKind::RateLimited,
                "rate_limit_exceeded",
                window(over),
            );
            match wait {
                None => refusal,
                Some(wait) => refusal.retry_after(later(wait)),
            }
        }
    };
    let headers = headers::of(&over.quotes).into_iter();
    (
        headers.fold(refusal, |refusal, (name, value)| {
            refusal.header(name, value)
        }),
        note,
    )
}

/// Says the numbers of the caller's own counts alone: of what it shares, others' use could be read from them.
fn window(over: &Over) -> String {
    let (whose, what) = (over.line.whose.told(), what(over.line.measure));
    let (limit, asked) = (over.line.limit, over.asked);
    let own = over.line.whose.is_own();
    let reached = format!("Rate limit reached for {whose} on {what}");
    match over.wait {
        Some(wait) => {
            let numbers = if own {
                format!(
                    ": Limit {limit}, Used {}, Requested {asked}",
                    over.standing.taken
                )
            } else {
                String::new()
            };
            let when = headers::short(later(wait));
            format!("{reached}{numbers}. Please try again in {when}.")
        }
        None if limit == 0 => format!("{reached}: Limit 0. No call is allowed."),
        None => {
            let numbers = if own {
                format!(": Limit {limit}, Requested {asked}")
            } else {
                String::new()
            };
            let too_large = match over.line.measure {
                Measure::Tokens(_, TokenKind::Input) => "The input tokens",
                Measure::Tokens(_, TokenKind::Output) => "The output tokens",
                _ => "The input or output tokens",
            };
            format!(
                "Request too large for {whose} on {what}{numbers}. {too_large} must be reduced in order to run successfully."
            )
        }
    }
}

fn budget(over: &Over) -> String {
    let whose = over.line.whose.told();
    let numbers = if over.line.whose.is_own() {
        format!(
            ": Budget ${}, Used ${}, Requested up to ${}",
            dollars(over.line.limit),
            dollars(over.standing.taken),
            dollars(over.asked)
        )
    } else {
        String::new()
    };
    let mend = if over.standing.taken < over.line.limit {
        " A call may pass that asks for less: cap its output tokens."
    } else {
        ""
    };
    format!(
        "You exceeded the current quota: the budget of {whose} does not suffice{numbers}.{mend}"
    )
}

/// 10⁻⁹ dollars as dollars.
fn dollars(nanos: u64) -> String {
    let (whole, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    if rest == 0 {
        return whole.to_string();
    }
    let fraction = format!("{rest:09}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

fn later(wait: Duration) -> Duration {
    if wait.is_zero() { SOON } else { wait }
}

fn what(measure: Measure) -> String {
    let (what, window, letters) = match measure {
        Measure::Requests(window) => ("requests", window, ["RPM", "RPH", "RPD"]),
        Measure::Tokens(window, TokenKind::Total) => ("tokens", window, ["TPM", "TPH", "TPD"]),
        Measure::Tokens(window, TokenKind::Input) => {
            ("input tokens", window, ["ITPM", "ITPH", "ITPD"])
        }
        Measure::Tokens(window, TokenKind::Output) => {
            ("output tokens", window, ["OTPM", "OTPH", "OTPD"])
        }
        Measure::Calls => return "requests under way at once".to_owned(),
        Measure::Streams => return "streams under way at once".to_owned(),
        Measure::Money => return "spend".to_owned(),
    };
    let [minute, hour, day] = letters;
    match window.as_secs() {
        60 => format!("{what} per min ({minute})"),
        3_600 => format!("{what} per hour ({hour})"),
        86_400 => format!("{what} per day ({day})"),
        _ => format!("{what} per {}", headers::short(window)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_told_to_the_last_digit() {
        for (nanos, text) in [
            (0, "0"),
            (1, "0.000000001"),
            (2_500_000_000, "2.5"),
            (12_000_000_000, "12"),
        ] {
            assert_eq!(dollars(nanos), text);
        }
    }
}

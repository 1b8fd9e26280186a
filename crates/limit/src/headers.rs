//! The six headers that tell a caller where its limits stand, as OpenAI spells them.

use std::fmt::Write as _;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::admission::Quote;
use crate::measure::Measure;
use crate::store::Standing;

const REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
const TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// Stands on every answer while the store of limits decides without what other processes have taken.
pub(crate) const DEGRADED: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-bartizan-limits"),
    HeaderValue::from_static("degraded"),
);

/// Puts ours in the place of the provider's: all six go, since one limiter's remainder beside another's limit would mislead.
pub(crate) fn replace(headers: &mut HeaderMap, quotes: &[Quote]) {
    for name in REQUESTS.iter().chain(&TOKENS) {
        headers.remove(name);
    }
    headers.extend(of(quotes));
}

/// The headers that say where the tightest window of each sort stands.
pub(crate) fn of(quotes: &[Quote]) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::with_capacity(6);
    let requests = |quote: &&Quote| matches!(quote.measure, Measure::Requests(_));
    let tokens = |quote: &&Quote| matches!(quote.measure, Measure::Tokens(..));
    let tightest = [
        (
            REQUESTS,
            quotes.iter().filter(requests).min_by_key(tightness),
        ),
        (TOKENS, quotes.iter().filter(tokens).min_by_key(tightness)),
    ];
    for (names, quote) in tightest {
        if let Some(Quote {
            limit,
            standing: Standing {
                remaining, reset, ..
            },
            ..
        }) = quote
        {
            let reset =
                HeaderValue::try_from(short(*reset)).unwrap_or(HeaderValue::from_static("0s"));
            headers.extend(
                names
                    .into_iter()
                    .zip([(*limit).into(), (*remaining).into(), reset]),
            );
        }
    }
    headers
}

/// What has least left; of equals, what is full again last.
fn tightness(quote: &&Quote) -> (u64, std::cmp::Reverse<Duration>) {
    (
        quote.standing.remaining,
        std::cmp::Reverse(quote.standing.reset),
    )
}

/// Spells a duration as OpenAI does, rounded up to the millisecond: `120ms`, `1s`, `8.64s`, `6m0s`, `1h0m0s`.
pub(crate) fn short(duration: Duration) -> String {
    let milliseconds = duration.as_nanos().div_ceil(1_000_000);
    let (seconds, milliseconds) = (milliseconds / 1_000, milliseconds % 1_000);
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = match (hours, minutes, seconds) {
        (0, 0, 0) if milliseconds > 0 => return format!("{milliseconds}ms"),
        (0, 0, seconds) => write!(text, "{seconds}"),
        (0, minutes, seconds) => write!(text, "{minutes}m{}", seconds % 60),
        (hours, minutes, seconds) => write!(text, "{hours}h{}m{}", minutes % 60, seconds % 60),
    };
    if milliseconds > 0 {
        let _ = write!(text, ".{milliseconds:03}");
        text.truncate(text.trim_end_matches('0').len());
    }
    text.push('s');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_read_as_openais_do() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (1, "1ms"),
            (120_000_000, "120ms"),
            (999_000_001, "1s"),
            (1_000_000_000, "1s"),
            (8_640_000_000, "8.64s"),
            (10_000_000_000, "10s"),
            (59_999_999_999, "1m0s"),
            (360_000_000_000, "6m0s"),
            (93_792_000_000, "1m33.792s"),
            (3_600_000_000_000, "1h0m0s"),
            (86_400_000_000_000, "24h0m0s"),
        ] {
            assert_eq!(
                short(Duration::from_nanos(nanoseconds)),
                text,
                "{nanoseconds}"
            );
        }
    }

    fn read(text: &str) -> f64 {
        let (mut total, mut number) = (0.0, String::new());
        let text = text.replace("ms", "µ");
        for character in text.chars() {
            let unit = match character {
                'h' => 3_600.0,
                'm' => 60.0,
                's' => 1.0,
                'µ' => 0.001,
                digit => {
                    number.push(digit);
                    continue;
                }
            };
            total += number.parse::<f64>().unwrap() * unit;
            number.clear();
        }
        assert!(number.is_empty());
        total
    }

    proptest! {
        #[test]
        fn a_duration_never_reads_shorter_than_it_is(nanoseconds in 0_u64..1_000_000_000_000_000) {
            let duration = Duration::from_nanos(nanoseconds).as_secs_f64();
            let told = read(&short(Duration::from_nanos(nanoseconds)));
            prop_assert!(told >= duration - 1e-6 && told < duration + 0.001 + 1e-6);
        }
    }
}

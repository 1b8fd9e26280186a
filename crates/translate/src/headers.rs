//! A provider's headers under the names that the client's own provider has for them.
//!
//! The pairs stand in [`guide::failures`](crate::guide::failures). Which headers pass at all is the rule of
//! [`towards_client`](bartizan_core::towards_client).

use bartizan_core::Dialect;
use http::{HeaderMap, HeaderName, HeaderValue};

/// What providers call the id of a call, the most usual first.
const IDS: [HeaderName; 3] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("request-id"),
    HeaderName::from_static("x-amzn-requestid"),
];

/// OpenAI's name and Anthropic's of one number.
const LIMITS: [(HeaderName, HeaderName); 4] = [
    (
        HeaderName::from_static("x-ratelimit-limit-requests"),
        HeaderName::from_static("anthropic-ratelimit-requests-limit"),
    ),
    (
        HeaderName::from_static("x-ratelimit-remaining-requests"),
        HeaderName::from_static("anthropic-ratelimit-requests-remaining"),
    ),
    (
        HeaderName::from_static("x-ratelimit-limit-tokens"),
        HeaderName::from_static("anthropic-ratelimit-tokens-limit"),
    ),
    (
        HeaderName::from_static("x-ratelimit-remaining-tokens"),
        HeaderName::from_static("anthropic-ratelimit-tokens-remaining"),
    ),
];

/// The same of when a limit is whole again.
const RESETS: [(HeaderName, HeaderName); 2] = [
    (
        HeaderName::from_static("x-ratelimit-reset-requests"),
        HeaderName::from_static("anthropic-ratelimit-requests-reset"),
    ),
    (
        HeaderName::from_static("x-ratelimit-reset-tokens"),
        HeaderName::from_static("anthropic-ratelimit-tokens-reset"),
    ),
];

/// Renames the headers of an answer for a client of `outer`. `now` in seconds since 1970.
pub(crate) fn rename(headers: &mut HeaderMap, outer: Dialect, now: u64) {
    let [usual, anthropic, amazon] = &IDS;
    let to_anthropic = matches!(
        outer,
        Dialect::AnthropicMessages | Dialect::AnthropicCountTokens
    );
    let own = match outer {
        _ if to_anthropic => anthropic,
        Dialect::BedrockConverse => amazon,
        _ => usual,
    };
    for id in &IDS {
        rename_one(headers, id, own, Some);
    }
    for (openai, anthropic) in &LIMITS {
        if to_anthropic {
            rename_one(headers, openai, anthropic, Some);
        } else {
            rename_one(headers, anthropic, openai, Some);
        }
    }
    for (openai, anthropic) in &RESETS {
        if to_anthropic {
            rename_one(headers, openai, anthropic, |span| {
                let at = now.checked_add(span_of(span.to_str().ok()?)?)?;
                HeaderValue::try_from(time(at)).ok()
            });
        } else {
            rename_one(headers, anthropic, openai, |at| {
                let at = seconds(at.to_str().ok()?)?;
                HeaderValue::try_from(format!("{}s", at.saturating_sub(now))).ok()
            });
        }
    }
}

/// Moves a header to another name, unless that is taken, or its value does not say there what it says here.
fn rename_one(
    headers: &mut HeaderMap,
    from: &HeaderName,
    to: &HeaderName,
    say: impl FnOnce(HeaderValue) -> Option<HeaderValue>,
) {
    if from == to || headers.contains_key(to) {
        return;
    }
    if let Some(value) = headers.get(from).cloned().and_then(say) {
        headers.remove(from);
        headers.insert(to, value);
    }
}

/// The seconds, rounded up, of a span as Go writes it: `1h2m3.5s`, `20ms`.
fn span_of(span: &str) -> Option<u64> {
    let mut milliseconds = 0.0;
    let mut rest = span.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let unit = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, after) = rest.split_at(unit);
        let end = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit = match unit {
            "h" => 3_600_000.0,
            "m" => 60_000.0,
            "s" => 1_000.0,
            "ms" => 1.0,
            "us" | "ns" => 0.0,
            _ => return None,
        };
        milliseconds += number.parse::<f64>().ok().filter(|n| *n >= 0.0)? * unit;
        rest = after;
    }
    let seconds = std::time::Duration::try_from_secs_f64((milliseconds / 1_000.0_f64).ceil());
    Some(seconds.ok()?.as_secs())
}

/// A time of RFC 3339, in UTC. Howard Hinnant's days from the civil calendar, the other way about.
fn time(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The seconds since 1970 of a time of RFC 3339.
fn seconds(time: &str) -> Option<u64> {
    let number = |from: usize, to: usize| -> Option<u64> {
        time.get(from..to)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?
            .parse()
            .ok()
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year < 1970 {
        return None;
    }
    let years = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (years / 400, years % 400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    let local = days.checked_sub(719_468)? * 86_400 + hour * 3_600 + minute * 60 + second;
    let zone = time
        .get(19..)?
        .trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    if zone.eq_ignore_ascii_case("z") {
        return Some(local);
    }
    let (sign, offset) = zone.split_at_checked(1)?;
    let (hours, minutes) = offset.split_once(':')?;
    let offset = hours.parse::<u64>().ok()? * 3_600 + minutes.parse::<u64>().ok()? * 60;
    match sign {
        "+" => local.checked_sub(offset),
        "-" => local.checked_add(offset),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    /// 2026-08-19T14:34:12Z.
    const NOW: u64 = 1_787_150_052;

    #[test]
    fn what_means_the_same_has_the_clients_own_name() {
        let openai = [
            ("x-request-id", "req_1"),
            ("x-ratelimit-limit-requests", "500"),
            ("x-ratelimit-remaining-requests", "499"),
            ("x-ratelimit-limit-tokens", "200000"),
            ("x-ratelimit-remaining-tokens", "199998"),
            ("x-ratelimit-reset-requests", "120ms"),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ];
        let anthropic = [
            ("request-id", "req_1"),
            ("anthropic-ratelimit-requests-limit", "500"),
            ("anthropic-ratelimit-requests-remaining", "499"),
            ("anthropic-ratelimit-tokens-limit", "200000"),
            ("anthropic-ratelimit-tokens-remaining", "199998"),
            ("anthropic-ratelimit-requests-reset", "2026-08-19T14:34:13Z"),
            ("anthropic-ratelimit-tokens-reset", "2026-08-19T14:40:12Z"),
        ];
        let mut headers = map(&openai);
        rename(&mut headers, Dialect::AnthropicMessages, NOW);
        assert_eq!(headers, map(&anthropic));
        rename(&mut headers, Dialect::OpenAiChat, NOW);
        let mut back = map(&openai);
        back.insert("x-ratelimit-reset-requests", "1s".parse().unwrap());
        back.insert("x-ratelimit-reset-tokens", "360s".parse().unwrap());
        assert_eq!(headers, back);

        let mut headers = map(&[("x-amzn-requestid", "r")]);
        rename(&mut headers, Dialect::AnthropicMessages, NOW);
        assert_eq!(headers, map(&[("request-id", "r")]));
        rename(&mut headers, Dialect::Gemini, NOW);
        assert_eq!(headers, map(&[("x-request-id", "r")]));
    }

    #[test]
    fn what_has_no_equal_or_makes_no_sense_keeps_its_name() {
        for (outer, lines) in [
            (
                Dialect::OpenAiChat,
                [
                    ("anthropic-ratelimit-input-tokens-remaining", "1"),
                    ("anthropic-ratelimit-requests-reset", "soon"),
                ],
            ),
            (
                Dialect::AnthropicMessages,
                [
                    ("x-ratelimit-remaining-req-minute", "1"),
                    ("x-ratelimit-reset-requests", "1.5 fortnights"),
                ],
            ),
            // Two of one meaning: the client's own stays.
            (
                Dialect::OpenAiChat,
                [("x-request-id", "own"), ("request-id", "other")],
            ),
        ] {
            let mut headers = map(&lines);
            rename(&mut headers, outer, NOW);
            assert_eq!(headers, map(&lines));
        }
    }

    #[test]
    fn times_and_spans_are_read_as_they_are_written() {
        for (text, at) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T23:59:59Z", Some(951_868_799)),
            ("2026-08-19T14:34:12.267870162Z", Some(NOW)),
            ("2026-08-19T16:34:12+02:00", Some(NOW)),
            ("2026-08-19T09:04:12-05:30", Some(NOW)),
            ("2026-13-19T14:34:12Z", None),
            ("2026-08-19", None),
            ("", None),
            ("é026-08-19T14:34:12Z", None),
        ] {
            assert_eq!(seconds(text), at, "{text}");
        }
        for (text, span) in [
            ("1s", Some(1)),
            ("0s", Some(0)),
            ("20ms", Some(1)),
            ("6m0s", Some(360)),
            ("1h2m3.5s", Some(3_724)),
            ("7", None),
            ("s", None),
            ("", None),
            ("-1s", None),
            ("1e400s", None),
        ] {
            assert_eq!(span_of(text), span, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_time_that_was_written_is_read_back(at in 0u64..32_503_680_000) {
            prop_assert_eq!(seconds(&time(at)), Some(at));
        }

        #[test]
        fn no_header_stops_a_translation(text in "[ -~]{0,40}") {
            let _ = (seconds(&text), span_of(&text));
        }
    }
}

//! What a receiver's answer means, and when it is asked again.

use std::time::Duration;

use bartizan_core::BoxError;
use http::header::{HeaderMap, RETRY_AFTER};
use http::{Response, StatusCode};
use jiff::fmt::rfc2822::DateTimeParser;
use tokio::time::error::Elapsed;

/// The pause after the first try. Each is four times the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest that a receiver may ask to be left alone.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What became of a try.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Taken,
    /// For good.
    Refused(StatusCode),
    /// Not now.
    Again {
        why: String,
        after: Option<Duration>,
    },
}

impl Answer {
    /// `now`: from 1970-01-01 00:00 UTC.
    pub(super) fn of(
        answered: Result<Result<Response<()>, BoxError>, Elapsed>,
        now: Duration,
    ) -> Self {
        let again = |why: String, after| Self::Again { why, after };
        match answered {
            Err(_) => again("no answer in time".to_owned(), None),
            Ok(Err(error)) => again(error.to_string(), None),
            Ok(Ok(answer)) => match answer.status() {
                status if status.is_success() => Self::Taken,
                status if is_for_now(status) => {
                    again(status.to_string(), retry_after(answer.headers(), now))
                }
                status => Self::Refused(status),
            },
        }
    }
}

fn is_for_now(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::REQUEST_TIMEOUT
        || status == StatusCode::TOO_MANY_REQUESTS
}

/// Seconds, or a date: RFC 9110, section 10.2.3.
fn retry_after(headers: &HeaderMap, now: Duration) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more seconds than are waited.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = DateTimeParser::new().parse_timestamp(text).ok()?;
    let date = Duration::from_secs(u64::try_from(date.as_second()).ok()?);
    Some(date.saturating_sub(now))
}

/// How long to wait after so many tries: half or more of a span that grows, so that many senders don't come back at once; or as long as was asked.
pub(super) fn pause(tries: u32, asked: Option<Duration>) -> Duration {
    let growing = FIRST_PAUSE * 4_u32.saturating_pow(tries.saturating_sub(1));
    let growing = growing.min(LONGEST_PAUSE);
    // Without randomness the whole span.
    let part = getrandom::u32().unwrap_or(u32::MAX);
    let jittered = growing.mul_f64(0.5 + f64::from(part) / f64::from(u32::MAX) / 2.0);
    jittered.max(asked.unwrap_or_default().min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(784_111_777);

    fn answer(status: u16, after: &str) -> Answer {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if !after.is_empty() {
            response
                .headers_mut()
                .insert(RETRY_AFTER, after.parse().unwrap());
        }
        Answer::of(Ok(Ok(response)), NOW)
    }

    #[test]
    fn an_answer_takes_it_ends_it_or_asks_for_it_again() {
        for status in [200, 202, 204] {
            assert_eq!(answer(status, ""), Answer::Taken, "{status}");
        }
        for status in [301, 307, 400, 401, 403, 404, 410, 422] {
            let refused = Answer::Refused(StatusCode::from_u16(status).unwrap());
            assert_eq!(answer(status, "5"), refused, "{status}");
        }
        for status in [408, 429, 500, 502, 503, 504, 599] {
            assert!(
                matches!(answer(status, ""), Answer::Again { after: None, .. }),
                "{status}"
            );
        }
        let lost = Answer::of(Ok(Err("connection reset".into())), NOW);
        assert!(matches!(lost, Answer::Again { why, after: None } if why == "connection reset"));
    }

    #[test]
    fn a_receiver_says_when_it_is_asked_again() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (text, asked) in [
            ("5", seconds(5)),
            ("0", seconds(0)),
            (" 7 ", seconds(7)),
            ("99999999999999999999999", seconds(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", seconds(10)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", seconds(0)),
            ("-5", None),
            ("soon", None),
        ] {
            let Answer::Again { after, .. } = answer(503, text) else {
                panic!("{text}");
            };
            assert_eq!(after, asked, "{text}");
        }
    }

    #[test]
    fn pauses_grow_vary_and_have_a_bound() {
        let seconds = Duration::from_secs;
        for _ in 0..200 {
            for (tries, asked, least, most) in [
                (1, None, seconds(1) / 2, seconds(1)),
                (2, None, seconds(2), seconds(4)),
                (3, None, seconds(8), seconds(16)),
                (9, None, seconds(30), seconds(60)),
                (1, Some(seconds(30)), seconds(30), seconds(30)),
                (3, Some(seconds(1)), seconds(8), seconds(16)),
                (1, Some(seconds(u64::MAX)), seconds(60), seconds(60)),
            ] {
                let pause = pause(tries, asked);
                assert!(
                    (least..=most).contains(&pause),
                    "{tries} {asked:?}: {pause:?}"
                );
            }
        }
        let some = (0..50).map(|_| pause(3, None));
        assert!(some.collect::<std::collections::HashSet<_>>().len() > 10);
    }
}

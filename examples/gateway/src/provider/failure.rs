//! A provider's failures, told anew.
//!
//! What a provider says about a bad key, a quota or its own troubles speaks of our account with it: a piece of the key, the
//! organisation, a deployment's name. The caller gets the status, what there is of advice on trying again, and our own words. What the provider
//! says about the request itself passes: it is for the caller.

use std::time::Duration;

use bartizan::core::{Body, Dialect, Refusal, RefusalKind};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, Response, StatusCode};

const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Gives the answer that the caller may see.
pub(super) fn told_anew(response: Response<Body>, dialect: Dialect) -> Response<Body> {
    if response.extensions().get::<Refusal>().is_some() {
        return response;
    }
    let status = response.status();
    let Some(refusal) = refusal(status) else {
        return response;
    };
    let (theirs, _) = response.into_parts();
    let advice = advice(&theirs.headers);
    let refusal = match advice {
        Some(after) => refusal.retry_after(after),
        None => refusal,
    };
    let mut told = refusal.render(dialect);
    if advice.is_none() && status.is_server_error() {
        // Whether to try again is then the caller's own rule, as if there were no gateway.
        told.headers_mut().remove(SHOULD_RETRY);
    }
    for (name, value) in &theirs.headers {
        if ![CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
            // The provider's own words on trying again go before ours.
            told.headers_mut().insert(name, value.clone());
        }
    }
    told
}

fn refusal(status: StatusCode) -> Option<Refusal> {
    let (kind, code, message) = match status.as_u16() {
        200..=299 => return None,
        // Not the caller's key: ours.
        401 => (
            RefusalKind::Upstream,
            "upstream_credential",
            "the provider refused the gateway's own key",
        ),
        403 => (
            RefusalKind::Forbidden,
            "upstream_forbidden",
            "the provider refuses this call",
        ),
        429 => (
            RefusalKind::RateLimited,
            "upstream_rate_limit",
            "the provider's limit is reached",
        ),
        529 => (
            RefusalKind::Overloaded,
            "upstream_overloaded",
            "the provider has too much to do",
        ),
        503 => (
            RefusalKind::Unavailable,
            "upstream_unavailable",
            "the provider is not available",
        ),
        504 => (
            RefusalKind::UpstreamTimeout,
            "upstream_timeout",
            "the provider took too long",
        ),
        500 => (
            RefusalKind::Internal,
            "upstream_error",
            "the provider failed",
        ),
        400..=499 => return None,
        300..=399 => (
            RefusalKind::Upstream,
            "upstream_redirect",
            "the provider sends elsewhere, and no redirect is followed",
        ),
        _ => (
            RefusalKind::Upstream,
            "upstream_error",
            "the provider failed",
        ),
    };
    Some(Refusal::new(kind, code, message))
}

fn advice(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &HeaderName| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number(&RETRY_AFTER_MS)
        .map(|ms| ms / 1_000.0)
        .or_else(|| number(&RETRY_AFTER))?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, headers: &[(&'static str, &'static str)]) -> Response<Body> {
        let mut response = Response::builder()
            .status(status)
            .header("content-type", "application/json");
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        told_anew(
            response
                .body(Body::from(r#"{"error":{"message":"org-canary"}}"#))
                .unwrap(),
            Dialect::OpenAiChat,
        )
    }

    #[test]
    fn what_a_provider_says_of_our_account_stays_here() {
        for status in [301, 302, 401, 403, 429, 500, 502, 503, 504, 529, 530] {
            assert!(
                told(status, &[]).extensions().get::<Refusal>().is_some(),
                "{status}"
            );
        }
        for status in [200, 400, 404, 409, 413, 422] {
            assert!(
                told(status, &[]).extensions().get::<Refusal>().is_none(),
                "{status}"
            );
        }
    }

    #[test]
    fn advice_on_trying_again_survives() {
        for (status, headers, expected) in [
            (429, &[("retry-after", "7")][..], Some("7")),
            (503, &[("retry-after", "0")], Some("0")),
            (
                529,
                &[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")],
                Some("Wed, 21 Oct 2026 07:28:00 GMT"),
            ),
            (500, &[("retry-after-ms", "1500")], Some("2")),
            (429, &[], None),
        ] {
            let told = told(status, headers);
            let after = told
                .headers()
                .get("retry-after")
                .map(|value| value.to_str().unwrap());
            assert_eq!(after, expected, "{status}");
        }
        // A quota that is used up is no matter of waiting; a failure may be.
        assert_eq!(
            told(429, &[]).headers().get("x-should-retry").unwrap(),
            "false"
        );
        assert!(told(503, &[]).headers().get("x-should-retry").is_none());
        assert_eq!(
            told(500, &[("x-should-retry", "true")])
                .headers()
                .get("x-should-retry")
                .unwrap(),
            "true"
        );
    }
}

//! Failures of a provider that are the gateway's own business: its credential, and where it was sent.
//!
//! A provider that refuses the key that the gateway attached must not look to the caller as if theirs were wrong. All other
//! failures are told anew by the translation layer, outside of here.

use bartizan::core::{Body, Dialect, Refusal, RefusalKind};
use http::Response;

/// Gives the answer that may go on.
pub(super) fn told_anew(response: Response<Body>, dialect: Dialect) -> Response<Body> {
    if response.extensions().get::<Refusal>().is_some() {
        return response;
    }
    let (code, message) = match response.status().as_u16() {
        300..=399 => (
            "upstream_redirect",
            "the provider sends elsewhere, and no redirect is followed",
        ),
        status if status == 401 || is_amazons_401(&response) => (
            "upstream_credential",
            "the provider refused the gateway's own key",
        ),
        _ => return response,
    };
    Refusal::new(RefusalKind::Upstream, code, message).render(dialect)
}

/// AWS says 403 of a bad signature, as it does of what a good one may not do.
fn is_amazons_401(response: &Response<Body>) -> bool {
    let exception = response
        .headers()
        .get("x-amzn-errortype")
        .and_then(|kind| kind.to_str().ok()?.split(':').next());
    matches!(
        exception,
        Some(
            "UnrecognizedClientException"
                | "InvalidSignatureException"
                | "IncompleteSignatureException"
                | "ExpiredTokenException"
                | "MissingAuthenticationTokenException"
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_key_of_ours_and_a_redirect_end_here() {
        for (status, code) in [
            (200, None),
            (301, Some("upstream_redirect")),
            (302, Some("upstream_redirect")),
            (400, None),
            (401, Some("upstream_credential")),
            (403, None),
            (429, None),
            (500, None),
            (529, None),
        ] {
            let theirs = Response::builder()
                .status(status)
                .header("location", "https://elsewhere.example")
                .body(Body::from(r#"{"error":{"message":"org-canary"}}"#))
                .unwrap();
            let told = told_anew(theirs, Dialect::OpenAiChat);
            let refusal = told.extensions().get::<Refusal>();
            assert_eq!(refusal.map(Refusal::code), code, "{status}");
            assert_eq!(told.headers().contains_key("location"), code.is_none());
        }
        for (exception, code) in [
            ("AccessDeniedException", None),
            (
                "UnrecognizedClientException:http://internal.amazon.com/x/",
                Some("upstream_credential"),
            ),
        ] {
            let theirs = Response::builder()
                .status(403)
                .header("x-amzn-errortype", exception)
                .body(Body::empty())
                .unwrap();
            let told = told_anew(theirs, Dialect::OpenAiChat);
            let refusal = told.extensions().get::<Refusal>();
            assert_eq!(refusal.map(Refusal::code), code, "{exception}");
        }
    }
}

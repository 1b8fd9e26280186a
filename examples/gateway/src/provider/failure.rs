//! Failures of a provider that are the gateway's own business: its credential, and where it was sent.
//!
//! A provider that refuses the key that the gateway attached must not look to the caller as if theirs were wrong. All other
//! failures are told anew by the translation layer, outside of here.

use bartizan::core::json::{Bounds, Json, Value};
use bartizan::core::{Body, Dialect, Refusal, RefusalKind};
use http::Response;
use http::header::CONTENT_LENGTH;

/// How much of a failure's body is read, in bytes.
const MOST: usize = 64 * 1024;

/// Gives the answer that may go on.
pub(super) async fn told_anew(response: Response<Body>, dialect: Dialect) -> Response<Body> {
    if response.extensions().get::<Refusal>().is_some() {
        return response;
    }
    match response.status().as_u16() {
        300..=399 => Refusal::new(
            RefusalKind::Upstream,
            "upstream_redirect",
            "the provider sends elsewhere, and no redirect is followed",
        )
        .render(dialect),
        400 => {
            let (head, body) = response.into_parts();
            match body.into_bytes(MOST).await {
                Ok(text) if is_googles_401(&text) => key_refused(dialect),
                Ok(text) => Response::from_parts(head, Body::from(text)),
                Err(_) => {
                    let mut bare = Response::from_parts(head, Body::empty());
                    bare.headers_mut().remove(CONTENT_LENGTH);
                    bare
                }
            }
        }
        401 => key_refused(dialect),
        403 if is_amazons_401(&response) => key_refused(dialect),
        _ => response,
    }
}

fn key_refused(dialect: Dialect) -> Response<Body> {
    Refusal::new(
        RefusalKind::Upstream,
        "upstream_credential",
        "the provider refused the gateway's own key",
    )
    .render(dialect)
}

/// Google says 400 of a key that is none.
fn is_googles_401(body: &[u8]) -> bool {
    let Ok(json) = Json::read_bytes(body, Bounds::default()) else {
        return false;
    };
    let root = json.root();
    // What would have been a stream is a list.
    let details = root
        .items()
        .next()
        .unwrap_or(root)
        .get("error")
        .and_then(|error| error.get("details"));
    let mut details = details.into_iter().flat_map(Value::items);
    details.any(|detail| {
        detail
            .get("reason")
            .is_some_and(|reason| reason.is("API_KEY_INVALID"))
    })
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

    async fn told(status: u16, headers: [(&'static str, &str); 1], body: &str) -> Response<Body> {
        let mut theirs = Response::builder().status(status);
        for (name, value) in headers {
            theirs = theirs.header(name, value);
        }
        let theirs = theirs.body(Body::from(body.to_owned())).unwrap();
        told_anew(theirs, Dialect::OpenAiChat).await
    }

    #[tokio::test]
    async fn a_refused_key_of_ours_and_a_redirect_end_here() {
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
            let elsewhere = [("location", "https://elsewhere.example")];
            let told = told(status, elsewhere, r#"{"error":{"message":"org-canary"}}"#).await;
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
            let told = told(403, [("x-amzn-errortype", exception)], "").await;
            let refusal = told.extensions().get::<Refusal>();
            assert_eq!(refusal.map(Refusal::code), code, "{exception}");
        }
    }

    #[tokio::test]
    async fn googles_400_of_a_bad_key_is_one_and_others_pass_whole() {
        let says = |reason: &str| {
            format!(
                r#"{{"error":{{"code":400,"message":"canary","status":"INVALID_ARGUMENT","details":[{{"@type":"type.googleapis.com/google.rpc.LocalizedMessage"}},{{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"{reason}"}}]}}}}"#
            )
        };
        for (body, refused) in [
            (says("API_KEY_INVALID"), true),
            (format!("[{}]", says("API_KEY_INVALID")), true),
            (says("OTHER"), false),
            (
                r#"{"error":{"message":"API_KEY_INVALID"}}"#.to_owned(),
                false,
            ),
            ("API_KEY_INVALID".to_owned(), false),
            (String::new(), false),
        ] {
            let told = told(400, [("x-kept", "1")], &body).await;
            assert_eq!(told.status(), if refused { 502 } else { 400 }, "{body}");
            let text = told.into_body().into_bytes(MOST).await.unwrap();
            assert_eq!(text == body, !refused, "{body}");
        }
    }
}

//! Which headers pass, in each direction.
//!
//! Here, since two crates go by it: egress, which talks to providers, and translate, which tells their answers anew and must not lean on
//! the client inside of it.

use http::header::{ACCEPT_ENCODING, CONNECTION, HeaderMap, HeaderName, HeaderValue, TE};

/// Headers of one connection (RFC 9110, 7.6.1), those that hyper sets itself, and those that only say where a caller comes from.
const NOT_FORWARDED: [&str; 44] = [
    // This hop's.
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-authentication-info",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "expect",
    "host",
    "content-length",
    "accept-encoding",
    // Digests of a body that layers may have changed.
    "content-digest",
    "repr-digest",
    "digest",
    "content-md5",
    // Credentials that no rule of `is_credential` names.
    "cookie",
    "cookie2",
    "x-amz-date",
    "x-amz-content-sha256",
    // Whose account pays is the deployment's to say.
    "openai-organization",
    "openai-project",
    // Where the caller is, and through whom it came.
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "cf-ipcountry",
    "cf-ray",
    "fastly-client-ip",
    "fly-client-ip",
    "x-appengine-user-ip",
    "referer",
    "origin",
    // Identities and traces of the caller's own systems.
    "traceparent",
    "tracestate",
    "baggage",
];

const NOT_FORWARDED_PREFIXES: [&str; 8] = [
    "x-forwarded-",
    "x-original-",
    "x-envoy-",
    "x-goog-iap-",
    "x-ms-client-",
    "x-bartizan-",
    "x-litellm-",
    "sec-",
];

/// Words that give a credential away, as parts of a name between dashes.
const CREDENTIAL_WORDS: [&str; 13] = [
    "authorization",
    "auth",
    "token",
    "secret",
    "password",
    "passwd",
    "credential",
    "credentials",
    "key",
    "apikey",
    "session",
    "signature",
    "jwt",
];

/// Headers of an answer that a caller may see. None says where or under what name a deployment runs.
const ANSWERED: [&str; 30] = [
    "content-type",
    "content-encoding",
    "content-language",
    "content-disposition",
    "cache-control",
    "warning",
    // Whether and when to come back.
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    // The provider's name for this call.
    "request-id",
    "x-request-id",
    "x-amzn-requestid",
    "apim-request-id",
    "mistral-correlation-id",
    "nvcf-reqid",
    "x-debug-trace-id",
    // What AWS's clients and the translating layer call a failure by.
    "x-amzn-errortype",
    // What a model's own API on Bedrock counts in its head alone.
    "x-amzn-bedrock-input-token-count",
    "x-amzn-bedrock-output-token-count",
    // Limits that are named alone.
    "ratelimit",
    "x-ratelimit",
    "x-endpoint-monthly-call-limit",
    // Of the model.
    "openai-processing-ms",
    "openai-version",
    "openai-model",
    "anthropic-version",
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "grpc-encoding",
];

/// The limits of all providers.
const ANSWERED_PREFIXES: [&str; 5] = [
    "x-ratelimit-",
    "ratelimit-",
    "anthropic-ratelimit-",
    "x-tokenlimit-",
    "x-trial-endpoint-call-",
];

/// Takes away what a provider must not get from a caller: the headers of the caller's connection and those that it names,
/// credentials and whatever looks like one, cookies, and where the caller is. Asks for an answer that isn't compressed.
///
/// ```
/// use http::HeaderMap;
///
/// let mut headers: HeaderMap = HeaderMap::new();
/// headers.insert("authorization", "Bearer sk-caller".parse()?);
/// headers.insert("x-forwarded-for", "192.0.2.7".parse()?);
/// headers.insert("anthropic-beta", "files-api-2025-04-14".parse()?);
/// bartizan_core::towards_provider(&mut headers);
/// assert_eq!(headers.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["anthropic-beta", "accept-encoding"]);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn towards_provider(headers: &mut HeaderMap) {
    let named = named_by_connection(headers);
    let trailers = headers
        .get_all(TE)
        .iter()
        .any(|value| tokens(value).any(|token| token.eq_ignore_ascii_case("trailers")));
    let leaving: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            NOT_FORWARDED.contains(&name.as_str())
                || NOT_FORWARDED_PREFIXES
                    .iter()
                    .any(|prefix| name.as_str().starts_with(prefix))
                || is_credential(name.as_str())
                || named.contains(name)
        })
        .cloned()
        .collect();
    for name in leaving {
        headers.remove(name);
    }
    // gRPC servers ask for it.
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
}

/// The headers of a provider's answer that a caller may see: content type, request ids, rate limits, retry guidance, and a
/// few words on the model. Cookies, redirects, account names and everything unknown stay behind.
#[must_use]
pub fn towards_client(headers: &HeaderMap) -> HeaderMap {
    let named = named_by_connection(headers);
    let passes = |name: &HeaderName| {
        (ANSWERED.contains(&name.as_str())
            || ANSWERED_PREFIXES
                .iter()
                .any(|prefix| name.as_str().starts_with(prefix)))
            && !named.contains(name)
    };
    headers
        .iter()
        .filter(|(name, _)| passes(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(tokens)
        .filter_map(|token| token.parse().ok())
        .collect()
}

fn tokens(value: &HeaderValue) -> impl Iterator<Item = &str> {
    // `q` values and other parameters come behind a semicolon.
    let tokens = value.to_str().unwrap_or_default().split(',');
    tokens
        .map(|token| token.split(';').next().unwrap_or_default().trim())
        .filter(|token| !token.is_empty())
}

/// `idempotency-key` is the one key that isn't a credential.
fn is_credential(name: &str) -> bool {
    name != "idempotency-key"
        && name
            .split(['-', '_'])
            .any(|word| CREDENTIAL_WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn what_a_provider_must_not_get_is_taken_away() {
        for name in [
            "authorization",
            "proxy-authorization",
            "x-api-key",
            "api-key",
            "x-goog-api-key",
            "x-litellm-api-key",
            "x-amz-security-token",
            "x-auth-token",
            "x-csrf-token",
            "x-vault-token",
            "ocp-apim-subscription-key",
            "x-my-secret",
            "x-session-id",
            "x_api_key",
            "x-goog-iap-jwt-assertion",
            "x-amzn-oidc-jwt",
            "cookie",
            "cookie2",
            "host",
            "content-length",
            "connection",
            "keep-alive",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "proxy-connection",
            "expect",
            "forwarded",
            "via",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
            "x-real-ip",
            "cf-connecting-ip",
            "true-client-ip",
            "x-original-url",
            "openai-organization",
            "openai-project",
            "traceparent",
            "baggage",
            "sec-fetch-site",
            "x-bartizan-team",
            "accept-encoding",
        ] {
            let mut headers = map(&[(name, "canary")]);
            towards_provider(&mut headers);
            assert_eq!(headers, map(&[("accept-encoding", "identity")]), "{name}");
        }
    }

    #[test]
    fn what_a_provider_needs_stays() {
        let kept = [
            ("content-type", "application/json"),
            ("accept", "text/event-stream"),
            ("user-agent", "OpenAI/Python"),
            ("anthropic-version", "2023-06-01"),
            ("anthropic-beta", "a"),
            ("openai-beta", "assistants=v2"),
            ("idempotency-key", "7"),
            ("x-stainless-lang", "python"),
            ("x-request-id", "r"),
            ("content-encoding", "gzip"),
        ];
        let mut headers = map(&kept);
        towards_provider(&mut headers);
        headers.remove(ACCEPT_ENCODING);
        assert_eq!(headers, map(&kept));
    }

    #[test]
    fn what_connection_names_is_taken_away_in_both_directions() {
        let lines = [
            ("connection", "close, X-Hop ,x-request-id"),
            ("connection", "retry-after"),
            ("x-hop", "1"),
            ("x-request-id", "2"),
            ("retry-after", "3"),
            ("content-type", "4"),
        ];
        let mut headers = map(&lines);
        towards_provider(&mut headers);
        assert_eq!(names(&headers), ["content-type", "accept-encoding"]);
        assert_eq!(names(&towards_client(&map(&lines))), ["content-type"]);
    }

    #[test]
    fn te_keeps_trailers_and_nothing_else() {
        let mut headers = map(&[("te", "gzip;q=0.5, Trailers;q=1")]);
        towards_provider(&mut headers);
        assert_eq!(headers.get(TE).unwrap(), "trailers");
    }

    #[test]
    fn a_caller_sees_retry_guidance_and_ids_and_nothing_of_the_account() {
        for name in [
            "content-type",
            "retry-after",
            "retry-after-ms",
            "x-should-retry",
            "x-request-id",
            "request-id",
            "x-ratelimit-remaining-tokens",
            "anthropic-ratelimit-requests-reset",
            "ratelimit",
            "ratelimit-remaining",
            "x-tokenlimit-remaining",
            "x-trial-endpoint-call-remaining",
            "x-amzn-requestid",
            "x-amzn-errortype",
            "apim-request-id",
            "mistral-correlation-id",
            "openai-processing-ms",
        ] {
            assert_eq!(names(&towards_client(&map(&[(name, "1")]))), [name]);
        }
        for name in [
            "set-cookie",
            "location",
            "connection",
            "transfer-encoding",
            "content-length",
            "server",
            "openai-organization",
            "anthropic-organization-id",
            "www-authenticate",
            "alt-svc",
            "strict-transport-security",
            "x-powered-by",
            "access-control-allow-origin",
            "refresh",
            "content-location",
            "via",
            "x-amzn-trace-id",
            "x-amz-apigw-id",
            "x-goog-quota-user",
            "x-google-backends",
            "x-ms-region",
            "x-ms-deployment-name",
            "azureml-model-deployment",
            "azureml-model-session",
            "cf-ray",
            "x-bartizan-refusal",
            "x-litellm-model-api-base",
        ] {
            assert!(towards_client(&map(&[(name, "1")])).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_header_that_comes_twice_stays_twice() {
        let lines = [("warning", "a"), ("warning", "b")];
        assert_eq!(towards_client(&map(&lines)), map(&lines));
    }
}

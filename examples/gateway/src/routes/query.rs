//! What a URL may not say, and what it must, in Google's API.

use std::sync::Arc;

use bartizan::core::{Call, Dialect, Filter, Filtered, Flow, Refusal, RefusalKind};
use percent_encoding::percent_decode_str;
use tower::Layer;

use super::route::STREAMED;

/// Names by which Google takes a key, or a token, from a URL.
const KEYS: [&str; 3] = ["key", "access_token", "oauth_token"];

/// Refuses with 400 what Google's clients may put into a URL and must not: a key, which logs and proxies keep, and a stream that is neither
/// events nor, outside of here, one array of them: no layer could look into it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueryLayer;

#[derive(Debug)]
pub(crate) struct Query;

impl<S> Layer<S> for QueryLayer {
    type Service = Filtered<S, Query>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::new(Query))
    }
}

impl Filter for Query {
    const NAME: &'static str = "query";
    type Tap = ();

    async fn request(&self, call: &mut Call) -> Result<Flow<()>, Refusal> {
        if matches!(
            call.dialect(),
            Dialect::Gemini | Dialect::GeminiCountTokens | Dialect::GeminiEmbeddings
        ) {
            let uri = &call.parts().uri;
            check(uri.path(), uri.query().unwrap_or_default())?;
        }
        Ok(Flow::Pass(()))
    }
}

fn check(path: &str, query: &str) -> Result<(), Refusal> {
    let mut framed = false;
    for word in query.split('&') {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        // `$alt` is `alt`, and so is what it is encoded as.
        let name = percent_decode_str(name).decode_utf8_lossy();
        let name = name.trim_start_matches('$');
        if KEYS.iter().any(|key| name.eq_ignore_ascii_case(key)) {
            return Err(Refusal::new(
                RefusalKind::BadRequest,
                "key_in_url",
                "a key is not taken from a URL, which logs and proxies keep: send it in the header x-goog-api-key",
            ));
        }
        framed |= name == "alt" && value == "sse";
    }
    let streamed = path
        .rsplit_once(':')
        .is_some_and(|(_, method)| method == STREAMED);
    if streamed && !framed {
        return Err(Refusal::new(
            RefusalKind::BadRequest,
            "alt_sse_required",
            "an answer is streamed as server-sent events (?alt=sse) or as one JSON array (no alt) only",
        )
        .param("alt"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_url_and_an_unframed_stream_are_refused() {
        for (path, query, code) in [
            ("/v1beta/models/m:generateContent", "", None),
            ("/v1beta/models/m:generateContent", "alt=json", None),
            ("/v1beta/models/m:generateContent", "keys=1&monkey=2", None),
            (
                "/v1beta/models/m:generateContent",
                "key=x",
                Some("key_in_url"),
            ),
            (
                "/v1beta/models/m:generateContent",
                "alt=sse&key",
                Some("key_in_url"),
            ),
            (
                "/v1beta/models/m:generateContent",
                "%6bEy=x",
                Some("key_in_url"),
            ),
            (
                "/v1beta/models/m:generateContent",
                "$key=x",
                Some("key_in_url"),
            ),
            (
                "/v1beta/models/m:generateContent",
                "access_token=x",
                Some("key_in_url"),
            ),
            ("/v1beta/models/m:streamGenerateContent", "alt=sse", None),
            ("/v1beta/models/m:streamGenerateContent", "%24alt=sse", None),
            (
                "/v1beta/models/m:streamGenerateContent",
                "",
                Some("alt_sse_required"),
            ),
            (
                "/v1beta/models/m:streamGenerateContent",
                "alt=json",
                Some("alt_sse_required"),
            ),
            (
                "/v1beta/models/m:streamGenerateContent",
                "alt=sse&key=x",
                Some("key_in_url"),
            ),
        ] {
            let refusal = check(path, query).err();
            assert_eq!(
                refusal.map(|refusal| refusal.code()),
                code,
                "{path}?{query}"
            );
        }
    }
}

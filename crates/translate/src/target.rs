//! Where a request goes: the API that the provider speaks there, and what the model is called there.

use std::sync::Arc;

use bartizan_core::Dialect;
use http::Uri;
use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::Error;

/// What may stand in a segment of a path as it is: the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The API and the model that a request goes to.
///
/// A router puts it into the request's extensions; [`TranslateLayer::to`](crate::TranslateLayer::to) sets one for all requests. Origin and
/// credential are not its business.
///
/// ```
/// use bartizan_core::Dialect;
/// use bartizan_translate::Target;
///
/// let target = Target::new(Dialect::AnthropicMessages, "claude-sonnet-4-5");
/// # let mut request = http::Request::post("/v1/chat/completions").body(())?;
/// request.extensions_mut().insert(target);
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Target {
    dialect: Dialect,
    model: Arc<str>,
    path: Option<PathAndQuery>,
    stream_usage: Option<bool>,
}

impl Target {
    /// Creates a target that speaks `dialect` and calls the model `model`.
    ///
    /// The request's path becomes the dialect's own, such as `/v1/messages`.
    #[must_use]
    pub fn new(dialect: Dialect, model: impl Into<Arc<str>>) -> Self {
        Self {
            dialect,
            model: model.into(),
            path: standard(dialect),
            stream_usage: None,
        }
    }

    /// Sets another path. `{model}` in it stands for the model's name, percent-encoded as one segment.
    ///
    /// # Errors
    ///
    /// [`Error::Path`] for what is no path; [`Error::Climbs`] where the model's name is `.` or `..`.
    pub fn path(mut self, template: &str) -> Result<Self, Error> {
        let name = utf8_percent_encode(&self.model, SEGMENT).to_string();
        if template.contains("{model}") && name.bytes().all(|byte| byte == b'.') {
            return Err(Error::Climbs);
        }
        let path = template.replace("{model}", &name);
        if !path.starts_with('/') || path.contains(['{', '}', '#']) {
            return Err(Error::Path);
        }
        self.path = Some(PathAndQuery::try_from(path).map_err(|_| Error::Path)?);
        Ok(self)
    }

    /// Says whether this provider can be asked for the usage of a stream (`stream_options`); as the layer says unless told.
    #[must_use]
    pub fn stream_usage(mut self, ask: bool) -> Self {
        self.stream_usage = Some(ask);
        self
    }

    /// The API that is spoken there.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What the model is called there.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    pub(crate) fn asks_usage(&self) -> Option<bool> {
        self.stream_usage
    }

    /// `uri` with this target's path; a query stays where the path brings none and `keep_query` says so.
    pub(crate) fn uri(&self, uri: &Uri, keep_query: bool) -> Option<Uri> {
        let mut path = self.path.clone()?;
        if keep_query
            && path.query().is_none()
            && let Some(query) = uri.query()
        {
            path = PathAndQuery::try_from(format!("{}?{query}", path.path())).ok()?;
        }
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).ok()
    }
}

fn standard(dialect: Dialect) -> Option<PathAndQuery> {
    Some(PathAndQuery::from_static(match dialect {
        Dialect::OpenAiChat => "/v1/chat/completions",
        Dialect::OpenAiResponses => "/v1/responses",
        Dialect::OpenAiEmbeddings => "/v1/embeddings",
        Dialect::AnthropicMessages => "/v1/messages",
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_path_can_not_leave_its_segment() {
        for (model, path) in [
            (
                "gpt-4o",
                "/openai/deployments/gpt-4o/chat/completions?api-version=1",
            ),
            (
                "../../v1/files",
                "/openai/deployments/..%2F..%2Fv1%2Ffiles/chat/completions?api-version=1",
            ),
            (
                "a/b?key=",
                "/openai/deployments/a%2Fb%3Fkey%3D/chat/completions?api-version=1",
            ),
            (
                "a\r\nb: c",
                "/openai/deployments/a%0D%0Ab%3A%20c/chat/completions?api-version=1",
            ),
            (
                "a#b%2e",
                "/openai/deployments/a%23b%252e/chat/completions?api-version=1",
            ),
            (
                "{model}",
                "/openai/deployments/%7Bmodel%7D/chat/completions?api-version=1",
            ),
        ] {
            let target = Target::new(Dialect::OpenAiChat, model)
                .path("/openai/deployments/{model}/chat/completions?api-version=1")
                .unwrap();
            let uri = target
                .uri(&Uri::from_static("https://origin.example/x?q=1"), true)
                .unwrap();
            assert_eq!(
                uri,
                format!("https://origin.example{path}")
                    .parse::<Uri>()
                    .unwrap(),
                "{model}"
            );
        }
        for model in [".", "..", "", "..."] {
            let target = Target::new(Dialect::OpenAiChat, model);
            assert!(target.path("/m/{model}").is_err(), "{model}");
        }
        for path in ["", "m", "https://a/b", "/a b", "/{name}", "/a#b"] {
            assert!(
                Target::new(Dialect::OpenAiChat, "m").path(path).is_err(),
                "{path}"
            );
        }
    }

    #[test]
    fn a_query_stays_only_where_the_caller_speaks_the_targets_api() {
        let target = Target::new(Dialect::AnthropicMessages, "m");
        let uri = Uri::from_static("/messages?beta=true");
        assert_eq!(target.uri(&uri, true).unwrap(), "/v1/messages?beta=true");
        assert_eq!(target.uri(&uri, false).unwrap(), "/v1/messages");
    }
}

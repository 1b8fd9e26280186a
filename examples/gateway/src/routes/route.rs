//! Which paths there are. What is not written here does not exist.

use bartizan::core::Dialect;
use http::Method;
use percent_encoding::percent_decode_str;

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// A call of a model, in this dialect.
    Llm(Dialect),
    /// A question to the gateway itself, which needs a key.
    Own(Own),
    /// Whether the process runs. Needs no key.
    Liveliness,
    /// Whether it can serve. Needs no key.
    Readiness,
    /// The path exists, but only with this method.
    OtherMethod(&'static str),
    /// There is no such path.
    Nothing,
}

/// A question to the gateway itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    Models,
    Model(String),
    KeyGenerate,
    KeyInfo,
    KeyDelete,
}

/// Every path with its only method, as tests scan them; the first of each pair of spellings.
#[cfg(test)]
pub(crate) const ALL: &[(&str, &str)] = &[
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/responses"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/messages"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/demo"),
    ("POST", "/key/generate"),
    ("GET", "/key/info"),
    ("POST", "/key/delete"),
    ("GET", "/health/liveliness"),
    ("GET", "/health/readiness"),
];

impl Route {
    /// Matches the path as it was sent: no decoding, no folding of slashes or dots, so that no two readers see two paths.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let (wanted, route) = match path {
            "/health/liveliness" | "/health/liveness" => ("GET", Self::Liveliness),
            "/health/readiness" => ("GET", Self::Readiness),
            "/key/generate" => ("POST", Self::Own(Own::KeyGenerate)),
            "/key/info" => ("GET", Self::Own(Own::KeyInfo)),
            "/key/delete" => ("POST", Self::Own(Own::KeyDelete)),
            _ => match Self::versioned(path.strip_prefix("/v1").unwrap_or(path)) {
                Some(found) => found,
                None => return Self::Nothing,
            },
        };
        if method.as_str() == wanted {
            route
        } else {
            Self::OtherMethod(wanted)
        }
    }

    /// What LiteLLM serves with and without `/v1` in front.
    fn versioned(path: &str) -> Option<(&'static str, Self)> {
        Some(match path {
            "/chat/completions" => ("POST", Self::Llm(Dialect::OpenAiChat)),
            "/responses" => ("POST", Self::Llm(Dialect::OpenAiResponses)),
            "/embeddings" => ("POST", Self::Llm(Dialect::OpenAiEmbeddings)),
            "/messages" => ("POST", Self::Llm(Dialect::AnthropicMessages)),
            "/models" => ("GET", Self::Own(Own::Models)),
            _ => {
                // The one path that is decoded, since names have slashes in them.
                let name = percent_decode_str(path.strip_prefix("/models/")?)
                    .decode_utf8()
                    .ok()?;
                if name
                    .split('/')
                    .any(|piece| matches!(piece, "" | "." | ".."))
                {
                    return None;
                }
                ("GET", Self::Own(Own::Model(name.into_owned())))
            }
        })
    }

    /// The dialect in which it is refused.
    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Llm(dialect) => *dialect,
            _ => Dialect::Other,
        }
    }

    /// What the record of a call says of its path: never what a caller made up.
    pub(crate) const fn pattern(&self) -> &'static str {
        match self {
            Self::Llm(Dialect::OpenAiChat) => "/v1/chat/completions",
            Self::Llm(Dialect::OpenAiResponses) => "/v1/responses",
            Self::Llm(Dialect::OpenAiEmbeddings) => "/v1/embeddings",
            Self::Llm(_) => "/v1/messages",
            Self::Own(Own::Models) => "/v1/models",
            Self::Own(Own::Model(_)) => "/v1/models/{model}",
            Self::Own(Own::KeyGenerate) => "/key/generate",
            Self::Own(Own::KeyInfo) => "/key/info",
            Self::Own(Own::KeyDelete) => "/key/delete",
            Self::Liveliness => "/health/liveliness",
            Self::Readiness => "/health/readiness",
            Self::OtherMethod(_) | Self::Nothing => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_one_method_and_one_spelling() {
        for (method, path) in ALL {
            let route = Route::of(&method.parse().unwrap(), path);
            assert!(
                !matches!(route, Route::Nothing | Route::OtherMethod(_)),
                "{path}"
            );
            for other in [
                "GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "BREW",
            ] {
                if other != *method {
                    assert_eq!(
                        Route::of(&other.parse().unwrap(), path),
                        Route::OtherMethod(method),
                        "{other} {path}"
                    );
                }
            }
            for odd in [
                format!("/{path}"),
                format!("{path}/"),
                format!("{path}//"),
                path.replacen('/', "//", 1),
                path.to_uppercase(),
                path.replace('e', "%65"),
                format!("/x/..{path}"),
                format!("{path}/.."),
                format!("{path};x"),
            ] {
                let route = Route::of(&method.parse().unwrap(), &odd);
                let is_a_models_name =
                    matches!(&route, Route::Own(Own::Model(_))) && path.starts_with("/v1/models/");
                assert!(
                    route == Route::Nothing || is_a_models_name,
                    "{odd} is {route:?}"
                );
            }
        }
    }

    #[test]
    fn both_spellings_of_a_models_path_lead_to_it() {
        for path in ["/chat/completions", "/v1/chat/completions"] {
            assert_eq!(
                Route::of(&Method::POST, path),
                Route::Llm(Dialect::OpenAiChat)
            );
        }
        assert_eq!(
            Route::of(&Method::POST, "/v1/v1/chat/completions"),
            Route::Nothing
        );
        for path in ["/models/openai/gpt-4o", "/v1/models/openai%2Fgpt-4o"] {
            assert_eq!(
                Route::of(&Method::GET, path),
                Route::Own(Own::Model("openai/gpt-4o".into()))
            );
        }
    }
}

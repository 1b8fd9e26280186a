//! Which paths there are. What is not written here does not exist.

use bartizan::core::Dialect;
use http::Method;
use percent_encoding::percent_decode_str;

use super::managed::pattern;

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// A call of a model, in this dialect.
    Llm(Dialect),
    /// A question to the gateway itself, which needs a key.
    Own(Own),
    /// Management of keys and accounts, with the pattern of its path.
    Managed(&'static str),
    /// Whether the process runs. Needs no key.
    Liveliness,
    /// Whether it can serve. Needs no key.
    Readiness,
    /// The path exists, but only with this method.
    OtherMethod(&'static str),
    /// There is no such path.
    Nothing,
}

pub(super) const STREAMED: &str = "streamGenerateContent";

/// A question to the gateway itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    Models,
    Model(String),
    /// The same in Google's shape.
    GoogleModels,
    GoogleModel(String),
}

/// Every path with its only method, as tests scan them; the first of each pair of spellings.
#[cfg(test)]
pub(crate) const ALL: &[(&str, &str)] = &[
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/responses"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/messages"),
    ("POST", "/v1/messages/count_tokens"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/moderations"),
    ("POST", "/v1/rerank"),
    ("POST", "/v1beta/models/demo:generateContent"),
    ("POST", "/v1beta/models/demo:streamGenerateContent"),
    ("POST", "/v1beta/models/demo:countTokens"),
    ("POST", "/v1beta/models/demo:embedContent"),
    ("POST", "/v1beta/models/demo:batchEmbedContents"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/demo"),
    ("GET", "/v1beta/models"),
    ("GET", "/v1beta/models/demo"),
    ("GET", "/health/liveliness"),
    ("GET", "/health/readiness"),
];

impl Route {
    /// Matches the path as it was sent: no decoding, no folding of slashes or dots, so that no two readers see two paths.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let (wanted, route) = match path {
            "/health/liveliness" | "/health/liveness" => ("GET", Self::Liveliness),
            "/health/readiness" => ("GET", Self::Readiness),
            "/v2/rerank" => ("POST", Self::Llm(Dialect::CohereRerank)),
            "/v1beta/models" => ("GET", Self::Own(Own::GoogleModels)),
            _ => match Self::googles(path)
                .or_else(|| Self::versioned(path.strip_prefix("/v1").unwrap_or(path)))
            {
                Some(found) => found,
                // Its methods are for it to say.
                None => return pattern(path).map_or(Self::Nothing, Self::Managed),
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
            "/messages/count_tokens" => ("POST", Self::Llm(Dialect::AnthropicCountTokens)),
            "/completions" => ("POST", Self::Llm(Dialect::OpenAiCompletions)),
            "/moderations" => ("POST", Self::Llm(Dialect::OpenAiModerations)),
            "/rerank" => ("POST", Self::Llm(Dialect::CohereRerank)),
            _ => {
                let name = model(path.strip_prefix("/models/")?)?;
                ("GET", Self::Own(Own::Model(name)))
            }
        })
    }

    /// Google's paths, which have a model's name inside, and behind it the method. Its SDKs use both versions.
    fn googles(path: &str) -> Option<(&'static str, Self)> {
        let (beta, name) = match path.strip_prefix("/v1beta/models/") {
            Some(name) => (true, name),
            None => (false, path.strip_prefix("/v1/models/")?),
        };
        let called = name.rsplit_once(':').and_then(|(name, method)| {
            let dialect = match method {
                "generateContent" | STREAMED => Dialect::Gemini,
                "countTokens" => Dialect::GeminiCountTokens,
                "embedContent" | "batchEmbedContents" => Dialect::GeminiEmbeddings,
                _ => return None,
            };
            Some((name, dialect))
        });
        match called {
            Some((name, dialect)) => model(name).map(|_| ("POST", Self::Llm(dialect))),
            None if beta => Some(("GET", Self::Own(Own::GoogleModel(model(name)?)))),
            None => None,
        }
    }

    /// The dialect in which it is refused.
    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Llm(dialect) => *dialect,
            Self::Own(Own::GoogleModels | Own::GoogleModel(_)) => Dialect::Gemini,
            Self::Managed(_) => Dialect::Json,
            _ => Dialect::Other,
        }
    }

    /// What the record of a call says of its path: never what a caller made up.
    pub(crate) const fn pattern(&self) -> &'static str {
        match self {
            Self::Llm(Dialect::OpenAiChat) => "/v1/chat/completions",
            Self::Llm(Dialect::OpenAiResponses) => "/v1/responses",
            Self::Llm(Dialect::OpenAiEmbeddings) => "/v1/embeddings",
            Self::Llm(Dialect::OpenAiCompletions) => "/v1/completions",
            Self::Llm(Dialect::OpenAiModerations) => "/v1/moderations",
            Self::Llm(Dialect::AnthropicCountTokens) => "/v1/messages/count_tokens",
            Self::Llm(Dialect::Gemini) => "/v1beta/models/{model}:generateContent",
            Self::Llm(Dialect::GeminiCountTokens) => "/v1beta/models/{model}:countTokens",
            Self::Llm(Dialect::GeminiEmbeddings) => "/v1beta/models/{model}:embedContent",
            Self::Llm(Dialect::CohereRerank) => "/v2/rerank",
            Self::Llm(_) => "/v1/messages",
            Self::Own(Own::GoogleModels) => "/v1beta/models",
            Self::Own(Own::GoogleModel(_)) => "/v1beta/models/{model}",
            Self::Own(Own::Models) => "/v1/models",
            Self::Own(Own::Model(_)) => "/v1/models/{model}",
            Self::Managed(pattern) => pattern,
            Self::Liveliness => "/health/liveliness",
            Self::Readiness => "/health/readiness",
            Self::OtherMethod(_) | Self::Nothing => "",
        }
    }
}

/// A model's name as it stands in a path: what is decoded there, since names have slashes in them.
fn model(encoded: &str) -> Option<String> {
    let name = percent_decode_str(encoded).decode_utf8().ok()?;
    let climbs = name
        .split('/')
        .any(|piece| matches!(piece, "" | "." | ".."));
    (!climbs).then(|| name.into_owned())
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
                let is_a_models_name = match &route {
                    Route::Own(Own::Model(_)) => path.starts_with("/v1/models/"),
                    Route::Own(Own::GoogleModel(_)) | Route::OtherMethod("GET") => {
                        path.starts_with("/v1beta/models/")
                    }
                    _ => false,
                };
                assert!(
                    route == Route::Nothing || is_a_models_name,
                    "{odd} is {route:?}"
                );
            }
        }
    }

    #[test]
    fn googles_methods_stand_behind_a_models_name_in_both_versions() {
        let post = |path: &str| Route::of(&Method::POST, path);
        for version in ["v1", "v1beta"] {
            for (rest, dialect) in [
                ("demo:generateContent", Dialect::Gemini),
                ("demo:streamGenerateContent", Dialect::Gemini),
                ("gemini/gemini-2.5-flash:generateContent", Dialect::Gemini),
                ("gemini%2Fgemini-2.5-flash:generateContent", Dialect::Gemini),
                ("llama3:8b:countTokens", Dialect::GeminiCountTokens),
                ("demo:embedContent", Dialect::GeminiEmbeddings),
                ("demo:batchEmbedContents", Dialect::GeminiEmbeddings),
            ] {
                let path = format!("/{version}/models/{rest}");
                assert_eq!(post(&path), Route::Llm(dialect), "{path}");
                assert_eq!(Route::of(&Method::GET, &path), Route::OtherMethod("POST"));
            }
            for rest in [
                ":generateContent",
                "..:generateContent",
                "a/../b:generateContent",
                "a%2F..%2Fb:generateContent",
                "a//b:generateContent",
                "demo:batchGenerateContent",
                "demo%3AgenerateContent",
            ] {
                let route = post(&format!("/{version}/models/{rest}"));
                assert!(
                    matches!(route, Route::Nothing | Route::OtherMethod("GET")),
                    "{rest} is {route:?}"
                );
            }
        }
        // A name with a colon is a name where no method is meant.
        assert_eq!(
            Route::of(&Method::GET, "/v1/models/llama3:8b"),
            Route::Own(Own::Model("llama3:8b".into()))
        );
        assert_eq!(
            Route::of(&Method::GET, "/v1beta/models/gemini%2Fx"),
            Route::Own(Own::GoogleModel("gemini/x".into()))
        );
        assert_eq!(
            post("/models/demo:generateContent"),
            Route::OtherMethod("GET")
        );
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

//! What a request's path says: which API it is for, and in some APIs the model and whether the answer is to be streamed.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Dialect;

/// How a path ends, by API. `*` is one segment. The first that fits counts.
const ENDS: [(&str, Dialect); 14] = [
    ("chat/completions", Dialect::OpenAiChat),
    ("completions", Dialect::OpenAiCompletions),
    ("responses", Dialect::OpenAiResponses),
    ("embeddings", Dialect::OpenAiEmbeddings),
    ("moderations", Dialect::OpenAiModerations),
    ("messages", Dialect::AnthropicMessages),
    ("messages/count_tokens", Dialect::AnthropicCountTokens),
    ("model/*/converse", Dialect::BedrockConverse),
    ("model/*/converse-stream", Dialect::BedrockConverse),
    ("v2/chat", Dialect::CohereChat),
    ("v2/embed", Dialect::CohereEmbed),
    ("rerank", Dialect::CohereRerank),
    ("api/chat", Dialect::OllamaChat),
    ("api/embed", Dialect::OllamaEmbed),
];

/// Google's methods, which stand behind the name of what they are called on.
const METHODS: [(&str, Dialect); 5] = [
    ("generateContent", Dialect::Gemini),
    (STREAMED, Dialect::Gemini),
    ("countTokens", Dialect::GeminiCountTokens),
    ("embedContent", Dialect::GeminiEmbeddings),
    ("batchEmbedContents", Dialect::GeminiEmbeddings),
];

const STREAMED: &str = "streamGenerateContent";

/// What they can be called on.
const COLLECTIONS: [&str; 3] = ["models", "tunedModels", "endpoints"];

/// The API that `path` is for.
pub(super) fn dialect(path: &str) -> Option<Dialect> {
    let path = decoded(path);
    let of_ends = ENDS.into_iter().find(|(end, _)| ends_with(&path, end));
    of_ends.map(|(_, dialect)| dialect).or_else(|| {
        let (before, method) = path.rsplit_once(':')?;
        let (_, dialect) = METHODS.into_iter().find(|(known, _)| *known == method)?;
        named(before).map(|_| dialect)
    })
}

/// What stands in a path around and behind the first collection in it. A name may have slashes in it, and a `models` too:
/// `fireworks_ai/accounts/fireworks/models/x`.
fn named(before: &str) -> Option<(&str, &str, &str)> {
    let mut at = 0;
    for segment in before.split('/') {
        let (start, end) = (at, at + segment.len());
        at = end + 1;
        if COLLECTIONS.contains(&segment) {
            let name = before.get(at..)?;
            let whole = !name.split('/').any(str::is_empty);
            return whole.then_some((before.get(..start)?, segment, name));
        }
    }
    None
}

/// A server may take an encoded letter for the letter, so that one must not hide which API it is; an encoded slash stays part of its
/// segment.
fn decoded(path: &str) -> Cow<'_, str> {
    let path = path.trim_end_matches('/');
    if memchr::memchr(b'%', path.as_bytes()).is_none() {
        return Cow::Borrowed(path);
    }
    let segments = path.split('/').map(|segment| {
        let segment = percent_decode_str(segment).decode_utf8_lossy();
        if segment.contains('/') {
            Cow::Owned(segment.replace('/', "%2F"))
        } else {
            segment
        }
    });
    Cow::Owned(segments.collect::<Vec<_>>().join("/"))
}

fn ends_with(path: &str, end: &str) -> bool {
    let mut segments = path.rsplit('/');
    end.rsplit('/').all(|wanted| {
        segments.next().is_some_and(|segment| {
            if wanted == "*" {
                !segment.is_empty()
            } else {
                segment == wanted
            }
        })
    })
}

/// The model, and whether the answer is to be streamed, in the dialects that say so in the path.
///
/// A model of Google's is told by its bare name, whatever project it is reached through. A tuned model, one at an endpoint of its own
/// and another publisher's is told by that too, since it may have the name of another: `tunedModels/mine`, `meta/llama`.
pub(super) fn model(dialect: Dialect, path: &str) -> Option<(Cow<'_, str>, bool)> {
    match dialect {
        Dialect::Gemini | Dialect::GeminiCountTokens | Dialect::GeminiEmbeddings => {
            match decoded(path) {
                Cow::Borrowed(path) => googles_model(path),
                Cow::Owned(path) => {
                    let (model, stream) = googles_model(&path)?;
                    Some((Cow::Owned(model.replace("%2F", "/")), stream))
                }
            }
        }
        Dialect::BedrockConverse => {
            let (before, method) = path.trim_end_matches('/').rsplit_once('/')?;
            let model = before.rsplit('/').next()?;
            let model = percent_decode_str(model).decode_utf8().ok()?;
            Some((model, method == "converse-stream"))
        }
        _ => None,
    }
}

/// The path with another model in the place of the one that it names. `None` where the path is spelled or built so that only a router knows
/// what would be meant: with encoded letters, a tuned model, another publisher's.
pub(super) fn with_model(dialect: Dialect, path: &str, model: &str) -> Option<String> {
    let model = utf8_percent_encode(model, UNRESERVED);
    match dialect {
        Dialect::Gemini | Dialect::GeminiCountTokens | Dialect::GeminiEmbeddings => {
            let (before, method) = path.rsplit_once(':')?;
            let (around, collection, _) = named(before)?;
            let theirs = around.contains("publishers/") && !around.ends_with("publishers/google/");
            let plain = !path.contains('%') && collection == "models" && !theirs;
            plain.then(|| format!("{around}{collection}/{model}:{method}"))
        }
        Dialect::BedrockConverse => {
            let (before, method) = path.trim_end_matches('/').rsplit_once('/')?;
            let (around, _) = before.rsplit_once('/')?;
            Some(format!("{around}/{model}/{method}"))
        }
        _ => None,
    }
}

/// RFC 3986, 2.3: what never needs encoding.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn googles_model(path: &str) -> Option<(Cow<'_, str>, bool)> {
    let (before, method) = path.rsplit_once(':')?;
    let stream = method == STREAMED;
    let (around, collection, name) = named(before)?;
    if collection != "models" {
        return Some((Cow::Owned(format!("{collection}/{name}")), stream));
    }
    let mut around = around.trim_end_matches('/').rsplit('/');
    match (around.next(), around.next()) {
        (Some(publisher), Some("publishers")) if publisher != "google" => {
            Some((Cow::Owned(format!("{publisher}/{name}")), stream))
        }
        _ => Some((Cow::Borrowed(name), stream)),
    }
}

//! What a request's path says: which API it is for, and in some APIs the model and whether the answer is to be streamed.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::Dialect;

/// How a path ends, by API. `*` is one segment; a segment that starts with `:` is the end of one. The first that fits counts.
const ENDS: [(&str, Dialect); 24] = [
    ("chat/completions", Dialect::OpenAiChat),
    ("completions", Dialect::OpenAiCompletions),
    ("responses", Dialect::OpenAiResponses),
    ("embeddings", Dialect::OpenAiEmbeddings),
    ("moderations", Dialect::OpenAiModerations),
    ("messages", Dialect::AnthropicMessages),
    ("messages/count_tokens", Dialect::AnthropicCountTokens),
    ("models/:generateContent", Dialect::Gemini),
    ("models/:streamGenerateContent", Dialect::Gemini),
    ("tunedModels/:generateContent", Dialect::Gemini),
    ("tunedModels/:streamGenerateContent", Dialect::Gemini),
    ("endpoints/:generateContent", Dialect::Gemini),
    ("endpoints/:streamGenerateContent", Dialect::Gemini),
    ("models/:countTokens", Dialect::GeminiCountTokens),
    ("endpoints/:countTokens", Dialect::GeminiCountTokens),
    ("models/:embedContent", Dialect::GeminiEmbeddings),
    ("models/:batchEmbedContents", Dialect::GeminiEmbeddings),
    ("model/*/converse", Dialect::BedrockConverse),
    ("model/*/converse-stream", Dialect::BedrockConverse),
    ("v2/chat", Dialect::CohereChat),
    ("v2/embed", Dialect::CohereEmbed),
    ("rerank", Dialect::CohereRerank),
    ("api/chat", Dialect::OllamaChat),
    ("api/embed", Dialect::OllamaEmbed),
];

/// The API that `path` is for.
pub(super) fn dialect(path: &str) -> Option<Dialect> {
    let path = decoded(path);
    ENDS.into_iter()
        .find(|(end, _)| ends_with(&path, end))
        .map(|(_, dialect)| dialect)
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
            } else if wanted.starts_with(':') {
                segment.ends_with(wanted) && segment.len() > wanted.len()
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
    let (before, last) = path.trim_end_matches('/').rsplit_once('/')?;
    match dialect {
        Dialect::Gemini | Dialect::GeminiCountTokens | Dialect::GeminiEmbeddings => {
            let (name, stream) = match percent_decode_str(last).decode_utf8().ok()? {
                Cow::Borrowed(last) => {
                    let (name, method) = last.rsplit_once(':')?;
                    (Cow::Borrowed(name), method == "streamGenerateContent")
                }
                Cow::Owned(mut last) => {
                    let (name, method) = last.rsplit_once(':')?;
                    let (end, stream) = (name.len(), method == "streamGenerateContent");
                    last.truncate(end);
                    (Cow::Owned(last), stream)
                }
            };
            let mut around = before
                .rsplit('/')
                .map(|segment| percent_decode_str(segment).decode_utf8_lossy());
            let collection = match (around.next()?, around.next(), around.next()) {
                (models, Some(publisher), Some(of)) if models == "models" && of == "publishers" => {
                    Some(publisher).filter(|publisher| publisher != "google")
                }
                (models, ..) if models == "models" => None,
                (collection, ..) => Some(collection),
            };
            let name = match collection {
                Some(collection) => Cow::Owned(format!("{collection}/{name}")),
                None => name,
            };
            Some((name, stream))
        }
        Dialect::BedrockConverse => {
            let model = before.rsplit('/').next()?;
            let model = percent_decode_str(model).decode_utf8().ok()?;
            Some((model, last == "converse-stream"))
        }
        _ => None,
    }
}

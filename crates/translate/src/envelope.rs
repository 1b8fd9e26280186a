//! A dialect's body as a cloud takes it that serves other makers' models.
//!
//! | | Vertex AI | Amazon Bedrock, by `InvokeModel` |
//! |---|---|---|
//! | `model` | in the path | in the path |
//! | `stream` | stays | in the path |
//! | `anthropic-version` | `anthropic_version: vertex-2023-10-16` | `anthropic_version: bedrock-2023-05-31` |
//! | `anthropic-beta` | stays | `anthropic_beta` |
//! | Cohere's rerank | | `api_version: 2` |
//! | a stream | stays | each event in base64 in a frame of AWS's |
//!
//! All other members keep their bytes.

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Body, Call, Dialect, Framing, Refusal};
use http::{HeaderMap, HeaderName};

use crate::bedrock::Frames;
use crate::catalogue::Envelope;
use crate::write::Writer;

const VERSION: HeaderName = HeaderName::from_static("anthropic-version");
const BETA: HeaderName = HeaderName::from_static("anthropic-beta");

/// Puts a request of the target's dialect into `envelope`.
pub(crate) async fn enclose(call: &mut Call, envelope: Envelope) -> Result<(), Refusal> {
    if envelope == Envelope::Plain {
        return Ok(());
    }
    let dialect = call.dialect();
    let betas = match (envelope, dialect) {
        (Envelope::Bedrock, Dialect::AnthropicMessages) => betas(&call.parts().headers),
        _ => Vec::new(),
    };
    let Some(document) = call.document().await? else {
        return Ok(());
    };
    let Some(text) = body(document.json().root(), envelope, dialect, &betas) else {
        return Ok(());
    };
    *call.body_mut() = Body::from(text);
    let headers = &mut call.parts_mut().headers;
    headers.remove(VERSION);
    if envelope == Envelope::Bedrock {
        headers.remove(BETA);
    }
    Ok(())
}

/// How a stream in `envelope` is framed, where not as the dialect's own streams are.
pub(crate) fn framing(envelope: Envelope, dialect: Dialect) -> Option<Box<dyn Framing>> {
    match envelope {
        Envelope::Bedrock => Some(Box::new(Frames::of_model(dialect))),
        Envelope::Plain | Envelope::Vertex => None,
    }
}

fn betas(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(BETA).into_iter();
    let words = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let mut betas: Vec<String> = Vec::new();
    for word in words.map(str::trim).filter(|word| !word.is_empty()) {
        if !betas.iter().any(|beta| beta == word) {
            betas.push(word.to_owned());
        }
    }
    betas
}

fn body(root: Value<'_>, envelope: Envelope, dialect: Dialect, betas: &[String]) -> Option<String> {
    if root.kind() != Kind::Object {
        return None;
    }
    let anthropics = matches!(
        dialect,
        Dialect::AnthropicMessages | Dialect::AnthropicCountTokens
    );
    // The path of a count names no model.
    let counts = dialect == Dialect::AnthropicCountTokens;
    let mut out = Writer::with_capacity(root.raw().len() + 64);
    out.open();
    match envelope {
        Envelope::Vertex if anthropics => out.plain_at("anthropic_version", "vertex-2023-10-16"),
        Envelope::Bedrock if anthropics => out.plain_at("anthropic_version", "bedrock-2023-05-31"),
        Envelope::Bedrock if dialect == Dialect::CohereRerank => out.number_at("api_version", 2),
        _ => {}
    }
    let own = root.get("anthropic_beta").filter(|_| !betas.is_empty());
    if !betas.is_empty() {
        let own: Vec<_> = own.into_iter().flat_map(Value::items).collect();
        out.key("anthropic_beta");
        out.open_list();
        for beta in &own {
            out.raw(beta.raw());
        }
        for beta in betas
            .iter()
            .filter(|beta| !own.iter().any(|own| own.is(beta)))
        {
            out.text(beta);
        }
        out.close_list();
    }
    for (key, value) in root.members() {
        let gone = match key.text().as_deref() {
            Some("model") => !counts,
            Some("stream") => envelope == Envelope::Bedrock,
            Some("anthropic_version") => anthropics,
            Some("anthropic_beta") => !betas.is_empty(),
            Some("api_version") => {
                envelope == Envelope::Bedrock && dialect == Dialect::CohereRerank
            }
            _ => false,
        };
        if !gone {
            out.raw(key.raw());
            out.follow(value.raw());
        }
    }
    out.close();
    Some(out.finish())
}

#[cfg(test)]
mod tests {
    use bartizan_core::json::Json;

    use super::*;

    #[test]
    fn a_body_says_what_its_cloud_wants_and_keeps_all_else_byte_for_byte() {
        use Dialect::{
            AnthropicCountTokens, AnthropicMessages, CohereEmbed, CohereRerank, OpenAiChat,
        };
        let text = r#"{ "model":"m", "max_tokens": 1.0e1,"messages":[ {"role":"user","content":"\u0041"} ], "stream" : true }"#;
        let rest = r#""max_tokens":1.0e1,"messages":[ {"role":"user","content":"\u0041"} ]"#;
        let vertex = r#""anthropic_version":"vertex-2023-10-16""#;
        let bedrock = r#""anthropic_version":"bedrock-2023-05-31""#;
        for (envelope, dialect, betas, expected) in [
            (
                Envelope::Vertex,
                AnthropicMessages,
                &[][..],
                format!(r#"{{{vertex},{rest},"stream":true}}"#),
            ),
            (
                Envelope::Vertex,
                AnthropicCountTokens,
                &[],
                format!(r#"{{{vertex},"model":"m",{rest},"stream":true}}"#),
            ),
            (
                Envelope::Vertex,
                OpenAiChat,
                &[],
                format!(r#"{{{rest},"stream":true}}"#),
            ),
            (
                Envelope::Bedrock,
                AnthropicMessages,
                &[],
                format!(r#"{{{bedrock},{rest}}}"#),
            ),
            (
                Envelope::Bedrock,
                AnthropicMessages,
                &["a-1", "b"],
                format!(r#"{{{bedrock},"anthropic_beta":["a-1","b"],{rest}}}"#),
            ),
            (Envelope::Bedrock, CohereEmbed, &[], format!("{{{rest}}}")),
            (
                Envelope::Bedrock,
                CohereRerank,
                &[],
                format!(r#"{{"api_version":2,{rest}}}"#),
            ),
        ] {
            let json = Json::read(text).unwrap();
            let betas: Vec<_> = betas.iter().map(|beta| (*beta).to_owned()).collect();
            let written = body(json.root(), envelope, dialect, &betas);
            assert_eq!(written, Some(expected), "{envelope:?} {dialect:?}");
        }
        let json = Json::read("[1]").unwrap();
        assert_eq!(
            body(json.root(), Envelope::Bedrock, AnthropicMessages, &[]),
            None
        );
    }

    #[test]
    fn betas_of_header_and_body_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(BETA, "a, b".parse().unwrap());
        headers.append(BETA, "c,,a\u{20}".parse().unwrap());
        let json =
            Json::read(r#"{"anthropic_version":"x","anthropic_beta":["b","d"],"max_tokens":1}"#)
                .unwrap();
        let words = betas(&headers);
        assert_eq!(words, ["a", "b", "c"]);
        let written = body(
            json.root(),
            Envelope::Bedrock,
            Dialect::AnthropicMessages,
            &words,
        );
        assert_eq!(
            written.unwrap(),
            r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["b","d","a","c"],"max_tokens":1}"#
        );
        let none = body(
            json.root(),
            Envelope::Bedrock,
            Dialect::AnthropicMessages,
            &[],
        );
        assert_eq!(
            none.unwrap(),
            r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["b","d"],"max_tokens":1}"#
        );
    }
}

//! Writing the answer.

use super::answer::Answer;
use super::numbers::Numbers;
use crate::write::Writer;

/// The forms that Cohere has.
pub(super) const FORMS: [&str; 6] = ["float", "int8", "uint8", "binary", "ubinary", "base64"];

/// How the answer is written.
#[derive(Clone, Debug)]
pub(super) enum Client {
    OpenAi {
        base64: bool,
        /// Whether the numbers pass as they are, since they may be no floats.
        as_is: bool,
    },
    Gemini {
        batch: bool,
    },
    Cohere {
        forms: Vec<&'static str>,
    },
}

impl Client {
    /// `model` is what the caller calls it. `None` where the answer has not what was asked for.
    pub(super) fn write(&self, answer: &Answer<'_>, model: &str) -> Option<String> {
        let mut out = Writer::with_capacity(4_096);
        out.open();
        match self {
            Self::OpenAi { base64, as_is } => {
                openai(answer, model, *base64, *as_is, &mut out)?;
            }
            Self::Gemini { batch } => gemini(answer, *batch, &mut out)?,
            Self::Cohere { forms } => cohere(answer, forms, &mut out)?,
        }
        answer.losses.declare(&mut out);
        out.close();
        Some(out.finish())
    }
}

fn openai(
    answer: &Answer<'_>,
    model: &str,
    base64: bool,
    as_is: bool,
    out: &mut Writer,
) -> Option<()> {
    out.plain_at("object", "list");
    out.key("data");
    out.open_list();
    for (index, vector) in answer.form("float")?.iter().enumerate() {
        out.open();
        out.plain_at("object", "embedding");
        out.number_at("index", u64::try_from(index).ok()?);
        out.key("embedding");
        let base64 = match vector {
            Numbers::Base64(_) if as_is => true,
            Numbers::List(_) if as_is => false,
            _ => base64,
        };
        numbers(vector, base64, out)?;
        out.close();
    }
    out.close_list();
    out.text_at("model", answer.model.as_deref().unwrap_or(model));
    if let Some(tokens) = answer.tokens {
        out.key("usage");
        out.open();
        out.number_at("prompt_tokens", tokens);
        out.number_at("total_tokens", tokens);
        out.close();
    }
    Some(())
}

fn gemini(answer: &Answer<'_>, batch: bool, out: &mut Writer) -> Option<()> {
    let vectors = answer.form("float")?;
    let value = |vector: &Numbers<'_>, out: &mut Writer| {
        out.open();
        out.key("values");
        numbers(vector, false, out)?;
        out.close();
        Some(())
    };
    if batch {
        out.key("embeddings");
        out.open_list();
        for vector in vectors {
            value(vector, out)?;
        }
        out.close_list();
    } else {
        out.key("embedding");
        value(vectors.first()?, out)?;
    }
    if let Some(tokens) = answer.tokens {
        out.key("usageMetadata");
        out.open();
        out.number_at("promptTokenCount", tokens);
        out.number_at("totalTokenCount", tokens);
        out.close();
    }
    Some(())
}

fn cohere(answer: &Answer<'_>, forms: &[&'static str], out: &mut Writer) -> Option<()> {
    out.text_at("id", answer.id.as_deref().unwrap_or_default());
    out.key("embeddings");
    out.open();
    for form in forms {
        let base64 = *form == "base64";
        let vectors = answer.form(form);
        let vectors = vectors.or_else(|| answer.form("float").filter(|_| base64))?;
        out.key(form);
        out.open_list();
        for vector in vectors {
            numbers(vector, base64, out)?;
        }
        out.close_list();
    }
    out.close();
    out.key("meta");
    out.open();
    out.raw_at("api_version", r#"{"version":"2"}"#);
    if let Some(tokens) = answer.tokens {
        out.key("billed_units");
        out.open();
        out.number_at("input_tokens", tokens);
        out.close();
    }
    out.close();
    out.plain_at("response_type", "embeddings_by_type");
    Some(())
}

fn numbers(vector: &Numbers<'_>, base64: bool, out: &mut Writer) -> Option<()> {
    let mut text = String::new();
    if base64 {
        vector.base64(&mut text)?;
    } else {
        vector.list(&mut text)?;
    }
    out.raw(&text);
    Some(())
}

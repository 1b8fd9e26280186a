//! Reading a request.

mod cohere;
mod gemini;
mod openai;

use bartizan_core::json::Value;
use bartizan_core::{Dialect, Document, Refusal};

use super::ask::{Ask, Part};
use crate::dialects::unsupported;
use crate::losses::Losses;
use crate::neutral::Str;
use crate::read::{Place, Unknown};

pub(super) fn decode<'a>(
    document: &'a Document,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Ask<'a>, Refusal> {
    let ask = match document.dialect() {
        Dialect::OpenAiEmbeddings => openai::decode(document)?,
        Dialect::GeminiEmbeddings => gemini::decode(document, policy, losses)?,
        Dialect::CohereEmbed => cohere::decode(document, policy, losses)?,
        from => return Err(unsupported(from)),
    };
    if ask.model.is_empty() {
        return Err(ask.invalid("model", "needed"));
    }
    if ask.inputs.is_empty() {
        return Err(ask.invalid("input", "at least one text"));
    }
    Ok(ask)
}

fn size(here: &Place<'_>, value: Value<'_>) -> Result<u64, Refusal> {
    match here.count(value)? {
        0 => Err(here.invalid("at least 1")),
        size => Ok(size),
    }
}

/// An image by its address: `data:`, or one that is fetched.
fn image<'a>(here: &Place<'_>, url: Str<'a>) -> Result<Part<'a>, Refusal> {
    let Some(rest) = url.strip_prefix("data:") else {
        return if url.starts_with("https://") || url.starts_with("http://") {
            Ok(Part::Url {
                url,
                media_type: None,
            })
        } else {
            Err(here.invalid("an https: or data: address"))
        };
    };
    let parts = rest.split_once(";base64,");
    let (media_type, data) = parts
        .ok_or_else(|| here.invalid("a data: address is `data:<media type>;base64,<data>`"))?;
    data_part(here, &media_type.to_ascii_lowercase(), data)
}

fn data_part<'a>(here: &Place<'_>, media_type: &str, data: &str) -> Result<Part<'a>, Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if data.is_empty() || !data.bytes().all(plain) {
        return Err(here.invalid("the data is not base64"));
    }
    let media_type = match media_type {
        "image/jpg" => "image/jpeg",
        other => other,
    };
    Ok(Part::Data {
        media_type: media_type.to_owned().into(),
        data: data.to_owned().into(),
    })
}

//! Reading data, and where data lies.

use std::borrow::Cow;

use bartizan_core::Refusal;
use bartizan_core::json::Value;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::fields::{field, fields};
use super::super::files::{is_googles, media_type_of};
use super::contents::word;
use crate::losses::Losses;
use crate::neutral::{Block, Source, Str};
use crate::read::{Place, Unknown, unknown};

/// `inlineData`: bytes in base64.
pub(super) fn inline<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Block<'a>, Refusal> {
    let (mut media_type, mut data, mut title) = (None, None, None);
    for (key, value) in fields(here, value)? {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "mimeType" => media_type = Some(lower(there.text(value)?)),
            "data" => data = Some(base64(&there, there.text(value)?)?),
            "displayName" => title = word(value),
            name => unknown(here, policy, losses, name)?,
        }
    }
    let there = Place::In(here, "mimeType");
    let media_type = media_type.filter(|kind| kind.contains('/'));
    let media_type = media_type.ok_or_else(|| there.invalid("needed, such as image/png"))?;
    let there = Place::In(here, "data");
    let data = data.ok_or_else(|| there.invalid("needed"))?;
    let source = if media_type.starts_with("text/") {
        let bytes = STANDARD.decode(data.as_bytes()).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        Source::Text(
            text.ok_or_else(|| there.invalid("not base64 of UTF-8"))?
                .into(),
        )
    } else {
        Source::Base64 {
            media_type: media_type.clone(),
            data,
        }
    };
    Ok(block(&media_type, source, title, losses))
}

/// `fileData`: where the bytes lie.
pub(super) fn file<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Block<'a>, Refusal> {
    let (mut media_type, mut uri, mut title) = (None, None, None);
    for (key, value) in fields(here, value)? {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "mimeType" => media_type = word(value).map(lower),
            "fileUri" => uri = Some(there.text(value)?),
            "displayName" => title = word(value),
            name => unknown(here, policy, losses, name)?,
        }
    }
    let there = Place::In(here, "fileUri");
    let uri = uri.ok_or_else(|| there.invalid("needed"))?;
    let kind = media_type
        .clone()
        .or_else(|| media_type_of(&uri).map(Into::into))
        .unwrap_or_default();
    let source = if is_googles(&uri) {
        Source::File { id: uri }
    } else if ["https://", "http://", "gs://"]
        .iter()
        .any(|start| uri.starts_with(start))
    {
        Source::Url {
            url: uri,
            media_type,
        }
    } else {
        return Err(there.invalid("an https: or gs: address, or a file's name"));
    };
    Ok(block(&kind, source, title, losses))
}

/// The media inside of a function's response.
pub(super) fn of_result<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Block<'a>>, Refusal> {
    let mut blocks = Vec::new();
    for (key, value) in fields(here, value)? {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "id" | "name" | "response" => {}
            "parts" => {
                for (index, part) in there.items(value)?.into_iter().enumerate() {
                    let place = Place::At(&there, index);
                    blocks.push(in_result(&place, part, policy, losses)?);
                }
            }
            "scheduling" => losses.dropped("contents.parts.functionResponse.scheduling"),
            "willContinue" if value.as_bool() == Some(false) => {}
            "willContinue" => {
                return Err(there.unsupported("a result is sent whole to this provider"));
            }
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok(blocks)
}

fn in_result<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Block<'a>, Refusal> {
    let value = here.object(value)?;
    if let Some(data) = field(value, "inlineData") {
        inline(&Place::In(here, "inlineData"), data, policy, losses)
    } else if let Some(data) = field(value, "fileData") {
        file(&Place::In(here, "fileData"), data, policy, losses)
    } else {
        Err(here.unsupported("a part of a result is inlineData or fileData"))
    }
}

fn block<'a>(
    media_type: &str,
    source: Source<'a>,
    title: Option<Str<'a>>,
    losses: &mut Losses,
) -> Block<'a> {
    let is_document = !["image/", "audio/", "video/"]
        .iter()
        .any(|kind| media_type.starts_with(kind));
    if title.is_some() && !is_document {
        losses.dropped("messages.file.filename");
    }
    match media_type.split('/').next() {
        Some("image") => Block::Image {
            source,
            detail: None,
            cache: None,
        },
        Some("audio") => Block::Audio { source },
        Some("video") => Block::Video { source },
        _ => Block::Document {
            source,
            title,
            cache: None,
        },
    }
}

/// How closely to look, by the words that other APIs have for it.
pub(super) fn detail(value: Value<'_>) -> Option<&'static str> {
    let level = field(value, "level").unwrap_or(value);
    match level.text()?.as_ref() {
        "MEDIA_RESOLUTION_LOW" => Some("low"),
        "MEDIA_RESOLUTION_HIGH" | "MEDIA_RESOLUTION_ULTRA_HIGH" => Some("high"),
        _ => None,
    }
}

/// In the usual alphabet, whichever it came in.
fn base64<'a>(here: &Place<'_>, data: Str<'a>) -> Result<Str<'a>, Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if !data.is_empty() && data.bytes().all(plain) {
        return Ok(data);
    }
    let usual = data.replace('-', "+").replace('_', "/");
    if usual.is_empty() || !usual.bytes().all(plain) {
        return Err(here.invalid("not base64"));
    }
    Ok(Cow::Owned(usual))
}

fn lower(text: Str<'_>) -> Str<'_> {
    let kind = text.split(';').next().unwrap_or_default().trim();
    if kind == "image/jpg" {
        return "image/jpeg".into();
    }
    if kind.len() == text.len() && !kind.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return text;
    }
    Cow::Owned(kind.to_ascii_lowercase())
}

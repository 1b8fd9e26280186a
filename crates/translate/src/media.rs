//! Images, files and sounds as OpenAI's dialects write them: an address, or the data itself in a `data:` address.

use std::borrow::Cow;
use std::ops::Range;

use bartizan_core::Refusal;
use bartizan_core::json::Value;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::losses::Losses;
use crate::neutral::{Block, Source, Str};
use crate::read::{Place, Unknown, member, members, unknown};

/// A plain text as such; all else as it is.
pub(crate) fn text<'a>(here: &Place<'_>, source: Source<'a>) -> Result<Source<'a>, Refusal> {
    match source {
        Source::Base64 { media_type, data } if media_type == "text/plain" => {
            let bytes = STANDARD.decode(data.as_bytes()).ok();
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            let text = text.ok_or_else(|| here.invalid("not base64 of UTF-8"))?;
            Ok(Source::Text(text.into()))
        }
        source => Ok(source),
    }
}

/// Whether `data` can be written without a look afterwards.
pub(crate) fn is_base64(data: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    !data.is_empty() && data.bytes().all(plain)
}

/// `input_audio`: a sound's data and the name of its format.
pub(crate) fn audio<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Block<'a>, Refusal> {
    let there = Place::In(here, "input_audio");
    let audio = member(value, "input_audio").ok_or_else(|| there.invalid("needed"))?;
    for (key, _) in members(there.object(audio)?) {
        if !matches!(key.as_ref(), "data" | "format") {
            unknown(&there, policy, losses, &key)?;
        }
    }
    let needed = |key: &'static str| {
        let inside = Place::In(&there, key);
        inside.text(member(audio, key).ok_or_else(|| inside.invalid("needed"))?)
    };
    let media_type = match needed("format")?.as_ref() {
        "mp3" => "audio/mpeg".into(),
        format if format.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            Cow::Owned(format!("audio/{}", format.to_ascii_lowercase()))
        }
        _ => return Err(Place::In(&there, "format").invalid("wav, mp3 or another format's name")),
    };
    let data = needed("data")?;
    if !is_base64(&data) {
        return Err(Place::In(&there, "data").invalid("not base64"));
    }
    Ok(Block::Audio {
        source: Source::Base64 { media_type, data },
    })
}

/// A `data:` address, or one that the provider fetches.
pub(crate) fn source<'a>(here: &Place<'_>, url: Str<'a>) -> Result<Source<'a>, Refusal> {
    let starts = |scheme: &str| {
        url.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    if starts("https://") || starts("http://") {
        return Ok(Source::Url {
            url,
            media_type: None,
        });
    }
    if !starts("data:") {
        return Err(here.invalid("an https: or data: address"));
    }
    let comma = url.find(',').unwrap_or(url.len());
    let head = url.get("data:".len()..comma).unwrap_or_default();
    let media_type = head.split(';').next().unwrap_or_default();
    let says_base64 = head
        .rsplit(';')
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("base64"));
    if !says_base64 || media_type.is_empty() {
        return Err(here.invalid("a data: address is `data:<media type>;base64,<data>`"));
    }
    let from = "data:".len();
    let media_type = match media_type.to_ascii_lowercase().as_str() {
        "image/jpg" => "image/jpeg".into(),
        lower if lower == media_type => part_of(&url, from..from + media_type.len()),
        lower => Cow::Owned(lower.to_owned()),
    };
    let data = part_of(&url, comma + 1..url.len());
    if !is_base64(&data) {
        return Err(here.invalid("the data is not base64"));
    }
    Ok(Source::Base64 { media_type, data })
}

fn part_of<'a>(text: &Str<'a>, range: Range<usize>) -> Str<'a> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(range).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(range).unwrap_or_default().to_owned()),
    }
}

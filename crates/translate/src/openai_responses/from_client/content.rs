//! Reading the content of a message, or the output of a tool: a string, or parts.

use std::sync::LazyLock;

use bartizan_core::Refusal;
use bartizan_core::json::{Json, Kind, Value};

use crate::losses::Losses;
use crate::media::{self, is_base64};
use crate::neutral::{Block, Citation, Source, Str};
use crate::read::{Place, Unknown, member, members, unknown};

/// A mark for the cache, in Anthropic's words.
static MARK: LazyLock<Option<Json>> = LazyLock::new(|| Json::read(r#"{"type":"ephemeral"}"#).ok());

pub(super) fn decode<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Block<'a>>, Refusal> {
    match value.kind() {
        Kind::String => Ok(vec![Block::text(here.text(value)?)]),
        Kind::Array => {
            let items = here.items(value)?.into_iter().enumerate();
            items
                .map(|(index, item)| part(&Place::At(here, index), item, policy, losses))
                .collect()
        }
        _ => Err(here.invalid("a string or a list of parts")),
    }
}

fn part<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Block<'a>, Refusal> {
    let value = here.object(value)?;
    let kind = member(value, "type").and_then(Value::text);
    let (mut block, known): (_, &[&str]) = match kind.as_deref() {
        Some("input_text" | "text") => (Block::text(needed(here, value, "text")?), &["text"]),
        Some("output_text") => {
            let said = Block::Text {
                text: needed(here, value, "text")?,
                cache: None,
                citations: citations(value, losses),
            };
            (said, &["text", "annotations", "logprobs"])
        }
        Some("refusal") => {
            let text = needed(here, value, "refusal")?;
            (Block::Refusal { text }, &["refusal"])
        }
        Some("input_image") => (image(here, value)?, &["image_url", "file_id", "detail"]),
        Some("input_file") => {
            // How closely to look at its pages: a word that no other API has.
            if member(value, "detail").is_some_and(|detail| !detail.is("auto")) {
                losses.dropped("input.input_file.detail");
            }
            (
                file(here, value)?,
                &["file_data", "file_url", "file_id", "filename", "detail"],
            )
        }
        Some("input_audio") => (media::audio(here, value, policy, losses)?, &["input_audio"]),
        _ => {
            let says = "a part of this type can't be sent to this provider";
            return Err(Place::In(here, "type").unsupported(says));
        }
    };
    for (key, _) in members(value) {
        match key.as_ref() {
            "type" => {}
            "prompt_cache_breakpoint" => match block.cache_mut() {
                Some(cache) => *cache = MARK.as_ref().map(Json::root),
                None => losses.dropped("cache_control"),
            },
            name if known.contains(&name) => {}
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok(block)
}

pub(super) fn needed<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    key: &str,
) -> Result<Str<'a>, Refusal> {
    let there = Place::In(here, key);
    there.text(member(value, key).ok_or_else(|| there.invalid("needed"))?)
}

/// Addresses of sources go back with the text; names of files that lie at OpenAI say nothing elsewhere.
fn citations<'a>(value: Value<'a>, losses: &mut Losses) -> Vec<Citation<'a>> {
    let annotations = member(value, "annotations").into_iter();
    let all = annotations.flat_map(Value::items).filter_map(|annotation| {
        let read = crate::openai_responses::citation(annotation);
        if read.is_none() {
            losses.dropped("input.annotations");
        }
        read
    });
    all.collect()
}

fn optional<'a>(here: &Place<'_>, value: Value<'a>, key: &str) -> Result<Option<Str<'a>>, Refusal> {
    member(value, key)
        .map(|value| Place::In(here, key).text(value))
        .transpose()
}

fn image<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Block<'a>, Refusal> {
    let there = Place::In(here, "image_url");
    let url = optional(here, value, "image_url")?;
    let id = optional(here, value, "file_id")?;
    let source = match (url, id) {
        (Some(url), _) => media::source(&there, url)?,
        (None, Some(id)) => Source::File { id },
        (None, None) => return Err(there.invalid("needed")),
    };
    Ok(Block::Image {
        source,
        detail: optional(here, value, "detail")?.filter(|detail| detail != "auto"),
        cache: None,
    })
}

fn file<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Block<'a>, Refusal> {
    let there = Place::In(here, "file_data");
    let title = optional(here, value, "filename")?;
    let data = optional(here, value, "file_data")?;
    let url = optional(here, value, "file_url")?;
    let id = optional(here, value, "file_id")?;
    let source = match (data, url, id) {
        (Some(data), ..) => media::text(&there, data_of(&there, data, title.as_deref())?)?,
        (None, Some(url), _) => media::source(&Place::In(here, "file_url"), url)?,
        (None, None, Some(id)) => Source::File { id },
        (None, None, None) => return Err(there.invalid("needed, or file_url")),
    };
    Ok(Block::Document {
        source,
        title,
        cache: None,
    })
}

/// Base64, in a `data:` address or by itself: then the file's name says what it is.
fn data_of<'a>(here: &Place<'_>, data: Str<'a>, name: Option<&str>) -> Result<Source<'a>, Refusal> {
    let ends = |end: &str| {
        name.and_then(|name| name.get(name.len().checked_sub(end.len())?..))
            .is_some_and(|last| last.eq_ignore_ascii_case(end))
    };
    let media_type = if ends(".pdf") {
        "application/pdf"
    } else if ends(".txt") {
        "text/plain"
    } else {
        return media::source(here, data);
    };
    if is_base64(&data) {
        let media_type = media_type.into();
        Ok(Source::Base64 { media_type, data })
    } else {
        media::source(here, data)
    }
}

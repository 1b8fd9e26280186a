//! Reading the content of a message: a string, or parts.

use bartizan_core::Refusal;
use bartizan_core::json::{Kind, Value};

use crate::losses::Losses;
use crate::media;
use crate::neutral::{Block, Source, Str};
use crate::read::{Place, Unknown, member, members, unknown};

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
            let mut blocks = Vec::new();
            for (index, item) in items {
                blocks.extend(part(&Place::At(here, index), item, policy, losses)?);
            }
            Ok(blocks)
        }
        _ => Err(here.invalid("a string or a list of parts")),
    }
}

fn part<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Option<Block<'a>>, Refusal> {
    if value.kind() == Kind::String {
        return Ok(Some(Block::text(here.text(value)?)));
    }
    let value = here.object(value)?;
    let kind = member(value, "type").and_then(Value::text);
    let (body, mut block) = match kind.as_deref() {
        Some("text") => ("text", Block::text(text(here, value, "text")?)),
        Some("refusal") => {
            let text = text(here, value, "refusal")?;
            ("refusal", Block::Refusal { text })
        }
        Some("image_url") => ("image_url", image(here, value, policy, losses)?),
        Some("file") => ("file", file(here, value, policy, losses)?),
        Some("input_audio") => ("input_audio", media::audio(here, value, policy, losses)?),
        // Mistral's, and OpenRouter's of the last.
        Some("thinking") => ("thinking", thinking(here, value)?),
        Some("document_url") => (
            "document_url",
            linked(here, value, "document_url", "document_name")?,
        ),
        Some("file_url") => ("file_url", linked(here, value, "file_url", "file_name")?),
        Some("video_url") => ("video_url", video(here, value)?),
        Some("reference") => {
            losses.dropped("messages.content.reference");
            return Ok(None);
        }
        _ => {
            let says = "a part of this type can't be sent to this provider";
            return Err(Place::In(here, "type").unsupported(says));
        }
    };
    for (key, value) in members(value) {
        match key.as_ref() {
            "type" => {}
            "cache_control" => {
                let mark = Place::In(here, &key).object(value)?;
                match block.cache_mut() {
                    Some(cache) => *cache = Some(mark),
                    None => losses.dropped("cache_control"),
                }
            }
            // OpenAI's own mark for the cache, which says less than the one above.
            "prompt_cache_breakpoint" => losses.dropped("messages.prompt_cache_breakpoint"),
            "document_name" if body == "document_url" => {}
            "file_name" if body == "file_url" => {}
            // Whether the thought is whole, which it is unless said.
            "closed" if body == "thinking" && value.as_bool() == Some(true) => {}
            "closed" if body == "thinking" => losses.dropped("messages.thinking.closed"),
            "signature" if body == "thinking" => losses.dropped("messages.thinking.signature"),
            name if name == body => {}
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok(Some(block))
}

/// A thought: a string, or texts and references.
fn thinking<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Block<'a>, Refusal> {
    let there = Place::In(here, "thinking");
    let thinking = member(value, "thinking").ok_or_else(|| there.invalid("needed"))?;
    let text = if thinking.kind() == Kind::String {
        there.text(thinking)?
    } else {
        let items = there.items(thinking)?.into_iter();
        Str::Owned(
            items
                .filter_map(|item| member(item, "text")?.text())
                .collect(),
        )
    };
    Ok(Block::Thinking {
        id: None,
        text,
        signature: None,
    })
}

/// An address, or an object with one.
fn address<'a>(here: &Place<'_>, value: Value<'a>, key: &str) -> Result<Source<'a>, Refusal> {
    let there = Place::In(here, key);
    let inside = member(value, key).ok_or_else(|| there.invalid("needed"))?;
    let url = if inside.kind() == Kind::String {
        there.text(inside)?
    } else {
        text(&there, there.object(inside)?, "url")?
    };
    media::source(&there, url)
}

fn linked<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    key: &str,
    name: &str,
) -> Result<Block<'a>, Refusal> {
    let title = member(value, name).map(|title| Place::In(here, name).text(title));
    Ok(Block::Document {
        source: media::text(&Place::In(here, key), address(here, value, key)?)?,
        title: title.transpose()?,
        cache: None,
    })
}

fn video<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Block<'a>, Refusal> {
    let source = address(here, value, "video_url")?;
    Ok(Block::Video { source })
}

fn text<'a>(here: &Place<'_>, value: Value<'a>, key: &str) -> Result<Str<'a>, Refusal> {
    let there = Place::In(here, key);
    there.text(member(value, key).ok_or_else(|| there.invalid("needed"))?)
}

fn image<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Block<'a>, Refusal> {
    let there = Place::In(here, "image_url");
    let image = member(value, "image_url").ok_or_else(|| there.invalid("needed"))?;
    // Mistral's clients write the address itself.
    let mut detail = None;
    let url = if image.kind() == Kind::String {
        there.text(image)?
    } else {
        for (key, value) in members(there.object(image)?) {
            match key.as_ref() {
                "url" => {}
                "detail" if value.is("auto") => {}
                "detail" => detail = Some(there.text(value)?),
                name => unknown(&there, policy, losses, name)?,
            }
        }
        text(&there, image, "url")?
    };
    let source = media::source(&there, url)?;
    Ok(Block::Image {
        source,
        detail,
        cache: None,
    })
}

fn file<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Block<'a>, Refusal> {
    let there = Place::In(here, "file");
    let file = member(value, "file").ok_or_else(|| there.invalid("needed"))?;
    let mut title = None;
    let mut data = None;
    let mut id = None;
    for (key, value) in members(there.object(file)?) {
        let inside = Place::In(&there, &key);
        match key.as_ref() {
            "filename" => title = Some(inside.text(value)?),
            "file_data" => data = Some(inside.text(value)?),
            "file_id" => id = Some(inside.text(value)?),
            name => unknown(&there, policy, losses, name)?,
        }
    }
    let inside = Place::In(&there, "file_data");
    let source = match (data, id) {
        (Some(data), _) => media::text(&inside, media::source(&inside, data)?)?,
        (None, Some(id)) => Source::File { id },
        (None, None) => return Err(inside.invalid("needed")),
    };
    Ok(Block::Document {
        source,
        title,
        cache: None,
    })
}

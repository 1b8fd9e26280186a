//! Writing the content of a message: a string where it is one text, else parts.

use bartizan_core::Refusal;
use bartizan_core::json::Value;

use super::Top;
use crate::catalogue::Quirk;
use crate::neutral::{Block, Source, Str, Turn};

/// `mark` stands in front of the first text.
pub(super) fn write(
    top: &mut Top<'_, '_>,
    turn: &Turn<'_>,
    blocks: &[&Block<'_>],
    mark: &str,
) -> Result<(), Refusal> {
    top.out.key("content");
    if top.server.has(Quirk::StringContent) {
        return joined(top, turn, blocks, mark);
    }
    match blocks {
        [] => top.out.text(mark),
        [block]
            if let Some((text, cache)) = text(block)
                && !(cache.is_some() && top.server.takes("cache_control")) =>
        {
            marked(top, mark, text);
            mark_cache(top, cache);
        }
        blocks => {
            top.out.open_list();
            let mut mark = mark;
            if !mark.is_empty() && !blocks.iter().any(|block| text(block).is_some()) {
                write_text(top, mark, "", None);
                mark = "";
            }
            for block in blocks {
                if let Some((text, cache)) = text(block) {
                    write_text(top, std::mem::take(&mut mark), text, cache);
                } else {
                    part(top, turn, block)?;
                }
            }
            top.out.close_list();
        }
    }
    Ok(())
}

/// One string, for a server that takes no parts.
fn joined(
    top: &mut Top<'_, '_>,
    turn: &Turn<'_>,
    blocks: &[&Block<'_>],
    mark: &str,
) -> Result<(), Refusal> {
    let mut whole = String::from(mark);
    let mut parts = 0;
    for block in blocks {
        let (said, cache) = match block {
            Block::Foreign { name } => {
                top.losses.dropped(name);
                continue;
            }
            Block::Document {
                source: Source::Text(text),
                cache,
                ..
            } => {
                top.losses.changed("messages.file");
                (text.as_ref(), *cache)
            }
            block => match text(block) {
                Some(said) => said,
                None => {
                    let says = "the provider takes texts alone";
                    return Err(top.ask.unsupported_in(turn, says));
                }
            },
        };
        if parts > 0 {
            top.losses.changed("messages.content");
            whole.push_str("\n\n");
        }
        parts += 1;
        whole.push_str(said);
        mark_cache(top, cache);
    }
    top.out.text(&whole);
    Ok(())
}

fn text<'b, 'a>(block: &'b Block<'a>) -> Option<(&'b str, Option<Value<'a>>)> {
    match block {
        Block::Text { text, cache, .. } => Some((text, *cache)),
        Block::Refusal { text } => Some((text, None)),
        _ => None,
    }
}

fn marked(top: &mut Top<'_, '_>, mark: &str, text: &str) {
    if mark.is_empty() {
        top.out.text(text);
    } else {
        top.out.text(&format!("{mark}{text}"));
    }
}

fn write_text(top: &mut Top<'_, '_>, mark: &str, text: &str, cache: Option<Value<'_>>) {
    top.out.open();
    top.out.plain_at("type", "text");
    top.out.key("text");
    marked(top, mark, text);
    cache_at(top, cache);
    top.out.close();
}

fn part(top: &mut Top<'_, '_>, turn: &Turn<'_>, block: &Block<'_>) -> Result<(), Refusal> {
    let no = |says: &str| Err(top.ask.unsupported_in(turn, says));
    let cache = match block {
        Block::Image {
            source,
            detail,
            cache,
        } => {
            let url = match source {
                Source::Url { url, .. } if url.starts_with("http") => url.clone(),
                Source::Base64 { media_type, data } => data_url(media_type, data),
                _ => return no("an image is sent by its data or by an https: address"),
            };
            let out = &mut top.out;
            out.open();
            out.plain_at("type", "image_url");
            out.key("image_url");
            out.open();
            out.text_at("url", &url);
            if let Some(detail) = detail {
                out.text_at("detail", detail);
            }
            out.close();
            *cache
        }
        Block::Document {
            source: Source::Text(text),
            title,
            cache,
        } => {
            top.losses.changed("messages.file");
            let text = match title {
                Some(title) => format!("{title}\n\n{text}").into(),
                None => Str::from(text.as_ref()),
            };
            write_text(top, "", &text, *cache);
            return Ok(());
        }
        Block::Document {
            source,
            title,
            cache,
        } => {
            let by_address = top.server.takes("document_url");
            let member = match source {
                Source::Base64 { media_type, data } if by_address => {
                    return linked(top, &data_url(media_type, data), title.as_deref(), *cache);
                }
                Source::Url { url, .. } if by_address => {
                    return linked(top, url, title.as_deref(), *cache);
                }
                Source::Base64 { media_type, data } => ("file_data", data_url(media_type, data)),
                // OpenAI's ids begin so, and no other provider's do.
                Source::File { id } if id.starts_with("file-") && !top.server.old_words() => {
                    ("file_id", id.clone())
                }
                Source::Url { url, .. } if top.server.takes("file_url") => {
                    ("file_data", url.clone())
                }
                _ => return no("a file is sent by its data"),
            };
            let out = &mut top.out;
            out.open();
            out.plain_at("type", "file");
            out.key("file");
            out.open();
            match (title, source) {
                (Some(title), _) => out.text_at("filename", title),
                // The API wants one beside the data.
                (None, Source::Base64 { media_type, .. }) => {
                    out.text_at("filename", &format!("file.{}", ending(media_type)));
                }
                _ => {}
            }
            out.text_at(member.0, &member.1);
            out.close();
            *cache
        }
        Block::Audio {
            source: Source::Base64 { media_type, data },
        } => {
            let out = &mut top.out;
            out.open();
            out.plain_at("type", "input_audio");
            out.key("input_audio");
            out.open();
            out.plain_at("data", data);
            out.text_at("format", ending(media_type));
            out.close();
            None
        }
        Block::Audio { .. } => return no("sound is sent by its data"),
        Block::Video { source } => {
            let url = match source {
                Source::Url { url, .. } if url.starts_with("http") => url.clone(),
                Source::Base64 { media_type, data } => data_url(media_type, data),
                _ => return no("a video is sent by its data or by an https: address"),
            };
            if !top.server.takes("video_url") {
                return no("the provider takes no video");
            }
            let out = &mut top.out;
            out.open();
            out.plain_at("type", "video_url");
            out.key("video_url");
            out.open();
            out.text_at("url", &url);
            out.close();
            None
        }
        // Only where the server has them as parts.
        Block::Thinking { text, .. } => {
            let out = &mut top.out;
            out.open();
            out.plain_at("type", "thinking");
            out.key("thinking");
            out.open_list();
            out.open();
            out.plain_at("type", "text");
            out.text_at("text", text);
            out.close();
            out.close_list();
            None
        }
        Block::Redacted { .. } => {
            top.losses.dropped("messages.reasoning_details");
            return Ok(());
        }
        Block::Foreign { name } => {
            top.losses.dropped(name);
            return Ok(());
        }
        Block::Text { .. }
        | Block::Refusal { .. }
        | Block::ToolUse { .. }
        | Block::ToolResult { .. } => return no("this can't stand in a message of this role"),
    };
    cache_at(top, cache);
    top.out.close();
    Ok(())
}

/// A file by an address, as Mistral has it; its data may stand in it.
fn linked(
    top: &mut Top<'_, '_>,
    url: &str,
    title: Option<&str>,
    cache: Option<Value<'_>>,
) -> Result<(), Refusal> {
    top.out.open();
    top.out.plain_at("type", "document_url");
    top.out.text_at("document_url", url);
    if let Some(title) = title {
        top.out.text_at("document_name", title);
    }
    cache_at(top, cache);
    top.out.close();
    Ok(())
}

fn cache_at(top: &mut Top<'_, '_>, cache: Option<Value<'_>>) {
    match cache {
        Some(cache) if top.server.takes("cache_control") => {
            top.out.raw_at("cache_control", cache.raw());
        }
        cache => mark_cache(top, cache),
    }
}

/// The API has no place for it here: it finds by itself what it has cached.
fn mark_cache(top: &mut Top<'_, '_>, cache: Option<Value<'_>>) {
    if cache.is_some() {
        top.losses.dropped("cache_control");
    }
}

fn data_url<'s>(media_type: &str, data: &str) -> Str<'s> {
    format!("data:{media_type};base64,{data}").into()
}

/// What files of this type end with, and what sounds are called by.
fn ending(media_type: &str) -> &str {
    let kind = media_type
        .split_once('/')
        .map_or(media_type, |(_, kind)| kind);
    let kind = kind.split([';', '+']).next().unwrap_or(kind);
    match kind.strip_prefix("x-").unwrap_or(kind) {
        "mpeg" => "mp3",
        "wave" | "vnd.wave" => "wav",
        "plain" => "txt",
        kind => kind,
    }
}

//! Writing the content of a message, or the output of a tool: a string where it is one text, else parts.

use bartizan_core::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Top;
use crate::neutral::{Block, Source, Turn};

/// `mark` stands in front of the first text.
pub(super) fn write(
    top: &mut Top<'_, '_>,
    turn: &Turn<'_>,
    blocks: &[&Block<'_>],
    mark: &str,
) -> Result<(), Refusal> {
    match blocks {
        [] => top.out.text(mark),
        [Block::Text { text, cache, .. }] => {
            if cache.is_some() {
                top.losses.dropped("cache_control");
            }
            top.out.text(&format!("{mark}{text}"));
        }
        blocks => {
            let mut mark = mark;
            top.out.open_list();
            let texts = |block: &&Block<'_>| matches!(block, Block::Text { .. });
            if !mark.is_empty() && !blocks.iter().any(texts) {
                input_text(top, std::mem::take(&mut mark));
            }
            for block in blocks {
                part(top, turn, block, &mut mark)?;
            }
            top.out.close_list();
        }
    }
    Ok(())
}

fn input_text(top: &mut Top<'_, '_>, text: &str) {
    top.out.open();
    top.out.plain_at("type", "input_text");
    top.out.text_at("text", text);
    top.out.close();
}

fn part(
    top: &mut Top<'_, '_>,
    turn: &Turn<'_>,
    block: &Block<'_>,
    mark: &mut &str,
) -> Result<(), Refusal> {
    let no = |says: &str| Err(top.ask.unsupported_in(turn, says));
    let cache = match block {
        Block::Text { text, cache, .. } => {
            let mark = std::mem::take(mark);
            input_text(top, &format!("{mark}{text}"));
            cache
        }
        Block::Refusal { text } => {
            input_text(top, text);
            &None
        }
        Block::Image {
            source,
            detail,
            cache,
        } => {
            let (key, said) = match source {
                Source::Base64 { media_type, data } => ("image_url", data_url(media_type, data)),
                Source::Url { url, .. } if is_web(url) => ("image_url", url.clone().into_owned()),
                Source::File { id } => ("file_id", id.clone().into_owned()),
                _ => return no("an image is sent by its data, by an https: address or by its id"),
            };
            top.out.open();
            top.out.plain_at("type", "input_image");
            top.out.text_at(key, &said);
            top.out
                .text_at("detail", detail.as_deref().unwrap_or("auto"));
            top.out.close();
            cache
        }
        Block::Document {
            source,
            title,
            cache,
        } => {
            let (key, said, ending) = match source {
                Source::Base64 { media_type, data } => {
                    ("file_data", data_url(media_type, data), ending(media_type))
                }
                Source::Text(text) => (
                    "file_data",
                    data_url("text/plain", &STANDARD.encode(text.as_bytes())),
                    "txt",
                ),
                Source::Url { url, .. } if is_web(url) => {
                    ("file_url", url.clone().into_owned(), "")
                }
                Source::File { id } => ("file_id", id.clone().into_owned(), ""),
                Source::Url { .. } => {
                    return no("a file is sent by its data, by an https: address or by its id");
                }
            };
            top.out.open();
            top.out.plain_at("type", "input_file");
            // The API wants a name for data, and takes from it what the file is.
            match title {
                Some(title) if key == "file_data" && !title.contains('.') => {
                    top.out.text_at("filename", &format!("{title}.{ending}"));
                }
                Some(title) => top.out.text_at("filename", title),
                None if key == "file_data" => {
                    top.out.text_at("filename", &format!("file.{ending}"));
                }
                None => {}
            }
            top.out.text_at(key, &said);
            top.out.close();
            cache
        }
        Block::Audio { .. } => return no("sounds can't be sent by this API"),
        Block::Video { .. } => return no("videos can't be sent by this API"),
        Block::Thinking { .. } => {
            top.losses.dropped("messages.reasoning_content");
            &None
        }
        Block::Redacted { .. } => {
            top.losses.dropped("messages.reasoning_details");
            &None
        }
        Block::Foreign { name } => {
            top.losses.dropped(name);
            &None
        }
        Block::ToolUse { .. } | Block::ToolResult { .. } => {
            return no("this can't stand in a message of this role");
        }
    };
    if cache.is_some() {
        top.losses.dropped("cache_control");
    }
    Ok(())
}

/// Whether the provider can fetch it.
fn is_web(url: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| {
        url.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

fn data_url(media_type: &str, data: &str) -> String {
    format!("data:{media_type};base64,{data}")
}

/// What files of this type end with.
fn ending(media_type: &str) -> &str {
    match media_type.split(';').next().unwrap_or_default() {
        "text/plain" => "txt",
        "text/markdown" => "md",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        kind => kind.split_once('/').map_or(kind, |(_, kind)| kind),
    }
}

//! What images, sound and files cost.
//!
//! The rules are those that providers publish. A size that isn't told is taken as the most that usual ones cost.

mod size;

use crate::Dialect;
use crate::json::{Kind, Value};

/// Sound: 32 tokens a second, of at least 2 KB.
const BYTES_A_SOUND_TOKEN: u64 = 64;
/// Sound of unknown length: a minute.
const SOUND: u64 = 1_920;
/// A moving picture of unknown length: a minute at 300 tokens a second.
const VIDEO: u64 = 18_000;
const BYTES_A_VIDEO_TOKEN: u64 = 256;
/// A page of a document, as text and as picture.
const PAGE: u64 = 3_600;
const BYTES_A_FILE_TOKEN: u64 = 8;
/// The most that a document costs: a hundred pages.
const FILE: u64 = 100 * PAGE;

/// By which rule a model counts images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Images {
    /// Tiles of 512 pixels: tokens at first, and for each.
    Tiles(u64, u64),
    /// Patches of 32 pixels, 1,536 at most: hundredths of a token for each.
    Patches(u64),
    /// A token for 750 pixels, so many at most.
    Area(u64),
    /// Tiles of 768 pixels, 258 tokens each.
    Gemini,
    /// The dearest of the usual rules.
    #[default]
    Unknown,
}

impl Images {
    pub(super) fn of(dialect: Dialect, model: &str) -> Self {
        let name = model.rsplit_once('/').map_or(model, |(_, name)| name);
        let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
        if begins(&["gpt-4o-mini"]) {
            Self::Tiles(2_833, 5_667)
        } else if begins(&["gpt-4.1-mini", "gpt-5-mini"]) {
            Self::Patches(162)
        } else if begins(&["gpt-4.1-nano", "gpt-5-nano"]) {
            Self::Patches(246)
        } else if begins(&["o4-mini"]) {
            Self::Patches(172)
        } else if begins(&["gpt-4", "gpt-5", "o1", "o3", "chatgpt-4o"]) {
            // The base is 85, 75 or 70, a tile 170, 150 or 140.
            Self::Tiles(85, 170)
        } else if begins(&[
            "claude-3",
            "claude-opus-4-1",
            "claude-opus-4-5",
            "claude-sonnet-4",
            "claude-haiku-4",
        ]) {
            Self::Area(1_600)
        } else if name.contains("claude") || dialect == Dialect::AnthropicMessages {
            Self::Area(4_784)
        } else if name.contains("gemini") || dialect == Dialect::Gemini {
            Self::Gemini
        } else {
            Self::Unknown
        }
    }

    /// Tokens of an image of that size.
    fn tokens(self, size: Option<(u64, u64)>, low: bool) -> u64 {
        match (self, size) {
            (Self::Tiles(base, _), _) if low => base,
            (Self::Tiles(base, tile), Some(size)) => base + tile * tiles(size),
            // 768 by 2048 is the largest that is left after scaling.
            (Self::Tiles(base, tile), None) => base + tile * 8,
            (Self::Patches(each), Some((width, height))) => {
                let patches = width.div_ceil(32).saturating_mul(height.div_ceil(32));
                (patches.min(1_536) * each).div_ceil(100)
            }
            (Self::Patches(each), None) => (1_536 * each).div_ceil(100),
            (Self::Area(most), Some((width, height))) => {
                width.saturating_mul(height).div_ceil(750).min(most)
            }
            (Self::Area(most), None) => most,
            (Self::Gemini, Some((width, height))) if width <= 384 && height <= 384 => 258,
            // Newer models take up to 1,120 for one, older ones 258 for each of up to six tiles.
            (Self::Gemini, _) => 1_548,
            (Self::Unknown, Some((width, height))) => {
                width.saturating_mul(height).div_ceil(500).clamp(300, 4_784)
            }
            (Self::Unknown, None) => 4_784,
        }
    }
}

/// Tiles of 512 pixels, once it fits into 2048 by 2048 and its shorter side into 768.
fn tiles((width, height): (u64, u64)) -> u64 {
    let (mut width, mut height) = (width.max(1), height.max(1));
    let longer = width.max(height);
    if longer > 2_048 {
        width = (width * 2_048).div_ceil(longer);
        height = (height * 2_048).div_ceil(longer);
    }
    let shorter = width.min(height);
    if shorter > 768 {
        width = (width * 768).div_ceil(shorter);
        height = (height * 768).div_ceil(shorter);
    }
    width.div_ceil(512) * height.div_ceil(512)
}

/// The tokens of a part that is an image, sound or a file, and nothing of others.
pub(super) fn of(part: Value<'_>, images: Images) -> Option<u64> {
    for (key, value) in part.members() {
        let kind = match key.text()?.as_ref() {
            "image_url" => return Some(image(value, detail(part, value), images)),
            "input_audio" => return Some(sound(inside(value))),
            "inlineData" | "inline_data" | "fileData" => return Some(typed(value, images)),
            // Of the responses API a string, of Gemini's a part.
            "file_data" if value.kind() == Kind::Object => return Some(typed(value, images)),
            "file_data" | "file_url" | "document_url" => return Some(file(Some(value))),
            "file" if value.kind() == Kind::Object => return Some(file(inside(value))),
            // Amazon's.
            "image" if value.get("source").is_some() => {
                return Some(image(value, false, images));
            }
            "document" if value.get("source").is_some() => return Some(file(inside(value))),
            "video" if value.get("source").is_some() => return Some(video(inside(value))),
            "images" if value.kind() == Kind::Array => {
                let many = value.items().map(|one| image(one, false, images)).sum();
                return Some(many);
            }
            "type" => value,
            _ => continue,
        };
        let source = part.get("source");
        if kind.is("image") && source.is_some() {
            return Some(image(part, false, images));
        }
        if kind.is("input_image") && part.get("image_url").is_none() {
            return Some(images.tokens(None, false));
        }
        // A document may be plain text, which is among the texts.
        if kind.is("document")
            && source.is_some_and(|source| {
                source
                    .get("data")
                    .is_some_and(|_| !source.get("type").is_some_and(|of| of.is("text")))
                    || source.get("url").is_some()
                    || source.get("file_id").is_some()
            })
        {
            return Some(file(inside(part)));
        }
    }
    None
}

fn detail(part: Value<'_>, image: Value<'_>) -> bool {
    let detail = image.get("detail").or_else(|| part.get("detail"));
    detail.is_some_and(|detail| detail.is("low"))
}

fn image(value: Value<'_>, low: bool, images: Images) -> u64 {
    let size = inside(value).and_then(|text| size::of(data(text.raw())));
    images.tokens(size, low)
}

/// By the type that it names.
fn typed(part: Value<'_>, images: Images) -> u64 {
    let named = part.get("mimeType").or_else(|| part.get("mime_type"));
    let named = named.and_then(Value::text).unwrap_or_default();
    if named.starts_with("image/") {
        image(part, false, images)
    } else if named.starts_with("audio/") {
        sound(inside(part))
    } else if named.starts_with("video/") {
        video(inside(part))
    } else {
        file(inside(part))
    }
}

fn sound(data: Option<Value<'_>>) -> u64 {
    by_length(data, BYTES_A_SOUND_TOKEN).unwrap_or(SOUND)
}

fn video(data: Option<Value<'_>>) -> u64 {
    by_length(data, BYTES_A_VIDEO_TOKEN).unwrap_or(VIDEO)
}

fn file(data: Option<Value<'_>>) -> u64 {
    by_length(data, BYTES_A_FILE_TOKEN).map_or(FILE, |tokens| tokens.clamp(PAGE, FILE))
}

/// By the bytes that its base64 holds; nothing for a link or the id of a file.
fn by_length(data_of: Option<Value<'_>>, each: u64) -> Option<u64> {
    let text = data_of?;
    let raw = text.raw();
    let carried = raw.starts_with("\"data:") || (raw.len() > 512 && !raw.contains("://"));
    let bytes = data(raw).len() as u64 / 4 * 3;
    carried.then(|| (bytes / each).max(1))
}

/// The string that holds the data, or the link: the longest inside.
fn inside(value: Value<'_>) -> Option<Value<'_>> {
    if value.kind() == Kind::String {
        return Some(value);
    }
    value
        .strings()
        .filter(|text| text.kind() == Kind::String)
        .max_by_key(|text| text.range().len())
}

/// The base64 of a JSON string, behind a `data:` prefix if there is one.
fn data(raw: &str) -> &str {
    let inside = raw.trim_matches('"');
    match inside.strip_prefix("data:") {
        Some(rest) => rest.split_once(',').map_or("", |(_, data)| data),
        None => inside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    /// 1000 by 700 pixels.
    const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAA+gAAAK8CAYAAAA=";

    fn tokens(part: &str, images: Images) -> Option<u64> {
        of(Json::read(part).unwrap().root(), images)
    }

    #[test]
    fn images_cost_by_their_size_and_the_models_rule() {
        let part = format!(
            r#"{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{PNG}"}}}}"#
        );
        for (images, expected) in [
            (Images::Tiles(85, 170), 85 + 170 * 4),
            (Images::Tiles(2_833, 5_667), 2_833 + 5_667 * 4),
            (Images::Patches(162), (32 * 22 * 162_u64).div_ceil(100)),
            (Images::Area(1_600), 934),
            (Images::Gemini, 1_548),
            (Images::Unknown, 1_400),
        ] {
            assert_eq!(tokens(&part, images), Some(expected), "{images:?}");
        }
    }

    #[test]
    fn each_api_says_its_images_so() {
        let known = Some(85 + 170 * 4);
        let unknown = Some(85 + 170 * 8);
        for (part, expected) in [
            (format!(r#"{{"type":"input_image","image_url":"data:image/png;base64,{PNG}"}}"#), known),
            (format!(r#"{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{PNG}"}}}}"#), known),
            (format!(r#"{{"inlineData":{{"mimeType":"image/png","data":"{PNG}"}}}}"#), known),
            (format!(r#"{{"image":{{"format":"png","source":{{"bytes":"{PNG}"}}}}}}"#), known),
            (format!(r#"{{"role":"user","content":"","images":["{PNG}"]}}"#), known),
            (r#"{"type":"image_url","image_url":{"url":"https://example.com/a.png","detail":"low"}}"#.to_owned(), Some(85)),
            (r#"{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}"#.to_owned(), unknown),
            (r#"{"type":"input_image","file_id":"file_1"}"#.to_owned(), unknown),
            (r#"{"type":"text","text":"an image"}"#.to_owned(), None),
            (r#"{"role":"user","content":[]}"#.to_owned(), None),
        ] {
            assert_eq!(tokens(&part, Images::Tiles(85, 170)), expected, "{part}");
        }
    }

    #[test]
    fn sound_and_files_cost_by_their_length_or_a_cautious_number() {
        let long = "QUJD".repeat(64_000);
        for (part, expected) in [
            (
                format!(
                    r#"{{"type":"input_audio","input_audio":{{"data":"{long}","format":"wav"}}}}"#
                ),
                3_000,
            ),
            (
                format!(r#"{{"inlineData":{{"mimeType":"audio/mp3","data":"{long}"}}}}"#),
                3_000,
            ),
            (
                r#"{"fileData":{"mimeType":"audio/mp3","fileUri":"https://example.com/a"}}"#
                    .to_owned(),
                SOUND,
            ),
            (
                r#"{"fileData":{"mimeType":"video/mp4","fileUri":"https://example.com/a"}}"#
                    .to_owned(),
                VIDEO,
            ),
            (
                format!(
                    r#"{{"type":"file","file":{{"filename":"a.pdf","file_data":"data:application/pdf;base64,{long}"}}}}"#
                ),
                24_000,
            ),
            (
                r#"{"type":"file","file":{"file_id":"file_1"}}"#.to_owned(),
                FILE,
            ),
            (
                r#"{"type":"document","source":{"type":"url","url":"https://example.com/a.pdf"}}"#
                    .to_owned(),
                FILE,
            ),
        ] {
            assert_eq!(
                tokens(&part, Images::Unknown),
                Some(expected),
                "{}",
                &part[..60]
            );
        }
        let text = r#"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"words"}}"#;
        assert_eq!(tokens(text, Images::Unknown), None);
    }

    #[test]
    fn tiles_follow_the_published_examples() {
        for (size, expected) in [
            ((1_024, 1_024), 4),
            ((2_048, 4_096), 6),
            ((512, 512), 1),
            ((1, 1), 1),
        ] {
            assert_eq!(tiles(size), expected, "{size:?}");
        }
    }
}

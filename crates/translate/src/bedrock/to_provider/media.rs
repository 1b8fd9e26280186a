//! Writing images, documents, sounds and videos: by their data, or where they lie in S3.

use std::borrow::Cow;

use bartizan_core::Refusal;

use super::Pen;
use crate::neutral::{Source, Turn};

type Formats = &'static [(&'static str, &'static str)];

const IMAGES: Formats = &[
    ("image/png", "png"),
    ("image/jpeg", "jpeg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
];

const DOCUMENTS: Formats = &[
    ("application/pdf", "pdf"),
    ("text/csv", "csv"),
    ("application/msword", "doc"),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
    ),
    ("application/vnd.ms-excel", "xls"),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
    ("text/x-markdown", "md"),
];

const SOUNDS: Formats = &[
    ("audio/mpeg", "mp3"),
    ("audio/mp3", "mp3"),
    ("audio/opus", "opus"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("audio/wave", "wav"),
    ("audio/aac", "aac"),
    ("audio/flac", "flac"),
    ("audio/mp4", "mp4"),
    ("audio/ogg", "ogg"),
    ("audio/webm", "webm"),
    ("audio/m4a", "m4a"),
    ("audio/x-m4a", "m4a"),
    ("audio/pcm", "pcm"),
];

const VIDEOS: Formats = &[
    ("video/x-matroska", "mkv"),
    ("video/quicktime", "mov"),
    ("video/mov", "mov"),
    ("video/mp4", "mp4"),
    ("video/webm", "webm"),
    ("video/x-flv", "flv"),
    ("video/mpeg", "mpeg"),
    ("video/mpg", "mpg"),
    ("video/x-ms-wmv", "wmv"),
    ("video/wmv", "wmv"),
    ("video/3gpp", "three_gp"),
];

pub(super) fn image(
    pen: &mut Pen<'_, '_>,
    turn: &Turn<'_>,
    source: &Source<'_>,
) -> Result<(), Refusal> {
    medium(pen, turn, source, "image", IMAGES)
}

pub(super) fn audio(
    pen: &mut Pen<'_, '_>,
    turn: &Turn<'_>,
    source: &Source<'_>,
) -> Result<(), Refusal> {
    medium(pen, turn, source, "audio", SOUNDS)
}

pub(super) fn video(
    pen: &mut Pen<'_, '_>,
    turn: &Turn<'_>,
    source: &Source<'_>,
) -> Result<(), Refusal> {
    medium(pen, turn, source, "video", VIDEOS)
}

fn medium(
    pen: &mut Pen<'_, '_>,
    turn: &Turn<'_>,
    source: &Source<'_>,
    kind: &str,
    formats: Formats,
) -> Result<(), Refusal> {
    let format = format(pen, turn, source, formats)?;
    pen.out.open();
    pen.out.key(kind);
    pen.out.open();
    pen.out.plain_at("format", format);
    pen.out.key("source");
    pen.out.open();
    data(pen, turn, source)?;
    pen.out.close();
    pen.out.close();
    pen.out.close();
    Ok(())
}

pub(super) fn document(
    pen: &mut Pen<'_, '_>,
    turn: &Turn<'_>,
    source: &Source<'_>,
    title: Option<&str>,
) -> Result<(), Refusal> {
    let format = format(pen, turn, source, DOCUMENTS)?;
    let name = document_name(pen, title);
    pen.out.open();
    pen.out.key("document");
    pen.out.open();
    pen.out.plain_at("format", format);
    pen.out.plain_at("name", &name);
    pen.out.key("source");
    pen.out.open();
    match source {
        Source::Text(text) => pen.out.text_at("text", text),
        source => data(pen, turn, source)?,
    }
    pen.out.close();
    pen.out.close();
    pen.out.close();
    Ok(())
}

/// A format's name, which the API wants beside the data.
fn format(
    pen: &Pen<'_, '_>,
    turn: &Turn<'_>,
    source: &Source<'_>,
    formats: Formats,
) -> Result<&'static str, Refusal> {
    let of = |media_type: &str| {
        let found = formats.iter().find(|(kind, _)| *kind == media_type);
        found.map(|(_, format)| *format)
    };
    let found = match source {
        Source::Text(_) => of("text/plain"),
        Source::Base64 { media_type, .. } => of(media_type),
        Source::Url {
            url, media_type, ..
        } => media_type.as_deref().and_then(of).or_else(|| {
            let end = url.rsplit('.').next()?.to_ascii_lowercase();
            let end = if end == "jpg" { "jpeg" } else { &end };
            let named = formats.iter().find(|(_, format)| *format == end);
            named.map(|(_, format)| *format)
        }),
        Source::File { .. } => {
            let says = "the provider does not have the file: send its data";
            return Err(pen.ask.unsupported_in(turn, says));
        }
    };
    let says = "the provider has no name for this kind of file";
    found.ok_or_else(|| pen.ask.unsupported_in(turn, says))
}

fn data(pen: &mut Pen<'_, '_>, turn: &Turn<'_>, source: &Source<'_>) -> Result<(), Refusal> {
    match source {
        Source::Base64 { data, .. } => pen.out.plain_at("bytes", data),
        Source::Url { url, .. } if url.starts_with("s3://") => {
            pen.out.key("s3Location");
            pen.out.open();
            pen.out.text_at("uri", url);
            pen.out.close();
        }
        _ => {
            let says = "the provider fetches from s3: addresses alone: send the data";
            return Err(pen.ask.unsupported_in(turn, says));
        }
    }
    Ok(())
}

/// A name that the API takes, and that no document has yet: letters, digits, single spaces, hyphens and brackets.
fn document_name(pen: &mut Pen<'_, '_>, title: Option<&str>) -> String {
    const MOST: usize = 180;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '(' | ')' | '[' | ']');
    let mut name = String::new();
    for c in title.unwrap_or_default().chars() {
        if fits(c) {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with(' ') {
            name.push(' ');
        }
        if name.len() >= MOST {
            break;
        }
    }
    let kept = Cow::Borrowed(name.trim_end());
    let plain = if kept.is_empty() {
        Cow::Borrowed("document")
    } else {
        kept
    };
    let mut unique = plain.clone().into_owned();
    let mut count = 1;
    while pen.documents.contains(&unique) {
        count += 1;
        unique = format!("{plain} ({count})");
    }
    if title.is_some_and(|title| title != unique) {
        pen.losses.changed("messages.file.filename");
    }
    pen.documents.push(unique.clone());
    unique
}

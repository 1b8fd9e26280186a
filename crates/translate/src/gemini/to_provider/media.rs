//! Writing data, and where data lies. The provider fetches what has an address.

use bartizan_core::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::files::{is_googles, media_type_of};
use crate::dialects::To;
use crate::losses::Losses;
use crate::neutral::{Ask, Block, Source, Turn};
use crate::write::Writer;

pub(super) fn write(
    ask: &Ask<'_>,
    to: &To<'_>,
    turn: &Turn<'_>,
    block: &Block<'_>,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let source = match block {
        Block::Image { source, detail, .. } => {
            if detail.is_some() {
                losses.dropped("messages.image_url.detail");
            }
            source
        }
        Block::Document { source, title, .. } => {
            // Only some of the API's servers take a name.
            if title.is_some() {
                losses.dropped("messages.file.filename");
            }
            source
        }
        Block::Audio { source } | Block::Video { source } => source,
        _ => return Err(ask.unsupported_in(turn, "data of this kind can't be sent")),
    };
    match source {
        Source::Base64 { media_type, data } => inline(media_type, data, out),
        Source::Text(text) => inline("text/plain", &STANDARD.encode(text.as_bytes()), out),
        Source::Url { url, media_type } => {
            if !["https://", "http://", "gs://"]
                .iter()
                .any(|start| url.starts_with(start))
            {
                let says = "the provider fetches from https: and gs: addresses alone";
                return Err(ask.unsupported_in(turn, says));
            }
            let known = media_type.as_deref().or_else(|| media_type_of(url));
            if to.vertex && known.is_none() {
                let says = "the provider has to be told what kind of file lies there: by the address's end, such as .png";
                return Err(ask.unsupported_in(turn, says));
            }
            lies_at(url, known, out);
        }
        Source::File { id } if is_googles(id) => lies_at(id, None, out),
        Source::File { .. } => {
            let says = "the provider does not have the file: send its data";
            return Err(ask.unsupported_in(turn, says));
        }
    }
    Ok(())
}

fn inline(media_type: &str, data: &str, out: &mut Writer) {
    out.open();
    out.key("inlineData");
    out.open();
    out.text_at("mimeType", media_type);
    out.plain_at("data", data);
    out.close();
    out.close();
}

fn lies_at(uri: &str, media_type: Option<&str>, out: &mut Writer) {
    out.open();
    out.key("fileData");
    out.open();
    if let Some(media_type) = media_type {
        out.text_at("mimeType", media_type);
    }
    out.text_at("fileUri", uri);
    out.close();
    out.close();
}

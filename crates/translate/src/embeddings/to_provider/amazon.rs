//! Amazon's own models, by `InvokeModel`: one input a call.

use bartizan_core::Refusal;

use crate::embeddings::answer::Provider;
use crate::embeddings::ask::{Ask, Cut, Part, Purpose, What};
use crate::losses::Losses;
use crate::write::Writer;

pub(super) fn titan(
    ask: &Ask<'_>,
    losses: &mut Losses,
    out: &mut Writer,
) -> Result<Provider, Refusal> {
    ask.at_most(1)?;
    for text in ask.texts()? {
        out.text_at("inputText", text);
    }
    if let Some(dimensions) = ask.dimensions()? {
        out.number_at("dimensions", dimensions);
    }
    if ask.purpose()?.is_some() {
        losses.dropped("input_type");
    }
    ask.leave_titles(losses);
    // It refuses a text that is too long.
    match ask.cut {
        None | Some(Cut::Never) => {}
        Some(Cut::Start | Cut::End) => losses.dropped("truncate"),
    }
    Ok(Provider::Titan)
}

pub(super) fn nova(
    ask: &Ask<'_>,
    losses: &mut Losses,
    out: &mut Writer,
) -> Result<Provider, Refusal> {
    ask.at_most(1)?;
    out.plain_at("taskType", "SINGLE_EMBEDDING");
    out.key("singleEmbeddingParams");
    out.open();
    let (purpose, same) = ask
        .purpose()?
        .map_or((Purpose::Document.nova().0, false), Purpose::nova);
    if !same {
        losses.changed("input_type");
    }
    out.plain_at("embeddingPurpose", purpose);
    if let Some(dimensions) = ask.dimensions()? {
        out.number_at("embeddingDimension", dimensions);
    }
    for input in &ask.inputs {
        match &input.what {
            What::Parts(parts) => match parts.as_slice() {
                [Part::Data { media_type, data }] if media_type.starts_with("image/") => {
                    out.key("image");
                    out.open();
                    out.text_at("format", media_type.trim_start_matches("image/"));
                    out.key("source");
                    out.open();
                    out.plain_at("bytes", data);
                    out.close();
                    out.close();
                    if ask.cut.is_some() {
                        losses.dropped("truncate");
                    }
                    continue;
                }
                _ => {}
            },
            What::Tokens(_) | What::Own(_) => {}
        }
        out.key("text");
        out.open();
        // It must be said; an error is what cuts nothing unasked.
        out.plain_at("truncationMode", ask.cut.unwrap_or(Cut::Never).as_str());
        out.text_at("value", ask.text(input)?);
        out.close();
    }
    out.close();
    ask.leave_titles(losses);
    Ok(Provider::Nova)
}

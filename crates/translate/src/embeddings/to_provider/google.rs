//! Gemini's `batchEmbedContents`, and Vertex AI's `predict`.

use bartizan_core::Refusal;

use crate::dialects::To;
use crate::embeddings::answer::Provider;
use crate::embeddings::ask::{Ask, Cut, Input, Part, What};
use crate::losses::Losses;
use crate::write::Writer;

/// The most requests of one batch.
const MOST: usize = 100;
/// The most instances of one prediction; Gemini's models take one.
const MOST_INSTANCES: usize = 250;

pub(super) fn gemini(
    ask: &Ask<'_>,
    to: To<'_>,
    losses: &mut Losses,
    out: &mut Writer,
) -> Result<Provider, Refusal> {
    ask.at_most(MOST)?;
    out.key("requests");
    out.open_list();
    for input in &ask.inputs {
        out.open();
        let mut name = String::new();
        if !to.model.contains('/') {
            name.push_str("models/");
        }
        name.push_str(to.model);
        out.text_at("model", &name);
        out.key("content");
        out.open();
        out.key("parts");
        out.open_list();
        parts(ask, input, out)?;
        out.close_list();
        out.close();
        if let Some(task) = task(input, losses) {
            out.plain_at("taskType", task);
        }
        if let Some(title) = &input.title {
            out.text_at("title", title);
        }
        if let Some(dimensions) = input.dimensions {
            out.number_at("outputDimensionality", dimensions);
        }
        out.close();
    }
    out.close_list();
    // It cuts at the end, and has no word for it.
    match ask.cut {
        None | Some(Cut::End) => {}
        Some(Cut::Never | Cut::Start) => losses.dropped("truncate"),
    }
    Ok(Provider::Gemini)
}

fn parts(ask: &Ask<'_>, input: &Input<'_>, out: &mut Writer) -> Result<(), Refusal> {
    let What::Parts(parts) = &input.what else {
        ask.text(input)?;
        return Ok(());
    };
    for part in parts {
        out.open();
        match part {
            Part::Text(text) => out.text_at("text", text),
            Part::Data { media_type, data } => {
                out.key("inlineData");
                out.open();
                out.text_at("mimeType", media_type);
                out.plain_at("data", data);
                out.close();
            }
            Part::Url { url, media_type } if url.starts_with("gs://") || media_type.is_some() => {
                out.key("fileData");
                out.open();
                if let Some(media_type) = media_type {
                    out.text_at("mimeType", media_type);
                }
                out.text_at("fileUri", url);
                out.close();
            }
            Part::Url { .. } => {
                return Err(
                    ask.unsupported("input", "the provider fetches no images: send the data")
                );
            }
        }
        out.close();
    }
    Ok(())
}

pub(super) fn predict(
    ask: &Ask<'_>,
    to: To<'_>,
    losses: &mut Losses,
    out: &mut Writer,
) -> Result<Provider, Refusal> {
    let one = to.model.starts_with("gemini-embedding");
    ask.at_most(if one { 1 } else { MOST_INSTANCES })?;
    out.key("instances");
    out.open_list();
    for input in &ask.inputs {
        out.open();
        out.text_at("content", ask.text(input)?);
        if let Some(task) = task(input, losses) {
            out.plain_at("task_type", task);
        }
        if let Some(title) = &input.title {
            out.text_at("title", title);
        }
        out.close();
    }
    out.close_list();
    let auto = match ask.cut {
        None => None,
        Some(Cut::Never) => Some("false"),
        Some(Cut::End) => Some("true"),
        Some(Cut::Start) => {
            return Err(ask.unsupported("truncate", "the provider cuts at the end"));
        }
    };
    let dimensions = ask.dimensions()?;
    if auto.is_some() || dimensions.is_some() {
        out.key("parameters");
        out.open();
        if let Some(auto) = auto {
            out.raw_at("autoTruncate", auto);
        }
        if let Some(dimensions) = dimensions {
            out.number_at("outputDimensionality", dimensions);
        }
        out.close();
    }
    Ok(Provider::Vertex)
}

fn task(input: &Input<'_>, losses: &mut Losses) -> Option<&'static str> {
    let purpose = input.purpose?;
    let task = purpose.gemini();
    if task.is_none() {
        losses.dropped("input_type");
    }
    task
}

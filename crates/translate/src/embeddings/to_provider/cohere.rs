//! Cohere's embed, version 2.

use bartizan_core::Refusal;

use crate::dialects::To;
use crate::embeddings::answer::Provider;
use crate::embeddings::ask::{Ask, Part, Purpose, What};
use crate::embeddings::to_client::Client;
use crate::losses::Losses;
use crate::whole::is_bedrocks_cohere;
use crate::write::Writer;

/// The most inputs of one request.
const MOST: usize = 96;

pub(super) fn encode(
    ask: &Ask<'_>,
    to: To<'_>,
    losses: &mut Losses,
    out: &mut Writer,
) -> Result<Provider, Refusal> {
    ask.at_most(MOST)?;
    // Amazon Bedrock takes the same body, and has the model in the path.
    if !is_bedrocks_cohere(to.model) {
        out.text_at("model", to.model);
    }
    inputs(ask, out)?;
    let images = ask
        .inputs
        .iter()
        .all(|input| one_image(&input.what).is_some());
    let purpose = match ask.purpose()? {
        Some(purpose) => {
            let (word, same) = purpose.cohere();
            if !same {
                losses.changed("input_type");
            }
            word
        }
        None if images => Purpose::Image.cohere().0,
        None => {
            losses.changed("input_type");
            Purpose::Document.cohere().0
        }
    };
    out.plain_at("input_type", purpose);
    out.key("embedding_types");
    out.open_list();
    match &ask.client {
        Client::Cohere { forms } => forms.iter().for_each(|form| out.plain(form)),
        // Base64 is made here: not every model of Cohere's gives it.
        _ => out.plain("float"),
    }
    out.close_list();
    if let Some(dimensions) = ask.dimensions()? {
        out.number_at("output_dimension", dimensions);
    }
    if let Some(tokens) = ask.max_tokens {
        out.number_at("max_tokens", tokens);
    }
    if let Some(cut) = ask.cut {
        out.plain_at("truncate", cut.as_str());
    }
    ask.leave_titles(losses);
    Ok(Provider::Cohere)
}

/// `texts` or `images` where all are one or the other, which older models have alone; else `inputs`.
fn inputs(ask: &Ask<'_>, out: &mut Writer) -> Result<(), Refusal> {
    let texts = |what: &What<'_>| match what {
        What::Parts(parts) => matches!(parts.as_slice(), [Part::Text(_)]),
        _ => true,
    };
    if ask.inputs.iter().all(|input| texts(&input.what)) {
        out.key("texts");
        out.open_list();
        for text in ask.texts()? {
            out.text(text);
        }
        out.close_list();
        return Ok(());
    }
    let images: Option<Vec<String>> = ask
        .inputs
        .iter()
        .map(|input| one_image(&input.what))
        .collect();
    if let Some(images) = images {
        out.key("images");
        out.open_list();
        for image in images {
            out.text(&image);
        }
        out.close_list();
        return Ok(());
    }
    out.key("inputs");
    out.open_list();
    for input in &ask.inputs {
        let What::Parts(parts) = &input.what else {
            ask.text(input)?;
            continue;
        };
        out.open();
        out.key("content");
        out.open_list();
        for part in parts {
            out.open();
            match part {
                Part::Text(text) => {
                    out.plain_at("type", "text");
                    out.text_at("text", text);
                }
                part => {
                    let url = address(part).ok_or_else(|| {
                        ask.unsupported(
                            "input",
                            "the provider takes texts, and images by their data",
                        )
                    })?;
                    out.plain_at("type", "image_url");
                    out.key("image_url");
                    out.open();
                    out.text_at("url", &url);
                    out.close();
                }
            }
            out.close();
        }
        out.close_list();
        out.close();
    }
    out.close_list();
    Ok(())
}

fn one_image(what: &What<'_>) -> Option<String> {
    match what {
        What::Parts(parts) => match parts.as_slice() {
            [part] => address(part),
            _ => None,
        },
        _ => None,
    }
}

fn address(part: &Part<'_>) -> Option<String> {
    match part {
        Part::Data { media_type, data } if media_type.starts_with("image/") => {
            Some(format!("data:{media_type};base64,{data}"))
        }
        _ => None,
    }
}

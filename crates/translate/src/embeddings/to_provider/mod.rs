//! Writing a request.

mod amazon;
mod cohere;
mod google;
mod openai;

use bartizan_core::{Dialect, Refusal};

use super::answer::Provider;
use super::ask::{Ask, Cut};
use super::to_client::Client;
use crate::dialects::{To, unsupported};
use crate::losses::Losses;
use crate::read::Unknown;
use crate::write::Writer;

pub(super) fn encode(
    ask: &Ask<'_>,
    to: To<'_>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<(String, Provider), Refusal> {
    let mut out = Writer::with_capacity(1_024);
    out.open();
    // Other forms than floats and their base64 are Cohere's alone.
    if let Client::Cohere { forms } = &ask.client
        && to.dialect != Dialect::CohereEmbed
        && forms
            .iter()
            .any(|form| !matches!(*form, "float" | "base64"))
    {
        return Err(ask.unsupported("encoding_format", "the provider gives floats only"));
    }
    if to.dialect != Dialect::OpenAiEmbeddings {
        ask.leave(policy, losses)?;
    }
    if to.dialect != Dialect::CohereEmbed {
        ask.leave_max_tokens()?;
    }
    let provider = match to.dialect {
        Dialect::OpenAiEmbeddings => openai::encode(ask, to, losses, &mut out)?,
        Dialect::GeminiEmbeddings => google::gemini(ask, to, losses, &mut out)?,
        Dialect::VertexPredict => google::predict(ask, to, losses, &mut out)?,
        Dialect::CohereEmbed => cohere::encode(ask, to, losses, &mut out)?,
        Dialect::OllamaEmbed => ollama(ask, to, losses, &mut out)?,
        Dialect::AmazonEmbed if to.model.contains("nova") => amazon::nova(ask, losses, &mut out)?,
        Dialect::AmazonEmbed => amazon::titan(ask, losses, &mut out)?,
        to => return Err(unsupported(to)),
    };
    out.close();
    Ok((out.finish(), provider))
}

fn ollama(
    ask: &Ask<'_>,
    to: To<'_>,
    losses: &mut Losses,
    out: &mut Writer,
) -> Result<Provider, Refusal> {
    out.text_at("model", to.model);
    out.key("input");
    out.open_list();
    for text in ask.texts()? {
        out.text(text);
    }
    out.close_list();
    if ask.purpose()?.is_some() {
        losses.dropped("input_type");
    }
    ask.leave_titles(losses);
    match ask.cut {
        None => {}
        Some(Cut::Never) => out.raw_at("truncate", "false"),
        Some(Cut::End) => out.raw_at("truncate", "true"),
        Some(Cut::Start) => return Err(ask.unsupported("truncate", "the provider cuts at the end")),
    }
    if let Some(dimensions) = ask.dimensions()? {
        out.number_at("dimensions", dimensions);
    }
    Ok(Provider::Ollama)
}

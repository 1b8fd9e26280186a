//! OpenAI's dialect.

use bartizan_core::Refusal;

use crate::dialects::To;
use crate::embeddings::answer::Provider;
use crate::embeddings::ask::{Ask, What};
use crate::embeddings::to_client::Client;
use crate::losses::Losses;
use crate::write::Writer;

/// The most inputs of one request.
const MOST: usize = 2_048;

pub(super) fn encode(
    ask: &Ask<'_>,
    to: To<'_>,
    losses: &mut Losses,
    out: &mut Writer,
) -> Result<Provider, Refusal> {
    ask.at_most(MOST)?;
    out.text_at("model", to.model);
    out.key("input");
    out.open_list();
    for input in &ask.inputs {
        match &input.what {
            What::Parts(_) => out.text(ask.text(input)?),
            What::Tokens(tokens) => out.raw(tokens),
            What::Own(value) => out.raw(value.raw()),
        }
    }
    out.close_list();
    match &ask.client {
        Client::OpenAi { base64: true, .. } => out.plain_at("encoding_format", "base64"),
        _ => out.plain_at("encoding_format", "float"),
    }
    if let Some(dimensions) = ask.dimensions()? {
        out.number_at("dimensions", dimensions);
    }
    if let Some(user) = &ask.user {
        out.text_at("user", user);
    }
    let own = matches!(ask.client, Client::OpenAi { .. });
    for (name, value) in &ask.rest {
        out.key_text(name);
        out.raw(value.raw());
    }
    if !own {
        if ask.purpose()?.is_some() {
            losses.dropped("input_type");
        }
        ask.leave_titles(losses);
        if ask.cut.is_some() {
            losses.dropped("truncate");
        }
    }
    Ok(Provider::OpenAi)
}

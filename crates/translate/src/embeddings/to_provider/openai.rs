//! OpenAI's dialect.

use bartizan_core::Refusal;

use crate::catalogue::Quirk;
use crate::dialects::To;
use crate::embeddings::answer::Provider;
use crate::embeddings::ask::{Ask, Purpose, What};
use crate::embeddings::to_client::Client;
use crate::losses::Losses;
use crate::write::Writer;

/// The most inputs of one request.
const MOST: usize = 2_048;
const FORMAT: &str = "encoding_format";

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
    let int8 = to.quirks.has(Quirk::Int8Vectors);
    let base64 = matches!(ask.client, Client::OpenAi { base64: true, .. });
    // What a server has no word for is made here.
    if !int8 && !to.quirks.drops(FORMAT) && !to.quirks.refuses(FORMAT) {
        let format = if base64 { "base64" } else { "float" };
        out.plain_at(to.quirks.renamed(FORMAT).unwrap_or(FORMAT), format);
    }
    let mut server = Server {
        ask,
        to,
        losses,
        out,
    };
    if let Some(dimensions) = ask.dimensions()?
        && server.key("dimensions")?
    {
        server.out.raw(&dimensions.to_string());
    }
    if let Some(user) = &ask.user
        && server.key("user")?
    {
        server.out.text(user);
    }
    for (name, value) in &ask.rest {
        if to.quirks.drops(name) {
            server.losses.unknown(name);
            continue;
        }
        server.out.key_text(to.quirks.renamed(name).unwrap_or(name));
        server.out.raw(value.raw());
    }
    if !matches!(ask.client, Client::OpenAi { .. }) {
        server.purpose()?;
        ask.leave_titles(server.losses);
        if ask.cut.is_some() {
            server.losses.dropped("truncate");
        }
    }
    Ok(Provider::OpenAi { int8 })
}

struct Server<'e, 'a> {
    ask: &'e Ask<'a>,
    to: To<'e>,
    losses: &'e mut Losses,
    out: &'e mut Writer,
}

impl Server<'_, '_> {
    /// Writes the key of a member, as the server calls it; `false` where the server has no such member.
    fn key(&mut self, member: &'static str) -> Result<bool, Refusal> {
        if self.to.quirks.refuses(member) {
            return Err(self
                .ask
                .unsupported(member, "the provider does not take it"));
        }
        if self.to.quirks.drops(member) {
            self.losses.dropped(member);
            return Ok(false);
        }
        let key = self.to.quirks.renamed(member).unwrap_or(member);
        self.out.key_text(key);
        Ok(true)
    }

    /// What the vectors are for, where the server has a word for it.
    fn purpose(&mut self) -> Result<(), Refusal> {
        const FIELD: &str = "input_type";
        let word = match self.ask.purpose()? {
            None => return Ok(()),
            Some(Purpose::Query) => Some("query"),
            Some(Purpose::Document) => Some("document"),
            Some(_) => None,
        };
        match word {
            Some(word) if self.to.quirks.takes(FIELD) => self.out.plain_at(FIELD, word),
            _ => self.losses.dropped(FIELD),
        }
        Ok(())
    }
}

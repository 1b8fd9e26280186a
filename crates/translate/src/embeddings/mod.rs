//! Embeddings. What becomes what: [`guide::others`](crate::guide::others).

mod answer;
mod ask;
mod from_client;
mod numbers;
mod to_client;
mod to_provider;

use bartizan_core::{Document, Refusal};
use http::HeaderMap;

use self::answer::Provider;
use self::to_client::Client;
use crate::dialects::To;
use crate::losses::Losses;
use crate::read::Unknown;
use crate::whole::{Question, Retell, Retold};

pub(crate) fn question(
    document: &Document,
    policy: Unknown,
    to: To<'_>,
    losses: &mut Losses,
) -> Result<Question, Refusal> {
    let ask = from_client::decode(document, policy, losses)?;
    let (text, provider) = to_provider::encode(&ask, to, policy, losses)?;
    let retell = Vectors {
        provider,
        client: ask.client.clone(),
        model: ask.model.as_ref().to_owned(),
        wanted: ask.inputs.len(),
        counted: None,
    };
    Ok(Question {
        text,
        names: ask.names,
        retell: Box::new(retell),
    })
}

#[derive(Debug)]
struct Vectors {
    provider: Provider,
    client: Client,
    /// What the caller calls the model.
    model: String,
    wanted: usize,
    /// Tokens, as a header of the answer says.
    counted: Option<u64>,
}

impl Retell for Vectors {
    fn head(&mut self, headers: &HeaderMap) {
        self.counted = headers
            .get("x-amzn-bedrock-input-token-count")
            .and_then(|count| count.to_str().ok()?.parse().ok());
    }

    fn retell(&self, reply: &Document) -> Option<Retold> {
        let mut answer = self.provider.read(reply)?;
        // Vectors that can't be told whose they are would be taken for others'.
        if answer.vectors() != self.wanted {
            return None;
        }
        answer.tokens = answer.tokens.or(self.counted);
        let text = self.client.write(&answer, &self.model)?;
        Some(Retold {
            text,
            losses: answer.losses,
        })
    }
}

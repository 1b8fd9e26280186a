//! Embeddings.
//!
//! | what | OpenAI | Gemini | Vertex `predict` | Cohere | Ollama | Amazon Titan, Nova |
//! |---|---|---|---|---|---|---|
//! | texts | `input` | `content`, `requests` | `instances` | `texts` | `input` | `inputText`, `text.value` |
//! | most in one request | 2,048 | 100 | 250; `gemini-embedding…` 1 | 96 | none stated | 1 |
//! | tokens | `input` | refused | refused | refused | refused | refused |
//! | images | refused | `inlineData` | refused | `images`, `inputs` | refused | Nova |
//! | what for | `input_type`, where the server takes it | `taskType` | `task_type` | `input_type`, which it needs | reported | Nova's `embeddingPurpose`, which it needs |
//! | title | reported | `title` | `title` | reported | reported | reported |
//! | size | `dimensions` | `outputDimensionality` | `outputDimensionality` | `output_dimension` | `dimensions` | `dimensions`, `embeddingDimension` |
//! | too long a text | as the server does | as it does | `autoTruncate` | `truncate` | `truncate` | Nova's `truncationMode` |
//! | base64 | `encoding_format` | made here | made here | made here | made here | made here |
//!
//! Where a provider must be told what the vectors are for and the caller does not say, it is told: to be searched among
//! (`search_document`, `GENERIC_INDEX`), and `input_type;changed` reports it. Batches over a provider's limit are refused with the number:
//! the caller knows best how to cut them. Numbers keep their spelling; between a list and base64, which holds the four bytes of a 32-bit
//! float each, lowest first, they keep their 32 bits.
//!
//! A provider that says no count of tokens leaves an answer without `usage`: no count is invented.

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

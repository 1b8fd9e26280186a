//! OpenAI completions. What becomes what: [`guide::openai_completions`](crate::guide::openai_completions).

mod from_client;
mod from_provider;
mod to_client;
mod to_provider;

pub(crate) use from_client::decode as decode_ask;
pub(crate) use to_client::ToClient;
pub(crate) use to_provider::encode as encode_ask;

//! OpenAI chat completions. What becomes what: [`guide::openai_chat`](crate::guide::openai_chat).

mod from_client;
mod from_provider;
mod reasoning;
mod server;
mod to_client;
mod to_provider;
pub(crate) mod words;

pub(crate) use from_client::ask_stream_usage;
pub(crate) use from_client::{decode as decode_ask, stop, stream_options};
pub(crate) use to_client::{ToClient, dropped, usage};
pub(crate) use to_provider::encode as encode_ask;

use crate::names::HIDDEN_TOOL;

#[cfg(test)]
mod tests;

//! OpenAI chat completions. What becomes what: [`guide::openai_chat`](crate::guide::openai_chat).

mod ends;
mod from_client;
mod from_provider;
mod reasoning;
mod relay;
mod server;
mod to_client;
mod to_provider;
pub(crate) mod words;

pub(crate) use ends::EndsUnsaid;
pub(crate) use from_client::{decode as decode_ask, stop, stream_options};
pub(crate) use relay::{Edits, Fit, ask_stream_usage, fit, is_mended};
pub(crate) use to_client::{ToClient, dropped, usage};
pub(crate) use to_provider::encode as encode_ask;

use crate::names::HIDDEN_TOOL;

#[cfg(test)]
mod tests;

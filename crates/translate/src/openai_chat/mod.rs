//! OpenAI chat completions.

mod from_client;
mod to_client;

pub(crate) use from_client::ask_stream_usage;
pub(crate) use from_client::decode as decode_ask;
pub(crate) use to_client::ToClient;

//! Anthropic messages.

mod from_client;
mod from_provider;
mod to_client;
mod to_provider;

pub(crate) use from_client::decode as decode_ask;
pub(crate) use to_client::ToClient;
pub(crate) use to_provider::encode as encode_ask;

/// The tool by which a model without schemas of its own is made to answer in JSON. The caller never sees it.
const HIDDEN_TOOL: &str = "bartizan_json_answer";

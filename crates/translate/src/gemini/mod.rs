//! Gemini `generateContent`, `streamGenerateContent` and `countTokens`. What becomes what: [`guide::gemini`](crate::guide::gemini).

mod count;
mod fields;
mod files;
mod from_client;
mod from_provider;
mod models;
mod seal;
mod to_client;
mod to_provider;

pub(crate) use count::{decode as decode_count, encode as encode_count, set_model};
pub(crate) use from_client::decode as decode_ask;
pub(crate) use to_client::ToClient;
pub(crate) use to_provider::encode as encode_ask;

#[cfg(test)]
mod recorded;

//! Cohere chat, version 2, as providers speak it. What becomes what: [`guide::cohere`](crate::guide::cohere).

mod from_provider;
mod to_provider;

pub(crate) use to_provider::encode as encode_ask;

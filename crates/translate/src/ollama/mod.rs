//! Ollama's own chat, as its servers speak it. What becomes what: [`guide::ollama`](crate::guide::ollama).

mod from_provider;
mod to_provider;

pub(crate) use to_provider::encode as encode_ask;

//! OpenAI chat completions.

mod answer;
mod ask;
mod chunks;
mod content;
mod messages;
mod tools;

pub(crate) use answer::encode as encode_answer;
pub(crate) use ask::ask_stream_usage;
pub(crate) use ask::decode as decode_ask;
pub(crate) use chunks::Chunks;

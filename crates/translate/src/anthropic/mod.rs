//! Anthropic messages.

mod answer;
mod ask;
mod events;
mod plan;
mod turns;

pub(crate) use answer::decode as decode_answer;
pub(crate) use ask::encode as encode_ask;
pub(crate) use events::Events;
pub(crate) use plan::Bounds;
pub use plan::TooHot;

/// The tool by which a model without schemas of its own is made to answer in JSON. The caller never sees it.
const HIDDEN_TOOL: &str = "bartizan_json_answer";

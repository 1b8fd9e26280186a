//! A tower layer that lets one API's clients call another's provider.

mod anthropic;
mod dialects;
mod error;
mod facts;
mod fault;
mod layer;
mod losses;
mod neutral;
mod openai_chat;
mod read;
mod tap;
mod target;
mod write;

pub use anthropic::TooHot;
pub use error::Error;
pub use facts::{Effort, Model, ModelFacts, Thinking};
pub use layer::{Translate, TranslateLayer};
pub use losses::DROPPED;
pub use read::Unknown;
pub use tap::Translation;
pub use target::Target;

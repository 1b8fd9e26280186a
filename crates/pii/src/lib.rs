//! A tower layer that masks personal data and restores it.

mod action;
mod analyzer;
mod checks;
mod context;
mod entity;
mod error;
mod fold;
mod layer;
mod placeholder;
mod recognize;
mod redact;
mod restore;
mod stream;
mod tap;
mod vault;
mod window;

pub use action::Action;
pub use analyzer::{Analyzer, AnalyzerBuilder, Finding};
pub use entity::Entity;
pub use error::ConfigError;
pub use layer::{Pii, PiiLayer, PiiLayerBuilder};
pub use redact::{Blocked, Redactor, RedactorBuilder};
pub use restore::Restorer;
pub use stream::StreamMasker;
pub use tap::PiiTap;
pub use vault::Vault;

//! A tower layer that refuses prompt injection and leaking answers.
mod check;
mod disguise;
mod error;
mod fold;
mod injection;
mod rules;
mod words;
pub use check::*;
pub use error::Error;
pub use fold::Folded;
pub use injection::Injection;
/// stub
#[derive(Debug)] pub struct DenyList;

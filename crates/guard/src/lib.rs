//! A tower layer that refuses prompt injection and leaking answers.
mod check;
mod deny;
mod disguise;
mod error;
mod fold;
mod gate;
mod injection;
mod invisible;
mod layer;
mod post;
mod refuse;
mod rules;
mod seam;
mod secrets;
mod tap;
mod words;

pub use check::{Check, Finding, Progress, Risk, Sample, StreamCheck, Watcher};
pub use deny::DenyList;
pub use error::Error;
pub use fold::Folded;
pub use injection::Injection;
pub use invisible::Invisible;
pub use layer::{Guard, GuardBuilder, GuardLayer};
pub use post::{Action, Post};
pub use secrets::Secrets;
pub use tap::GuardTap;

//! Recorded exchanges of providers, replayed through [`TranslateLayer`](bartizan_translate::TranslateLayer): the proof that nothing is lost.
//!
//! What a provider said is read from its own JSON ([`said`]), what the client got from the client's ([`said`] again), and the two must
//! agree; the same for requests ([`asked`]). The readers know nothing of the crate under test. The tests of this package do so in process,
//! for each pair of APIs; the program `bartizan-replay` serves the same to the providers' official SDKs, which then are the readers.

#![allow(
    clippy::indexing_slicing,
    reason = "what a JSON value has no member for is null"
)]

pub mod api;
pub mod asked;
pub mod client;
mod derived;
pub mod exchanges;
pub mod frames;
pub mod history;
pub mod members;
pub mod protocol;
pub mod provider;
pub mod said;
pub mod server;

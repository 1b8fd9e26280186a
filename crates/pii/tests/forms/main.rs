//! How much is found of numbers made here, as printed and disguised, and how much of what only looks like them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a helper outside a test function panics as the test would, and says what was missed"
)]

mod card;
mod dice;
mod identity;
mod india;
mod phone;

//! The gateway as its callers meet it: the program itself, over real sockets, with a mock provider behind it.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong stops where it does"
)]

mod apis;
mod calls;
mod canaries;
mod certificates;
mod demo;
mod destinations;
mod drain;
mod http;
mod issuer;
mod jwt;
mod keys;
mod limits;
mod network;
#[cfg(feature = "onnx")]
mod onnx;
mod presidio;
mod process;
mod providers;
mod receiver;
mod regions;
mod rotation;
mod routes;
mod secrets;
mod shared;
mod slow;
mod smuggling;
mod spend;
mod start;
mod tls;
mod watch;

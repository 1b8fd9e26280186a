//! The gateway as its callers meet it: the program itself, over real sockets, with a mock provider behind it.

mod calls;
mod canaries;
mod demo;
mod destinations;
mod drain;
mod http;
mod keys;
mod process;
mod routes;
mod slow;
mod smuggling;
mod start;
mod tls;

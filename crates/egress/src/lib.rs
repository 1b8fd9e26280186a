//! A connector and client that reach nothing that is not allowed.

mod address;
mod client;
mod connect;
mod error;
mod headers;
mod origin;
mod policy;
mod resolve;
mod target;
mod timed;
mod tls;

pub use address::Class;
pub use client::{Client, ClientBuilder, Timeouts, Upstream};
pub use connect::{Egress, EgressLayer, Tcp};
pub use error::{Error, Step, UrlFault};
pub use headers::{towards_client, towards_provider};
pub use origin::Origin;
pub use policy::Policy;
pub use resolve::{Resolver, Resolving, SystemResolver};
pub use target::{Target, segment};

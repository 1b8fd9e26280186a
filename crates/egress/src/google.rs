//! Access tokens for a Google service account (RFC 7523), for Vertex AI.
//!
//! The account's key signs an assertion, which its token endpoint takes for a token that holds an hour. The token is kept, and renewed
//! in the background five minutes before it ends: one exchange at a time, however many calls want it, and none waits while the
//! old one holds. The exchange goes through the same [`Client`](crate::Client) as the calls do, and so through its
//! [`Policy`](crate::Policy).

mod account;
mod tokens;

pub use account::ServiceAccount;

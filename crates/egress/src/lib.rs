//! A connector and client that reach nothing that is not allowed.
//!
//! A gateway is asked to call URLs by people who must not choose them, with credentials that must not go elsewhere, from a
//! machine inside the network. So where a call may go is said once, in configuration, by a [`Policy`]; everything else is
//! refused before a name is resolved.
//!
//! ```
//! use bartizan_core::Body;
//! use bartizan_egress::{Client, Policy, Target};
//! use http::Request;
//!
//! # fn secret() -> secrecy::SecretString { "sk-provider".into() }
//! let openai = Target::new("https://api.openai.com/v1")?.bearer(secret())?;
//! let own = Target::new("https://vllm.internal:8443/v1")?;
//! let policy = Policy::closed().allow(openai.origin().clone()).allow_private(own.origin().clone());
//! let client = Client::builder(policy).build()?;
//!
//! // From a caller's request, what a provider may get of it:
//! let (parts, body) = Request::post("/v1/chat/completions").body(Body::from("{}"))?.into_parts();
//! let request = openai.request(parts, "/chat/completions", body)?;
//! // let response = client.send(request).await?;
//! # let _ = (client, request);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What can't happen
//!
//! - *A name that means another place the second time.* It is resolved once a connection, each address is checked, and the
//!   connection goes to a checked address. Connections that are kept were checked when they were made.
//! - *An inner address by the back door.* Loopback, private, link-local, carrier-shared, unique local, multicast, reserved and
//!   metadata addresses are closed, also inside IPv4-mapped, NAT64 and 6to4 ones ([`Class`]), unless the configuration of that
//!   very origin names them. Spellings such as `0x7f.1` or `2130706433` are no hosts.
//! - *A credential at a stranger's.* A [`Target`] holds it and never gives it out; the [`Client`] puts it on a request as
//!   the last thing, and only if that still goes to the target's origin.
//! - *A redirect.* None is followed.
//! - *A call that never ends.* Resolving, connecting, the handshake, the head, silence and the whole have their limits.
//!
//! What does go wrong is told to callers by kind (`egress_refused`, `upstream_unreachable`, `upstream_failed`,
//! `upstream_timeout`, `credential_unavailable`), never with an address.
//!
//! # What can
//!
//! A network's own NAT64 prefix (other than `64:ff9b::/96`) can't be told from public addresses. Where there is one, let
//! the network refuse what it leads to.
//!
//! # Credentials
//!
//! | of | by | feature |
//! |---|---|---|
//! | OpenAI, Mistral, Groq and most | [`Target::bearer`] | |
//! | Anthropic (`x-api-key`), Azure (`api-key`), Gemini (`x-goog-api-key`) | [`Target::key_header`] | |
//! | Bedrock, with an API key (`AWS_BEARER_TOKEN_BEDROCK`) | [`Target::bearer`] | |
//! | Bedrock, with an access key | `Target::sigv4` | `aws` |
//! | Vertex AI, with a service account's file | `Target::service_account` | `google` |
//! | Vertex AI, with an access token that something else renews | [`Target::bearer`] | |
//!
//! A credential that changes is a new target: it is cheap to make, and calls under way keep the old one. Nothing is asked of a
//! machine's metadata server, whose addresses are closed.
//!
//! # In parts
//!
//! [`EgressLayer`] alone makes a checked connector of anything that dials an address, for hyper and tonic clients.
//! [`towards_provider`] and [`towards_client`] are the header rules, and [`segment`] puts a name into a path.
//!
//! Metrics: `bartizan.egress.calls`, `.failed_connections`, `.answers_given_up`, `.token_exchanges` (counters).

mod address;
#[cfg(feature = "aws")]
mod aws;
mod client;
mod connect;
mod error;
#[cfg(feature = "google")]
mod google;
mod origin;
mod policy;
mod resolve;
mod target;
mod timed;
mod tls;

pub use address::Class;
#[cfg(feature = "aws")]
pub use aws::AwsCredentials;
// One rule for every crate that hands on a provider's answer.
pub use bartizan_core::{towards_client, towards_provider};
pub use client::{Client, ClientBuilder, Timeouts, Upstream};
pub use connect::{Egress, EgressLayer, Tcp};
#[cfg(feature = "google")]
pub use error::TokenFault;
pub use error::{Error, Step, UrlFault};
#[cfg(feature = "google")]
pub use google::ServiceAccount;
pub use origin::Origin;
pub use policy::Policy;
pub use resolve::{Resolver, Resolving, SystemResolver};
pub use target::{Target, segment};

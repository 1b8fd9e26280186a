//! The body, the dialects and the two traits that every Bartizan layer stands on.
//!
//! A layer of this family is a [`Filter`] that decides on a request, and a [`Tap`] that sees the answer. What travels between
//! them is one [`Body`], read once into a [`Document`] or split once into [`Event`]s whatever the number of layers, and unchanged byte for
//! byte where nobody edited it. A [`Dialect`] knows where the texts of an API lie; no layer does. What layers tell each other goes
//! through [`Principal`], [`Trail`], [`Usage`] and [`Refusal`].
//!
//! [`filter`] shows a whole layer in some thirty lines.
//!
//! # What is refused
//!
//! A body that some layer looks into must be one strict JSON document: duplicate keys anywhere, keys that differ from a known one only by
//! case, lone surrogates, invalid UTF-8 and depth over 128 are refused with the place ([`json`]), and so is a `content-encoding`. A stream
//! that ends without its dialect's last event ends in an error event, never cleanly.

mod body;
mod call;
mod clock;
mod dialect;
mod document;
mod event;
pub mod filter;
mod filtered;
mod form;
mod framing;
mod headers;
pub mod json;
mod peer;
mod period;
mod price;
mod principal;
mod refusal;
mod regions;
mod rewrite;
mod role;
mod scope;
mod served;
mod sse;
mod tokens;
mod trail;
mod usage;

pub use body::{Body, BoxError};
pub use call::{BodyLimit, Call};
pub use clock::{Clock, ManualClock, SystemClock};
pub use dialect::{Channel, Closes, Dialect, Direction, Facts, Finish, Text, TextRole, Unseen};
pub use document::Document;
pub use event::Event;
pub use filter::{End, Filter, Flow, Out, Step, Tap, Watch};
pub use filtered::Filtered;
pub use form::Form;
pub use framing::{Framing, LineDecoder};
pub use headers::{towards_client, towards_provider};
pub use peer::{ClientCertificate, ClientIp, MatchedRoute, PeerIp};
pub use period::{Period, PeriodError, Unit as PeriodUnit};
pub use price::{Cost, NoPrice, Price, Prices};
pub use principal::{Identity, Models, Principal};
pub use refusal::{Refusal, RefusalKind};
pub use regions::Regions;
pub use rewrite::{StreamRewriter, TextRewriter};
pub use role::{KeyType, Role};
/// The numbers that money is counted in.
pub use rust_decimal::Decimal;
pub use scope::{Bounds, Budget, Level, Limits, Scope};
pub use served::Served;
pub use sse::{EventDecoder, MAX_EVENT, SseError};
pub use tokens::{RequestEstimate, TokenEstimate, Tokenizer};
pub use trail::{Detail, Note, Trail};
pub use usage::Usage;

//! A tower layer that limits requests and tokens a minute.

mod bucket;
mod estimate;
mod headers;
mod layer;
mod ledger;
mod limiter;
mod refuse;
mod requests;
mod tap;

pub use layer::{Limit, LimitLayer};
pub use tap::LimitTap;

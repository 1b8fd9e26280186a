//! The body, the dialects and the two traits that every Bartizan layer stands on.

mod clock;
mod principal;
mod trail;
mod usage;

pub use clock::{Clock, ManualClock, SystemClock};
pub use principal::{Identity, Limits, Models, Principal, Role};
pub use trail::{Detail, Note, Trail};
pub use usage::Usage;

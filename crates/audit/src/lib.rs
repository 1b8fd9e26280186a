//! A tower layer that keeps a tamper-evident record of each call.

mod chain;
mod entry;
mod error;
mod file;
mod head;
mod journal;
mod sink;
mod verify;
mod writer;

pub use chain::{Anchor, ChainKey};
pub use entry::{CallRecord, Entry, Gap, Intent, Notes, Opened, Outcome, Tokens, Who};
pub use error::{Defect, Error};
pub use file::FileSink;
pub use journal::{Journal, JournalBuilder, Mode, Place};
pub use sink::{Batch, MemorySink, Sink, Tail};
pub use verify::{Verified, verify};

use std::io;
use std::path::{Path, PathBuf};

/// Why a journal can't be opened, written or trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key is too short to withstand guessing.
    #[error(
        "the audit key has {length} bytes: give at least {least} random bytes, for example from `openssl rand -hex 32`"
    )]
    ShortKey {
        /// Bytes given.
        length: usize,
        /// Bytes needed.
        least: usize,
    },
    /// The file system refused.
    #[error("can't {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process writes this journal.
    #[error("{} is being written by another process: give each process a journal of its own", .0.display())]
    Locked(PathBuf),
    /// Others may read or change the file.
    #[error("{} has mode {mode:o}: take write from the group and everything from others, for example by `chmod 600`", path.display())]
    Exposed {
        /// The journal.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file was moved, cut or written by someone else while it was open.
    #[error("{} changed underneath its writer: {what}; check it with `verify`, then restart on a sound file", path.display())]
    Disturbed {
        /// The journal.
        path: PathBuf,
        /// What was noticed.
        what: &'static str,
    },
    /// A record is not what was written.
    #[error("record {seq} at byte {offset} was altered: {defect}")]
    Altered {
        /// Which record the chain expects there.
        seq: u64,
        /// Where it begins in the file.
        offset: u64,
        /// What doesn't match.
        defect: Defect,
    },
    /// Records are missing at the end.
    #[error(
        "the journal ends at record {stored}, and {promised} were made durable: restore the file, or move it and its head away to begin anew"
    )]
    CutTail {
        /// The last record that is there.
        stored: u64,
        /// The last record that was there once.
        promised: u64,
    },
    /// The head file is missing or not what was written.
    #[error("the head file {} {what}: restore it, or move it and the journal away to begin anew", path.display())]
    Head {
        /// The head file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// An anchor kept elsewhere and the journal tell different stories.
    #[error(
        "record {seq} isn't the one that the anchor names: the journal was rewritten or rolled back"
    )]
    Anchor {
        /// The anchor's record.
        seq: u64,
    },
    /// The queue has no place left.
    #[error("the audit queue is full: raise `queue` above the number of calls that run at once")]
    QueueFull,
    /// The sink fails or hangs, or the journal was shut down.
    #[error("the audit sink is unavailable")]
    Unavailable,
    /// The sink didn't make a record durable in time.
    #[error("the audit sink didn't make the record durable in time")]
    TimedOut,
    /// The journal was shut down before everything was written.
    #[error("the audit journal was shut down with records that its sink didn't take in time")]
    Unflushed,
    /// A sink of one's own refused.
    #[error("the audit sink failed: {0}")]
    Sink(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

/// In what a record differs from the one that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// It isn't one line of JSON with the chain's members.
    #[error("it isn't a record")]
    NotARecord,
    /// It is longer than any record.
    #[error("it is longer than any record")]
    TooLong,
    /// Its number isn't the next one.
    #[error("its number isn't the next one, so records were dropped, repeated or moved")]
    Sequence,
    /// It doesn't name the hash of the record before it.
    #[error("it doesn't follow the record before it")]
    Link,
    /// Its text doesn't have the hash that it states.
    #[error("its text and its hash differ")]
    Hash,
    /// Its authentication code is missing, or wrong for this key.
    #[error("its authentication code is missing or wrong for this key")]
    Mac,
}

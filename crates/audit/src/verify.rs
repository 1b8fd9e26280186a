//! Checks a whole journal file.

use std::fs::File;
use std::path::Path;

use crate::chain::{Anchor, Chain, ChainKey};
use crate::error::{Defect, Error};
use crate::file::Lines;
use crate::head::HeadFile;

/// What a sound journal file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// How many records.
    pub records: u64,
    /// The last record's place in the chain, to be kept as the next anchor.
    pub anchor: Anchor,
    /// Whether a key proved who wrote it. Without one, a person who rewrote the whole file, chain and head, goes unseen.
    pub authenticated: bool,
    /// Bytes of an unfinished line at the end, which no writer acknowledged.
    pub torn_bytes: u64,
}

/// Checks the whole journal at `path` against its chain, its head file and, where given, its key and an anchor kept elsewhere.
///
/// May run beside the journal's writer: what the writer adds meanwhile is checked or left for next time. Blocks, and reads
/// the whole file: a few hundred MB a second.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bartizan_audit::{ChainKey, FileSink, Journal, verify};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("audit.jsonl");
/// # let secret: secrecy::SecretString = "0123456789abcdef".repeat(2).into();
/// let key = ChainKey::new(&secret)?;
/// let journal = Journal::builder().key(key.clone()).open(FileSink::new(&path)).await?;
/// journal.shutdown(std::time::Duration::from_secs(5)).await?;
///
/// let verified = verify(&path, Some(&key), None)?;
/// assert_eq!(verified.records, 1, "a journal begins by saying that it was opened");
///
/// std::fs::write(&path, std::fs::read_to_string(&path)?.replace("strict", "lossy "))?;
/// assert!(verify(&path, Some(&key), None).is_err());
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Altered`], [`Error::CutTail`], [`Error::Head`] and [`Error::Anchor`] tell what was tampered with and where;
/// [`Error::Io`] when a file can't be read.
pub fn verify(
    path: impl AsRef<Path>,
    key: Option<&ChainKey>,
    anchor: Option<&Anchor>,
) -> Result<Verified, Error> {
    let path = path.as_ref();
    let missing = || Error::Head {
        path: HeadFile::path_for(path),
        what: "is missing",
    };
    // The head first: what is written between the two reads only makes the journal longer than its head.
    let head = HeadFile::read(path, key)?.ok_or_else(missing)?;
    let file = File::open(path).map_err(Error::io("open", path))?;
    let mut lines = Lines::new(&file, 0).map_err(Error::io("read", path))?;
    let mut chain = Chain::new(Anchor::start(), key.cloned());
    let mut torn_bytes = 0;
    let mut met_head = head.anchor() == Anchor::start() && (head.at, head.end) == (0, 0);
    let mut met_anchor = anchor.is_none_or(|anchor| *anchor == Anchor::start());
    while let Some(line) = lines.next_line().map_err(Error::io("read", path))? {
        let seq = chain.at().seq + 1;
        let altered = |defect| Error::Altered {
            seq,
            offset: line.offset,
            defect,
        };
        let Some(text) = line.text else {
            if line.too_long {
                return Err(altered(Defect::TooLong));
            }
            torn_bytes = line.end - line.offset;
            break;
        };
        chain.check(text).map_err(altered)?;
        if seq == head.seq {
            if *chain.at() != head.anchor() || (line.offset, line.end) != (head.at, head.end) {
                return Err(altered(Defect::Hash));
            }
            met_head = true;
        }
        if let Some(anchor) = anchor
            && anchor.seq == seq
        {
            if anchor != chain.at() {
                return Err(Error::Anchor { seq });
            }
            met_anchor = true;
        }
    }
    let stored = chain.at().seq;
    if !met_head {
        return Err(Error::CutTail {
            stored,
            promised: head.seq,
        });
    }
    match anchor {
        Some(anchor) if !met_anchor => Err(Error::CutTail {
            stored,
            promised: anchor.seq,
        }),
        _ => Ok(Verified {
            records: stored,
            anchor: chain.at().clone(),
            authenticated: key.is_some(),
            torn_bytes,
        }),
    }
}

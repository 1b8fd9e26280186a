//! Files in a folder, that a process writes and that outlive it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::counter;

use super::entry::{SpendEntry, SpendId};
use super::frame::{self, HEADER, MAGIC};

const ENDING: &str = "spend";
/// The most bytes that wait in memory while nothing can be written.
const SPARE: usize = 1024 * 1024;

/// A file that this process has locked, and writes no more.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) file: Arc<File>,
    pub(crate) path: PathBuf,
    pub(crate) name: [u8; 16],
    /// Up to where there are entries.
    pub(crate) end: u64,
    /// Up to where they were moved; `None` where only the store knows.
    pub(crate) moved: Option<u64>,
    /// Where it stands among those of this process. What others left behind is before all of its own.
    pub(crate) turn: u64,
}

/// What this process appends to.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    bound: u64,
    active: Mutex<Active>,
    /// Bytes that were not moved yet.
    waiting: AtomicU64,
    takes: AtomicBool,
    lost: AtomicU64,
}

#[derive(Debug)]
struct Active {
    segment: Segment,
    /// What could not be written yet; empty where all is well.
    unwritten: Vec<u8>,
    /// Those before it that could be written no more.
    broken: Vec<Segment>,
}

impl Journal {
    /// Begins a file of its own in the folder, which is made where there is none.
    pub(crate) fn open(folder: &Path, bound: u64) -> io::Result<Self> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        Ok(Self {
            active: Mutex::new(Active {
                segment: create(folder, 1)?,
                unwritten: Vec::new(),
                broken: Vec::new(),
            }),
            folder: folder.to_owned(),
            bound,
            waiting: AtomicU64::new(0),
            takes: AtomicBool::new(true),
            lost: AtomicU64::new(0),
        })
    }

    /// Appends an entry, in one write. Where that fails it waits in memory for the next one.
    pub(crate) fn append(&self, entry: &SpendEntry) {
        let mut active = self.active();
        let before = active.unwritten.len();
        frame::write(entry, &mut active.unwritten);
        self.write(&mut active);
        if active.unwritten.len() > SPARE {
            active.unwritten.truncate(before);
            drop(active);
            self.lost.fetch_add(1, Ordering::Relaxed);
            counter!("bartizan.spend.lost").increment(1);
        }
    }

    /// Tries again to write what could not be written.
    pub(crate) fn retry(&self) {
        let mut active = self.active();
        if !active.unwritten.is_empty() {
            self.write(&mut active);
        }
    }

    fn write(&self, active: &mut Active) {
        let bytes = active.unwritten.len() as u64;
        let waiting = self.waiting.load(Ordering::Relaxed);
        let fits = waiting.saturating_add(bytes) <= self.bound;
        let written = fits && {
            let mut file = &*active.segment.file;
            let written = file.write_all(&active.unwritten);
            if written.is_err() {
                // Half of an entry would hide those behind it. Where it can't be cut off, they go into another file.
                if file.set_len(active.segment.end).is_err() {
                    let turn = active.segment.turn + 1;
                    if let Ok(next) = create(&self.folder, turn) {
                        let broken = std::mem::replace(&mut active.segment, next);
                        active.broken.push(broken);
                    }
                }
            }
            written.is_ok()
        };
        if written {
            active.segment.end += bytes;
            active.unwritten.clear();
            self.waiting.fetch_add(bytes, Ordering::Relaxed);
        }
        // A tenth is kept for the calls that are under way.
        let takes = written && waiting < self.bound - self.bound / 10;
        self.takes.store(takes, Ordering::Relaxed);
    }

    /// Whether there is room for more.
    pub(crate) fn takes(&self) -> bool {
        self.takes.load(Ordering::Relaxed)
    }

    /// How many entries found no place at all.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// How many bytes were not moved yet.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Notes that so many bytes were moved.
    pub(crate) fn moved(&self, bytes: u64) {
        let waiting = self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        let room = waiting.saturating_sub(bytes) < self.bound - self.bound / 10;
        if room && self.active().unwritten.is_empty() {
            self.takes.store(true, Ordering::Relaxed);
        }
    }

    /// The file that is being written, as far as it is.
    pub(crate) fn snapshot(&self) -> Segment {
        self.active().segment.clone()
    }

    /// Gives the files that could be written no more, in their order.
    pub(crate) fn broken(&self) -> Vec<Segment> {
        std::mem::take(&mut self.active().broken)
    }

    /// Begins another file, and gives the one before.
    pub(crate) fn rotate(&self) -> io::Result<Segment> {
        let turn = self.active().segment.turn + 1;
        let next = create(&self.folder, turn)?;
        Ok(std::mem::replace(&mut self.active().segment, next))
    }

    /// Takes over what processes have left behind that are no more, the oldest first.
    pub(crate) fn take_over(&self) -> io::Result<Vec<Segment>> {
        let mut found = Vec::new();
        for file in std::fs::read_dir(&self.folder)? {
            let path = file?.path();
            let ending = path.extension().and_then(|ending| ending.to_str());
            match ending {
                Some(ENDING) => found.extend(left(&path)),
                // Of one that ended while it began.
                Some("new") if lock(&path).is_some() => {
                    // Whoever has removed it already did what was to be done.
                    let _removed = std::fs::remove_file(&path);
                }
                _ => {}
            }
        }
        found.sort_by_key(|segment| segment.name);
        let bytes = found
            .iter()
            .map(|segment| segment.end.saturating_sub(HEADER));
        self.waiting.fetch_add(bytes.sum(), Ordering::Relaxed);
        Ok(found)
    }

    /// Removes the file of this process, once all in it was moved and nobody writes to it any more.
    pub(crate) fn end(&self) {
        let active = self.active();
        if active.unwritten.is_empty() && self.waiting() == 0 {
            // Left behind it would be taken over, and found to be moved.
            let _removed = std::fs::remove_file(&active.segment.path);
        }
    }

    fn active(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a file, and names it only when it is locked and has its header: whoever looks for what was left behind finds it whole, or not at all.
fn create(folder: &Path, turn: u64) -> io::Result<Segment> {
    // Another process may take a new file for one that was left behind, just before it is locked.
    for _ in 0..3 {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let id = SpendId::at(now);
        let new = folder.join(format!("{id}.new"));
        let path = folder.join(format!("{id}.{ENDING}"));
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        if file.try_lock().is_err() {
            continue;
        }
        file.write_all(&MAGIC)?;
        file.write_all(id.as_bytes())?;
        if std::fs::rename(&new, &path).is_err() || !is_at(&file, &path) {
            continue;
        }
        return Ok(Segment {
            file: Arc::new(file),
            path,
            name: *id.as_bytes(),
            end: HEADER,
            moved: Some(HEADER),
            turn,
        });
    }
    Err(io::Error::other("another process takes its files away"))
}

fn lock(path: &Path) -> Option<File> {
    let file = OpenOptions::new().read(true).append(true).open(path).ok()?;
    // A process that is alive holds its own.
    file.try_lock().ok()?;
    is_at(&file, path).then_some(file)
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

fn left(path: &Path) -> Option<Segment> {
    let file = lock(path)?;
    let mut header = [0; HEADER as usize];
    let read = (&file).read_exact(&mut header);
    let (magic, name) = header.split_at(MAGIC.len());
    let (Ok(()), true, Ok(name)) = (read, magic == MAGIC, name.try_into()) else {
        set_aside(path, "it is no journal of spending");
        return None;
    };
    Some(Segment {
        end: file.metadata().ok()?.len(),
        file: Arc::new(file),
        path: path.to_owned(),
        name,
        moved: None,
        turn: 0,
    })
}

/// Puts a file that can't be read where nobody looks for it but people.
pub(crate) fn set_aside(path: &Path, why: &str) {
    let aside = path.with_extension("damaged");
    let kept = std::fs::rename(path, &aside).is_ok();
    counter!("bartizan.spend.damaged").increment(1);
    tracing::error!(
        path = %path.display(),
        aside = %aside.display(),
        kept,
        why,
        "a journal of spending is damaged: what stands behind the damage is in no report, and was set aside"
    );
}

/// Entries that lie together in a file.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) entries: Vec<SpendEntry>,
    /// Where they end.
    pub(crate) to: u64,
    pub(crate) rest: Rest,
}

/// What stands behind a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// More.
    More,
    /// Nothing.
    Nothing,
    /// The beginning of an entry, of so many bytes.
    Torn(u64),
    /// What can't be read.
    Damaged,
}

/// Reads what lies between two places, `most` entries of it.
pub(crate) fn read(file: &File, from: u64, end: u64, most: usize) -> io::Result<Piece> {
    let bytes = usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX);
    let mut buffer = vec![0; bytes.min(most.saturating_mul(512).max(2 * frame::LONGEST))];
    file.read_exact_at(&mut buffer, from)?;
    let whole = buffer.len() == bytes;
    let mut piece = Piece {
        entries: Vec::new(),
        to: from,
        rest: Rest::More,
    };
    let mut rest = buffer.as_slice();
    while piece.entries.len() < most {
        if rest.is_empty() && whole {
            piece.rest = Rest::Nothing;
            break;
        }
        match frame::read(rest) {
            frame::Next::Entry(entry, length) => {
                piece.entries.push(*entry);
                piece.to += length as u64;
                rest = rest.get(length..).unwrap_or_default();
            }
            frame::Next::Part if whole => {
                piece.rest = Rest::Torn(rest.len() as u64);
                break;
            }
            frame::Next::Part => break,
            frame::Next::Damaged => {
                piece.rest = Rest::Damaged;
                break;
            }
        }
    }
    Ok(piece)
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;

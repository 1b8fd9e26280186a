//! The journal as a file of JSON lines.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::chain::{Anchor, Chain, ChainKey, LONGEST_LINE};
use crate::error::{Defect, Error};
use crate::head::{Head, HeadFile};
use crate::sink::{Batch, Sink, Tail};

/// Keeps records as JSON lines in one file, readable by its owner only, with the chain's end in `<file>.head`.
///
/// A batch is one write and one `fdatasync`. See the [crate's documentation](crate) for the format, for what the head file
/// proves, and for what happens to a line that a crash left unfinished.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    open: Option<Arc<Mutex<OpenFile>>>,
}

impl FileSink {
    /// Creates a sink for the journal at `path`. The file is opened, or created with mode 0600, with the journal.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            open: None,
        }
    }

    /// Runs `work` where blocking is allowed.
    async fn blocking<T: Send + 'static>(
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Error::Sink(error.into()))?
    }

    async fn with_open(
        &self,
        work: impl FnOnce(&mut OpenFile) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let open = Arc::clone(self.open.as_ref().ok_or(Error::Unavailable)?);
        Self::blocking(move || work(&mut open.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

impl Sink for FileSink {
    async fn open(&mut self, key: Option<&ChainKey>) -> Result<Tail, Error> {
        let (path, key) = (self.path.clone(), key.cloned());
        let (open, tail) = Self::blocking(move || OpenFile::create_or_recover(path, key)).await?;
        self.open = Some(Arc::new(Mutex::new(open)));
        Ok(tail)
    }

    async fn append(&mut self, batch: &Arc<Batch>) -> Result<(), Error> {
        let batch = Arc::clone(batch);
        self.with_open(move |open| open.append(&batch)).await
    }

    async fn close(&mut self) -> Result<(), Error> {
        self.with_open(|open| open.head.sync()).await
    }
}

#[derive(Debug)]
struct OpenFile {
    path: PathBuf,
    file: File,
    head: HeadFile,
    /// The length up to which everything is durable.
    durable: u64,
    /// Whether a write that failed may have left bytes past `durable`.
    dirty: bool,
}

impl OpenFile {
    fn create_or_recover(path: PathBuf, key: Option<ChainKey>) -> Result<(Self, Tail), Error> {
        let io = |action| Error::io(action, &path);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(io("open"))?;
        file.try_lock().map_err(|_| Error::Locked(path.clone()))?;
        let metadata = file.metadata().map_err(io("look at"))?;
        let mode = metadata.mode() & 0o777;
        if mode & 0o027 != 0 {
            return Err(Error::Exposed { path, mode });
        }
        let head = match HeadFile::read(&path, key.as_ref())? {
            // Records without a code behind records with one would not verify under the key, and what is not checked may be forged.
            Some(head) if head.is_keyed() && key.is_none() => {
                return Err(Error::Head {
                    path: HeadFile::path_for(&path),
                    what: "was written under a key, and none is given",
                });
            }
            Some(head) => head,
            // The head is created before the first record, so a journal without one never had records.
            None if metadata.len() == 0 => {
                let start = Anchor::start();
                Head::new(&start, key.as_ref().map(|key| start.mac(key)), 0, 0)
            }
            None => {
                return Err(Error::Head {
                    path: HeadFile::path_for(&path),
                    what: "is missing",
                });
            }
        };
        let (chain, at, end) = recover(&path, &file, &head, key.clone())?;
        let torn_bytes = metadata.len().saturating_sub(end);
        if torn_bytes > 0 {
            file.set_len(end)
                .and_then(|()| file.sync_data())
                .map_err(io("cut the unfinished line of"))?;
        }
        let anchor = chain.at().clone();
        let head = HeadFile::open(
            &path,
            &Head::new(&anchor, key.map(|key| anchor.mac(&key)), at, end),
        )?;
        sync_folder(&path)?;
        Ok((
            Self {
                path,
                file,
                head,
                durable: end,
                dirty: false,
            },
            Tail { anchor, torn_bytes },
        ))
    }

    fn append(&mut self, batch: &Batch) -> Result<(), Error> {
        self.undisturbed()?;
        self.dirty = true;
        self.file
            .write_all(batch.text())
            .map_err(Error::io("write", &self.path))?;
        self.file
            .sync_data()
            .map_err(Error::io("sync", &self.path))?;
        let end = self.durable + batch.text.len() as u64;
        let last = batch
            .records
            .last()
            .map_or(0, |(_, range)| range.start as u64);
        self.head.write(&Head::new(
            &batch.anchor,
            batch.mac.clone(),
            self.durable + last,
            end,
        ))?;
        self.durable = end;
        self.dirty = false;
        Ok(())
    }

    /// Sees to it that the file ends where the last durable record does.
    fn undisturbed(&self) -> Result<(), Error> {
        let disturbed = |what| Error::Disturbed {
            path: self.path.clone(),
            what,
        };
        let ours = self
            .file
            .metadata()
            .map_err(Error::io("look at", &self.path))?;
        let there =
            std::fs::metadata(&self.path).map_err(|_| disturbed("it was moved or removed"))?;
        if (ours.dev(), ours.ino()) != (there.dev(), there.ino()) {
            return Err(disturbed("another file took its place"));
        }
        if ours.len() < self.durable {
            return Err(disturbed("it was cut"));
        }
        if ours.len() > self.durable {
            if !self.dirty {
                return Err(disturbed("someone else wrote to it"));
            }
            // After a failed `fdatasync` the kernel may count the lost pages as clean: only writing them anew makes them durable.
            self.file
                .set_len(self.durable)
                .map_err(Error::io("cut", &self.path))?;
        }
        Ok(())
    }
}

/// Checks the file from the head's record on, and tells where the chain goes on, and where its last record begins and ends.
fn recover(
    path: &Path,
    file: &File,
    head: &Head,
    key: Option<ChainKey>,
) -> Result<(Chain, u64, u64), Error> {
    let cut = Error::CutTail {
        stored: head.seq.saturating_sub(1),
        promised: head.seq,
    };
    let altered = |defect| Error::Altered {
        seq: head.seq,
        offset: head.at,
        defect,
    };
    let length = file.metadata().map_err(Error::io("look at", path))?.len();
    if length < head.end {
        return Err(cut);
    }
    if head.seq > 0 {
        let size = head
            .end
            .checked_sub(head.at)
            .and_then(|size| usize::try_from(size).ok());
        let size = size
            .filter(|size| *size <= LONGEST_LINE)
            .ok_or_else(|| altered(Defect::TooLong))?;
        let mut line = vec![0; size];
        file.read_exact_at(&mut line, head.at)
            .map_err(Error::io("read", path))?;
        let (anchor, _) = Chain::new(head.anchor(), key.clone())
            .unseal(&line)
            .map_err(altered)?;
        if anchor != head.anchor() {
            return Err(altered(Defect::Hash));
        }
    } else if head.anchor() != Anchor::start() || (head.at, head.end) != (0, 0) {
        return Err(Error::Head {
            path: HeadFile::path_for(path),
            what: "was altered",
        });
    }
    let mut chain = Chain::new(head.anchor(), key);
    let (mut at, mut end) = (head.at, head.end);
    let mut lines = Lines::new(file, head.end).map_err(Error::io("read", path))?;
    while let Some(line) = lines.next_line().map_err(Error::io("read", path))? {
        let seq = chain.at().seq + 1;
        let altered = |defect| Error::Altered {
            seq,
            offset: line.offset,
            defect,
        };
        match line.text {
            Some(text) => {
                chain.check(text).map_err(altered)?;
                (at, end) = (line.offset, line.end);
            }
            None if line.too_long => return Err(altered(Defect::TooLong)),
            None => break,
        }
    }
    Ok((chain, at, end))
}

/// Without it, a power cut could take the new file's name away.
fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::io("sync", folder))
}

/// The lines of a journal file.
pub(crate) struct Lines<'a> {
    reader: BufReader<&'a File>,
    offset: u64,
    line: Vec<u8>,
}

pub(crate) struct Line<'a> {
    /// Where it begins, and where it ends.
    pub(crate) offset: u64,
    pub(crate) end: u64,
    /// The line with its newline; `None` where the file ends without one.
    pub(crate) text: Option<&'a [u8]>,
    pub(crate) too_long: bool,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(mut file: &'a File, offset: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self {
            reader: BufReader::with_capacity(64 * 1024, file),
            offset,
            line: Vec::new(),
        })
    }

    pub(crate) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let read = self
            .reader
            .by_ref()
            .take(LONGEST_LINE as u64 + 1)
            .read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        let offset = self.offset;
        self.offset += read as u64;
        let too_long = self.line.len() > LONGEST_LINE;
        let text = self.line.ends_with(b"\n").then_some(self.line.as_slice());
        Ok(Some(Line {
            offset,
            end: self.offset,
            text,
            too_long,
        }))
    }
}

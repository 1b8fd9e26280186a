//! The head file: how far a journal file had come, kept beside it so that a cut tail shows.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::chain::{Anchor, ChainKey};
use crate::error::Error;

/// No honest head is longer: two hashes and three numbers.
const LONGEST_HEAD: u64 = 512;

/// What the head file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    v: u8,
    pub(crate) seq: u64,
    pub(crate) hash: String,
    /// Where the last record begins, and where it ends, in the journal file.
    pub(crate) at: u64,
    pub(crate) end: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
}

impl Head {
    pub(crate) fn new(anchor: &Anchor, mac: Option<String>, at: u64, end: u64) -> Self {
        Self {
            v: 1,
            seq: anchor.seq,
            hash: anchor.hash.clone(),
            at,
            end,
            mac,
        }
    }

    /// Whether it was written under a key.
    pub(crate) fn is_keyed(&self) -> bool {
        self.mac.is_some()
    }

    pub(crate) fn anchor(&self) -> Anchor {
        Anchor {
            seq: self.seq,
            hash: self.hash.clone(),
        }
    }

    fn line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self).map(|text| text + "\n")
    }
}

/// The head file of a journal, open for writing.
#[derive(Debug)]
pub(crate) struct HeadFile {
    path: PathBuf,
    file: File,
}

impl HeadFile {
    pub(crate) fn path_for(journal: &Path) -> PathBuf {
        let mut path = journal.as_os_str().to_owned();
        path.push(".head");
        path.into()
    }

    /// Reads the head of `journal`; `None` where there is no head file.
    pub(crate) fn read(journal: &Path, key: Option<&ChainKey>) -> Result<Option<Head>, Error> {
        let path = Self::path_for(journal);
        let unfit = |what| Error::Head {
            path: path.clone(),
            what,
        };
        match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("look at", &path)(error)),
            Ok(metadata) if metadata.len() > LONGEST_HEAD => return Err(unfit("is too long")),
            Ok(_) => {}
        }
        let text = fs::read(&path).map_err(Error::io("read", &path))?;
        let head: Head = serde_json::from_slice(&text).map_err(|_| unfit("can't be read"))?;
        // As with a record's seal: one content has one text.
        if head.v != 1 || head.line().ok().is_none_or(|line| line.as_bytes() != text) {
            return Err(unfit("was altered"));
        }
        match key {
            Some(key) if head.mac.as_deref() != Some(&head.anchor().mac(key)) => Err(unfit(
                "has an authentication code that is missing or wrong for this key",
            )),
            _ => Ok(Some(head)),
        }
    }

    /// Opens the head file for writing, and creates it, durably, where there is none.
    pub(crate) fn open(journal: &Path, head: &Head) -> Result<Self, Error> {
        let path = Self::path_for(journal);
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let opened = Self {
            file: opened.map_err(Error::io("open", &path))?,
            path,
        };
        opened.write(head)?;
        opened.sync()?;
        Ok(opened)
    }

    /// Overwrites the head in place. One write within one sector, and its numbers only grow, so it is never seen half new.
    pub(crate) fn write(&self, head: &Head) -> Result<(), Error> {
        let line = head.line().map_err(|error| Error::Sink(error.into()))?;
        self.file
            .write_all_at(line.as_bytes(), 0)
            .map_err(Error::io("write", &self.path))
    }

    pub(crate) fn sync(&self) -> Result<(), Error> {
        (&self.file)
            .flush()
            .and_then(|()| self.file.sync_data())
            .map_err(Error::io("sync", &self.path))
    }
}

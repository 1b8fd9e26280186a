//! No bytes of a journal and its head panic, none verify under a key but those that its holder wrote, and a journal that verifies opens.
//!
//! An input is a journal, a record separator (ASCII 30), and the head file.

#![no_main]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use bartizan::audit::{Anchor, ChainKey, FileSink, Journal, verify};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The one journal that was written under this key.
const SEED: &[u8] = include_bytes!("../seeds/audit/keyed");

struct Desk {
    runtime: Runtime,
    key: ChainKey,
    folder: TempDir,
}

static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    Desk {
        runtime: tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime"),
        key: ChainKey::new(&"0123456789abcdef".repeat(2).into()).expect("a long key"),
        folder: folder.expect("a folder"),
    }
});

fuzz_target!(|bytes: &[u8]| {
    let desk = &*DESK;
    let (journal, head) = split(bytes);
    let path = desk.folder.path().join("audit.jsonl");
    let head_path = desk.folder.path().join("audit.jsonl.head");
    fs::write(&path, journal).expect("a file");
    fs::write(&head_path, head).expect("a file");
    for path in [&path, &head_path] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("our own file");
    }

    if verify(&path, Some(&desk.key), None).is_ok() {
        assert_eq!(
            whole_lines(journal),
            split(SEED).0,
            "a journal of nobody verifies"
        );
    }
    let plain = verify(&path, None, None);
    let start = verify(&path, None, Some(&Anchor::start()));
    assert_eq!(plain.is_ok(), start.is_ok());
    let Ok(verified) = plain else { return };
    assert_eq!(
        verified.records as usize,
        whole_lines(journal)
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
    );
    assert_eq!(
        verified.torn_bytes as usize,
        journal.len() - whole_lines(journal).len()
    );

    // It goes on from there, unless it was written under a key.
    let opened = desk.runtime.block_on(async {
        let opened = Journal::builder().open(FileSink::new(&path)).await?;
        opened.shutdown(Duration::from_secs(5)).await
    });
    if head.windows(5).any(|word| word == b"\"mac\"") {
        assert!(opened.is_err());
        return;
    }
    opened.expect("a journal that verifies opens");
    let after = verify(&path, None, Some(&verified.anchor)).expect("it still verifies");
    assert_eq!((after.records, after.torn_bytes), (verified.records + 1, 0));
});

fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = bytes.iter().rposition(|byte| *byte == 30);
    at.map_or((bytes, &[]), |at| (&bytes[..at], &bytes[at + 1..]))
}

fn whole_lines(journal: &[u8]) -> &[u8] {
    let end = journal
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    &journal[..end]
}

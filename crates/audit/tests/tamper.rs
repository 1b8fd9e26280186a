//! Promise 11: the journal shows any edit, drop, reorder and cut tail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bartizan_audit::{ChainKey, Entry, Error, FileSink, Intent, Journal, verify};
use bartizan_core::ManualClock;
use tempfile::TempDir;

fn key(fill: &str) -> ChainKey {
    ChainKey::new(&fill.repeat(32).into()).unwrap()
}

fn head_of(path: &Path) -> PathBuf {
    path.with_extension("jsonl.head")
}

async fn open(path: &Path, key: Option<&ChainKey>) -> Result<Journal, Error> {
    let builder = Journal::builder().clock(ManualClock::at(Duration::from_secs(1_795_500_000)));
    match key {
        Some(key) => builder.key(key.clone()),
        None => builder,
    }
    .open(FileSink::new(path))
    .await
}

async fn write(path: &Path, key: Option<&ChainKey>, calls: u64) {
    let journal = open(path, key).await.unwrap();
    for n in 0..calls {
        let intent = Intent::new(
            Duration::from_secs(1_795_500_000 + n),
            format!("call-{n}"),
            "openai_chat",
        );
        journal
            .record(Entry::Intent(Box::new(intent)))
            .await
            .unwrap();
    }
    journal.shutdown(Duration::from_secs(5)).await.unwrap();
}

/// A closed journal: one opening record and `calls` more.
async fn journal(key: Option<&ChainKey>, calls: u64) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    write(&path, key, calls).await;
    assert_eq!(verify(&path, key, None).unwrap().records, calls + 1);
    (folder, path)
}

#[tokio::test]
async fn every_flipped_byte_is_seen() {
    for key in [None, Some(key("a"))] {
        let (_folder, path) = journal(key.as_ref(), 3).await;
        for file in [path.clone(), head_of(&path)] {
            let sound = fs::read(&file).unwrap();
            for at in 0..sound.len() {
                let mut altered = sound.clone();
                altered[at] ^= 1 << (at % 8);
                fs::write(&file, &altered).unwrap();
                let seen = verify(&path, key.as_ref(), None);
                assert!(
                    seen.is_err(),
                    "byte {at} of {} flipped, and {seen:?}",
                    file.display()
                );
            }
            fs::write(&file, &sound).unwrap();
        }
        verify(&path, key.as_ref(), None).unwrap();
    }
}

#[tokio::test]
async fn every_shorter_length_is_seen_by_the_verifier_and_at_start_up() {
    let key = key("a");
    let (_folder, path) = journal(Some(&key), 3).await;
    for file in [path.clone(), head_of(&path)] {
        let sound = fs::read(&file).unwrap();
        for length in 0..sound.len() {
            fs::write(&file, &sound[..length]).unwrap();
            let seen = verify(&path, Some(&key), None);
            assert!(
                seen.is_err(),
                "{} cut to {length}, and {seen:?}",
                file.display()
            );
            if length % 7 == 0 {
                assert!(
                    open(&path, Some(&key)).await.is_err(),
                    "{} cut to {length}, and it opens",
                    file.display()
                );
                assert_eq!(
                    fs::read(&file).unwrap(),
                    sound[..length],
                    "start-up destroyed evidence"
                );
            }
        }
        fs::write(&file, &sound).unwrap();
    }
}

#[tokio::test]
async fn every_dropped_swapped_and_repeated_record_is_seen() {
    for key in [None, Some(key("a"))] {
        let (_folder, path) = journal(key.as_ref(), 5).await;
        let sound = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = sound.split_inclusive('\n').collect();
        let check = |lines: Vec<&str>, what: String| {
            fs::write(&path, lines.concat()).unwrap();
            let seen = verify(&path, key.as_ref(), None);
            assert!(seen.is_err(), "{what}: {seen:?}");
        };
        for at in 0..lines.len() {
            let mut dropped = lines.clone();
            dropped.remove(at);
            check(dropped, format!("record {at} dropped"));
            let mut repeated = lines.clone();
            repeated.insert(at, lines[at]);
            check(repeated, format!("record {at} repeated"));
            for other in at + 1..lines.len() {
                let mut swapped = lines.clone();
                swapped.swap(at, other);
                check(swapped, format!("records {at} and {other} swapped"));
            }
        }
    }
}

#[tokio::test]
async fn a_journal_rewritten_without_the_key_is_seen() {
    let (_folder, path) = journal(Some(&key("a")), 3).await;
    for forger in [None, Some(key("b"))] {
        let (_forgery, forged) = journal(forger.as_ref(), 3).await;
        fs::copy(&forged, &path).unwrap();
        fs::copy(head_of(&forged), head_of(&path)).unwrap();
        assert!(verify(&path, Some(&key("a")), None).is_err());
        assert!(open(&path, Some(&key("a"))).await.is_err());
    }
}

#[tokio::test]
async fn a_head_that_is_missing_or_foreign_is_seen() {
    let (_folder, path) = journal(Some(&key("a")), 3).await;
    let (_other, other) = journal(Some(&key("a")), 1).await;
    fs::copy(head_of(&other), head_of(&path)).unwrap();
    verify(&path, Some(&key("a")), None)
        .expect("an older head of the same beginning: as after a power cut");
    let (_other, other) = journal(Some(&key("a")), 9).await;
    fs::copy(head_of(&other), head_of(&path)).unwrap();
    assert!(matches!(
        verify(&path, Some(&key("a")), None),
        Err(Error::CutTail {
            stored: 4,
            promised: 10
        })
    ));
    fs::remove_file(head_of(&path)).unwrap();
    assert!(matches!(
        verify(&path, Some(&key("a")), None),
        Err(Error::Head { .. })
    ));
    assert!(matches!(
        open(&path, Some(&key("a"))).await,
        Err(Error::Head { .. })
    ));
}

#[tokio::test]
async fn journal_and_head_set_back_together_need_an_anchor_to_be_seen() {
    let key = key("a");
    let (_folder, path) = journal(Some(&key), 3).await;
    let (old, old_head) = (fs::read(&path).unwrap(), fs::read(head_of(&path)).unwrap());
    let early = verify(&path, Some(&key), None).unwrap().anchor;
    write(&path, Some(&key), 3).await;
    let late = verify(&path, Some(&key), Some(&early)).unwrap().anchor;

    fs::write(&path, old).unwrap();
    fs::write(head_of(&path), old_head).unwrap();
    assert_eq!(
        verify(&path, Some(&key), Some(&early)).unwrap().records,
        4,
        "the limit that the documentation states"
    );
    assert!(matches!(
        verify(&path, Some(&key), Some(&late)),
        Err(Error::CutTail {
            stored: 4,
            promised: 8
        })
    ));
    // Told again from there, the story has other hashes.
    let journal = open(&path, Some(&key)).await.unwrap();
    for _ in 0..9 {
        let intent = Intent::new(Duration::from_secs(9), "other", "openai_chat");
        journal
            .record(Entry::Intent(Box::new(intent)))
            .await
            .unwrap();
    }
    assert!(matches!(
        verify(&path, Some(&key), Some(&late)),
        Err(Error::Anchor { seq: 8 })
    ));
}

#[tokio::test]
async fn a_line_that_a_crash_left_unfinished_is_cut_off_and_owned_up_to() {
    let (_folder, path) = journal(None, 3).await;
    let sound = fs::read_to_string(&path).unwrap();
    let torn = &sound.lines().last().unwrap()[..100];
    fs::write(&path, format!("{sound}{torn}")).unwrap();
    assert_eq!(verify(&path, None, None).unwrap().torn_bytes, 100);

    write(&path, None, 1).await;
    let after = fs::read_to_string(&path).unwrap();
    assert!(after.starts_with(&sound));
    assert!(
        after.lines().nth(4).unwrap().contains(r#""kind":"open""#)
            && after.contains(r#""torn_bytes":100"#)
    );
    assert_eq!(verify(&path, None, None).unwrap().records, 6);
}

#[tokio::test]
async fn a_whole_line_that_is_no_record_is_not_taken_for_a_torn_one() {
    let (_folder, path) = journal(None, 3).await;
    let sound = fs::read_to_string(&path).unwrap();
    for added in ["{}\n", "{\"v\":1}\n{", "\n", "\0\0\0\n"] {
        fs::write(&path, format!("{sound}{added}")).unwrap();
        assert!(
            matches!(
                verify(&path, None, None),
                Err(Error::Altered { seq: 5, .. })
            ),
            "{added:?}"
        );
        assert!(
            matches!(open(&path, None).await, Err(Error::Altered { seq: 5, .. })),
            "{added:?}"
        );
    }
}

#[tokio::test]
async fn a_keyed_journal_does_not_go_on_without_its_key() {
    let key = key("a");
    let (_folder, path) = journal(Some(&key), 2).await;
    let before = (fs::read(&path).unwrap(), fs::read(head_of(&path)).unwrap());
    let opened = open(&path, None).await;
    assert!(matches!(opened, Err(Error::Head { .. })), "{opened:?}");
    let after = (fs::read(&path).unwrap(), fs::read(head_of(&path)).unwrap());
    assert_eq!(after, before);
    write(&path, Some(&key), 1).await;
    assert_eq!(verify(&path, Some(&key), None).unwrap().records, 5);
}

#[tokio::test]
async fn a_head_behind_its_journal_is_brought_up_to_date() {
    let (_folder, path) = journal(None, 3).await;
    let old_head = fs::read(head_of(&path)).unwrap();
    write(&path, None, 3).await;
    fs::write(head_of(&path), old_head).unwrap();
    assert_eq!(verify(&path, None, None).unwrap().records, 8);
    write(&path, None, 0).await;
    assert!(
        fs::read_to_string(head_of(&path))
            .unwrap()
            .contains(r#""seq":9,"#)
    );
}

#[tokio::test]
async fn a_journal_has_one_writer_and_no_onlookers() {
    let (_folder, path) = journal(None, 1).await;
    for file in [&path, &head_of(&path)] {
        assert_eq!(
            fs::metadata(file).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            file.display()
        );
    }
    let first = open(&path, None).await.unwrap();
    assert!(matches!(open(&path, None).await, Err(Error::Locked(_))));
    first.shutdown(Duration::from_secs(5)).await.unwrap();
    drop(first);
    for (mode, fit) in [(0o640, true), (0o660, false), (0o604, false), (0o600, true)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let opened = open(&path, None).await;
        assert_eq!(opened.is_ok(), fit, "mode {mode:o}: {opened:?}");
        if let Ok(journal) = opened {
            journal.shutdown(Duration::from_secs(5)).await.unwrap();
        }
    }
}

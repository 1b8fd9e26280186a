//! Promises 1 and 2 at the journal: a sink that fails or hangs is noticed, strict journals take no more, and both recover.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::Write as _;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_audit::{
    Batch, ChainKey, Entry, Error, FileSink, Intent, Journal, MemorySink, Mode, Sink, Tail, verify,
};
use bartizan_core::ManualClock;
use tokio::sync::Notify;
use tokio::time::sleep;

const SOUND: u8 = 0;
const FAILS: u8 = 1;
const HANGS: u8 = 2;
const PANICS: u8 = 3;

/// A memory sink that does as it is told.
#[derive(Clone, Default)]
struct Moody {
    kept: MemorySink,
    mood: Arc<AtomicU8>,
    relief: Arc<Notify>,
    sizes: Arc<Mutex<Vec<usize>>>,
}

impl Moody {
    fn set(&self, mood: u8) {
        self.mood.store(mood, Ordering::SeqCst);
        self.relief.notify_waiters();
    }
}

impl Sink for Moody {
    async fn open(&mut self, key: Option<&ChainKey>) -> Result<Tail, Error> {
        self.kept.open(key).await
    }

    async fn append(&mut self, batch: &Arc<Batch>) -> Result<(), Error> {
        match self.mood.load(Ordering::SeqCst) {
            FAILS => return Err(Error::Sink("disk full".into())),
            HANGS => self.relief.notified().await,
            PANICS => panic!("a sink with a bug"),
            _ => {}
        }
        self.sizes.lock().unwrap().push(batch.len());
        self.kept.append(batch).await
    }
}

fn intent(n: usize) -> Entry {
    Entry::Intent(Box::new(Intent::new(
        Duration::ZERO,
        format!("call-{n}"),
        "openai_chat",
    )))
}

async fn journal(sink: &Moody, mode: Mode, queue: usize) -> Journal {
    Journal::builder()
        .mode(mode)
        .queue(queue)
        .clock(ManualClock::default())
        .open(sink.clone())
        .await
        .unwrap()
}

fn kinds(sink: &Moody) -> Vec<String> {
    let kind = |line: &String| {
        line.split('"')
            .skip_while(|text| *text != "kind")
            .nth(2)
            .unwrap()
            .to_owned()
    };
    sink.kept.lines().iter().map(kind).collect()
}

#[tokio::test(start_paused = true)]
async fn a_strict_journal_takes_nothing_while_its_sink_fails_and_then_loses_nothing() {
    for mood in [FAILS, HANGS] {
        let sink = Moody::default();
        let journal = journal(&sink, Mode::Strict, 8).await;
        let place = journal.reserve().unwrap();
        sink.set(mood);
        assert!(matches!(
            journal.record(intent(0)).await,
            Err(Error::TimedOut)
        ));
        assert!(!journal.is_healthy());
        assert!(matches!(journal.reserve(), Err(Error::Unavailable)));
        assert!(matches!(
            journal.record(intent(1)).await,
            Err(Error::Unavailable)
        ));
        place.fill(intent(2));
        sink.set(SOUND);
        sleep(Duration::from_secs(5)).await;
        assert!(journal.is_healthy());
        journal.record(intent(3)).await.unwrap();
        assert_eq!(
            kinds(&sink),
            ["open", "intent", "intent", "intent"],
            "a record whose place was taken in time is kept"
        );
        assert!(sink.kept.lines()[2].contains("call-2"));
    }
}

#[tokio::test(start_paused = true)]
async fn places_are_as_many_as_the_queue_and_come_back() {
    let sink = Moody::default();
    let journal = journal(&sink, Mode::Strict, 3).await;
    let mut places: Vec<_> = (0..3).map(|_| journal.reserve().unwrap()).collect();
    assert!(matches!(journal.reserve(), Err(Error::QueueFull)));
    assert!(journal.is_healthy(), "a full queue isn't a failing sink");
    drop(places.pop());
    places.pop().unwrap().fill(intent(0));
    sleep(Duration::from_millis(1)).await;
    let again: Vec<_> = (0..9).map_while(|_| journal.reserve().ok()).collect();
    assert_eq!(again.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lossy_journal_drops_and_says_how_many() {
    let sink = Moody::default();
    let journal = journal(&sink, Mode::Lossy, 4).await;
    sink.set(HANGS);
    for n in 0..10 {
        journal.offer(intent(n));
        sleep(Duration::from_millis(1)).await;
    }
    sink.set(SOUND);
    journal.shutdown(Duration::from_secs(1)).await.unwrap();
    // One was with the sink when it hung, four waited.
    assert_eq!(
        kinds(&sink),
        [
            "open", "intent", "gap", "intent", "intent", "intent", "intent"
        ]
    );
    assert!(
        sink.kept.lines()[2].contains(r#""records":5"#),
        "{}",
        sink.kept.lines()[2]
    );
}

#[tokio::test(start_paused = true)]
async fn drops_after_the_last_batch_are_owned_up_to_at_shutdown() {
    let sink = Moody::default();
    let journal = journal(&sink, Mode::Lossy, 1).await;
    let _place = journal.reserve().unwrap();
    journal.offer(intent(0));
    drop(_place);
    journal.shutdown(Duration::from_secs(1)).await.unwrap();
    assert_eq!(kinds(&sink), ["open", "gap"]);
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_places_and_no_longer_than_its_grace() {
    let sink = Moody::default();
    let first = journal(&sink, Mode::Strict, 4).await;
    let place = first.reserve().unwrap();
    let late = tokio::spawn(async move {
        sleep(Duration::from_secs(2)).await;
        place.fill(intent(7));
    });
    first.shutdown(Duration::from_secs(5)).await.unwrap();
    late.await.unwrap();
    assert!(sink.kept.lines()[1].contains("call-7"));
    assert!(matches!(first.reserve(), Err(Error::Unavailable)));
    first
        .shutdown(Duration::ZERO)
        .await
        .expect("a second time there is nothing to do");

    let second = journal(&sink, Mode::Strict, 4).await;
    let _held = second.reserve().unwrap();
    assert!(matches!(
        second.shutdown(Duration::from_secs(5)).await,
        Err(Error::Unflushed)
    ));
}

#[tokio::test]
async fn a_sink_that_panics_closes_the_journal() {
    let sink = Moody::default();
    let journal = journal(&sink, Mode::Strict, 4).await;
    sink.set(PANICS);
    assert!(matches!(
        journal.record(intent(0)).await,
        Err(Error::Unavailable)
    ));
    assert!(!journal.is_healthy());
    assert!(matches!(journal.reserve(), Err(Error::Unavailable)));
    assert!(matches!(
        journal.shutdown(Duration::from_secs(1)).await,
        Err(Error::Unflushed)
    ));
}

#[tokio::test(start_paused = true)]
async fn what_gathers_while_the_sink_is_busy_goes_as_one_batch() {
    let sink = Moody::default();
    let journal = journal(&sink, Mode::Strict, 64).await;
    sink.set(HANGS);
    for n in 0..33 {
        journal.offer(intent(n));
        tokio::task::yield_now().await;
    }
    sink.set(SOUND);
    journal.record(intent(33)).await.unwrap();
    let sizes = sink.sizes.lock().unwrap().clone();
    assert_eq!(sizes.len(), 3, "{sizes:?}");
    assert_eq!(sizes.iter().sum::<usize>(), 35);
}

#[tokio::test]
async fn a_file_that_is_moved_cut_or_written_by_another_is_noticed() {
    type Meddle = fn(&std::path::Path);
    let cases: [(&str, Meddle); 4] = [
        ("moved", |path| {
            fs::rename(path, path.with_extension("1")).unwrap()
        }),
        ("replaced", |path| {
            fs::remove_file(path).unwrap();
            fs::write(path, "").unwrap();
        }),
        ("cut", |path| {
            fs::File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(10)
                .unwrap()
        }),
        ("written", |path| {
            fs::File::options()
                .append(true)
                .open(path)
                .unwrap()
                .write_all(b"x")
                .unwrap()
        }),
    ];
    for (what, meddle) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let patience = Duration::from_millis(50);
        let journal = Journal::builder()
            .patience(patience)
            .open(FileSink::new(&path))
            .await
            .unwrap();
        journal.record(intent(0)).await.unwrap();
        meddle(&path);
        assert!(
            matches!(journal.record(intent(1)).await, Err(Error::TimedOut)),
            "{what}"
        );
        assert!(
            matches!(journal.record(intent(2)).await, Err(Error::Unavailable)),
            "{what}"
        );
        assert!(
            matches!(journal.shutdown(patience).await, Err(Error::Unflushed)),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_moved_file_that_comes_back_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (path, away) = (
        folder.path().join("audit.jsonl"),
        folder.path().join("away"),
    );
    let journal = Journal::builder()
        .patience(Duration::from_millis(500))
        .open(FileSink::new(&path))
        .await
        .unwrap();
    fs::rename(&path, &away).unwrap();
    assert!(journal.record(intent(0)).await.is_err());
    fs::rename(&away, &path).unwrap();
    while !journal.is_healthy() {
        sleep(Duration::from_millis(5)).await;
    }
    journal.record(intent(1)).await.unwrap();
    journal.shutdown(Duration::from_secs(5)).await.unwrap();
    assert_eq!(verify(&path, None, None).unwrap().records, 3);
}

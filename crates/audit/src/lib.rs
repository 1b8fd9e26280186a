//! A tower layer that keeps a tamper-evident record of each call.
//!
//! Two layers write to one [`Journal`]. [`AuditLayer`], outermost, writes what happened: who called which model, by which
//! path, how it went, how long it took, which tokens it used, and what each layer inside noted on its
//! [`Trail`](bartizan_core::Trail). [`IntentLayer`], innermost before a provider is chosen, makes it durable that a call is
//! about to leave, and lets none leave otherwise. No record can hold a prompt, an answer, a header or a query string.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bartizan_audit::{AuditLayer, ChainKey, CountLayer, FileSink, IntentLayer, Journal};
//! # use bartizan_core::Body;
//! # use http::{Request, Response};
//! # use tower::{ServiceBuilder, ServiceExt};
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("audit.jsonl");
//! # let secret: secrecy::SecretString = "0123456789abcdef".repeat(2).into();
//! # let provider = tower::service_fn(|_: Request<Body>| async { Ok::<_, std::convert::Infallible>(Response::new(Body::from("hi"))) });
//! let journal = Journal::builder().key(ChainKey::new(&secret)?).open(FileSink::new(&path)).await?;
//! let service = ServiceBuilder::new()
//!     .layer(AuditLayer::new(journal.clone()))
//!     // the layers that decide
//!     .layer(CountLayer::new())
//!     .layer(IntentLayer::new(journal.clone()))
//!     .service(provider);
//!
//! let response = service.oneshot(Request::get("/v1/models").body(Body::empty())?).await?;
//! drop(response);
//! journal.shutdown(std::time::Duration::from_secs(10)).await?;
//!
//! let journal = std::fs::read_to_string(&path)?;
//! let kinds: Vec<_> = journal.lines().filter_map(|line| Some(line.split_once(r#""kind":""#)?.1.split_once('"')?.0)).collect();
//! assert_eq!(kinds, ["open", "intent", "call"]);
//! # Ok(()) }
//! ```
//!
//! # When it can't record
//!
//! A *strict* journal, the default, refuses new calls with 503 (`audit_unavailable`, `audit_queue_full`) while its sink
//! fails or hangs, or while every place in its queue is taken; a call takes the place for its record before anything else
//! happens, so that a record never lacks one later, not even when the client leaves. What was accepted is tried again until
//! it is durable. A *lossy* journal lets calls pass and counts what it drops; a record of kind `gap` says where, and how many.
//! Either way the failure is one error in the log, `bartizan.audit.healthy` at 0, and [`Journal::is_healthy`].
//!
//! Metrics: `bartizan.audit.records`, `.dropped`, `.failures`, `.refusals` (counters), `.queue`, `.healthy` (gauges),
//! `.batch.records`, `.commit.duration` (histograms).
//!
//! # The format
//!
//! One JSON object a line. Every line has, in this order, `v` (1), `seq` (from 1, without gaps), `prev` (the hash of the
//! line before, 64 zeros at the start), `kind` (`open`, `intent`, `call`, `change` or `gap`), that kind's members ([`Opened`],
//! [`Intent`], [`CallRecord`], [`Change`], [`Gap`]), `hash`, and where there is a key, `mac`. Take a line without its last members, that is
//! up to and without `,"hash":"`:
//!
//! ```text
//! hash = hex(SHA-256("bartizan-audit/1 record" 00 text))
//! mac  = hex(HMAC-SHA-256(k, "bartizan-audit/1 record" 00 text))      k = HMAC-SHA-256(secret, "bartizan-audit/1 key" 00)
//! ```
//!
//! Since the text holds `prev`, each hash stands for the whole journal up to it. `<file>.head` says where the journal ends:
//! `seq` and `hash` of the last durable record, `at` and `end` (where it lies in the file), and with a key
//! `mac = hex(HMAC-SHA-256(k, "bartizan-audit/1 anchor" 00 seq " " hash))`.
//!
//! # What [`verify`] shows, and what it can't
//!
//! - Any changed byte, and any record dropped, repeated, moved or put in between.
//! - A cut tail: the head says how far the journal had come.
//! - With a key: a journal rewritten as a whole, by someone who has the files but not the key.
//! - *Not* a journal and a head that were both set back to older copies of themselves. For that, keep an [`Anchor`]
//!   elsewhere ([`Journal::anchor`]), and give it to [`verify`].
//! - *Not* a cut tail right after a power cut: the head is written with each batch but only synced when a journal opens and
//!   closes, so it may then be behind. Records themselves are never acknowledged before they are durable.
//! - Without a key, only what careless hands did.
//!
//! # After a crash
//!
//! A batch is one write and one `fdatasync`, and only then is anything in it acknowledged. A crash in between leaves whole
//! records, which stay, and perhaps an unfinished last line, which nobody was told is durable: the next start cuts it off and
//! says so in its `open` record (`torn_bytes`). Everything else that doesn't verify, a whole line most of all, is no crash, and
//! the journal doesn't open.
//!
//! A file has one writer (it is locked) and must not be rotated, cut or moved under it: that is noticed before the next write,
//! and counts as a failing sink. To begin a new file, or to change the key, stop the writer and move journal and head away.

mod chain;
mod change;
mod entry;
mod error;
mod file;
mod head;
mod intent;
mod journal;
mod layer;
mod sink;
mod verify;
mod writer;

pub use chain::{Anchor, ChainKey};
pub use change::{Change, Fields, Stage};
pub use entry::{CallRecord, Entry, Gap, Intent, Notes, Opened, Outcome, Tokens, Who};
pub use error::{Defect, Error};
pub use file::FileSink;
pub use intent::{IntentFilter, IntentLayer};
pub use journal::{Journal, JournalBuilder, Mode, Place};
pub use layer::{Audit, AuditLayer, Count, CountLayer, Counter, Recorder};
pub use sink::{Batch, MemorySink, Sink, Tail};
pub use verify::{Verified, verify};

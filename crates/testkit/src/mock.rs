//! A provider that does what it is told, over real sockets.
//!
//! It speaks OpenAI chat completions, responses, embeddings and models, and Anthropic messages and `count_tokens`, each by the end of
//! the path (`/v1/chat/completions`, `/v1/messages`, …), streamed where the request says `"stream": true`. What it says, and
//! how it breaks, comes from a [`Script`]; what it received stays to be asked for ([`MockProvider::requests`]).
//!
//! ```
//! use bartizan_testkit::{MockProvider, Script};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = MockProvider::start(Script::tools(2).cut_after(5)).await?;
//! // … point what is under test at `provider.url()`, call it, and then:
//! assert!(provider.requests().iter().all(|request| !request.text().contains("4111 1111 1111 1111")));
//! # Ok(())
//! # }
//! ```
//!
//! # The vocabulary
//!
//! A test in another process chooses the script by words joined by `+`: as the model's name after `mock-` (`mock-tools+cut-after-3`), at
//! the start of the last user text after `mock:`, followed by a space (`mock:slow+crlf Hello`; the rest is what is echoed), or in the
//! header `x-mock-script`. Each adds to the one before, and all add to the script that the mock was started with. A word that
//! the mock does not know is answered with 400.
//!
//! | word | does |
//! |---|---|
//! | `echo` | answers with the last user text (the default) |
//! | `words-N` | answers with N words |
//! | `tools`, `tools-N` | calls one tool, or N, with the last user text in their arguments; echoes once it has a tool's result |
//! | `interleaved` | streams the arguments of parallel calls in turns (chat) |
//! | `thinking`, `redacted` | puts a thinking block, or a redacted one, first |
//! | `refusal`, `length` | answers with a refusal; ends as if the output cap was reached |
//! | `bench` | answers with 634 bytes, or 53 events written one by one |
//! | `error-STATUS` | answers with this status and the dialect's error body |
//! | `flaky-N-STATUS` | the same, for the first N requests with this text |
//! | `retry-after-S` | sends this `retry-after` |
//! | `redirect` | answers 302 to `/mock/trap` |
//! | `usage-IN-OUT`, `cached-N`, `no-usage` | reports these tokens; N of the input as cached; none |
//! | `piece-N` | puts N characters in an event, 4 by default |
//! | `delay-MS`, `pace-MS` | waits before the head; before each event but the first |
//! | `slow` | `delay-200+pace-50` |
//! | `cut-after-N` | ends the answer cleanly after N events |
//! | `drop-after-N`, `abort-after-N` | closes the connection after N events, by FIN; by RST |
//! | `hang-after-N` | falls silent after N events |
//! | `error-after-N` | sends the dialect's error event after N events, and ends |
//! | `garbled-after-N` | breaks the JSON of the event after N events |
//! | `split-N`, `scatter-SEED` | writes pieces of N bytes; of 1 to 32 bytes, the same for the same seed |
//! | `crlf`, `cr`, `comments`, `bom` | other line ends; a comment before each event; a byte order mark |
//!
//! An ending past the answer's last event does nothing, so that a test can count up until the mock's record says `whole`. An
//! unstreamed answer counts 64 bytes as an event.
//!
//! `GET /mock/requests` gives what [`MockProvider::requests`] does, as JSON, and `GET /mock/requests?contains=WORD` those whose body has
//! this word (as it is: nothing is percent-decoded); `DELETE /mock/requests` forgets it; `GET /mock/health`
//! says `ok`.

mod answers;
mod anthropic;
mod bench;
mod json;
mod openai_chat;
mod openai_completions;
mod openai_responses;
mod play;
mod prompt;
mod record;
mod said;
mod script;
mod serve;
mod socket;
mod words;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use record::{Outcome, Received};
pub use script::{LineEnd, Script};
pub use words::UnknownWord;

use serve::{Shared, accept, lock};

/// How long [`MockProvider::wait`] waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running mock provider. It and its connections end when it is dropped.
#[derive(Debug)]
pub struct MockProvider {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl MockProvider {
    /// Starts a provider on a free loopback port.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(script: Script) -> io::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), script).await
    }

    /// Starts a provider on `address`.
    ///
    /// # Errors
    /// When the address can't be had.
    pub async fn start_at(address: SocketAddr, script: Script) -> io::Result<Self> {
        Self::serve(address, Shared::new(script, false)).await
    }

    /// Starts a provider that answers as [`Script::bench`] does, reads no more of a request than whether it streams, and records nothing.
    ///
    /// # Errors
    /// When the address can't be had.
    pub async fn start_fast(address: SocketAddr) -> io::Result<Self> {
        Self::serve(address, Shared::new(Script::bench(), true)).await
    }

    async fn serve(address: SocketAddr, shared: Shared) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(shared);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            accepting,
        })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers all later requests by `script`.
    pub fn play(&self, script: Script) {
        *lock(&self.shared.standing) = script;
    }

    /// Answers the next requests by these scripts, one each, before the standing one.
    pub fn play_each(&self, scripts: impl IntoIterator<Item = Script>) {
        lock(&self.shared.queued).extend(scripts);
    }

    /// What it has received, oldest first; the last 10,000.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared.log.all()
    }

    /// Forgets what it has received.
    pub fn forget(&self) {
        self.shared.log.clear();
    }

    /// How many connections it has accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Waits until `done` holds of what it has received, and gives that.
    ///
    /// # Errors
    /// [`TooLong`] when it doesn't within a minute.
    pub async fn wait(&self, done: impl Fn(&[Received]) -> bool) -> Result<Vec<Received>, TooLong> {
        let mut changes = self.shared.log.watch();
        let until = async {
            loop {
                let requests = self.requests();
                if done(&requests) || changes.changed().await.is_err() {
                    return requests;
                }
            }
        };
        tokio::time::timeout(PATIENCE, until)
            .await
            .map_err(|_| TooLong(self.requests().len()))
    }
}

impl Drop for MockProvider {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// What a test waited for did not come.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the mock waited a minute in vain; it has received {0} requests")]
pub struct TooLong(usize);

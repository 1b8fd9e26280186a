//! What a mock is told to do.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// What the mock says and how it puts it on the wire. Starts from [`Script::echo`].
///
/// ```
/// use std::time::Duration;
/// use bartizan_testkit::Script;
///
/// let script = Script::text("a secret in pieces").piece(3).pace(Duration::from_millis(5)).abort_after(4);
/// # let _ = script;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub(super) speech: Speech,
    pub(super) thinking: bool,
    pub(super) redacted: bool,
    pub(super) length: bool,
    pub(super) interleaved: bool,
    pub(super) piece: Option<usize>,
    pub(super) usage: Option<(u64, u64)>,
    pub(super) cached: u64,
    pub(super) no_usage: bool,
    pub(super) flaky: Option<(u64, StatusCode)>,
    pub(super) headers: HeaderMap,
    pub(super) wire: Wire,
}

#[derive(Clone, Debug, Default)]
pub(super) enum Speech {
    #[default]
    Echo,
    Text(String),
    Words(usize),
    Tools(usize),
    Refusal,
    Error(StatusCode),
    Redirect,
    Bench,
    Replay {
        status: StatusCode,
        body: Bytes,
    },
}

#[derive(Clone, Debug, Default)]
pub(super) struct Wire {
    pub(super) delay: Duration,
    pub(super) pace: Duration,
    pub(super) ending: Ending,
    pub(super) garbled: Option<usize>,
    pub(super) split: Split,
    pub(super) line: LineEnd,
    pub(super) comments: bool,
    pub(super) mark: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Ending {
    #[default]
    Whole,
    Cut(usize),
    Drop(usize),
    Abort(usize),
    Hang(usize),
    Error(usize),
}

#[derive(Clone, Debug, Default)]
pub(super) enum Split {
    #[default]
    Events,
    Every(usize),
    At(Vec<usize>),
    Scatter(u64),
}

/// How the lines of a stream end.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LineEnd {
    /// `\n`, as all known providers send.
    #[default]
    Lf,
    /// `\r\n`
    CrLf,
    /// `\r`
    Cr,
}

impl Script {
    /// Creates a script that answers with the text of the last user turn.
    #[must_use]
    pub fn echo() -> Self {
        Self::default()
    }

    /// Creates a script that answers with `text`.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::saying(Speech::Text(text.into()))
    }

    /// Creates a script that answers with `count` numbered words, nine bytes each.
    #[must_use]
    pub fn words(count: usize) -> Self {
        Self::saying(Speech::Words(count))
    }

    /// Creates a script that calls `count` of the request's tools (`lookup` where it has none), each with the text of the
    /// last user turn in its arguments. A request that brings a tool's result is answered with that result.
    #[must_use]
    pub fn tools(count: usize) -> Self {
        Self::saying(Speech::Tools(count.max(1)))
    }

    /// Creates a script that answers with a refusal, in the way of the dialect.
    #[must_use]
    pub fn refusal() -> Self {
        Self::saying(Speech::Refusal)
    }

    /// Creates a script that answers `status` with the dialect's own error body.
    #[must_use]
    pub fn error(status: StatusCode) -> Self {
        Self::saying(Speech::Error(status))
    }

    /// Creates a script that answers 302, to `/mock/trap` on the mock itself.
    #[must_use]
    pub fn redirect() -> Self {
        Self::saying(Speech::Redirect)
    }

    /// Creates a script that answers with 634 bytes, or with 53 events written one by one.
    #[must_use]
    pub fn bench() -> Self {
        Self::saying(Speech::Bench)
    }

    /// Creates a script that answers with `body` as it is. Where it is an event stream, by the header `content-type` (set it
    /// with [`Script::header`]), its events are counted and paced like those of any other answer.
    #[must_use]
    pub fn replay(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::saying(Speech::Replay {
            status,
            body: body.into(),
        })
    }

    fn saying(speech: Speech) -> Self {
        Self {
            speech,
            ..Self::default()
        }
    }

    /// Puts a thinking block (with a signature where the dialect has one) before the answer.
    #[must_use]
    pub fn thinking(mut self) -> Self {
        self.thinking = true;
        self
    }

    /// Puts a redacted thinking block before the answer. Anthropic only.
    #[must_use]
    pub fn redacted(mut self) -> Self {
        self.redacted = true;
        self
    }

    /// Ends the answer as if it had reached its output cap.
    #[must_use]
    pub fn length(mut self) -> Self {
        self.length = true;
        self
    }

    /// Streams the arguments of parallel tool calls in turns. OpenAI chat only.
    #[must_use]
    pub fn interleaved(mut self) -> Self {
        self.interleaved = true;
        self
    }

    /// Sets how many characters one event carries; 4 by default.
    #[must_use]
    pub fn piece(mut self, characters: usize) -> Self {
        self.piece = Some(characters.max(1));
        self
    }

    /// Sets the tokens that the answer reports; by default a token is four bytes of text, rounded up.
    #[must_use]
    pub fn usage(mut self, input: u64, output: u64) -> Self {
        self.usage = Some((input, output));
        self
    }

    /// Reports `tokens` of the input as read from the provider's cache.
    #[must_use]
    pub fn cached(mut self, tokens: u64) -> Self {
        self.cached = tokens;
        self
    }

    /// Leaves usage out.
    #[must_use]
    pub fn no_usage(mut self) -> Self {
        self.no_usage = true;
        self
    }

    /// Answers the first `count` requests with the same last user text by an error of `status`.
    #[must_use]
    pub fn flaky(mut self, count: u64, status: StatusCode) -> Self {
        self.flaky = Some((count, status));
        self
    }

    /// Adds a header to the answer, in place of one that the mock would send by that name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Waits before the head of the answer is sent.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.wire.delay = delay;
        self
    }

    /// Waits before each event but the first.
    #[must_use]
    pub fn pace(mut self, pace: Duration) -> Self {
        self.wire.pace = pace;
        self
    }

    /// Ends the answer cleanly after `events` events: a truncation that HTTP does not show.
    #[must_use]
    pub fn cut_after(mut self, events: usize) -> Self {
        self.wire.ending = Ending::Cut(events);
        self
    }

    /// Closes the connection after `events` events, without the last chunk.
    #[must_use]
    pub fn drop_after(mut self, events: usize) -> Self {
        self.wire.ending = Ending::Drop(events);
        self
    }

    /// Resets the connection (RST) after `events` events.
    #[must_use]
    pub fn abort_after(mut self, events: usize) -> Self {
        self.wire.ending = Ending::Abort(events);
        self
    }

    /// Falls silent after `events` events, with the connection open.
    #[must_use]
    pub fn hang_after(mut self, events: usize) -> Self {
        self.wire.ending = Ending::Hang(events);
        self
    }

    /// Sends the dialect's error event after `events` events, and ends.
    #[must_use]
    pub fn error_after(mut self, events: usize) -> Self {
        self.wire.ending = Ending::Error(events);
        self
    }

    /// Breaks the JSON of the event after `events` events, and goes on.
    #[must_use]
    pub fn garbled_after(mut self, events: usize) -> Self {
        self.wire.garbled = Some(events);
        self
    }

    /// Writes the body in pieces of `bytes` bytes, wherever these cut an event or a character.
    #[must_use]
    pub fn split(mut self, bytes: usize) -> Self {
        self.wire.split = Split::Every(bytes.max(1));
        self
    }

    /// Writes the body cut at these byte positions.
    #[must_use]
    pub fn split_at(mut self, positions: impl IntoIterator<Item = usize>) -> Self {
        let mut positions: Vec<usize> = positions.into_iter().collect();
        positions.sort_unstable();
        self.wire.split = Split::At(positions);
        self
    }

    /// Writes the body in pieces of 1 to 32 bytes, the same for the same seed.
    #[must_use]
    pub fn scatter(mut self, seed: u64) -> Self {
        self.wire.split = Split::Scatter(seed);
        self
    }

    /// Ends the lines of a stream otherwise than by `\n`.
    #[must_use]
    pub fn line_end(mut self, line: LineEnd) -> Self {
        self.wire.line = line;
        self
    }

    /// Puts a comment line before each event of a stream.
    #[must_use]
    pub fn comments(mut self) -> Self {
        self.wire.comments = true;
        self
    }

    /// Puts a byte order mark before the stream.
    #[must_use]
    pub fn byte_order_mark(mut self) -> Self {
        self.wire.mark = true;
        self
    }
}

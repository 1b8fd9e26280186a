//! Splitting a stream into server-sent events: at any byte, kept byte for byte.
//!
//! The format is that of the HTML standard, section 9.2: lines end with LF, CRLF or CR and nothing else (U+2028 in a text must not
//! end one), a blank line ends an event, a line without a colon is a field without value.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::event::Event;
use crate::framing::Framing;

/// An event over this size is an error: nothing buffers a whole stream.
pub const MAX_EVENT: usize = 4 * 1024 * 1024;

/// The stream is no event stream: an event is too long, its text is not UTF-8, or its frame is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SseError {
    /// An event is over 4 MiB.
    #[error("an event of the stream is over 4 MiB")]
    TooLong,
    /// An event is not UTF-8.
    #[error("an event of the stream is not UTF-8")]
    InvalidUtf8,
    /// A frame is cut, or its checksum is wrong.
    #[error("a frame of the stream is broken")]
    BrokenFrame,
}

/// The lines of a text, without their ends. A last line without an end counts, an empty rest does not.
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let length = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let ending = match rest.get(length..) {
            Some([b'\r', b'\n', ..]) => 2,
            Some([_, ..]) => 1,
            _ => 0,
        };
        self.at = start + length + ending;
        Some(start..start + length)
    }
}

/// Splits bytes that arrive in any pieces into events.
///
/// ```
/// use bartizan_core::EventDecoder;
///
/// let mut decoder = EventDecoder::new();
/// decoder.push("data: on".into());
/// assert!(decoder.next_event()?.is_none());
/// decoder.push("e\n\ndata: two\n\n".into());
/// assert_eq!(decoder.next_event()?.unwrap().data(), Some("one"));
/// assert_eq!(decoder.next_event()?.unwrap().data(), Some("two"));
/// # Ok::<(), bartizan_core::SseError>(())
/// ```
#[derive(Debug, Default)]
pub struct EventDecoder {
    buffer: Bytes,
    /// How far the buffer has been searched for an event's end.
    searched: usize,
    /// Whether the line before `searched` was blank so far, that is, `searched` stands at a line's start.
    line_start: bool,
    /// Whether a line with something in it has passed since the event began.
    content: bool,
    /// Whether a CR stands before `searched` that was the last byte to come: an LF that follows belongs to it.
    after_cr: bool,
    /// Whether an event has been given, so that a byte order mark is one no more.
    begun: bool,
}

impl EventDecoder {
    /// Creates a decoder at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self {
            line_start: true,
            ..Self::default()
        }
    }

    /// Takes more bytes.
    pub fn push(&mut self, bytes: Bytes) {
        // A network buffer is kept as it is, so that its events are slices of it; only an event cut in two is copied.
        self.buffer = if self.buffer.is_empty() {
            bytes
        } else {
            let mut joined = BytesMut::from(std::mem::take(&mut self.buffer));
            joined.extend_from_slice(&bytes);
            joined.freeze()
        };
    }

    /// Gives the next whole event.
    ///
    /// # Errors
    ///
    /// An event over [`MAX_EVENT`], or not UTF-8.
    pub fn next_event(&mut self) -> Result<Option<Event>, SseError> {
        if self.after_cr
            && let Some(byte) = self.buffer.get(self.searched)
        {
            self.after_cr = false;
            self.searched += usize::from(*byte == b'\n');
        }
        while let Some(at) = memchr::memchr2(
            b'\n',
            b'\r',
            self.buffer.get(self.searched..).unwrap_or_default(),
        ) {
            let end = self.searched + at;
            let blank = self.line_start && at == 0;
            self.content |= !blank;
            // A CR at the buffer's end may be half of a CRLF. It ends its line now; the LF, if it comes, ends no line of its own,
            // and is the first of the next event's bytes where the event has left.
            let crlf = self.buffer.get(end..end + 2) == Some(b"\r\n");
            self.after_cr = self.buffer.get(end..) == Some(b"\r");
            self.searched = end + if crlf { 2 } else { 1 };
            self.line_start = true;
            if blank && self.content {
                return self.read(self.searched).map(Some);
            }
        }
        let rest = self.buffer.len();
        self.line_start &= self.searched == rest;
        self.searched = rest;
        if rest > MAX_EVENT {
            Err(SseError::TooLong)
        } else {
            Ok(None)
        }
    }

    /// Gives what a stream that has ended left without a blank line; `None` where nothing but white space is left.
    ///
    /// # Errors
    ///
    /// As [`next_event`](Self::next_event).
    pub fn finish(&mut self) -> Result<Option<Event>, SseError> {
        if self.buffer.iter().all(u8::is_ascii_whitespace) {
            self.take(self.buffer.len());
            return Ok(None);
        }
        self.read(self.buffer.len()).map(Some)
    }

    fn read(&mut self, length: usize) -> Result<Event, SseError> {
        let first = !std::mem::replace(&mut self.begun, true);
        Event::read(self.take(length), first)
    }

    fn take(&mut self, length: usize) -> Bytes {
        self.searched = 0;
        self.line_start = true;
        self.content = false;
        if length >= self.buffer.len() {
            return std::mem::take(&mut self.buffer);
        }
        self.buffer.split_to(length)
    }
}

impl Framing for EventDecoder {
    fn push(&mut self, bytes: Bytes) {
        Self::push(self, bytes);
    }

    fn next_event(&mut self) -> Result<Option<Event>, SseError> {
        Self::next_event(self)
    }

    fn finish(&mut self) -> Result<Option<Event>, SseError> {
        Self::finish(self)
    }
}

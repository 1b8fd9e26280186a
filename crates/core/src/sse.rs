//! Server-sent events: split at any byte, kept byte for byte.
//!
//! The format is that of the HTML standard, section 9.2: lines end with LF, CRLF or CR and nothing else (U+2028 in a text must not
//! end one), a blank line ends an event, a line without a colon is a field without value.

use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::dialect::{Dialect, Direction};
use crate::document::Document;
use crate::json::Fault;

/// An event over this size is an error: nothing buffers a whole stream.
pub const MAX_EVENT: usize = 4 * 1024 * 1024;

/// One server-sent event, or a comment on its own.
///
/// Unedited, it leaves byte for byte as it came, with its ids, comments and spacing.
///
/// ```
/// use bartizan_core::Event;
///
/// let event = Event::new(Some("ping"), "{\"type\":\"ping\"}");
/// assert_eq!(&event.to_bytes()[..], b"event: ping\ndata: {\"type\":\"ping\"}\n\n");
/// ```
#[derive(Clone)]
pub struct Event {
    raw: Bytes,
    name: Option<Range<usize>>,
    data: Data,
    document: Option<Box<Document>>,
    edited: bool,
    hidden: bool,
}

#[derive(Clone)]
enum Data {
    None,
    /// One `data` line: where its value lies in `raw`.
    Line(Range<usize>),
    /// Several, joined.
    Lines(String),
}

/// The stream is no event stream: an event is too long, or its text is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SseError {
    /// An event is over 4 MiB.
    #[error("an event of the stream is over 4 MiB")]
    TooLong,
    /// An event is not UTF-8.
    #[error("an event of the stream is not UTF-8")]
    InvalidUtf8,
}

impl Event {
    /// Encodes an event. Line ends in `data` become further `data` lines, and a name ends at its first line end, so that no text
    /// can start a field of its own.
    #[must_use]
    pub fn new(name: Option<&str>, data: &str) -> Self {
        let name = name.map(|name| name.split(['\r', '\n']).next().unwrap_or_default());
        let mut raw = String::with_capacity(data.len() + name.map_or(0, str::len) + 24);
        if let Some(name) = name {
            raw.push_str("event: ");
            raw.push_str(name);
            raw.push('\n');
        }
        let mut lines = Lines::new(data.as_bytes()).peekable();
        let many = data.contains(['\r', '\n']);
        let from = raw.len() + "data: ".len();
        if data.is_empty() {
            raw.push_str("data: \n");
        }
        while let Some(line) = lines.next() {
            raw.push_str("data: ");
            raw.push_str(data.get(line).unwrap_or_default());
            raw.push('\n');
            if lines.peek().is_none() && data.ends_with(['\r', '\n']) {
                raw.push_str("data: \n");
            }
        }
        raw.push('\n');
        let place = if many {
            Data::Lines(data.to_owned())
        } else {
            Data::Line(from..from + data.len())
        };
        Self {
            raw: raw.into(),
            name: name.map(|name| "event: ".len().."event: ".len() + name.len()),
            data: place,
            document: None,
            edited: false,
            hidden: false,
        }
    }

    /// Encodes a comment, which clients skip.
    #[must_use]
    pub fn comment(text: &str) -> Self {
        let text = text.split(['\r', '\n']).next().unwrap_or_default();
        Self {
            raw: format!(": {text}\n\n").into(),
            name: None,
            data: Data::None,
            document: None,
            edited: false,
            hidden: false,
        }
    }

    /// Hides it from the client: every tap still sees it, and nothing of it leaves.
    ///
    /// For what layers must see and the client did not ask for, such as the usage of a streamed answer. A layer of another family in
    /// between ends its way, since only bytes pass there.
    #[must_use]
    pub fn hide(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Whether it is hidden from the client.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// Reads one whole event, its blank line included where there is one.
    fn read(raw: Bytes) -> Result<Self, SseError> {
        let text = simdutf8::basic::from_utf8(&raw).map_err(|_| SseError::InvalidUtf8)?;
        let mut name = None;
        let mut data = Data::None;
        for line in Lines::new(&raw) {
            let whole = text.get(line.clone()).unwrap_or_default();
            let from = line.start
                + if whole.starts_with('\u{FEFF}') && line.start == 0 {
                    '\u{FEFF}'.len_utf8()
                } else {
                    0
                };
            let whole = text.get(from..line.end).unwrap_or_default();
            let colon = whole.find(':').unwrap_or(whole.len());
            let field = whole.get(..colon).unwrap_or_default();
            let mut value = (from + colon + 1).min(line.end)..line.end;
            if text.as_bytes().get(value.start) == Some(&b' ') && value.start < value.end {
                value.start += 1;
            }
            let says = || text.get(value.clone()).unwrap_or_default();
            match field {
                "event" => name = Some(value),
                "data" => {
                    data = match data {
                        Data::None => Data::Line(value),
                        Data::Line(before) => {
                            let mut lines = text.get(before).unwrap_or_default().to_owned();
                            lines.push('\n');
                            lines.push_str(says());
                            Data::Lines(lines)
                        }
                        Data::Lines(mut lines) => {
                            lines.push('\n');
                            lines.push_str(says());
                            Data::Lines(lines)
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(Self {
            raw,
            name,
            data,
            document: None,
            edited: false,
            hidden: false,
        })
    }

    /// The event's name: the value of its `event` field.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name
            .clone()
            .and_then(|range| self.raw.get(range))
            .and_then(|name| str::from_utf8(name).ok())
    }

    /// The event's data, lines joined by LF; `None` for a comment on its own.
    #[must_use]
    pub fn data(&self) -> Option<&str> {
        if let Some(document) = &self.document {
            return Some(document.as_str());
        }
        match &self.data {
            Data::None => None,
            Data::Line(range) => self
                .raw
                .get(range.clone())
                .and_then(|data| simdutf8::basic::from_utf8(data).ok()),
            Data::Lines(lines) => Some(lines),
        }
    }

    /// The data as a message; `None` for comments, for the word that ends a stream, and for events that were never read.
    pub fn document(&mut self) -> Option<&mut Document> {
        self.edited |= self.document.is_some();
        self.document.as_deref_mut()
    }

    /// The data as a message, to look at.
    #[must_use]
    pub fn peek(&self) -> Option<&Document> {
        self.document.as_deref()
    }

    /// Reads the data as a message of `dialect`, once.
    ///
    /// # Errors
    ///
    /// The data is neither empty, nor the word that ends a stream of this dialect, nor a message of it.
    pub fn read_document(&mut self, dialect: Dialect) -> Result<Option<&mut Document>, Fault> {
        if self.document.is_none()
            && let Some(data) = self.data()
            && !data.is_empty()
            && Some(data) != dialect.done()
        {
            self.document = Some(Box::new(Document::read(data, dialect, Direction::Event)?));
        }
        Ok(self.document())
    }

    /// Reads the data anew as a message of `dialect`, unless it is one already.
    pub(crate) fn turn_to(&mut self, dialect: Dialect) -> Result<(), Fault> {
        if let Some(document) = self.document.as_deref()
            && document.dialect() != dialect
        {
            let document = Document::read(document.as_str(), dialect, Direction::Event)?;
            self.document = Some(Box::new(document));
            self.edited = true;
        }
        self.read_document(dialect).map(drop)
    }

    /// The event as it came, unread: cheap to keep.
    pub(crate) fn unread(&self) -> Self {
        Self {
            document: None,
            edited: false,
            hidden: self.hidden,
            raw: self.raw.clone(),
            name: self.name.clone(),
            data: self.data.clone(),
        }
    }

    /// The bytes to send.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.rewritten().unwrap_or_else(|| self.raw.clone())
    }

    /// The bytes to send, of an event that is done with.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.rewritten().unwrap_or(self.raw)
    }

    /// The bytes to send, where they are not those that came.
    fn rewritten(&self) -> Option<Bytes> {
        let document = self.document.as_deref().filter(|_| self.edited)?;
        let new = document.as_str().as_bytes();
        match &self.data {
            Data::Line(range) => {
                let before = self.raw.get(..range.start).unwrap_or_default();
                let old = self.raw.get(range.clone()).unwrap_or_default();
                if old == new {
                    return None;
                }
                // White space between values may hold line ends, which would end the data line.
                if memchr::memchr2(b'\n', b'\r', new).is_none() {
                    let after = self.raw.get(range.end..).unwrap_or_default();
                    return Some([before, new, after].concat().into());
                }
            }
            Data::Lines(lines) if lines == document.as_str() => return None,
            Data::Lines(_) | Data::None => {}
        }
        Some(Self::new(self.name(), document.as_str()).raw)
    }
}

/// Two events are equal when a client reads the same from them.
impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.data() == other.data()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("name", &self.name())
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

/// The lines of a text, without their ends. A last line without an end counts, an empty rest does not.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a [u8]) -> Self {
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
        while let Some(at) = memchr::memchr2(
            b'\n',
            b'\r',
            self.buffer.get(self.searched..).unwrap_or_default(),
        ) {
            let end = self.searched + at;
            let blank = self.line_start && at == 0;
            self.content |= !blank;
            // A CR at the buffer's end may be half of a CRLF. It ends its line now; the LF, if it comes, opens the next
            // event's bytes as a blank line, which ends nothing while no content stands before it.
            let crlf = self.buffer.get(end..end + 2) == Some(b"\r\n");
            self.searched = end + if crlf { 2 } else { 1 };
            self.line_start = true;
            if blank && self.content {
                let raw = self.take(self.searched);
                return Event::read(raw).map(Some);
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
        let rest = self.take(self.buffer.len());
        if rest.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        Event::read(rest).map(Some)
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

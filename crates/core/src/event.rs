//! One server-sent event.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;

use crate::dialect::{Dialect, Direction};
use crate::document::Document;
use crate::json::Fault;
use crate::sse::{Lines, SseError};

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
pub struct Event(Box<Frame>);

/// Apart and boxed: an event moves past every tap.
#[derive(Clone)]
struct Frame {
    raw: Bytes,
    name: Option<Range<usize>>,
    data: Data,
    document: Option<Document>,
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

impl Event {
    /// Encodes an event. Line ends in `data` become further `data` lines, and a name ends at its first line end, so that no text
    /// can start a field of its own.
    #[must_use]
    pub fn new(name: Option<&str>, data: &str) -> Self {
        let name = name.map(first_line);
        let mut raw = String::with_capacity(data.len() + name.map_or(0, str::len) + 24);
        if let Some(name) = name {
            raw.push_str("event: ");
            raw.push_str(name);
            raw.push('\n');
        }
        let place = if is_one_line(data) {
            let from = raw.len() + "data: ".len();
            raw.push_str("data: ");
            raw.push_str(data);
            raw.push('\n');
            Data::Line(from..from + data.len())
        } else {
            for line in Lines::new(data.as_bytes()) {
                raw.push_str("data: ");
                raw.push_str(data.get(line).unwrap_or_default());
                raw.push('\n');
            }
            if data.ends_with(['\r', '\n']) {
                raw.push_str("data: \n");
            }
            Data::Lines(data.to_owned())
        };
        raw.push('\n');
        let name = name.map(|name| "event: ".len().."event: ".len() + name.len());
        Self::unedited(raw.into(), name, place)
    }

    /// Encodes a comment, which clients skip.
    #[must_use]
    pub fn comment(text: &str) -> Self {
        let text = first_line(text);
        Self::unedited(format!(": {text}\n\n").into(), None, Data::None)
    }

    fn unedited(raw: Bytes, name: Option<Range<usize>>, data: Data) -> Self {
        Self(Box::new(Frame {
            raw,
            name,
            data,
            document: None,
            edited: false,
            hidden: false,
        }))
    }

    /// Hides it from the client: every tap still sees it, and nothing of it leaves.
    ///
    /// For what layers must see and the client did not ask for, such as the usage of a streamed answer. A layer of another family in
    /// between ends its way, since only bytes pass there.
    #[must_use]
    pub fn hide(mut self) -> Self {
        self.0.hidden = true;
        self
    }

    /// Whether it is hidden from the client.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.0.hidden
    }

    /// Reads one whole event, its blank line included where there is one. `first`: of its stream, which may begin with a byte order mark.
    pub(crate) fn read(raw: Bytes, first: bool) -> Result<Self, SseError> {
        let text = simdutf8::basic::from_utf8(&raw).map_err(|_| SseError::InvalidUtf8)?;
        let mut name = None;
        let mut data = Data::None;
        for line in Lines::new(&raw) {
            let whole = text.get(line.clone()).unwrap_or_default();
            let from = line.start
                + if first && line.start == 0 && whole.starts_with('\u{FEFF}') {
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
        Ok(Self::unedited(raw, name, data))
    }

    /// The event's name: the value of its `event` field.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0
            .name
            .clone()
            .and_then(|range| self.0.raw.get(range))
            .and_then(|name| str::from_utf8(name).ok())
    }

    /// The event's data, lines joined by LF; `None` for a comment on its own.
    #[must_use]
    pub fn data(&self) -> Option<&str> {
        if let Some(document) = &self.0.document {
            return Some(document.as_str());
        }
        match &self.0.data {
            Data::None => None,
            Data::Line(range) => self
                .0
                .raw
                .get(range.clone())
                .and_then(|data| simdutf8::basic::from_utf8(data).ok()),
            Data::Lines(lines) => Some(lines),
        }
    }

    /// The data as a message; `None` for comments, for the word that ends a stream, and for events that were never read.
    pub fn document(&mut self) -> Option<&mut Document> {
        self.0.edited |= self.0.document.is_some();
        self.0.document.as_mut()
    }

    /// The data as a message, to look at.
    #[must_use]
    pub fn peek(&self) -> Option<&Document> {
        self.0.document.as_ref()
    }

    /// Reads the data as a message of `dialect`, once.
    ///
    /// # Errors
    ///
    /// The data is neither empty, nor the word that ends a stream of this dialect, nor a message of it.
    pub fn read_document(&mut self, dialect: Dialect) -> Result<Option<&mut Document>, Fault> {
        self.turn_to(dialect)?;
        Ok(self.document())
    }

    /// Reads the data as a message of `dialect`, unless it is one already.
    pub(crate) fn turn_to(&mut self, dialect: Dialect) -> Result<(), Fault> {
        match &self.0.document {
            Some(document) if document.dialect() == dialect => return Ok(()),
            Some(_) => self.0.edited = true,
            None => {}
        }
        if let Some(data) = self.data()
            && !data.is_empty()
            && Some(data) != dialect.done()
        {
            self.0.document = Some(Document::read_str(data, dialect, Direction::Event)?);
        }
        Ok(())
    }

    /// The event as it came, unread: cheap to keep.
    pub(crate) fn unread(&self) -> Self {
        let frame = &*self.0;
        let event = Self::unedited(frame.raw.clone(), frame.name.clone(), frame.data.clone());
        if frame.hidden { event.hide() } else { event }
    }

    /// The bytes to send.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.rewritten().unwrap_or_else(|| self.0.raw.clone())
    }

    /// The bytes to send, of an event that is done with.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.rewritten().unwrap_or(self.0.raw)
    }

    /// The bytes to send, where they are not those that came.
    fn rewritten(&self) -> Option<Bytes> {
        let document = self.0.document.as_ref().filter(|_| self.0.edited)?;
        let new = document.as_str().as_bytes();
        match &self.0.data {
            Data::Line(range) => {
                let before = self.0.raw.get(..range.start).unwrap_or_default();
                let old = self.0.raw.get(range.clone()).unwrap_or_default();
                if old == new {
                    return None;
                }
                // White space between values may hold line ends, which would end the data line.
                if memchr::memchr2(b'\n', b'\r', new).is_none() {
                    let after = self.0.raw.get(range.end..).unwrap_or_default();
                    return Some([before, new, after].concat().into());
                }
            }
            Data::Lines(lines) if lines == document.as_str() => return None,
            Data::Lines(_) | Data::None => {}
        }
        Some(Self::new(self.name(), document.as_str()).0.raw)
    }
}

fn is_one_line(text: &str) -> bool {
    memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none()
}

fn first_line(text: &str) -> &str {
    let end = memchr::memchr2(b'\n', b'\r', text.as_bytes());
    end.and_then(|end| text.get(..end)).unwrap_or(text)
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
            .field("bytes", &self.0.raw.len())
            .finish_non_exhaustive()
    }
}

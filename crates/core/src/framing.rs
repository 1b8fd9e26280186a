//! Streams that are framed in other ways than server-sent events.

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::event::Event;
use crate::sse::{MAX_EVENT, SseError};

/// Splits the bytes of a streamed answer, which arrive in any pieces, into events.
///
/// A tap gives one to read an answer that is no event stream; see [`Tap::framing`](crate::Tap::framing).
pub trait Framing: Send + 'static {
    /// Takes more bytes.
    fn push(&mut self, bytes: Bytes);

    /// Gives the next whole event.
    ///
    /// # Errors
    ///
    /// What came is not of this framing, or an event is over [`MAX_EVENT`]. Nothing is read after it.
    fn next_event(&mut self) -> Result<Option<Event>, SseError>;

    /// Gives what a stream that has ended left without an end of its own; asked until there is nothing.
    ///
    /// # Errors
    ///
    /// As [`next_event`](Self::next_event); and where what is left is no whole event.
    fn finish(&mut self) -> Result<Option<Event>, SseError>;
}

impl fmt::Debug for dyn Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Framing")
    }
}

/// Splits newline-delimited JSON: each line is one event's data. Empty lines are skipped.
///
/// ```
/// use bartizan_core::{Framing, LineDecoder};
///
/// let mut decoder = LineDecoder::default();
/// decoder.push("{\"a\":1}\r\n\n{\"b\"".into());
/// assert_eq!(decoder.next_event()?.unwrap().data(), Some("{\"a\":1}"));
/// assert!(decoder.next_event()?.is_none());
/// decoder.push(":2}".into());
/// assert_eq!(decoder.finish()?.unwrap().data(), Some("{\"b\":2}"));
/// # Ok::<(), bartizan_core::SseError>(())
/// ```
#[derive(Debug, Default)]
pub struct LineDecoder {
    buffer: BytesMut,
    /// How far the buffer has been searched for a line's end.
    searched: usize,
}

impl LineDecoder {
    fn line(line: &[u8]) -> Result<Option<Event>, SseError> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(None);
        }
        let data = simdutf8::basic::from_utf8(line).map_err(|_| SseError::InvalidUtf8)?;
        Ok(Some(Event::new(None, data)))
    }
}

impl Framing for LineDecoder {
    fn push(&mut self, bytes: Bytes) {
        self.buffer.extend_from_slice(&bytes);
    }

    fn next_event(&mut self) -> Result<Option<Event>, SseError> {
        while let Some(at) =
            memchr::memchr(b'\n', self.buffer.get(self.searched..).unwrap_or_default())
        {
            let line = self.buffer.split_to(self.searched + at + 1);
            self.searched = 0;
            if let Some(event) = Self::line(&line)? {
                return Ok(Some(event));
            }
        }
        self.searched = self.buffer.len();
        if self.searched > MAX_EVENT {
            Err(SseError::TooLong)
        } else {
            Ok(None)
        }
    }

    fn finish(&mut self) -> Result<Option<Event>, SseError> {
        let rest = std::mem::take(&mut self.buffer);
        self.searched = 0;
        Self::line(&rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<Vec<String>, SseError> {
        let mut decoder = LineDecoder::default();
        let mut lines = Vec::new();
        for piece in pieces {
            decoder.push(Bytes::copy_from_slice(piece));
            while let Some(event) = decoder.next_event()? {
                lines.extend(event.data().map(str::to_owned));
            }
        }
        lines.extend(
            decoder
                .finish()?
                .and_then(|event| event.data().map(str::to_owned)),
        );
        Ok(lines)
    }

    #[test]
    fn lines_are_the_same_wherever_the_bytes_are_cut() {
        let text = "{\"a\":\"\u{2028}ü\"}\n\r\n{\"b\":1}\r\n{\"c\":2}".as_bytes();
        let whole = read(&[text]).unwrap();
        assert_eq!(whole, ["{\"a\":\"\u{2028}ü\"}", "{\"b\":1}", "{\"c\":2}"]);
        for at in 0..=text.len() {
            let (one, two) = text.split_at(at);
            assert_eq!(read(&[one, two]).unwrap(), whole, "cut at {at}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_or_no_text_is_an_error() {
        assert_eq!(read(&[&vec![b'a'; MAX_EVENT + 1]]), Err(SseError::TooLong));
        assert_eq!(read(&[b"\xff\n"]), Err(SseError::InvalidUtf8));
    }
}

//! Amazon's event stream (`application/vnd.amazon.eventstream`): binary frames with headers, each held by two checksums.
//!
//! A frame is its length, its headers' length and the CRC-32 of both; headers; a payload; and the CRC-32 of all before. Numbers are
//! big-endian. The first checksum is checked as soon as it is there, so that nobody waits for bytes that a broken length promises.

use bartizan_core::{MAX_EVENT, SseError};
use bytes::{Buf, Bytes, BytesMut};

/// Both lengths and their checksum.
const PRELUDE: usize = 12;
/// The checksum at the end.
const TRAILER: usize = 4;

/// One whole frame, both of whose checksums are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: FrameKind,
    /// The event's, the exception's or the error's name.
    pub(crate) name: String,
    /// What an error says; exceptions say it in their payload.
    pub(crate) message: Option<String>,
    pub(crate) payload: Bytes,
}

/// What its header `:message-type` says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    Event,
    /// A failure that the service's model names.
    Exception,
    /// A failure that it does not.
    Error,
}

/// Splits bytes that arrive in any pieces into frames of at most [`MAX_EVENT`] bytes.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    buffer: BytesMut,
    /// The length of the frame at the front, once its prelude is checked.
    length: Option<usize>,
}

impl Splitter {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame. After an error nothing more can be told.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Frame>, SseError> {
        let length = match self.length {
            Some(length) => length,
            None => {
                let Some(prelude) = self.buffer.get(..PRELUDE) else {
                    return Ok(None);
                };
                let length = whole_length(prelude)?;
                self.length = Some(length);
                length
            }
        };
        if self.buffer.len() < length {
            return Ok(None);
        }
        self.length = None;
        read(self.buffer.split_to(length).freeze()).map(Some)
    }

    /// Whether nothing of a frame has come yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }
}

/// The frame's length, by its prelude.
fn whole_length(mut prelude: &[u8]) -> Result<usize, SseError> {
    let checked = prelude.get(..PRELUDE - 4).unwrap_or_default();
    let crc = crc32fast::hash(checked);
    let (total, headers) = (length(&mut prelude)?, length(&mut prelude)?);
    if prelude.try_get_u32() != Ok(crc) {
        return Err(SseError::BrokenFrame);
    }
    if total > MAX_EVENT {
        return Err(SseError::TooLong);
    }
    let least = headers.checked_add(PRELUDE + TRAILER);
    if least.is_none_or(|least| total < least) {
        return Err(SseError::BrokenFrame);
    }
    Ok(total)
}

fn length(from: &mut impl Buf) -> Result<usize, SseError> {
    let length = from.try_get_u32().map_err(|_| SseError::BrokenFrame)?;
    usize::try_from(length).map_err(|_| SseError::TooLong)
}

fn read(mut frame: Bytes) -> Result<Frame, SseError> {
    let mut trailer = frame.split_off(frame.len().saturating_sub(TRAILER));
    if trailer.try_get_u32() != Ok(crc32fast::hash(&frame)) {
        return Err(SseError::BrokenFrame);
    }
    frame.advance(4);
    let headers = length(&mut frame)?;
    frame.advance(4);
    let mut headers = frame.split_to(headers.min(frame.len()));
    let payload = frame;

    let (mut kind, mut name, mut message) = (None, None, None);
    while headers.has_remaining() {
        let (key, value) = header(&mut headers)?;
        let slot = match key.as_ref() {
            b":message-type" => &mut kind,
            b":event-type" | b":exception-type" | b":error-code" => &mut name,
            b":error-message" => &mut message,
            _ => continue,
        };
        *slot = Some(value.ok_or(SseError::BrokenFrame)?);
    }
    let text = |bytes: Bytes| String::from_utf8(bytes.into()).map_err(|_| SseError::InvalidUtf8);
    let kind = match kind.as_deref() {
        Some(b"event") => FrameKind::Event,
        Some(b"exception") => FrameKind::Exception,
        Some(b"error") => FrameKind::Error,
        _ => return Err(SseError::BrokenFrame),
    };
    Ok(Frame {
        kind,
        name: text(name.ok_or(SseError::BrokenFrame)?)?,
        message: message.map(text).transpose()?,
        payload,
    })
}

/// A header's name, and its value where that is a string.
fn header(from: &mut Bytes) -> Result<(Bytes, Option<Bytes>), SseError> {
    let length = byte(from)?.into();
    let key = take(from, length)?;
    if key.is_empty() {
        return Err(SseError::BrokenFrame);
    }
    let length = match byte(from)? {
        // Booleans say it by their type.
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        // A number or a time.
        5 | 8 => 8,
        // A UUID.
        9 => 16,
        kind @ (6 | 7) => {
            let length = from.try_get_u16().map_err(|_| SseError::BrokenFrame)?;
            let value = take(from, length.into())?;
            return Ok((key, (kind == 7).then_some(value)));
        }
        _ => return Err(SseError::BrokenFrame),
    };
    take(from, length)?;
    Ok((key, None))
}

fn byte(from: &mut Bytes) -> Result<u8, SseError> {
    from.try_get_u8().map_err(|_| SseError::BrokenFrame)
}

fn take(from: &mut Bytes, length: usize) -> Result<Bytes, SseError> {
    if from.len() < length {
        return Err(SseError::BrokenFrame);
    }
    Ok(from.split_to(length))
}

#[cfg(test)]
mod tests;

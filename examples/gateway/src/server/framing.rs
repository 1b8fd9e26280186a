//! Where one HTTP/1 message ends and the next begins, so strictly that no two readers can differ.
//!
//! hyper reads a request with two lengths the way RFC 9112 allows, and takes a bare line feed for a line's end. Both are sound for a
//! server alone, and a way to hide a request from a proxy in front that reads them otherwise. Here they end in 400: where a trick is seen, a
//! NUL takes its place, which hyper refuses wherever it stands. A message that passes is read by hyper just as it is here.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use memchr::memchr;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The line by which a connection says that it speaks HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// No line of a head can be longer, since no head can.
const LONGEST_LINE: usize = 64 * 1024;

/// What is part of no request, with what makes hyper look at once.
const POISON: &[u8] = b"\0\r\n\r\n";

/// Reads a connection's bytes before hyper does.
#[derive(Debug)]
pub(super) struct Strict<T> {
    inner: T,
    framing: Framing,
    /// Once a trick was seen: what hyper has still to get of the poison.
    poison: Option<&'static [u8]>,
}

impl<T> Strict<T> {
    pub(super) fn new(inner: T) -> Self {
        Self {
            inner,
            framing: Framing::default(),
            poison: None,
        }
    }
}

/// Follows the messages of a connection.
#[derive(Debug, Default)]
struct Framing {
    state: State,
    /// The part of a line that came in earlier reads.
    line: Vec<u8>,
    /// Whether a message has been seen on this connection.
    begun: bool,
}

/// A message has two lengths, or one that can be read in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Trick;

// ## Before => Head: a request line. Head => (Before, Body, ChunkSize): an empty line, by the length that was told.
// ## Body => Before: so many bytes.
// ## ChunkSize => (ChunkData, Trailers): a size. ChunkData => ChunkEnd => ChunkSize. Trailers => Before: an empty line.
// ## any => Off: HTTP/2 has its own frames.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Before,
    Head(Length),
    Body(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailers,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    None,
    Told(u64),
    Chunked,
}

impl Framing {
    /// Follows `bytes`.
    ///
    /// # Errors
    /// How many of them may be read, before the one that makes it a trick.
    fn follow(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match self.state {
                State::Off => return Ok(()),
                State::Body(left) | State::ChunkData(left) => {
                    let taken = left.min(rest.len() as u64);
                    at += usize::try_from(taken).unwrap_or(rest.len());
                    self.state = match (self.state, left - taken) {
                        (State::Body(_), 0) => State::Before,
                        (State::Body(_), left) => State::Body(left),
                        (_, 0) => State::ChunkEnd,
                        (_, left) => State::ChunkData(left),
                    };
                }
                _ => {
                    let end = memchr(b'\n', rest);
                    let piece = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                    if self.line.len() + piece.len() > LONGEST_LINE {
                        return Err(at);
                    }
                    let Some(end) = end else {
                        self.line.extend_from_slice(piece);
                        return Ok(());
                    };
                    at += end;
                    if self.line.is_empty() {
                        self.take(piece).map_err(|Trick| at)?;
                    } else {
                        let mut line = std::mem::take(&mut self.line);
                        line.extend_from_slice(piece);
                        self.take(&line).map_err(|Trick| at)?;
                        line.clear();
                        self.line = line;
                    }
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// Takes a line, without its line feed.
    fn take(&mut self, line: &[u8]) -> Result<(), Trick> {
        let line = line.strip_suffix(b"\r").ok_or(Trick)?;
        if memchr(b'\r', line).is_some() {
            return Err(Trick);
        }
        self.state = match self.state {
            // RFC 9112, 2.2: an empty line before a request is a slip of some old clients.
            State::Before if line.is_empty() => State::Before,
            State::Before if line == PREFACE && !self.begun => State::Off,
            State::Before => {
                self.begun = true;
                State::Head(Length::None)
            }
            State::Head(length) if line.is_empty() => match length {
                Length::None | Length::Told(0) => State::Before,
                Length::Told(length) => State::Body(length),
                Length::Chunked => State::ChunkSize,
            },
            State::Head(length) => State::Head(header(line, length)?),
            State::ChunkSize => match chunk_size(line)? {
                0 => State::Trailers,
                size => State::ChunkData(size),
            },
            State::ChunkEnd if line.is_empty() => State::ChunkSize,
            State::ChunkEnd => return Err(Trick),
            State::Trailers if line.is_empty() => State::Before,
            State::Trailers => State::Trailers,
            other => other,
        };
        Ok(())
    }
}

/// What a header says of the message's length, beside what was said before.
fn header(line: &[u8], before: Length) -> Result<Length, Trick> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        // A folded line, which one reader joins to the one before and another doesn't.
        return Err(Trick);
    }
    let colon = memchr(b':', line).ok_or(Trick)?;
    let (name, value) = line.split_at(colon);
    let told = if name.eq_ignore_ascii_case(b"content-length") {
        Length::Told(number(value, 10)?)
    } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
        if !content(value).eq_ignore_ascii_case(b"chunked") {
            return Err(Trick);
        }
        Length::Chunked
    } else {
        return Ok(before);
    };
    if before == Length::None {
        Ok(told)
    } else {
        Err(Trick)
    }
}

fn content(value: &[u8]) -> &[u8] {
    value.strip_prefix(b":").unwrap_or(value).trim_ascii()
}

fn number(value: &[u8], radix: u32) -> Result<u64, Trick> {
    let digits = content(value);
    if digits.is_empty()
        || digits.len() > 16
        || !digits
            .iter()
            .all(|digit| char::from(*digit).is_digit(radix))
    {
        return Err(Trick);
    }
    let digits = std::str::from_utf8(digits).map_err(|_| Trick)?;
    u64::from_str_radix(digits, radix).map_err(|_| Trick)
}

/// RFC 9112, 7.1.1: extensions may be there, and mean nothing to anybody.
fn chunk_size(line: &[u8]) -> Result<u64, Trick> {
    let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
    if size.len() != size.trim_ascii().len() {
        Err(Trick)
    } else {
        number(size, 16)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Strict<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        loop {
            if let Some(left) = this.poison
                && !left.is_empty()
            {
                let (now, later) = left.split_at(left.len().min(buffer.remaining()));
                buffer.put_slice(now);
                this.poison = Some(later);
                return Poll::Ready(Ok(()));
            }
            ready!(Pin::new(&mut this.inner).poll_read(context, buffer))?;
            let read = buffer.filled().get(before..).unwrap_or_default();
            if this.poison.is_some() {
                // What comes after is thrown away, so that the answer isn't lost to a reset.
                let ended = read.is_empty();
                buffer.set_filled(before);
                if ended {
                    return Poll::Ready(Ok(()));
                }
            } else if let Err(sound) = this.framing.follow(read) {
                buffer.set_filled(before + sound);
                this.poison = Some(POISON);
            } else {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Strict<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many bytes pass, whatever the cuts.
    fn sound(bytes: &[u8], cuts: &[usize]) -> usize {
        let mut framing = Framing::default();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            if let Err(sound) = framing.follow(&bytes[pair[0]..pair[1]]) {
                return pair[0] + sound;
            }
        }
        bytes.len()
    }

    const SOUND: &[&str] = &[
        "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length:  5 \r\n\r\na\nb\r\nPOST / HTTP/1.1\r\ncontent-length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\na\nb\r\n1F;x=y\r\n0123456789012345678901234567890\r\n0\r\nx: y\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\n\0",
    ];

    const TRICKS: &[&str] = &[
        "GET / HTTP/1.1\n\n",
        "GET / HTTP/1.1\r\nhost: x\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\n\n",
        "GET / HTTP/1.1\r\nhost: x\r y\r\n\r\n",
        "GET / HTTP/1.1\r\nhost\r\n\r\n",
        "GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: identity, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: \x0bchunked\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: +5\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 5, 5\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length:\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\n\r\n",
        "GET / HTTP/1.1\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\n",
    ];

    #[test]
    fn messages_that_can_be_read_in_one_way_pass_and_others_do_not() {
        for text in SOUND {
            assert_eq!(sound(text.as_bytes(), &[]), text.len(), "{text:?}");
        }
        for text in TRICKS {
            assert!(sound(text.as_bytes(), &[]) < text.len(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(which in 0..SOUND.len() + TRICKS.len(), cuts in prop::collection::vec(any::<usize>(), 0..12)) {
            let text = SOUND.iter().chain(TRICKS).nth(which).unwrap().as_bytes();
            prop_assert_eq!(sound(text, &cuts), sound(text, &[]));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(prop::sample::select(&b"\r\n :;05aG/tc\0"[..]), 0..60), cuts in prop::collection::vec(any::<usize>(), 0..4)) {
            let mut whole = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
            whole.extend(bytes);
            prop_assert_eq!(sound(&whole, &cuts), sound(&whole, &[]));
        }
    }
}

//! Puts an answer on the wire as the script wants it.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::answers::error_event;
use super::prompt::Api;
use super::record::{Outcome, Ticket};
use super::script::{Ending, LineEnd, Split, Wire};

/// An unstreamed answer that is to be broken off is counted in pieces of this many bytes.
const JSON_PIECE: usize = 64;

/// What was written before a break must have left before the connection closes.
const FLUSH: Duration = Duration::from_millis(20);

/// What follows the last piece.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Last {
    Whole,
    Cut,
    Drop,
    Abort,
    Hang,
}

/// The answer's body.
#[derive(Debug)]
pub(super) struct Play {
    pieces: VecDeque<Bytes>,
    pace: Duration,
    rested: bool,
    sleep: Option<Pin<Box<Sleep>>>,
    last: Last,
    exact: Option<u64>,
    reset: Arc<AtomicBool>,
    ticket: Ticket,
}

impl Play {
    /// One piece, of which the client is told the length.
    pub(super) fn whole(body: Bytes, ticket: Ticket) -> Self {
        let exact = u64::try_from(body.len()).ok();
        Self {
            exact,
            ..Self::new(VecDeque::from([body]), Last::Whole, ticket)
        }
    }

    pub(super) fn json(body: Bytes, wire: &Wire, ticket: Ticket) -> Self {
        if wire.ending == Ending::Whole && matches!(wire.split, Split::Events) {
            return Self::whole(body, ticket);
        }
        let mut pieces = cut(body, std::iter::repeat(JSON_PIECE));
        let last = end(&mut pieces, wire.ending, |_| Bytes::new());
        let exact =
            (last == Last::Whole).then(|| pieces.iter().map(|piece| piece.len() as u64).sum());
        let mut play = Self::new(split(pieces, &wire.split), last, ticket);
        play.exact = exact;
        play.pace = wire.pace;
        play
    }

    pub(super) fn stream(
        mut events: VecDeque<Bytes>,
        wire: &Wire,
        api: Api,
        ticket: Ticket,
    ) -> Self {
        if let Some(event) = wire.garbled.and_then(|index| events.get_mut(index)) {
            *event = garbled(event);
        }
        let last = end(&mut events, wire.ending, |place| {
            Bytes::from(error_event(api, place))
        });
        for (index, event) in events.iter_mut().enumerate() {
            *event = dressed(event, wire, index == 0);
        }
        let mut play = Self::new(split(events, &wire.split), last, ticket);
        play.pace = wire.pace;
        play
    }

    fn new(pieces: VecDeque<Bytes>, last: Last, mut ticket: Ticket) -> Self {
        if pieces.is_empty() && last == Last::Whole {
            ticket.end(Outcome::Whole);
        }
        let (pace, reset) = (Duration::ZERO, Arc::default());
        Self {
            pieces,
            pace,
            rested: true,
            sleep: None,
            last,
            exact: None,
            reset,
            ticket,
        }
    }

    /// Names the flag that makes the connection's socket close by a reset.
    pub(super) fn on(mut self, reset: &Arc<AtomicBool>) -> Self {
        self.reset = Arc::clone(reset);
        self
    }
}

impl Body for Play {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        loop {
            if let Some(sleep) = &mut this.sleep {
                ready!(sleep.as_mut().poll(cx));
                this.sleep = None;
            }
            // ## Written => Rested: each piece leaves in a write of its own.
            if !this.rested {
                this.rested = true;
                let rest = match this.last {
                    Last::Drop | Last::Abort if this.pieces.is_empty() => FLUSH,
                    _ => this.pace,
                };
                if rest.is_zero() {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                this.sleep = Some(Box::pin(sleep(rest)));
                continue;
            }
            if let Some(piece) = this.pieces.pop_front() {
                this.rested = false;
                this.ticket.event();
                if this.pieces.is_empty() && this.last == Last::Whole {
                    this.ticket.end(Outcome::Whole);
                }
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            match this.last {
                Last::Whole => return Poll::Ready(None),
                Last::Hang => return Poll::Pending,
                Last::Cut => {
                    this.ticket.end(Outcome::Broken);
                    return Poll::Ready(None);
                }
                Last::Drop | Last::Abort => {
                    this.reset
                        .store(this.last == Last::Abort, Ordering::Release);
                    this.ticket.end(Outcome::Broken);
                    return Poll::Ready(Some(Err(io::Error::other("the script ends here"))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && self.last == Last::Whole
    }

    fn size_hint(&self) -> SizeHint {
        self.exact
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Shortens the pieces to the script's ending. A script that ends later than the answer changes nothing.
fn end(pieces: &mut VecDeque<Bytes>, ending: Ending, error: impl FnOnce(usize) -> Bytes) -> Last {
    let (count, last) = match ending {
        Ending::Whole => return Last::Whole,
        Ending::Cut(count) | Ending::Error(count) => (count, Last::Cut),
        Ending::Drop(count) => (count, Last::Drop),
        Ending::Abort(count) => (count, Last::Abort),
        Ending::Hang(count) => (count, Last::Hang),
    };
    if count >= pieces.len() {
        return Last::Whole;
    }
    pieces.truncate(count);
    if matches!(ending, Ending::Error(_)) {
        pieces.push_back(error(count));
    }
    last
}

fn garbled(event: &Bytes) -> Bytes {
    let end = event
        .iter()
        .rposition(|byte| *byte == b'}')
        .unwrap_or(event.len());
    event
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != end)
        .map(|(_, byte)| *byte)
        .collect()
}

fn dressed(event: &Bytes, wire: &Wire, first: bool) -> Bytes {
    if wire.line == LineEnd::Lf && !wire.comments && !(wire.mark && first) {
        return event.clone();
    }
    let mut out = BytesMut::with_capacity(event.len() + 64);
    if wire.mark && first {
        out.extend_from_slice("\u{feff}".as_bytes());
    }
    let comment: &[u8] = if wire.comments { b": mock\n" } else { b"" };
    for byte in comment.iter().chain(event.iter()) {
        match (byte, wire.line) {
            (b'\n', LineEnd::CrLf) => out.extend_from_slice(b"\r\n"),
            (b'\n', LineEnd::Cr) => out.extend_from_slice(b"\r"),
            (b'\r', LineEnd::CrLf | LineEnd::Cr) => {}
            _ => out.extend_from_slice(&[*byte]),
        }
    }
    out.freeze()
}

fn split(pieces: VecDeque<Bytes>, split: &Split) -> VecDeque<Bytes> {
    let joined = || pieces.iter().flatten().copied().collect::<Bytes>();
    match split {
        Split::Events => pieces,
        Split::Every(size) => cut(joined(), std::iter::repeat(*size)),
        Split::At(positions) => {
            let mut before = 0;
            let sizes: Vec<usize> = positions
                .iter()
                .map(|at| {
                    let size = at.saturating_sub(before);
                    before = *at;
                    size
                })
                .collect();
            cut(joined(), sizes.into_iter())
        }
        Split::Scatter(seed) => cut(joined(), sizes(*seed)),
    }
}

/// Cuts into pieces of these sizes; what is left over is one piece.
fn cut(mut bytes: Bytes, mut sizes: impl Iterator<Item = usize>) -> VecDeque<Bytes> {
    let mut pieces = VecDeque::new();
    while !bytes.is_empty() {
        let size = sizes.next().unwrap_or(bytes.len()).min(bytes.len());
        let piece = bytes.split_to(size);
        if !piece.is_empty() {
            pieces.push_back(piece);
        }
    }
    pieces
}

fn sizes(seed: u64) -> impl Iterator<Item = usize> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        1 + usize::try_from(state >> 59).unwrap_or(0)
    })
}

/// The events of a recorded stream, each with the blank line that ends it.
pub(super) fn events_of(body: &Bytes) -> VecDeque<Bytes> {
    let mut events = VecDeque::new();
    let mut rest = body.clone();
    while let Some(end) = blank_line(&rest) {
        events.push_back(rest.split_to(end));
    }
    if !rest.is_empty() {
        events.push_back(rest);
    }
    events
}

fn blank_line(bytes: &[u8]) -> Option<usize> {
    let ends: [&[u8]; 3] = [b"\n\n", b"\r\n\r\n", b"\r\r"];
    ends.iter()
        .filter_map(|end| memchr::memmem::find(bytes, end).map(|at| at + end.len()))
        .min()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(pieces: &VecDeque<Bytes>) -> Vec<u8> {
        pieces.iter().flatten().copied().collect()
    }

    #[test]
    fn recorded_events_are_cut_at_blank_lines_and_lose_nothing() {
        let body = Bytes::from_static(b"data: a\n\nevent: b\r\ndata: c\r\n\r\ndata: d\r\rdata: e");
        let events = events_of(&body);
        assert_eq!(events.len(), 4);
        assert_eq!(joined(&events), body);
    }

    #[test]
    fn an_ending_past_the_answer_changes_nothing() {
        let mut pieces = VecDeque::from([Bytes::from_static(b"a"), Bytes::from_static(b"b")]);
        assert_eq!(
            end(&mut pieces, Ending::Cut(2), |_| Bytes::new()),
            Last::Whole
        );
        assert_eq!(
            end(&mut pieces, Ending::Cut(1), |_| Bytes::new()),
            Last::Cut
        );
        assert_eq!(pieces, [Bytes::from_static(b"a")]);
    }

    proptest! {
        #[test]
        fn no_split_changes_the_bytes(body in prop::collection::vec(any::<u8>(), 0..300), size in 1usize..40, seed: u64, at in prop::collection::vec(0usize..300, 0..6)) {
            let mut at = at;
            at.sort_unstable();
            for kind in [Split::Every(size), Split::Scatter(seed), Split::At(at)] {
                let pieces = split(VecDeque::from([Bytes::from(body.clone())]), &kind);
                prop_assert_eq!(joined(&pieces), body.clone());
                prop_assert!(pieces.iter().all(|piece| !piece.is_empty()));
            }
        }
    }
}

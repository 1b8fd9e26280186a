//! Streams that end without a word.

use bartizan_core::{Dialect, Event, EventDecoder, Framing, SseError};
use bytes::Bytes;

/// Adds `[DONE]`, for the layers alone, to a stream that ends cleanly after it has said why it finished: its server has no other word for
/// the end. A stream that ends before was cut.
#[derive(Debug)]
pub(crate) struct EndsUnsaid {
    dialect: Dialect,
    decoder: EventDecoder,
    finished: bool,
    done: bool,
}

impl EndsUnsaid {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            decoder: EventDecoder::new(),
            finished: false,
            done: false,
        }
    }

    fn look(&mut self, event: Option<Event>) -> Option<Event> {
        let mut event = event?;
        // What can't be read is refused behind.
        let read = event.read_document(self.dialect);
        if let Ok(Some(document)) = read {
            self.finished |= document.facts().finish.is_some();
        }
        self.done |= event.data() == Some("[DONE]");
        Some(event)
    }
}

impl Framing for EndsUnsaid {
    fn push(&mut self, bytes: Bytes) {
        self.decoder.push(bytes);
    }

    fn next_event(&mut self) -> Result<Option<Event>, SseError> {
        let event = self.decoder.next_event()?;
        Ok(self.look(event))
    }

    fn finish(&mut self) -> Result<Option<Event>, SseError> {
        let rest = self.decoder.finish()?;
        if let Some(event) = self.look(rest) {
            return Ok(Some(event));
        }
        if self.finished && !std::mem::replace(&mut self.done, true) {
            return Ok(Some(Event::new(None, "[DONE]").hide()));
        }
        Ok(None)
    }
}

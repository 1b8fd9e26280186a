//! Streams that are framed in a provider's own way.

mod event_stream;

pub(crate) use event_stream::{Frame, FrameKind, Splitter};

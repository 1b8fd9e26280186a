//! What Bedrock's frames say, as events: of `ConverseStream` in a form of their own, and of `InvokeModelWithResponseStream` as the
//! model's own API streams them.

use std::borrow::Cow;

use bartizan_core::json::{Json, quote};
use bartizan_core::{Dialect, Event, Framing, SseError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::exception::Exception;
use crate::framing::{Frame, FrameKind, Splitter};
use crate::read::member;
use crate::write::Writer;

/// Reads frames, each as one event.
#[derive(Debug)]
pub(crate) struct Frames {
    splitter: Splitter,
    tell: fn(&Frame) -> Result<Event, SseError>,
}

impl Frames {
    /// Of `ConverseStream`. An event's name stands around its payload, `{"messageStop":{"stopReason":"end_turn"}}`, as in the service's
    /// model; so do exceptions' names.
    pub(crate) fn of_converse() -> Self {
        Self {
            splitter: Splitter::default(),
            tell: converse,
        }
    }

    /// Of `InvokeModelWithResponseStream`, as the events of the model's own dialect. Exceptions are its error event.
    pub(crate) fn of_model(dialect: Dialect) -> Self {
        Self {
            splitter: Splitter::default(),
            tell: if dialect == Dialect::AnthropicMessages {
                named
            } else {
                unnamed
            },
        }
    }
}

impl Framing for Frames {
    fn push(&mut self, bytes: Bytes) {
        self.splitter.push(&bytes);
    }

    fn next_event(&mut self) -> Result<Option<Event>, SseError> {
        let frame = self.splitter.next_frame()?;
        frame.map(|frame| (self.tell)(&frame)).transpose()
    }

    fn finish(&mut self) -> Result<Option<Event>, SseError> {
        if self.splitter.is_empty() {
            Ok(None)
        } else {
            Err(SseError::BrokenFrame)
        }
    }
}

fn converse(frame: &Frame) -> Result<Event, SseError> {
    let (name, payload) = match frame.kind {
        FrameKind::Event => (frame.name.as_str(), payload(frame)?),
        FrameKind::Exception => (Exception::named(&frame.name).as_str(), payload(frame)?),
        FrameKind::Error => (
            Exception::named(&frame.name).as_str(),
            Cow::Owned(format!("{{\"message\":{}}}", quote(said(frame)))),
        ),
    };
    Ok(Event::new(
        Some(name),
        &format!("{{{}:{payload}}}", quote(name)),
    ))
}

/// Anthropic's events are named by their types.
fn named(frame: &Frame) -> Result<Event, SseError> {
    let text = inner(frame)?;
    let event = Json::read(text.as_str()).map_err(|_| SseError::BrokenFrame)?;
    let name = member(event.root(), "type").and_then(|name| name.text());
    Ok(Event::new(name.as_deref(), &text))
}

fn unnamed(frame: &Frame) -> Result<Event, SseError> {
    inner(frame).map(|text| Event::new(None, &text))
}

/// The text of the model's own event, or of an error in a form that its clients' dialects share.
fn inner(frame: &Frame) -> Result<String, SseError> {
    let payload = payload(frame)?;
    let json = Json::read(payload.as_ref()).map_err(|_| SseError::BrokenFrame)?;
    if frame.kind != FrameKind::Event {
        let told = member(json.root(), "message").and_then(|message| message.text());
        let mut error = Writer::with_capacity(128);
        error.open();
        error.plain_at("type", "error");
        error.key("error");
        error.open();
        let exception = Exception::named(&frame.name);
        error.plain_at("type", exception.anthropic());
        error.plain_at("code", exception.as_str());
        error.text_at("message", told.as_deref().unwrap_or(said(frame)));
        error.close();
        error.close();
        return Ok(error.finish());
    }
    let bytes = member(json.root(), "bytes").and_then(|bytes| bytes.text());
    let bytes = bytes.and_then(|bytes| STANDARD.decode(bytes.as_bytes()).ok());
    String::from_utf8(bytes.ok_or(SseError::BrokenFrame)?).map_err(|_| SseError::InvalidUtf8)
}

/// Its JSON; what has none says nothing.
fn payload(frame: &Frame) -> Result<Cow<'_, str>, SseError> {
    let text = str::from_utf8(&frame.payload).map_err(|_| SseError::InvalidUtf8)?;
    Ok(Cow::Borrowed(if text.is_empty() { "{}" } else { text }))
}

fn said(frame: &Frame) -> &str {
    frame.message.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::{Header, HeaderValue, Message};

    use super::*;

    fn read(
        mut frames: Frames,
        headers: &[(&str, &str)],
        payload: &str,
    ) -> Result<Event, SseError> {
        let headers = headers.iter().map(|(name, value)| {
            let value = HeaderValue::String((*value).to_owned().into());
            Header::new((*name).to_owned(), value)
        });
        let message = Message::new_from_parts(headers.collect(), payload.to_owned());
        let mut bytes = Vec::new();
        write_message_to(&message, &mut bytes).unwrap();
        frames.push(bytes.into());
        let event = frames.next_event().map(Option::unwrap);
        assert_eq!(frames.finish(), Ok(None));
        event
    }

    fn event(name: &str) -> [(&str, &str); 2] {
        [(":message-type", "event"), (":event-type", name)]
    }

    fn exception(name: &str) -> [(&str, &str); 2] {
        [(":message-type", "exception"), (":exception-type", name)]
    }

    #[test]
    fn an_events_name_stands_around_its_payload() {
        let error = [
            (":message-type", "error"),
            (":error-code", "InternalFailure"),
            (":error-message", "no \"more\""),
        ];
        for (headers, payload, name, data) in [
            (
                &event("messageStop")[..],
                "{\"a\":1}",
                "messageStop",
                "{\"messageStop\":{\"a\":1}}",
            ),
            (&event("a\"b"), "", "a\"b", "{\"a\\\"b\":{}}"),
            (
                &exception("ThrottlingException"),
                "{\"message\":\"slow\"}",
                "throttlingException",
                "{\"throttlingException\":{\"message\":\"slow\"}}",
            ),
            (
                &error,
                "",
                "internalServerException",
                "{\"internalServerException\":{\"message\":\"no \\\"more\\\"\"}}",
            ),
        ] {
            let read = read(Frames::of_converse(), headers, payload).unwrap();
            assert_eq!((read.name(), read.data()), (Some(name), Some(data)));
        }
    }

    #[test]
    fn anthropics_events_come_out_byte_for_byte() {
        let text = "{\"type\":\"content_block_delta\", \"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"\u{2028}h\\u0069\"}}";
        let payload = format!("{{\"bytes\":\"{}\",\"p\":\"abc\"}}", STANDARD.encode(text));
        let read_it = |payload| {
            read(
                Frames::of_model(Dialect::AnthropicMessages),
                &event("chunk"),
                payload,
            )
        };
        let whole = format!("event: content_block_delta\ndata: {text}\n\n");
        assert_eq!(read_it(&payload).unwrap().to_bytes(), whole);
        for broken in [
            "",
            "{}",
            "{\"bytes\":\"?\"}",
            "{\"bytes\":7}",
            "{\"bytes\":\"aGk=\"}",
            "7",
        ] {
            assert_eq!(read_it(broken), Err(SseError::BrokenFrame), "{broken}");
        }
        assert_eq!(read_it("{\"bytes\":\"/w==\"}"), Err(SseError::InvalidUtf8));
    }

    #[test]
    fn an_exception_is_anthropics_error_of_its_class() {
        for (name, kind) in [
            ("throttlingException", "rate_limit_error"),
            ("modelTimeoutException", "timeout_error"),
            ("validationException", "invalid_request_error"),
            ("serviceUnavailableException", "overloaded_error"),
            ("internalServerException", "api_error"),
            ("modelStreamErrorException", "api_error"),
            ("somethingNewException", "api_error"),
        ] {
            let code = Exception::named(name).as_str();
            let read = read(
                Frames::of_model(Dialect::AnthropicMessages),
                &exception(name),
                "{\"message\":\"so\"}",
            )
            .unwrap();
            let data = format!(
                "{{\"type\":\"error\",\"error\":{{\"type\":\"{kind}\",\"code\":\"{code}\",\"message\":\"so\"}}}}"
            );
            assert_eq!(
                (read.name(), read.data()),
                (Some("error"), Some(data.as_str()))
            );
        }
    }
}

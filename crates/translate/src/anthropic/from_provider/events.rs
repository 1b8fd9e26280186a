//! Reading a streamed answer.

use bartizan_core::json::Value;
use bartizan_core::{Document, Usage};

use super::{End, HIDDEN_TOOL, called, citation, lost, read_usage, signature, string};
use crate::dialects::Reader;
use crate::fault;
use crate::losses::Losses;
use crate::neutral::{Answer, Moment, Str};
use crate::read::member;

/// What a stream has said so far.
///
/// A block's index counts blocks of every kind; thoughts and calls are counted apart, each from 0.
// ## Open => Finished: message_delta with a reason. Finished => Over: message_stop. Any => Over: error.
#[derive(Debug, Default)]
pub(crate) struct Events {
    hidden_tool: bool,
    open: Vec<(u64, Kind)>,
    thoughts: u32,
    calls: u32,
    usage: Usage,
    losses: Losses,
    finished: bool,
    over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking(u32),
    /// `true` once a piece of its arguments has come.
    Call(u32, bool),
    /// As a call, but its arguments are the answer's text.
    Hidden(bool),
    /// Nothing that a client of another API can use.
    Lost,
}

impl Events {
    pub(crate) fn new(hidden_tool: bool) -> Self {
        Self {
            hidden_tool,
            ..Self::default()
        }
    }
}

impl Reader for Events {
    fn answer<'a>(&self, reply: &'a Document) -> Answer<'a> {
        super::decode(reply, self.hidden_tool)
    }

    fn hear<'a>(&mut self, document: &'a Document, say: &mut dyn FnMut(Moment<'a>)) {
        if self.over {
            return;
        }
        let event = document.json().root();
        match member(event, "type").and_then(Value::text).as_deref() {
            Some("content_block_delta") => self.delta(event, say),
            Some("content_block_start") => self.start(event, say),
            Some("content_block_stop") => self.stop(event, say),
            Some("message_start") => {
                let message = member(event, "message").unwrap_or(event);
                self.count(message);
                say(Moment::Start {
                    id: string(message, "id"),
                    model: string(message, "model"),
                    usage: self.usage,
                });
            }
            Some("message_delta") => {
                self.count(event);
                let end = member(event, "delta").unwrap_or(event);
                let end = End::read(end, document.facts().finish, &mut self.losses);
                if !self.finished && end.finish.is_some() {
                    self.finished = true;
                    let calls = self.calls > 0;
                    let hidden = self.hidden_tool;
                    if let Some(refusal) = end.refusal {
                        say(Moment::Refusal(refusal));
                    }
                    say(Moment::Finish {
                        finish: end.finish.map(|finish| called(finish, calls, hidden)),
                        stop_sequence: end.stop_sequence,
                        losses: std::mem::take(&mut self.losses),
                    });
                }
            }
            Some("message_stop") => {
                self.over = true;
                say(Moment::End { usage: self.usage });
            }
            Some("ping") => say(Moment::Alive),
            Some("error") => {
                self.over = true;
                say(Moment::Failed(fault::read(document)));
            }
            // New kinds of events are announced as additions.
            _ => self.losses.dropped("events.other"),
        }
    }
}

impl Events {
    fn count(&mut self, from: Value<'_>) {
        if let Some(usage) = member(from, "usage") {
            self.usage = read_usage(usage, self.usage);
        }
    }

    fn start<'a>(&mut self, event: Value<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        let Some(block) = member(event, "content_block") else {
            return;
        };
        let kind = match member(block, "type").and_then(Value::text).as_deref() {
            Some("text") => {
                text(string(block, "text"), say);
                Kind::Text
            }
            Some("thinking") => {
                let number = next(&mut self.thoughts);
                thought(number, string(block, "thinking"), say);
                signed(number, string(block, "signature"), say);
                Kind::Thinking(number)
            }
            Some("redacted_thinking") => {
                let number = next(&mut self.thoughts);
                let data = signature(string(block, "data"));
                say(Moment::Redacted {
                    block: number,
                    id: None,
                    data,
                });
                Kind::Thinking(number)
            }
            Some("tool_use") => {
                // Empty here, and to be told in pieces; some servers say all of it at once.
                let input = member(block, "input").filter(|input| input.members().next().is_some());
                let piece = input.map(|input| Str::from(input.raw()));
                let whole = piece.is_some();
                if self.hidden_tool
                    && member(block, "name").is_some_and(|name| name.is(HIDDEN_TOOL))
                {
                    text(piece.unwrap_or_default(), say);
                    Kind::Hidden(whole)
                } else {
                    let call = next(&mut self.calls);
                    say(Moment::Call {
                        call,
                        id: string(block, "id"),
                        name: string(block, "name"),
                        custom: false,
                        signature: None,
                    });
                    if let Some(piece) = piece {
                        say(Moment::Arguments { call, piece });
                    }
                    Kind::Call(call, whole)
                }
            }
            kind => {
                self.losses.dropped(lost(kind));
                Kind::Lost
            }
        };
        let index = index(event);
        self.open.retain(|(open, _)| *open != index);
        self.open.push((index, kind));
    }

    fn delta<'a>(&mut self, event: Value<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        let Some(delta) = member(event, "delta") else {
            return;
        };
        let index = index(event);
        let kind = self
            .open
            .iter_mut()
            .find(|(open, _)| *open == index)
            .map(|(_, kind)| kind);
        let what = member(delta, "type").and_then(Value::text);
        match (what.as_deref(), kind) {
            (_, Some(Kind::Lost)) => {}
            (Some("text_delta"), _) => text(string(delta, "text"), say),
            (Some("thinking_delta"), Some(Kind::Thinking(block))) => {
                thought(*block, string(delta, "thinking"), say);
            }
            (Some("signature_delta"), Some(Kind::Thinking(block))) => {
                signed(*block, string(delta, "signature"), say);
            }
            (Some("input_json_delta"), Some(Kind::Call(call, begun))) => {
                let piece = string(delta, "partial_json");
                if !piece.is_empty() {
                    *begun = true;
                    say(Moment::Arguments { call: *call, piece });
                }
            }
            (Some("input_json_delta"), Some(Kind::Hidden(begun))) => {
                let piece = string(delta, "partial_json");
                *begun |= !piece.is_empty();
                text(piece, say);
            }
            (Some("citations_delta"), _) => {
                let cited = member(delta, "citation");
                if let Some(citation) = cited.and_then(|cited| citation(cited, &mut self.losses)) {
                    say(Moment::Citation(citation));
                }
            }
            _ => self.losses.dropped("content.other"),
        }
    }

    /// A call that takes nothing has no piece: its arguments are an empty object, which clients must be able to parse.
    fn stop<'a>(&mut self, event: Value<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        let index = index(event);
        let at = self.open.iter().position(|(open, _)| *open == index);
        match at.map(|at| self.open.swap_remove(at).1) {
            Some(Kind::Call(call, false)) => say(Moment::Arguments {
                call,
                piece: "{}".into(),
            }),
            Some(Kind::Hidden(false)) => text("{}".into(), say),
            _ => {}
        }
    }
}

fn index(event: Value<'_>) -> u64 {
    member(event, "index").and_then(Value::as_u64).unwrap_or(0)
}

fn next(count: &mut u32) -> u32 {
    let number = *count;
    *count = count.saturating_add(1);
    number
}

fn text<'a>(text: Str<'a>, say: &mut dyn FnMut(Moment<'a>)) {
    if !text.is_empty() {
        say(Moment::Text(text));
    }
}

fn thought<'a>(block: u32, text: Str<'a>, say: &mut dyn FnMut(Moment<'a>)) {
    if !text.is_empty() {
        say(Moment::Thinking { block, text });
    }
}

fn signed<'a>(block: u32, signed: Str<'a>, say: &mut dyn FnMut(Moment<'a>)) {
    if !signed.is_empty() {
        let signature = signature(signed);
        say(Moment::Signature { block, signature });
    }
}

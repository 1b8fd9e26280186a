//! Reading a streamed answer.

use bartizan_core::json::Value;
use bartizan_core::{Document, Framing, Usage};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

use super::{Setup, citation, finish, is_servers, lost, malformed, string};
use crate::bedrock::frames::Frames;
use crate::dialects::Reader;
use crate::fault;
use crate::losses::Losses;
use crate::names::{HIDDEN_TOOL, minted_answer_id};
use crate::neutral::{Answer, Moment, Str};
use crate::read::member;

/// What a stream has said so far.
///
/// Text and thinking have no start of their own: a block is of the kind of its first piece. Its index counts blocks of every kind;
/// thoughts and calls are counted apart, each from 0.
// ## Begun => Finished: messageStop. Finished => Over: metadata. Any => Over: an exception, or a reason that is none.
#[derive(Debug)]
pub(crate) struct Events {
    setup: Setup,
    open: Vec<(u64, Kind)>,
    thoughts: u32,
    calls: u32,
    losses: Losses,
    begun: bool,
    finished: bool,
    over: bool,
}

#[derive(Debug)]
enum Kind {
    Text,
    Thinking(u32),
    /// What came of thinking that only the provider can read.
    Redacted(u32, String),
    /// `true` once a piece of its arguments has come.
    Call(u32, bool),
    /// As a call, but its arguments are the answer's text.
    Hidden(bool),
    /// Nothing that a client of another API can use.
    Lost,
}

impl Events {
    pub(crate) fn new(setup: Setup) -> Self {
        Self {
            setup,
            open: Vec::new(),
            thoughts: 0,
            calls: 0,
            losses: Losses::default(),
            begun: false,
            finished: false,
            over: false,
        }
    }
}

impl Reader for Events {
    fn answer<'a>(&self, reply: &'a Document) -> Answer<'a> {
        super::decode(reply, &self.setup)
    }

    fn hear<'a>(&mut self, document: &'a Document, say: &mut dyn FnMut(Moment<'a>)) {
        if self.over {
            return;
        }
        let facts = document.facts();
        if facts.error {
            self.over = true;
            return say(Moment::Failed(fault::read(document)));
        }
        let Some((name, event)) = document.json().root().members().next() else {
            return;
        };
        self.begin(event.raw(), say);
        match name.text().as_deref() {
            Some("contentBlockDelta") => self.delta(event, say),
            Some("contentBlockStart") => self.start(event, say),
            Some("contentBlockStop") => self.stop(index(event), say),
            Some("messageStart") => {}
            Some("messageStop") => {
                let reason = member(event, "stopReason").and_then(Value::text);
                if let Some(refusal) = reason.as_deref().and_then(malformed) {
                    self.over = true;
                    return say(Moment::Failed(refusal));
                }
                if member(event, "additionalModelResponseFields").is_some() {
                    self.losses.dropped("additionalModelResponseFields");
                }
                if !self.finished && reason.is_some() {
                    self.finished = true;
                    let calls = self.calls > 0;
                    let hidden = self.setup.hidden_tool;
                    let finish = finish(facts.finish, calls, hidden, &mut self.losses);
                    say(Moment::Finish {
                        finish,
                        stop_sequence: None,
                        losses: std::mem::take(&mut self.losses),
                    });
                }
            }
            // Before the reason it is no end, and what came was cut.
            Some("metadata") if self.finished => {
                self.over = true;
                say(Moment::End {
                    usage: facts.usage.unwrap_or_default(),
                });
            }
            _ => self.losses.dropped("events.other"),
        }
    }

    fn head(&mut self, headers: &HeaderMap) {
        let id = headers.get("x-amzn-requestid");
        if let Some(id) = id.and_then(|id| id.to_str().ok()) {
            self.setup.request_id = id.to_owned();
        }
    }

    fn framing(&self) -> Option<Box<dyn Framing>> {
        Some(Box::new(Frames::of_converse()))
    }
}

impl Events {
    fn begin<'a>(&mut self, first: &str, say: &mut dyn FnMut(Moment<'a>)) {
        if !self.begun {
            self.begun = true;
            let id = if self.setup.request_id.is_empty() {
                minted_answer_id(&[&self.setup.model, first])
            } else {
                self.setup.request_id.clone()
            };
            say(Moment::Start {
                id: id.into(),
                model: Str::Owned(self.setup.model.clone()),
                usage: Usage::default(),
            });
        }
    }

    fn start<'a>(&mut self, event: Value<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        let start = member(event, "start").and_then(|start| start.members().next());
        let Some((kind, start)) = start else { return };
        let kind = kind.text();
        let kind = match kind.as_deref() {
            Some("toolUse") if !is_servers(start) => {
                let name = self.setup.names.here(string(start, "name")).into_owned();
                if self.setup.hidden_tool && name == HIDDEN_TOOL {
                    Kind::Hidden(false)
                } else {
                    let call = next(&mut self.calls);
                    say(Moment::Call {
                        call,
                        id: string(start, "toolUseId"),
                        name: name.into(),
                        custom: false,
                        signature: None,
                    });
                    Kind::Call(call, false)
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
        let delta = member(event, "delta").and_then(|delta| delta.members().next());
        let Some((what, delta)) = delta else { return };
        let what = what.text();
        match what.as_deref() {
            Some("text") => {
                if let Some(Kind::Text) = self.block(event, |_| Kind::Text) {
                    text(delta.text().unwrap_or_default(), say);
                }
            }
            Some("reasoningContent") => self.thought(event, delta, say),
            Some("toolUse") => {
                let piece = string(delta, "input");
                match self.block(event, |_| Kind::Lost) {
                    _ if piece.is_empty() => {}
                    Some(Kind::Call(call, begun)) => {
                        *begun = true;
                        let call = *call;
                        say(Moment::Arguments { call, piece });
                    }
                    Some(Kind::Hidden(begun)) => {
                        *begun = true;
                        text(piece, say);
                    }
                    _ => self.losses.dropped("content.other"),
                }
            }
            Some("citation") => {
                self.block(event, |_| Kind::Text);
                if let Some(citation) = citation(delta, &mut self.losses) {
                    say(Moment::Citation(citation));
                }
            }
            kind => self.losses.dropped(lost(kind)),
        }
    }

    fn thought<'a>(&mut self, event: Value<'a>, delta: Value<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        let redacted = member(delta, "redactedContent").and_then(Value::text);
        if let Some(data) = redacted {
            let open = self.block(event, |thoughts| {
                Kind::Redacted(next(thoughts), String::new())
            });
            match open {
                Some(Kind::Redacted(_, so_far)) => *so_far = joined(so_far, &data),
                _ => self.losses.dropped("content.other"),
            }
            return;
        }
        let open = self.block(event, |thoughts| Kind::Thinking(next(thoughts)));
        let Some(Kind::Thinking(block)) = open else {
            return self.losses.dropped("content.other");
        };
        let block = *block;
        let thought = string(delta, "text");
        if !thought.is_empty() {
            say(Moment::Thinking {
                block,
                text: thought,
            });
        }
        let data = string(delta, "signature");
        if !data.is_empty() {
            let signature = self.setup.signature(data);
            say(Moment::Signature { block, signature });
        }
    }

    /// The block of an event, which begins here as `kind` if it has not.
    fn block(
        &mut self,
        event: Value<'_>,
        kind: impl FnOnce(&mut u32) -> Kind,
    ) -> Option<&mut Kind> {
        let index = index(event);
        if !self.open.iter().any(|(open, _)| *open == index) {
            let kind = kind(&mut self.thoughts);
            self.open.push((index, kind));
        }
        let mut open = self.open.iter_mut();
        open.find(|(open, _)| *open == index).map(|(_, kind)| kind)
    }

    /// A call that takes nothing has no piece: its arguments are an empty object, which clients must be able to parse.
    fn stop<'a>(&mut self, index: u64, say: &mut dyn FnMut(Moment<'a>)) {
        let at = self.open.iter().position(|(open, _)| *open == index);
        match at.map(|at| self.open.swap_remove(at).1) {
            Some(Kind::Call(call, false)) => say(Moment::Arguments {
                call,
                piece: "{}".into(),
            }),
            Some(Kind::Hidden(false)) => say(Moment::Text("{}".into())),
            Some(Kind::Redacted(block, data)) => say(Moment::Redacted {
                block,
                id: None,
                data: self.setup.signature(data.into()),
            }),
            _ => {}
        }
    }
}

/// One text in base64 of two; each may have its own end.
fn joined(before: &str, more: &str) -> String {
    if before.is_empty() {
        return more.to_owned();
    }
    match (STANDARD.decode(before), STANDARD.decode(more)) {
        (Ok(mut bytes), Ok(more)) => {
            bytes.extend(more);
            STANDARD.encode(bytes)
        }
        _ => format!("{before}{more}"),
    }
}

fn index(event: Value<'_>) -> u64 {
    member(event, "contentBlockIndex")
        .and_then(Value::as_u64)
        .unwrap_or(0)
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

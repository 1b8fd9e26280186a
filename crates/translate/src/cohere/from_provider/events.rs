//! Reading a streamed answer.

use bartizan_core::json::Value;
use bartizan_core::{Document, Finish, Usage};

use super::{Places, Setup, characters, citations, failure, settled, string};
use crate::dialects::Reader;
use crate::fault;
use crate::losses::Losses;
use crate::names::{HIDDEN_TOOL, ToolNames, minted_id};
use crate::neutral::{Answer, Moment, Str};
use crate::read::member;

/// What a stream has said so far.
// ## Waiting => Open: message-start, or what else comes first. Open => Over: message-end. Any => Over: an error.
#[derive(Debug, Default)]
pub(crate) struct Events {
    setup: Setup,
    /// The answer's id, once the stream has begun.
    begun: Option<String>,
    places: Places,
    thoughts: u32,
    /// What is open, by its kind.
    open: Open,
    calls: u32,
    losses: Losses,
    over: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Open {
    #[default]
    Nothing,
    Text,
    Thought(u32),
    Plan(u32),
    /// `true` once a piece of its arguments has come.
    Call(u32, bool),
    /// As a call, but its arguments are the answer's text.
    Hidden(bool),
    Lost,
}

impl Events {
    pub(in crate::cohere) fn new(names: ToolNames, hidden_tool: bool, model: &str) -> Self {
        Self {
            setup: Setup {
                names,
                hidden_tool,
                model: model.to_owned(),
            },
            ..Self::default()
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
        let event = document.json().root();
        let delta = member(event, "delta");
        let message = delta.and_then(|delta| member(delta, "message"));
        let inside = |key: &str| message.and_then(|message| member(message, key));
        let kind = member(event, "type").and_then(Value::text);
        match kind.as_deref() {
            Some("message-end") => return self.end(document, delta, say),
            _ if document.facts().error => {
                self.over = true;
                return say(Moment::Failed(fault::read(document)));
            }
            _ => self.begin(event, say),
        }
        match kind.as_deref() {
            Some("content-start") => self.start(inside("content"), say),
            Some("content-delta") => self.delta(inside("content"), say),
            Some("tool-plan-delta") => {
                self.plan(string(message.unwrap_or(event), "tool_plan"), say)
            }
            Some("tool-call-start") => self.call(inside("tool_calls"), say),
            Some("tool-call-delta") => self.arguments(inside("tool_calls"), say),
            Some("tool-call-end" | "content-end") => self.close(say),
            Some("citation-start") => {
                if let Some(cited) = inside("citations") {
                    let (_, found) = citations(cited, &self.places, &mut self.losses);
                    found
                        .into_iter()
                        .for_each(|citation| say(Moment::Citation(citation)));
                }
            }
            Some("message-start" | "citation-end" | "debug") => {}
            _ => self.losses.dropped("events.other"),
        }
        if member(event, "logprobs").is_some() {
            self.losses.dropped("logprobs");
        }
    }
}

impl Events {
    fn begin<'a>(&mut self, event: Value<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        if self.begun.is_some() {
            return;
        }
        let id = string(event, "id");
        self.begun = Some(id.clone().into_owned());
        say(Moment::Start {
            id,
            model: self.setup.model.clone().into(),
            usage: Usage::default(),
        });
    }

    fn start<'a>(&mut self, content: Option<Value<'a>>, say: &mut dyn FnMut(Moment<'a>)) {
        self.close(say);
        let kind = content.and_then(|content| member(content, "type"));
        match kind.and_then(Value::text).as_deref() {
            Some("thinking") => {
                self.places.push(None);
                self.open = Open::Thought(next(&mut self.thoughts));
            }
            Some("text") | None => {
                self.places.push(Some(""));
                self.open = Open::Text;
            }
            Some(_) => {
                self.places.push(None);
                self.losses.dropped("message.content");
                self.open = Open::Lost;
            }
        }
        self.delta(content, say);
    }

    fn delta<'a>(&mut self, content: Option<Value<'a>>, say: &mut dyn FnMut(Moment<'a>)) {
        let Some(content) = content.filter(|_| self.open != Open::Lost) else {
            return;
        };
        let thought = string(content, "thinking");
        if !thought.is_empty() {
            let block = match self.open {
                Open::Thought(block) => block,
                _ => next(&mut self.thoughts),
            };
            self.open = Open::Thought(block);
            say(Moment::Thinking {
                block,
                text: thought,
            });
        }
        self.text(string(content, "text"), say);
    }

    fn text<'a>(&mut self, text: Str<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        if !text.is_empty() {
            self.places.length = self.places.length.saturating_add(characters(&text));
            say(Moment::Text(text));
        }
    }

    fn plan<'a>(&mut self, text: Str<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        let block = match self.open {
            Open::Plan(block) => block,
            _ => {
                self.close(say);
                next(&mut self.thoughts)
            }
        };
        self.open = Open::Plan(block);
        if !text.is_empty() {
            say(Moment::Thinking { block, text });
        }
    }

    fn call<'a>(&mut self, call: Option<Value<'a>>, say: &mut dyn FnMut(Moment<'a>)) {
        self.close(say);
        let function = call.and_then(|call| member(call, "function"));
        let name = function
            .map(|function| string(function, "name"))
            .unwrap_or_default();
        let name = self.setup.names.here(name).into_owned();
        if name.is_empty() {
            self.losses.dropped("message.tool_calls");
            self.open = Open::Lost;
            return;
        }
        if self.setup.hidden_tool && name == HIDDEN_TOOL {
            self.open = Open::Hidden(false);
        } else {
            let number = next(&mut self.calls);
            let id = call.map(|call| string(call, "id")).unwrap_or_default();
            let answer = self.begun.as_deref().unwrap_or_default();
            say(Moment::Call {
                call: number,
                id: if id.is_empty() {
                    minted_id(answer, number).into()
                } else {
                    id
                },
                name: name.into(),
                custom: false,
                signature: None,
            });
            self.open = Open::Call(number, false);
        }
        self.arguments(call, say);
    }

    fn arguments<'a>(&mut self, call: Option<Value<'a>>, say: &mut dyn FnMut(Moment<'a>)) {
        let function = call.and_then(|call| member(call, "function"));
        let piece = function.map(|function| string(function, "arguments"));
        let Some(piece) = piece.filter(|piece| !piece.is_empty()) else {
            return;
        };
        match self.open {
            Open::Call(call, _) => {
                self.open = Open::Call(call, true);
                say(Moment::Arguments { call, piece });
            }
            Open::Hidden(_) => {
                self.open = Open::Hidden(true);
                self.text(piece, say);
            }
            Open::Lost => {}
            _ => self.losses.dropped("message.tool_calls"),
        }
    }

    /// A call that takes nothing has no piece: its arguments are an empty object, which clients must be able to parse.
    fn close<'a>(&mut self, say: &mut dyn FnMut(Moment<'a>)) {
        match std::mem::take(&mut self.open) {
            Open::Call(call, false) => say(Moment::Arguments {
                call,
                piece: "{}".into(),
            }),
            Open::Hidden(false) => self.text("{}".into(), say),
            _ => {}
        }
    }

    fn end<'a>(
        &mut self,
        document: &'a Document,
        delta: Option<Value<'a>>,
        say: &mut dyn FnMut(Moment<'a>),
    ) {
        self.over = true;
        let reason = delta
            .map(|delta| string(delta, "finish_reason"))
            .unwrap_or_default();
        if let Some(refusal) = failure(&reason) {
            return say(Moment::Failed(refusal));
        }
        if document.facts().error {
            return say(Moment::Failed(fault::read(document)));
        }
        self.begin(document.json().root(), say);
        self.close(say);
        let finish = document.facts().finish;
        if finish == Some(Finish::Other) {
            self.losses.dropped("finish_reason");
        }
        let called = self.calls > 0;
        let hidden = self.setup.hidden_tool;
        say(Moment::Finish {
            finish: finish.map(|finish| settled(finish, called, hidden)),
            stop_sequence: None,
            losses: std::mem::take(&mut self.losses),
        });
        say(Moment::End {
            usage: document.facts().usage.unwrap_or_default(),
        });
    }
}

fn next(count: &mut u32) -> u32 {
    let number = *count;
    *count = count.saturating_add(1);
    number
}

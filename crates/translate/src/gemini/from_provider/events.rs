//! Reading a streamed answer.

use bartizan_core::json::Value;
use bartizan_core::{Document, Finish, Refusal};

use super::grounding::{self, Told};
use super::parts::Part;
use super::usage::{self, Counts};
use super::{End, called, candidate, string};
use crate::dialects::Reader;
use crate::fault;
use crate::losses::Losses;
use crate::names::{ToolNames, minted_id};
use crate::neutral::{Answer, Moment, Str};
use crate::read::member;

/// What a stream has said so far.
///
/// Each event is a whole answer with the next pieces. The reason why the model stopped may come before the last of them, and there is no
/// word for the end: both are said when the stream has ended cleanly.
// ## Open => Finished: a reason to finish. Finished => Over: the clean end. Any => Over: an error.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// Whether the provider may search, so that its citations are placed in the text.
    searches: bool,
    names: ToolNames,
    told: Told,
    begun: bool,
    id: String,
    /// How many thoughts have begun, and whether the last goes on.
    thoughts: u32,
    thinks: bool,
    calls: u32,
    counts: Counts,
    losses: Losses,
    finish: Option<Finish>,
    over: bool,
}

impl Events {
    pub(crate) fn new(searches: bool, names: ToolNames) -> Self {
        Self {
            searches,
            names,
            ..Self::default()
        }
    }
}

impl Reader for Events {
    fn answer<'a>(&self, reply: &'a Document) -> Answer<'a> {
        super::decode(reply, &self.names)
    }

    fn hear<'a>(&mut self, document: &'a Document, say: &mut dyn FnMut(Moment<'a>)) {
        if self.over {
            return;
        }
        let event = document.json().root();
        if member(event, "error").is_some() {
            return self.fail(fault::read(document), say);
        }
        self.counts = usage::read(event, self.counts);
        self.begin(event, say);
        let candidate = candidate(event, &mut self.losses);
        let parts = candidate
            .and_then(|candidate| member(candidate, "content"))
            .and_then(|content| member(content, "parts"));
        for part in parts.into_iter().flat_map(Value::items) {
            if let Some(part) = Part::read(part, &mut self.losses) {
                self.part(part, say);
            }
        }
        if let Some(candidate) = candidate {
            for citation in grounding::read(candidate, &self.told, &mut self.losses) {
                say(Moment::Citation(citation));
            }
        }
        let end = End::read(event, candidate, &mut self.losses);
        if let Some(refusal) = end.failed {
            return self.fail(refusal, say);
        }
        if let Some(text) = end.says {
            say(Moment::Refusal(text));
        }
        self.finish = end.finish.or(self.finish);
    }

    fn over(&mut self, say: &mut dyn FnMut(Moment<'static>)) {
        if self.over {
            return;
        }
        if let Some(finish) = self.finish {
            self.over = true;
            say(Moment::Finish {
                finish: Some(called(finish, self.calls > 0)),
                stop_sequence: None,
                losses: std::mem::take(&mut self.losses),
            });
            say(Moment::End {
                usage: self.counts.settle(),
            });
        }
    }
}

impl Events {
    fn begin<'a>(&mut self, event: Value<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let id = string(event, "responseId");
        self.id = id.clone().into_owned();
        say(Moment::Start {
            id,
            model: string(event, "modelVersion"),
            usage: self.counts.settle(),
        });
    }

    fn part<'a>(&mut self, part: Part<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        match part {
            Part::Text { text, signature } => {
                self.thinks = false;
                if !text.is_empty() {
                    if self.searches {
                        self.told.go_on(&text);
                    }
                    say(Moment::Text(text));
                }
                if let Some(data) = signature {
                    let block = self.thought();
                    self.thinks = false;
                    say(Moment::Redacted {
                        block,
                        id: None,
                        data,
                    });
                }
            }
            Part::Thought { text, signature } => {
                let block = self.thought();
                if !text.is_empty() {
                    say(Moment::Thinking { block, text });
                }
                if let Some(signature) = signature {
                    say(Moment::Signature { block, signature });
                    self.thinks = false;
                }
            }
            Part::Call {
                id,
                name,
                args,
                signature,
            } => {
                self.thinks = false;
                let call = self.calls;
                self.calls = call.saturating_add(1);
                let minted = || minted_id(&self.id, call).into();
                say(Moment::Call {
                    call,
                    id: id.unwrap_or_else(minted),
                    name: self.names.here(name).into_owned().into(),
                    custom: false,
                    signature,
                });
                let piece: Str<'a> = args;
                say(Moment::Arguments { call, piece });
            }
        }
    }

    /// The thought that goes on, or the next.
    fn thought(&mut self) -> u32 {
        if !std::mem::replace(&mut self.thinks, true) {
            self.thoughts = self.thoughts.saturating_add(1);
        }
        self.thoughts.saturating_sub(1)
    }

    fn fail<'a>(&mut self, refusal: Refusal, say: &mut dyn FnMut(Moment<'a>)) {
        self.over = true;
        say(Moment::Failed(refusal));
    }
}

//! Reading answers, whole and line by line.

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Document, Finish, Framing, LineDecoder, Usage};

use crate::dialects::Reader;
use crate::fault;
use crate::losses::Losses;
use crate::names::{minted_answer_id, minted_id};
use crate::neutral::{Answer, Block, Moment, Str};
use crate::read::member;

/// What a stream has said so far.
// ## Waiting => Open: the first line. Open => Over: a line that is done. Any => Over: an error.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The answer's id, once the stream has begun.
    begun: Option<String>,
    thoughts: u32,
    thinking: bool,
    calls: u32,
    losses: Losses,
    over: bool,
}

/// Servers of this kind name no answer: its time and model do.
fn id(root: Value<'_>) -> String {
    minted_answer_id(&[&string(root, "created_at"), &string(root, "model")])
}

/// One call, where it can be run.
fn call<'a>(call: Value<'a>, answer: &str, number: u32, losses: &mut Losses) -> Option<Block<'a>> {
    let function = member(call, "function").unwrap_or(call);
    let name = string(function, "name");
    let arguments = member(function, "arguments");
    let input = match arguments.map(|arguments| (arguments.kind(), arguments)) {
        None => Str::from("{}"),
        Some((Kind::Object, arguments)) => arguments.raw().into(),
        // Neither a name nor an object: there is nothing to run.
        Some(_) => {
            losses.dropped("message.tool_calls");
            return None;
        }
    };
    if name.is_empty() {
        losses.dropped("message.tool_calls");
        return None;
    }
    let id = string(call, "id");
    Some(Block::ToolUse {
        id: if id.is_empty() {
            minted_id(answer, number).into()
        } else {
            id
        },
        name,
        input,
        custom: false,
        cache: None,
        signature: None,
    })
}

fn lost(root: Value<'_>, message: Option<Value<'_>>, losses: &mut Losses) {
    let images = message.and_then(|message| member(message, "images"));
    if images.is_some_and(|images| !crate::neutral::is_empty(images)) {
        losses.dropped("message.images");
    }
    if member(root, "logprobs").is_some_and(|list| !crate::neutral::is_empty(list)) {
        losses.dropped("logprobs");
    }
}

impl Reader for Lines {
    fn answer<'a>(&self, reply: &'a Document) -> Answer<'a> {
        let root = reply.json().root();
        let mut answer = Answer {
            id: id(root).into(),
            model: string(root, "model"),
            usage: reply.facts().usage.unwrap_or_default(),
            ..Answer::default()
        };
        let message = member(root, "message");
        let said = |key| {
            message
                .map(|message| string(message, key))
                .unwrap_or_default()
        };
        let (thinking, content) = (said("thinking"), said("content"));
        if !thinking.is_empty() {
            answer.blocks.push(Block::Thinking {
                id: None,
                text: thinking,
                signature: None,
            });
        }
        if !content.is_empty() {
            answer.blocks.push(Block::text(content));
        }
        let mut number = 0;
        let calls = message.and_then(|message| member(message, "tool_calls"));
        for listed in calls.into_iter().flat_map(Value::items) {
            if let Some(block) = call(listed, &answer.id, number, &mut answer.losses) {
                answer.blocks.push(block);
                number += 1;
            }
        }
        lost(root, message, &mut answer.losses);
        answer.finish = reply
            .facts()
            .finish
            .map(|finish| settled(finish, number > 0));
        if answer.finish == Some(Finish::Other) {
            answer.losses.dropped("done_reason");
        }
        answer
    }

    fn hear<'a>(&mut self, line: &'a Document, say: &mut dyn FnMut(Moment<'a>)) {
        if self.over {
            return;
        }
        let root = line.json().root();
        if line.facts().error {
            self.over = true;
            return say(Moment::Failed(fault::read(line)));
        }
        self.begin(root, say);
        let message = member(root, "message");
        if let Some(message) = message {
            self.message(message, say);
        }
        lost(root, message, &mut self.losses);
        if member(root, "done").and_then(Value::as_bool) != Some(true) {
            return;
        }
        self.over = true;
        let finish = line.facts().finish;
        let called = self.calls > 0;
        let finish = finish.map(|finish| settled(finish, called));
        if finish == Some(Finish::Other) {
            self.losses.dropped("done_reason");
        }
        say(Moment::Finish {
            finish,
            stop_sequence: None,
            losses: std::mem::take(&mut self.losses),
        });
        say(Moment::End {
            usage: line.facts().usage.unwrap_or_default(),
        });
    }

    fn framing(&self) -> Option<Box<dyn Framing>> {
        Some(Box::new(LineDecoder::default()))
    }
}

impl Lines {
    fn begin<'a>(&mut self, root: Value<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        if self.begun.is_some() {
            return;
        }
        let id = id(root);
        self.begun = Some(id.clone());
        say(Moment::Start {
            id: id.into(),
            model: string(root, "model"),
            usage: Usage::default(),
        });
    }

    fn message<'a>(&mut self, message: Value<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        let thinking = string(message, "thinking");
        if !thinking.is_empty() {
            if !std::mem::replace(&mut self.thinking, true) {
                self.thoughts = self.thoughts.saturating_add(1);
            }
            say(Moment::Thinking {
                block: self.thoughts - 1,
                text: thinking,
            });
        }
        let content = string(message, "content");
        if !content.is_empty() {
            self.thinking = false;
            say(Moment::Text(content));
        }
        let calls = member(message, "tool_calls");
        for listed in calls.into_iter().flat_map(Value::items) {
            self.thinking = false;
            let answer = self.begun.as_deref().unwrap_or_default();
            let Some(Block::ToolUse {
                id, name, input, ..
            }) = call(listed, answer, self.calls, &mut self.losses)
            else {
                continue;
            };
            let call = self.calls;
            self.calls = self.calls.saturating_add(1);
            say(Moment::Call {
                call,
                id,
                name,
                custom: false,
                signature: None,
            });
            say(Moment::Arguments { call, piece: input });
        }
    }
}

/// The reason is `stop` where the model waits for its tools too.
fn settled(finish: Finish, called: bool) -> Finish {
    match finish {
        Finish::Stop if called => Finish::ToolCalls,
        finish => finish,
    }
}

fn string<'a>(from: Value<'a>, key: &str) -> Str<'a> {
    member(from, key).and_then(Value::text).unwrap_or_default()
}

//! Reading answers, whole or streamed.

use bartizan_core::json::Value;
use bartizan_core::{Document, Finish, Usage};

use crate::dialects::Reader;
use crate::fault;
use crate::losses::Losses;
use crate::neutral::{Answer, Block, Moment, Str};
use crate::openai_chat::words;
use crate::read::member;

/// What a stream has said so far. Why it finished is told with its end.
// ## Waiting => Open: the first chunk with a choice. Open => Over: `[DONE]`. Any => Over: an error.
#[derive(Debug, Default)]
pub(super) struct Events {
    begun: bool,
    usage: Usage,
    finish: Option<Finish>,
    losses: Losses,
    over: bool,
}

impl Reader for Events {
    fn answer<'a>(&self, reply: &'a Document) -> Answer<'a> {
        let root = reply.json().root();
        let mut answer = Answer {
            id: string(root, "id"),
            model: string(root, "model"),
            usage: reply.facts().usage.unwrap_or_default(),
            ..Answer::default()
        };
        for (number, choice) in choices(root).enumerate() {
            if number > 0 {
                answer.losses.dropped("choices");
                break;
            }
            let text = string(choice, "text");
            if !text.is_empty() {
                answer.blocks.push(Block::text(text));
            }
            let (finish, failed) = ended(choice, &mut answer.losses);
            answer.finish = finish;
            answer.failed = failed.then(words::failed);
        }
        answer
    }

    fn hear<'a>(&mut self, event: &'a Document, say: &mut dyn FnMut(Moment<'a>)) {
        if self.over {
            return;
        }
        let root = event.json().root();
        if event.facts().error {
            self.over = true;
            return say(Moment::Failed(fault::read(event)));
        }
        if let Some(usage) = event.facts().usage.filter(|usage| usage.total() > 0) {
            self.usage = usage;
        }
        for choice in choices(root) {
            if member(choice, "index").and_then(Value::as_u64).unwrap_or(0) > 0 {
                self.losses.dropped("choices");
                continue;
            }
            if !std::mem::replace(&mut self.begun, true) {
                say(Moment::Start {
                    id: string(root, "id"),
                    model: string(root, "model"),
                    usage: Usage::default(),
                });
            }
            let text = string(choice, "text");
            if !text.is_empty() {
                say(Moment::Text(text));
            }
            let (finish, failed) = ended(choice, &mut self.losses);
            if failed {
                self.over = true;
                return say(Moment::Failed(words::failed()));
            }
            self.finish = self.finish.or(finish);
        }
    }

    fn done(&mut self, say: &mut dyn FnMut(Moment<'static>)) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        if !std::mem::replace(&mut self.begun, true) {
            say(Moment::Start {
                id: Str::default(),
                model: Str::default(),
                usage: Usage::default(),
            });
        }
        say(Moment::Finish {
            finish: self.finish,
            stop_sequence: None,
            losses: std::mem::take(&mut self.losses),
        });
        say(Moment::End { usage: self.usage });
    }
}

fn choices(root: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    member(root, "choices").into_iter().flat_map(Value::items)
}

/// Why it finished, and whether that is a failure.
fn ended(choice: Value<'_>, losses: &mut Losses) -> (Option<Finish>, bool) {
    if member(choice, "logprobs").is_some() {
        losses.dropped("choices.logprobs");
    }
    let reason = string(choice, "finish_reason");
    if reason.is_empty() {
        return (None, false);
    }
    let finish = words::finish(&reason);
    if finish == Some(Finish::Other) {
        losses.dropped("choices.finish_reason");
    }
    (finish, words::is_failure(&reason))
}

fn string<'a>(from: Value<'a>, key: &str) -> Str<'a> {
    member(from, key).and_then(Value::text).unwrap_or_default()
}

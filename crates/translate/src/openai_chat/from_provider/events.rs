//! Reading a streamed answer.

use bartizan_core::json::Value;
use bartizan_core::{Dialect, Document, Finish, Framing, Usage};

use super::calls::Calls;
use super::{Setup, is_something, parts, string, text};
use crate::dialects::Reader;
use crate::fault;
use crate::losses::Losses;
use crate::neutral::{Answer, Block, Moment, Str};
use crate::openai_chat::{EndsUnsaid, words};
use crate::read::member;

/// What a stream has said so far.
///
/// Why it finished is told with its end, so that what comes behind the reason (calls, usage) is told before.
// ## Waiting => Open: the first chunk with a choice. Open => Over: `[DONE]`. Any => Over: an error.
#[derive(Debug, Default)]
pub(crate) struct Events {
    setup: Setup,
    /// The answer's id, once the stream has begun.
    begun: Option<String>,
    thoughts: Thoughts,
    calls: Calls,
    cited: Vec<String>,
    usage: Usage,
    finish: Option<Finish>,
    losses: Losses,
    over: bool,
}

/// Thoughts are numbered from 0. A piece goes on with the thought before it, unless it has another index or something else was said between.
#[derive(Debug, Default)]
struct Thoughts {
    count: u32,
    open: Option<Option<u64>>,
}

impl Thoughts {
    fn number(&mut self, index: Option<u64>) -> u32 {
        if self.open != Some(index) {
            self.open = Some(index);
            self.count = self.count.saturating_add(1);
        }
        self.count - 1
    }
}

impl Events {
    pub(in crate::openai_chat) fn new(setup: Setup) -> Self {
        Self {
            setup,
            ..Self::default()
        }
    }

    fn begin<'a>(&mut self, root: Option<Value<'a>>, say: &mut dyn FnMut(Moment<'a>)) {
        if self.begun.is_some() {
            return;
        }
        let says = |key| root.map(|root| string(root, key)).unwrap_or_default();
        let id = says("id");
        self.begun = Some(id.clone().into_owned());
        say(Moment::Start {
            id,
            model: says("model"),
            usage: Usage::default(),
        });
    }

    fn think<'a>(&mut self, index: Option<u64>, block: Block<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        match block {
            Block::Thinking {
                text, signature, ..
            } => {
                let block = self.thoughts.number(index);
                if !text.is_empty() {
                    say(Moment::Thinking { block, text });
                }
                if let Some(signature) = signature {
                    say(Moment::Signature { block, signature });
                }
            }
            Block::Redacted { id, data } => {
                // Each is a thought of its own.
                self.thoughts.open = None;
                let block = self.thoughts.number(index);
                self.thoughts.open = None;
                say(Moment::Redacted { block, id, data });
            }
            _ => {}
        }
    }

    fn text<'a>(&mut self, text: Str<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        if !text.is_empty() {
            self.thoughts.open = None;
            say(Moment::Text(text));
        }
    }

    fn delta<'a>(&mut self, root: Value<'a>, delta: Value<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        let mut losses = std::mem::take(&mut self.losses);
        parts::pieces(delta, &mut losses, |index, block| {
            self.think(index, block, say);
        });
        parts::content(member(delta, "content"), &mut losses, |block| match block {
            Block::Text { text, .. } => self.text(text, say),
            Block::Refusal { text } => say(Moment::Refusal(text)),
            block => self.think(None, block, say),
        });
        self.losses = losses;
        if let Some(text) = text(delta, "refusal") {
            say(Moment::Refusal(text));
        }
        for (name, loss) in parts::LOST {
            if member(delta, name).is_some_and(is_something) {
                self.losses.dropped(loss);
            }
        }
        if member(delta, "tool_calls").is_some() || member(delta, "function_call").is_some() {
            let answer = self.begun.as_deref().unwrap_or_default();
            self.calls.hear(delta, answer, &self.setup, say);
        }
        // Some servers say them again with every piece.
        for citation in parts::citations(root, delta, &mut self.losses) {
            if !self.cited.iter().any(|url| *url == citation.url) || citation.range.is_some() {
                self.cited.push(citation.url.clone().into_owned());
                say(Moment::Citation(citation));
            }
        }
    }

    fn end(&mut self, say: &mut dyn FnMut(Moment<'static>)) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.begin(None, say);
        let answer = self.begun.as_deref().unwrap_or_default();
        self.calls
            .finish(answer, &self.setup, &mut self.losses, say);
        let called = self.calls.any();
        let hidden = self.setup.hidden_tool;
        say(Moment::Finish {
            finish: self
                .finish
                .map(|finish| words::settled(finish, called, hidden)),
            stop_sequence: None,
            losses: std::mem::take(&mut self.losses),
        });
        say(Moment::End { usage: self.usage });
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
        let root = document.json().root();
        let facts = document.facts();
        if facts.error || member(root, "object").is_some_and(|object| object.is("error")) {
            self.over = true;
            return say(Moment::Failed(fault::read(document)));
        }
        // Totals so far; the last word counts.
        if let Some(usage) = facts.usage.filter(|usage| usage.total() > 0) {
            self.usage = usage;
        }
        for choice in member(root, "choices").into_iter().flat_map(Value::items) {
            if member(choice, "index").and_then(Value::as_u64).unwrap_or(0) > 0 {
                self.losses.dropped("choices");
                continue;
            }
            self.begin(Some(root), say);
            // The whole of it stands in `message` where a server says it at once.
            if let Some(delta) = member(choice, "delta").or_else(|| member(choice, "message")) {
                self.delta(root, delta, say);
            }
            if member(choice, "logprobs").is_some() {
                self.losses.dropped("choices.logprobs");
            }
            if let Some(reason) = text(choice, "finish_reason")
                && self.finish.is_none()
            {
                if words::is_failure(&reason) {
                    self.over = true;
                    return say(Moment::Failed(words::failed()));
                }
                self.finish = words::finish(&reason);
                if self.finish == Some(Finish::Other) {
                    self.losses.dropped("choices.finish_reason");
                }
            }
        }
    }

    fn done(&mut self, say: &mut dyn FnMut(Moment<'static>)) {
        self.end(say);
    }

    fn framing(&self) -> Option<Box<dyn Framing>> {
        let framing = || Box::new(EndsUnsaid::new(Dialect::OpenAiChat)) as Box<dyn Framing>;
        self.setup.ends_unsaid.then(framing)
    }
}

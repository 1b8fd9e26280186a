//! Reading a streamed answer.

use bartizan_core::json::Value;
use bartizan_core::{Document, Usage};

use super::items::Items;
use super::{What, finish, kind, string};
use crate::dialects::Reader;
use crate::fault;
use crate::losses::Losses;
use crate::names::ToolNames;
use crate::neutral::{Answer, Moment};
use crate::read::member;

/// Events that say what others say too, or nothing that lasts.
const SILENT: &[&str] = &[
    "response.queued",
    "response.content_part.added",
    "response.reasoning_part.added",
    "response.reasoning_part.done",
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_part.done",
];

/// What a stream has said so far.
// ## Unbegun => Open: the first event. Open => Over: response.completed or .incomplete, which are the end. Any => Over: an error.
#[derive(Debug, Default)]
pub(crate) struct Events {
    names: ToolNames,
    /// The answer's id, once the stream has begun.
    begun: Option<String>,
    items: Items,
    losses: Losses,
    over: bool,
}

impl Events {
    pub(in crate::openai_responses) fn new(names: ToolNames) -> Self {
        Self {
            names,
            ..Self::default()
        }
    }

    fn begin<'a>(&mut self, response: Option<Value<'a>>, say: &mut dyn FnMut(Moment<'a>)) {
        if self.begun.is_some() {
            return;
        }
        let says = |key| response.map(|root| string(root, key)).unwrap_or_default();
        let id = says("id");
        self.begun = Some(id.clone().into_owned());
        say(Moment::Start {
            id,
            model: says("model"),
            usage: Usage::default(),
        });
    }

    fn done<'a>(&mut self, index: Option<u64>, item: Value<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        let answer = self.begun.as_deref().unwrap_or_default();
        let setup = (answer, &self.names, &mut self.losses);
        self.items.done(index, item, setup, say);
    }

    /// The end, with the whole answer once more.
    fn end<'a>(
        &mut self,
        document: &'a Document,
        response: Value<'a>,
        say: &mut dyn FnMut(Moment<'a>),
    ) {
        let output = member(response, "output").into_iter();
        for (item, index) in output.flat_map(Value::items).zip(0..) {
            if !self.items.may_be_told(index, item) {
                self.done(Some(index), item, say);
            }
        }
        self.items.finish(&mut self.losses, say);
        self.over = true;
        let facts = document.facts();
        let finish = finish(facts.finish, self.items.called(), &mut self.losses);
        say(Moment::Finish {
            finish,
            stop_sequence: None,
            losses: std::mem::take(&mut self.losses),
        });
        say(Moment::End {
            usage: facts.usage.unwrap_or_default(),
        });
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
        let kind = kind(event);
        let kind = kind.as_deref().unwrap_or_default();
        if document.facts().error || kind == "response.failed" {
            self.over = true;
            return say(Moment::Failed(fault::read(document)));
        }
        let response = member(event, "response");
        if kind != "keepalive" {
            self.begin(response, say);
        }
        let delta = || string(event, "delta");
        let items = &mut self.items;
        match kind {
            "response.output_text.delta" => items.words(event, delta(), false, say),
            "response.output_text.done" => {
                items.all_words(event, string(event, "text"), false, say);
            }
            "response.refusal.delta" => items.words(event, delta(), true, say),
            "response.refusal.done" => {
                items.all_words(event, string(event, "refusal"), true, say);
            }
            "response.output_text.annotation.added" => items.cited(event, &mut self.losses, say),
            "response.content_part.done" => items.part_done(event, &mut self.losses, say),
            "response.reasoning_summary_text.delta" => {
                items.thinks(event, What::Summary, delta(), say);
            }
            "response.reasoning_summary_text.done" => {
                items.thought(event, What::Summary, string(event, "text"), say);
            }
            "response.reasoning_text.delta" => items.thinks(event, What::Content, delta(), say),
            "response.reasoning_text.done" => {
                items.thought(event, What::Content, string(event, "text"), say);
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                items.arguments(event, delta(), say);
            }
            "response.function_call_arguments.done" => {
                items.all_arguments(event, string(event, "arguments"), say);
            }
            "response.custom_tool_call_input.done" => {
                items.all_arguments(event, string(event, "input"), say);
            }
            "response.output_item.added" => {
                if let Some(item) = member(event, "item") {
                    let index = member(event, "output_index").and_then(Value::as_u64);
                    items.added(index, item, (&self.names, &mut self.losses), say);
                }
            }
            "response.output_item.done" => {
                if let Some(item) = member(event, "item") {
                    let index = member(event, "output_index").and_then(Value::as_u64);
                    self.done(index, item, say);
                }
            }
            "response.created" | "response.in_progress" => {}
            "response.completed" | "response.incomplete" => {
                self.end(document, response.unwrap_or(event), say);
            }
            "keepalive" => say(Moment::Alive),
            kind if SILENT.contains(&kind) || items.is_lost(event) => {}
            // New kinds of events are announced as additions.
            _ => self.losses.dropped("events.other"),
        }
    }
}

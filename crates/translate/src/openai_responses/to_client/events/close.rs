//! What ends: parts, items, and the answer.

use bartizan_core::{Dialect, Out, Refusal, Usage};

use super::{Events, send};
use crate::openai_responses::to_client::item::{Kind, Status};
use crate::openai_responses::to_client::response::{End, is_incomplete};
use crate::write::Writer;

impl Events {
    /// Ends the part that is open in the item at `at`, if any is.
    pub(super) fn close_part(&mut self, at: usize, out: &mut Out) {
        let (kind, text, done) = match self.items.get(at).map(|item| &item.kind) {
            Some(Kind::Message(parts)) => match parts.last() {
                Some(part) if part.refusal => (
                    "response.refusal.done",
                    ("refusal", part.text.clone()),
                    "response.content_part.done",
                ),
                Some(part) => (
                    "response.output_text.done",
                    ("text", part.text.clone()),
                    "response.content_part.done",
                ),
                None => return,
            },
            Some(Kind::Reasoning { summary, .. }) => match summary.last() {
                Some(text) => (
                    "response.reasoning_summary_text.done",
                    ("text", text.clone()),
                    "response.reasoning_summary_part.done",
                ),
                None => return,
            },
            _ => return,
        };
        let mut event = self.part_event(kind, at);
        event.text_at(text.0, &text.1);
        if kind == "response.output_text.done" {
            event.raw_at("logprobs", "[]");
        }
        send(kind, event, out);
        self.whole_part(done, at, out);
    }

    pub(super) fn close_open(&mut self, status: Status, out: &mut Out) {
        if let Some(open) = self.open.take() {
            self.close_part(open.at, out);
            self.whole_item("response.output_item.done", open.at, status, out);
        }
    }

    /// Ends the calls whose arguments are whole; at the end of the answer, all of them.
    pub(super) fn close_calls(&mut self, all: bool, out: &mut Out) {
        let calls = std::mem::take(&mut self.calls);
        for (number, at) in calls {
            let whole = match self.items.get(at).map(|item| &item.kind) {
                Some(Kind::Call(call)) => call.whole.is_whole(),
                _ => false,
            };
            if whole || all {
                self.close_call(number, at, out);
            } else {
                self.calls.push((number, at));
            }
        }
    }

    fn close_call(&mut self, number: u32, at: usize, out: &mut Out) {
        let Some(item) = self.items.get(at) else {
            return;
        };
        let cut = is_incomplete(self.finish);
        let Kind::Call(call) = &item.kind else {
            return;
        };
        let (custom, name, mut input) = (call.custom, call.name.clone(), call.input.clone());
        if input.is_empty() && !custom && !cut {
            // Clients parse it: what takes nothing is called with an empty object.
            self.calls.push((number, at));
            self.arguments(number, "{}", out);
            self.calls.pop();
            "{}".clone_into(&mut input);
        }
        let status = self.status(at);
        let (kind, body) = if custom {
            ("response.custom_tool_call_input.done", "input")
        } else {
            ("response.function_call_arguments.done", "arguments")
        };
        let mut event = self.item_event(kind, at);
        if !custom {
            event.text_at("name", &name);
        }
        event.text_at(body, &input);
        send(kind, event, out);
        self.whole_item("response.output_item.done", at, status, out);
    }

    /// How far the item at `at` came, once the answer ends.
    fn status(&self, at: usize) -> Status {
        let cut = is_incomplete(self.finish);
        let last = at + 1 == self.items.len();
        let item = self.items.get(at);
        item.map_or(Status::Completed, |item| item.status(cut, last))
    }

    pub(super) fn fail(&mut self, refusal: &Refusal, out: &mut Out) {
        self.over = true;
        out.push(refusal.event_after(self.number, Dialect::OpenAiResponses));
    }

    pub(super) fn end(&mut self, usage: &Usage, out: &mut Out) {
        self.begin("", "", out);
        let cut = is_incomplete(self.finish);
        if let Some(open) = self.open {
            self.close_open(self.status(open.at), out);
        }
        self.close_calls(true, out);
        self.over = true;
        let kind = if cut {
            "response.incomplete"
        } else {
            "response.completed"
        };
        let mut event = self.event(kind, 2_048);
        event.key("response");
        let end = End::Ended {
            finish: self.finish,
            usage,
            losses: &self.losses,
        };
        let items = &self.items;
        let output = |event: &mut Writer| {
            for (at, item) in items.iter().enumerate() {
                item.write(item.status(cut, at + 1 == items.len()), event);
            }
        };
        self.head.write(end, output, &mut event);
        send(kind, event, out);
    }
}

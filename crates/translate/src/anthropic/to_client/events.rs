//! Writing a streamed answer.

use bartizan_core::{Dialect, Event, Finish, Out, Usage};

use super::{cite, dropped, head, stop, usage};
use crate::losses::Losses;
use crate::neutral::{Maker, Moment, Str};
use crate::pieces::Whole;
use crate::write::Writer;

/// Turns what happens into events.
///
/// `message_delta` and `message_stop` are written when the provider says so and never else: a stream that is cut has neither.
// ## Unbegun => Open: the first thing that happens. Open => Ended: the provider says that the answer is whole, or fails.
#[derive(Debug)]
pub(super) struct Events {
    created: u64,
    begun: bool,
    /// How many blocks have been started.
    blocks: u32,
    /// The block that text or thinking goes to.
    open: Option<Open>,
    calls: Vec<Call>,
    refused: bool,
    finish: Option<Finish>,
    stop_sequence: Option<String>,
    losses: Losses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    index: u32,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking(u32),
}

/// A call whose block is open.
#[derive(Debug)]
struct Call {
    call: u32,
    index: u32,
    whole: Whole,
    custom: bool,
}

impl Events {
    pub(super) fn new(created: u64) -> Self {
        Self {
            created,
            begun: false,
            blocks: 0,
            open: None,
            calls: Vec::new(),
            refused: false,
            finish: None,
            stop_sequence: None,
            losses: Losses::default(),
        }
    }

    pub(super) fn say(&mut self, moment: &Moment<'_>, out: &mut Out) {
        match moment {
            Moment::Start { id, model, usage } => self.begin(id, model, usage, out),
            Moment::Text(text) => {
                let index = self.block(Kind::Text, out);
                delta(index, "text_delta", "text", text, out);
            }
            Moment::Refusal(text) => {
                self.refused = true;
                let index = self.block(Kind::Text, out);
                delta(index, "text_delta", "text", text, out);
            }
            Moment::Citation(citation) => {
                let index = self.block(Kind::Text, out);
                event(out, "content_block_delta", |event| {
                    event.number_at("index", index.into());
                    event.key("delta");
                    event.open();
                    event.plain_at("type", "citations_delta");
                    event.key("citation");
                    cite(citation, event);
                    event.close();
                });
            }
            Moment::Thinking { block, text } => {
                let index = self.block(Kind::Thinking(*block), out);
                delta(index, "thinking_delta", "thinking", text, out);
            }
            Moment::Signature { block, signature } => {
                let index = self.block(Kind::Thinking(*block), out);
                let signed = signature.tagged(Maker::Anthropic);
                delta(index, "signature_delta", "signature", &signed, out);
            }
            Moment::Redacted { data, .. } => self.redacted(&data.tagged(Maker::Anthropic), out),
            Moment::Call {
                call,
                id,
                name,
                custom,
                signature,
            } => {
                if let Some(signature) = signature {
                    self.redacted(&signature.tagged(Maker::Anthropic), out);
                }
                self.call(*call, id, name, *custom, out);
            }
            Moment::Arguments { call, piece } => self.arguments(*call, piece, out),
            Moment::Finish {
                finish,
                stop_sequence,
                losses,
            } => {
                self.finish = *finish;
                self.stop_sequence = stop_sequence.as_ref().map(|said| said.clone().into_owned());
                self.losses = losses.clone();
            }
            Moment::Alive => event(out, "ping", |_| {}),
            Moment::Failed(refusal) => out.push(refusal.event(Dialect::AnthropicMessages)),
            Moment::End { usage } => self.end(usage, out),
        }
    }

    fn begin(&mut self, id: &str, model: &str, used: &Usage, out: &mut Out) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let created = self.created;
        event(out, "message_start", |event| {
            event.key("message");
            event.open();
            head(id, model, created, event);
            event.raw(r#""content":[],"stop_reason":null,"stop_sequence":null"#);
            usage(used, event);
            event.close();
        });
    }

    /// The index of the open block of this kind, which is started where there is none.
    fn block(&mut self, kind: Kind, out: &mut Out) -> u32 {
        if let Some(open) = self.open.filter(|open| open.kind == kind) {
            return open.index;
        }
        let start = match kind {
            Kind::Text => r#"{"type":"text","text":""}"#,
            Kind::Thinking(_) => r#"{"type":"thinking","thinking":"","signature":""}"#,
        };
        let index = self.start(out, |block| block.raw(start));
        self.open = Some(Open { index, kind });
        index
    }

    /// Starts a block, after those that can be told to be whole are stopped.
    fn start(&mut self, out: &mut Out, write: impl FnOnce(&mut Writer)) -> u32 {
        self.begin("", "", &Usage::default(), out);
        if let Some(open) = self.open.take() {
            stop_block(open.index, out);
        }
        self.calls.retain(|call| {
            let goes_on = call.custom || !call.whole.is_whole();
            if !goes_on {
                stop_block(call.index, out);
            }
            goes_on
        });
        let index = self.blocks;
        self.blocks = index.saturating_add(1);
        event(out, "content_block_start", |event| {
            event.number_at("index", index.into());
            event.key("content_block");
            write(event);
        });
        index
    }

    fn redacted(&mut self, data: &str, out: &mut Out) {
        let index = self.start(out, |block| super::redacted(data, block));
        stop_block(index, out);
    }

    fn call(&mut self, call: u32, id: &str, name: &str, custom: bool, out: &mut Out) {
        let index = self.start(out, |block| {
            block.open();
            block.plain_at("type", "tool_use");
            block.text_at("id", id);
            block.text_at("name", name);
            block.raw(r#""input":{}"#);
            block.close();
        });
        if custom {
            delta(index, INPUT, PARTIAL, r#"{"input":""#, out);
        }
        self.calls.push(Call {
            call,
            index,
            whole: Whole::default(),
            custom,
        });
    }

    fn arguments(&mut self, call: u32, piece: &Str<'_>, out: &mut Out) {
        let Some(call) = self.calls.iter_mut().find(|open| open.call == call) else {
            return;
        };
        if call.custom {
            let mut escaped = String::with_capacity(piece.len() + 8);
            bartizan_core::json::escape_into(&mut escaped, piece);
            delta(call.index, INPUT, PARTIAL, &escaped, out);
        } else {
            call.whole.push(piece);
            delta(call.index, INPUT, PARTIAL, piece, out);
        }
    }

    fn end(&mut self, used: &Usage, out: &mut Out) {
        self.begin("", "", &Usage::default(), out);
        if let Some(open) = self.open.take() {
            stop_block(open.index, out);
        }
        for call in self.calls.drain(..) {
            if call.custom {
                delta(call.index, INPUT, PARTIAL, "\"}", out);
            }
            stop_block(call.index, out);
        }
        event(out, "message_delta", |event| {
            event.key("delta");
            event.open();
            stop(
                self.finish,
                self.refused,
                self.stop_sequence.as_deref(),
                event,
            );
            event.close();
            usage(used, event);
            dropped(&self.losses, event);
        });
        event(out, "message_stop", |_| {});
    }
}

const INPUT: &str = "input_json_delta";
const PARTIAL: &str = "partial_json";

fn event(out: &mut Out, kind: &str, write: impl FnOnce(&mut Writer)) {
    let mut event = Writer::with_capacity(160);
    event.open();
    event.plain_at("type", kind);
    write(&mut event);
    event.close();
    out.push(Event::new(Some(kind), &event.finish()));
}

fn delta(index: u32, kind: &str, key: &str, text: &str, out: &mut Out) {
    event(out, "content_block_delta", |event| {
        event.number_at("index", index.into());
        event.key("delta");
        event.open();
        event.plain_at("type", kind);
        event.text_at(key, text);
        event.close();
    });
}

fn stop_block(index: u32, out: &mut Out) {
    event(out, "content_block_stop", |event| {
        event.number_at("index", index.into());
    });
}

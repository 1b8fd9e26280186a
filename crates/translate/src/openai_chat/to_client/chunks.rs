//! Writing a streamed answer.

use bartizan_core::{Dialect, Event, Out, Usage};

use super::calls::{self, Call};
use super::{annotation, dropped, finish, usage};
use crate::neutral::Moment;
use crate::openai_chat::reasoning::Detail;
use crate::write::Writer;

/// Turns what happens into chunks.
///
/// The chunk with a finish reason and `[DONE]` are written when the provider says so and never else: a stream that is cut has neither.
#[derive(Debug)]
pub(crate) struct Chunks {
    created: u64,
    /// Whether the client asked for the usage. If not, the chunk is there for other layers, hidden.
    shows_usage: bool,
    /// Whether the client reads `function_call`, and so the first call alone.
    functions: bool,
    /// The calls of tools that take any text.
    customs: Vec<u32>,
    /// How many annotations have been told.
    citations: u64,
    /// Whether there were calls that the client has no place for.
    lost: bool,
    /// What every chunk begins with, up to its choices.
    head: String,
}

impl Chunks {
    pub(crate) fn new(created: u64, shows_usage: bool, functions: bool) -> Self {
        let mut chunks = Self {
            created,
            shows_usage,
            functions,
            customs: Vec::new(),
            citations: 0,
            lost: false,
            head: String::new(),
        };
        chunks.begin("", "");
        chunks
    }

    pub(crate) fn say(&mut self, moment: &Moment<'_>, out: &mut Out) {
        match moment {
            Moment::Start { id, model, .. } => {
                self.begin(id, model);
                self.delta(out, |delta| {
                    delta.plain_at("role", "assistant");
                    delta.plain_at("content", "");
                });
            }
            Moment::Text(text) => self.delta(out, |delta| delta.text_at("content", text)),
            Moment::Refusal(text) => self.delta(out, |delta| delta.text_at("refusal", text)),
            Moment::Citation(citation) => {
                let index = self.citations;
                self.citations += 1;
                self.delta(out, |delta| {
                    delta.key("annotations");
                    delta.open_list();
                    annotation(citation, Some(index), delta);
                    delta.close_list();
                });
            }
            Moment::Thinking { block, text } => self.delta(out, |delta| {
                delta.text_at("reasoning_content", text);
                let detail = Detail::Text {
                    id: None,
                    text: Some(text),
                    signature: None,
                };
                write_detail(&detail, *block, delta);
            }),
            Moment::Signature { block, signature } => self.delta(out, |delta| {
                let detail = Detail::Text {
                    id: None,
                    text: None,
                    signature: Some(signature),
                };
                write_detail(&detail, *block, delta);
            }),
            Moment::Redacted { block, id, data } => self.delta(out, |delta| {
                let detail = Detail::Encrypted {
                    id: id.as_deref(),
                    data,
                };
                write_detail(&detail, *block, delta);
            }),
            Moment::Call {
                call,
                id,
                name,
                custom,
                signature,
            } => {
                if *custom {
                    self.customs.push(*call);
                }
                let begun = Call {
                    id,
                    name,
                    text: "",
                    custom: *custom,
                    signature: signature.as_ref(),
                };
                self.call(*call, &begun, out);
            }
            Moment::Arguments { call, piece } => self.arguments(*call, piece, out),
            Moment::Finish {
                finish: reason,
                losses,
                ..
            } => {
                let mut losses = losses.clone();
                if self.lost {
                    losses.dropped(calls::LOST);
                }
                let chunk = self.chunk(|chunk| {
                    chunk.raw(r#"{"index":0,"delta":{}"#);
                    chunk.key("finish_reason");
                    finish(*reason, self.functions, chunk);
                    chunk.close();
                    chunk.close_list();
                    dropped(&losses, chunk);
                });
                out.push(Event::new(None, &chunk));
            }
            Moment::Alive => out.push(Event::comment("ping")),
            Moment::Failed(refusal) => out.push(refusal.event(Dialect::OpenAiChat)),
            Moment::End { usage } => {
                self.usage(usage, out);
                out.push(Event::new(None, "[DONE]"));
            }
        }
    }

    fn call(&mut self, index: u32, call: &Call<'_>, out: &mut Out) {
        match (self.functions, index) {
            (false, _) => self.delta(out, |delta| {
                delta.key("tool_calls");
                delta.open_list();
                call.write(Some(index), delta);
                delta.close_list();
            }),
            (true, 0) => self.delta(out, |delta| call.write_function(delta)),
            (true, _) => self.lost = true,
        }
    }

    fn arguments(&self, index: u32, piece: &str, out: &mut Out) {
        match (self.functions, index) {
            (false, _) => {
                let custom = self.customs.contains(&index);
                self.delta(out, |delta| calls::piece(index, custom, piece, delta));
            }
            (true, 0) => self.delta(out, |delta| {
                delta.key("function_call");
                delta.open();
                delta.text_at("arguments", piece);
                delta.close();
            }),
            (true, _) => {}
        }
    }

    fn begin(&mut self, id: &str, model: &str) {
        let mut head = Writer::with_capacity(192);
        head.open();
        head.text_at("id", id);
        head.plain_at("object", "chat.completion.chunk");
        head.number_at("created", self.created);
        head.text_at("model", model);
        head.key("choices");
        head.open_list();
        self.head = head.finish();
    }

    fn delta(&self, out: &mut Out, write: impl FnOnce(&mut Writer)) {
        let chunk = self.chunk(|chunk| {
            chunk.raw(r#"{"index":0,"delta":{"#);
            write(chunk);
            chunk.close();
            chunk.raw(r#""finish_reason":null"#);
            chunk.close();
            chunk.close_list();
        });
        out.push(Event::new(None, &chunk));
    }

    /// `write` writes the choices, and the end of their list.
    fn chunk(&self, write: impl FnOnce(&mut Writer)) -> String {
        let mut chunk = Writer::with_capacity(self.head.len() + 128);
        chunk.raw(&self.head);
        write(&mut chunk);
        if self.shows_usage {
            // As OpenAI has it in every chunk but the one that says it.
            chunk.raw_at("usage", "null");
        }
        chunk.close();
        chunk.finish()
    }

    /// Usage in a chunk without choices, before the end.
    fn usage(&self, used: &Usage, out: &mut Out) {
        if used.total() == 0 {
            return;
        }
        let mut chunk = Writer::with_capacity(self.head.len() + 192);
        chunk.raw(&self.head);
        chunk.close_list();
        usage(used, &mut chunk);
        chunk.close();
        let event = Event::new(None, &chunk.finish());
        out.push(if self.shows_usage {
            event
        } else {
            event.hide()
        });
    }
}

fn write_detail(detail: &Detail<'_>, block: u32, delta: &mut Writer) {
    delta.key("reasoning_details");
    delta.open_list();
    detail.write(block, delta);
    delta.close_list();
}

//! Writing answers, whole or streamed.

use bartizan_core::{Dialect, Event, Finish, Out};

use crate::dialects;
use crate::losses::Losses;
use crate::neutral::{Answer, Ask, Block, Moment};
use crate::openai_chat::{dropped, usage};
use crate::write::Writer;

/// Writes answers to one client.
///
/// The chunk with a finish reason and `[DONE]` are written when the provider says so and never else.
#[derive(Debug)]
pub(crate) struct ToClient {
    created: u64,
    /// Whether the client asked for the usage of a stream. If not, the chunk is there for other layers, hidden.
    shows_usage: bool,
    /// What every chunk begins with, up to its choices.
    head: String,
    losses: Losses,
}

impl ToClient {
    /// `created` in seconds since 1970.
    pub(crate) fn new(created: u64, ask: &Ask<'_>) -> Self {
        Self {
            created,
            shows_usage: ask.stream_usage,
            head: head("", "", created).finish(),
            losses: Losses::default(),
        }
    }

    /// `write` writes the choices, and the end of their list.
    fn chunk(&self, write: impl FnOnce(&mut Writer)) -> Event {
        let mut chunk = Writer::with_capacity(self.head.len() + 128);
        chunk.raw(&self.head);
        write(&mut chunk);
        if self.shows_usage {
            // As OpenAI has it in every chunk but the one that says it.
            chunk.raw_at("usage", "null");
        }
        chunk.close();
        Event::new(None, &chunk.finish())
    }

    fn text(&self, text: &str, out: &mut Out) {
        out.push(self.chunk(|chunk| {
            choice(text, None, chunk);
            chunk.close_list();
        }));
    }
}

impl dialects::Writer for ToClient {
    fn answer(&self, answer: &Answer<'_>) -> String {
        let mut losses = answer.losses.clone();
        let mut text = String::new();
        for block in &answer.blocks {
            match block {
                Block::Text {
                    text: said,
                    citations,
                    ..
                } => {
                    text.push_str(said);
                    if !citations.is_empty() {
                        losses.dropped(CITED);
                    }
                }
                Block::Refusal { text: said } => text.push_str(said),
                block => lose(block, &mut losses),
            }
        }
        let mut out = head(&answer.id, &answer.model, self.created);
        choice(&text, answer.finish, &mut out);
        out.close_list();
        usage(&answer.usage, &mut out);
        dropped(&losses, &mut out);
        out.close();
        out.finish()
    }

    fn say(&mut self, moment: &Moment<'_>, out: &mut Out) {
        match moment {
            Moment::Start { id, model, .. } => self.head = head(id, model, self.created).finish(),
            Moment::Text(text) | Moment::Refusal(text) => self.text(text, out),
            Moment::Thinking { .. } | Moment::Signature { .. } | Moment::Redacted { .. } => {
                self.losses.dropped(THOUGHT);
            }
            Moment::Call { .. } => self.losses.dropped(CALLED),
            Moment::Citation(_) => self.losses.dropped(CITED),
            Moment::Arguments { .. } => {}
            Moment::Finish { finish, losses, .. } => {
                let mut all = losses.clone();
                all.extend(&self.losses);
                out.push(self.chunk(|chunk| {
                    choice("", *finish, chunk);
                    chunk.close_list();
                    dropped(&all, chunk);
                }));
            }
            Moment::Alive => out.push(Event::comment("ping")),
            Moment::Failed(refusal) => out.push(refusal.event(Dialect::OpenAiCompletions)),
            Moment::End { usage: used } => {
                if used.total() > 0 {
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
                out.push(Event::new(None, "[DONE]"));
            }
        }
    }
}

const THOUGHT: &str = "choices.message.reasoning_content";
const CALLED: &str = "choices.message.tool_calls";
const CITED: &str = "choices.message.annotations";

fn lose(block: &Block<'_>, losses: &mut Losses) {
    losses.dropped(match block {
        Block::Thinking { .. } | Block::Redacted { .. } => THOUGHT,
        Block::ToolUse { .. } => CALLED,
        Block::Foreign { name } => name,
        _ => "choices.message.content",
    });
}

fn head(id: &str, model: &str, created: u64) -> Writer {
    let mut head = Writer::with_capacity(512);
    head.open();
    head.text_at("id", id);
    head.plain_at("object", "text_completion");
    head.number_at("created", created);
    head.text_at("model", model);
    head.key("choices");
    head.open_list();
    head
}

fn choice(text: &str, finish: Option<Finish>, out: &mut Writer) {
    out.open();
    out.text_at("text", text);
    out.raw(r#""index":0,"logprobs":null"#);
    out.key("finish_reason");
    match finish {
        None => out.raw("null"),
        Some(Finish::Length) => out.plain("length"),
        Some(Finish::ContentFilter) => out.plain("content_filter"),
        Some(_) => out.plain("stop"),
    }
    out.close();
}

//! Writing the conversation.

use bartizan_core::Refusal;
use bartizan_core::json::{Json, Kind};

use crate::losses::Losses;
use crate::neutral::{Ask, Block, Role, Source, Turn};
use crate::write::Writer;

/// What is being written.
struct Top<'e, 'a> {
    ask: &'e Ask<'a>,
    out: &'e mut Writer,
    losses: &'e mut Losses,
    /// How many messages stand there.
    count: usize,
}

pub(super) fn write(ask: &Ask<'_>, out: &mut Writer, losses: &mut Losses) -> Result<(), Refusal> {
    let mut top = Top {
        ask,
        out,
        losses,
        count: 0,
    };
    top.out.key("messages");
    top.out.open_list();
    for turn in &ask.turns {
        top.turn(turn)?;
    }
    top.out.close_list();
    if top.count == 0 {
        return Err(ask.invalid("messages", "at least one message with something in it"));
    }
    Ok(())
}

/// What a message says, as the API has it.
#[derive(Default)]
struct Said<'b> {
    content: String,
    texts: usize,
    images: Vec<&'b str>,
    thinking: String,
    calls: Vec<&'b Block<'b>>,
}

impl<'a> Top<'_, 'a> {
    fn turn(&mut self, turn: &Turn<'a>) -> Result<(), Refusal> {
        let (results, rest): (Vec<_>, Vec<_>) = turn
            .blocks
            .iter()
            .partition(|block| matches!(block, Block::ToolResult { .. }));
        if !results.is_empty() && turn.role == Role::Assistant {
            let says = "results of tools come from the user's side";
            return Err(self.ask.unsupported_in(turn, says));
        }
        for block in results {
            self.result(turn, block)?;
        }
        let role = match turn.role {
            Role::Assistant => "assistant",
            Role::System => "system",
            Role::User | Role::Tool => "user",
        };
        let said = self.said(turn, &rest)?;
        let silent = said.content.is_empty() && said.images.is_empty();
        if silent && said.calls.is_empty() && said.thinking.is_empty() {
            return Ok(());
        }
        self.count += 1;
        self.out.open();
        self.out.plain_at("role", role);
        self.write(&said);
        self.calls(turn, &said.calls)?;
        self.out.close();
        Ok(())
    }

    fn said<'b>(&mut self, turn: &Turn<'_>, blocks: &[&'b Block<'a>]) -> Result<Said<'b>, Refusal> {
        let no = |says: &str| Err(self.ask.unsupported_in(turn, says));
        let mut said = Said::default();
        for block in blocks {
            let assistant = turn.role == Role::Assistant;
            let marked = match block {
                Block::Text { text, cache, .. } => {
                    self.text(text, &mut said);
                    cache.is_some()
                }
                Block::Refusal { text } => {
                    self.losses.changed("messages.refusal");
                    self.text(text, &mut said);
                    false
                }
                Block::Image {
                    source,
                    detail,
                    cache,
                } => {
                    if detail.is_some() {
                        self.losses.dropped("messages.image_url.detail");
                    }
                    match source {
                        Source::Base64 { data, .. } => said.images.push(data),
                        _ => return no("an image is sent by its data: the provider fetches none"),
                    }
                    cache.is_some()
                }
                Block::Document {
                    source: Source::Text(text),
                    title,
                    cache,
                } => {
                    self.losses.changed("messages.file");
                    match title {
                        Some(title) => self.text(&format!("{title}\n\n{text}"), &mut said),
                        None => self.text(text, &mut said),
                    }
                    cache.is_some()
                }
                Block::Document { .. } => return no("the provider takes files as plain text only"),
                Block::Audio { .. } => return no("the provider takes no sound"),
                Block::Video { .. } => return no("the provider takes no video"),
                Block::Thinking {
                    text,
                    signature: None,
                    ..
                } => {
                    said.thinking.push_str(text);
                    false
                }
                Block::Thinking { .. } | Block::Redacted { .. } => {
                    self.losses.dropped("messages.reasoning_details");
                    false
                }
                Block::ToolUse { cache, .. } if assistant => {
                    said.calls.push(block);
                    cache.is_some()
                }
                Block::Foreign { name } => {
                    self.losses.dropped(name);
                    false
                }
                Block::ToolUse { .. } | Block::ToolResult { .. } => {
                    return no("this can't stand in a message of this role");
                }
            };
            if marked {
                // The server finds by itself what it has cached.
                self.losses.dropped("cache_control");
            }
        }
        Ok(said)
    }

    fn text(&mut self, text: &str, said: &mut Said<'_>) {
        if text.is_empty() {
            return;
        }
        if said.texts > 0 {
            self.losses.changed("messages.content");
            said.content.push_str("\n\n");
        }
        said.texts += 1;
        said.content.push_str(text);
    }

    fn write(&mut self, said: &Said<'_>) {
        self.out.text_at("content", &said.content);
        if !said.thinking.is_empty() {
            self.out.text_at("thinking", &said.thinking);
        }
        if !said.images.is_empty() {
            self.out.key("images");
            self.out.open_list();
            for image in &said.images {
                self.out.plain(image);
            }
            self.out.close_list();
        }
    }

    fn calls(&mut self, turn: &Turn<'_>, calls: &[&Block<'_>]) -> Result<(), Refusal> {
        if calls.is_empty() {
            return Ok(());
        }
        self.out.key("tool_calls");
        self.out.open_list();
        for block in calls {
            let Block::ToolUse {
                id,
                name,
                input,
                signature,
                ..
            } = block
            else {
                continue;
            };
            if signature.is_some() {
                self.losses.dropped("messages.tool_calls.extra_content");
            }
            let input = if input.trim().is_empty() { "{}" } else { input };
            if !Json::read(input).is_ok_and(|json| json.root().kind() == Kind::Object) {
                let says = "the arguments of a call are one JSON object";
                return Err(self.ask.unsupported_in(turn, says));
            }
            let out = &mut *self.out;
            out.open();
            out.text_at("id", id);
            out.key("function");
            out.open();
            out.text_at("name", name);
            out.raw_at("arguments", input.trim());
            out.close();
            out.close();
        }
        self.out.close_list();
        Ok(())
    }

    /// Each result is a message of its own, and names its tool.
    fn result(&mut self, turn: &Turn<'a>, block: &Block<'a>) -> Result<(), Refusal> {
        let Block::ToolResult {
            id,
            name,
            blocks,
            is_error,
            cache,
            ..
        } = block
        else {
            return Ok(());
        };
        if cache.is_some() {
            self.losses.dropped("cache_control");
        }
        let blocks: Vec<&Block<'a>> = blocks.iter().collect();
        let mut said = self.said(turn, &blocks)?;
        if *is_error {
            // The API has no other place for it.
            self.losses.changed("messages.is_error");
            said.content.insert_str(0, "Error: ");
        }
        let name = name.as_deref().or_else(|| called(self.ask, turn, id));
        self.count += 1;
        self.out.open();
        self.out.plain_at("role", "tool");
        self.write(&said);
        if let Some(name) = name {
            self.out.text_at("tool_name", name);
        }
        self.out.text_at("tool_call_id", id);
        self.out.close();
        Ok(())
    }
}

/// The name of the tool that the call `wanted` before `turn` calls; the last such call, where ids are used again.
fn called<'e>(ask: &'e Ask<'_>, turn: &Turn<'_>, wanted: &str) -> Option<&'e str> {
    let before = ask.turns.iter().take_while(|past| past.at < turn.at);
    let mut name = None;
    for block in before.flat_map(|past| &past.blocks) {
        match block {
            Block::ToolUse {
                id, name: called, ..
            } if id == wanted => name = Some(called.as_ref()),
            _ => {}
        }
    }
    name
}

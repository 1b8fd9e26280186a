//! Writing the conversation.

use bartizan_core::Refusal;

use crate::losses::Losses;
use crate::names::ToolNames;
use crate::neutral::{Ask, Block, Role, Source, Turn};
use crate::write::Writer;

/// A document of the whole request.
pub(super) struct Found<'m> {
    title: Option<&'m str>,
    text: &'m str,
}

/// What is being written.
struct Top<'e, 'm, 'a> {
    ask: &'m Ask<'a>,
    names: &'e ToolNames,
    out: &'e mut Writer,
    losses: &'e mut Losses,
    documents: Vec<Found<'m>>,
    /// How many messages stand there.
    count: usize,
}

/// Writes the messages, and gives the documents that stood in them.
pub(super) fn write<'m>(
    ask: &'m Ask<'_>,
    names: &ToolNames,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<Vec<Found<'m>>, Refusal> {
    let mut top = Top {
        ask,
        names,
        out,
        losses,
        documents: Vec::new(),
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
    Ok(top.documents)
}

/// Writes the documents of the request.
pub(super) fn documents(
    ask: &Ask<'_>,
    found: &[Found<'_>],
    out: &mut Writer,
) -> Result<(), Refusal> {
    let told = ask.wishes.get("documents");
    if found.is_empty() && told.is_none() {
        return Ok(());
    }
    out.key("documents");
    out.open_list();
    if let Some(told) = told {
        let inside = told
            .trim()
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let inside = inside.ok_or_else(|| ask.invalid("documents", "a list of documents"))?;
        out.raw(inside.trim());
    }
    for document in found {
        out.open();
        data(document, out);
        out.close();
    }
    out.close_list();
    Ok(())
}

fn data(document: &Found<'_>, out: &mut Writer) {
    out.key("data");
    out.open();
    if let Some(title) = document.title {
        out.text_at("title", title);
    }
    out.text_at("text", document.text);
    out.close();
}

impl<'m, 'a> Top<'_, 'm, 'a> {
    fn turn(&mut self, turn: &'m Turn<'a>) -> Result<(), Refusal> {
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
        match turn.role {
            Role::Assistant => self.assistant(turn, &rest),
            Role::System => self.said("system", turn, &rest),
            Role::User | Role::Tool => self.said("user", turn, &rest),
        }
    }

    fn open(&mut self, role: &str) {
        self.count += 1;
        self.out.open();
        self.out.plain_at("role", role);
    }

    fn said(
        &mut self,
        role: &str,
        turn: &'m Turn<'a>,
        blocks: &[&'m Block<'a>],
    ) -> Result<(), Refusal> {
        let mut parts = Vec::with_capacity(blocks.len());
        for block in blocks {
            match block {
                Block::Text { text, .. } if text.is_empty() => {}
                Block::Document {
                    source: Source::Text(text),
                    title,
                    ..
                } => {
                    self.losses.moved("messages.file");
                    self.documents.push(Found {
                        title: title.as_deref(),
                        text,
                    });
                }
                Block::Foreign { name } => self.losses.dropped(name),
                block => parts.push(*block),
            }
            self.uncached(block);
        }
        if parts.is_empty() {
            return Ok(());
        }
        if role == "system" && !parts.iter().all(|part| matches!(part, Block::Text { .. })) {
            return Err(self.ask.unsupported_in(turn, "instructions are text only"));
        }
        self.open(role);
        self.out.key("content");
        if let [Block::Text { text, .. }] = parts.as_slice() {
            self.out.text(text);
        } else {
            self.out.open_list();
            for part in parts {
                self.part(turn, part)?;
            }
            self.out.close_list();
        }
        self.out.close();
        Ok(())
    }

    fn part(&mut self, turn: &Turn<'_>, block: &Block<'_>) -> Result<(), Refusal> {
        let no = |says: &str| Err(self.ask.unsupported_in(turn, says));
        match block {
            Block::Text { text, .. } | Block::Refusal { text } => self.text(text),
            Block::Image { source, detail, .. } => {
                let url = match source {
                    Source::Url { url, .. } if url.starts_with("http") => url.clone(),
                    Source::Base64 { media_type, data } => {
                        format!("data:{media_type};base64,{data}").into()
                    }
                    _ => return no("an image is sent by its data or by an https: address"),
                };
                let out = &mut *self.out;
                out.open();
                out.plain_at("type", "image_url");
                out.key("image_url");
                out.open();
                out.text_at("url", &url);
                if let Some(detail) = detail {
                    out.text_at("detail", detail);
                }
                out.close();
                out.close();
            }
            Block::Document { .. } => return no("the provider takes files as plain text only"),
            Block::Audio { .. } => return no("the provider takes no sound"),
            Block::Video { .. } => return no("the provider takes no video"),
            _ => return no("this can't stand in a message of this role"),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.out.open();
        self.out.plain_at("type", "text");
        self.out.text_at("text", text);
        self.out.close();
    }

    /// Each result is a message of its own.
    fn result(&mut self, turn: &Turn<'_>, block: &Block<'_>) -> Result<(), Refusal> {
        let Block::ToolResult {
            id,
            blocks,
            is_error,
            ..
        } = block
        else {
            return Ok(());
        };
        for marked in blocks.iter().chain([block]) {
            self.uncached(marked);
        }
        // The API has no other place for it.
        let mut mark = if *is_error {
            self.losses.changed("messages.is_error");
            "Error: "
        } else {
            ""
        };
        self.open("tool");
        self.out.text_at("tool_call_id", id);
        self.out.key("content");
        match blocks.as_slice() {
            [] => self.out.text(mark),
            [Block::Text { text, .. }] => self.out.text(&format!("{mark}{text}")),
            blocks => {
                self.out.open_list();
                if !mark.is_empty() && !matches!(blocks.first(), Some(Block::Text { .. })) {
                    self.text(std::mem::take(&mut mark));
                }
                for block in blocks {
                    match block {
                        Block::Text { text, .. } => {
                            self.text(&format!("{}{text}", std::mem::take(&mut mark)));
                        }
                        Block::Document {
                            source: Source::Text(text),
                            title,
                            ..
                        } => {
                            let out = &mut *self.out;
                            out.open();
                            out.plain_at("type", "document");
                            out.key("document");
                            out.open();
                            let title = title.as_deref();
                            data(&Found { title, text }, out);
                            out.close();
                            out.close();
                        }
                        Block::Foreign { name } => self.losses.dropped(name),
                        _ => {
                            let says = "the provider takes results of tools as texts only";
                            return Err(self.ask.unsupported_in(turn, says));
                        }
                    }
                }
                self.out.close_list();
            }
        }
        self.out.close();
        Ok(())
    }

    /// What the model means to do stands before its calls.
    fn assistant(&mut self, turn: &'m Turn<'a>, blocks: &[&'m Block<'a>]) -> Result<(), Refusal> {
        let mut said: Vec<&Block<'_>> = Vec::new();
        let mut calls: Vec<&Block<'_>> = Vec::new();
        for block in blocks {
            self.uncached(block);
            match block {
                Block::ToolUse { .. } => calls.push(block),
                Block::Text { text, .. } if text.is_empty() => {}
                Block::Refusal { .. } => {
                    self.losses.changed("messages.refusal");
                    said.push(block);
                }
                Block::Thinking {
                    signature: Some(_), ..
                }
                | Block::Redacted { .. } => self.losses.dropped("messages.reasoning_details"),
                Block::Thinking { text, .. } if text.is_empty() => {}
                Block::Foreign { name } => self.losses.dropped(name),
                block => {
                    if !calls.is_empty() {
                        self.losses.moved("messages.tool_calls");
                    }
                    said.push(block);
                }
            }
        }
        if said.is_empty() && calls.is_empty() {
            return Ok(());
        }
        self.open("assistant");
        let mut plan = String::new();
        if !calls.is_empty() {
            said.retain(|block| match block {
                Block::Thinking { text, .. } => {
                    plan.push_str(text);
                    false
                }
                _ => true,
            });
        }
        match said.as_slice() {
            [] => {}
            [Block::Text { text, .. }] => self.out.text_at("content", text),
            said => {
                self.out.key("content");
                self.out.open_list();
                for block in said {
                    match block {
                        Block::Thinking { text, .. } => {
                            self.out.open();
                            self.out.plain_at("type", "thinking");
                            self.out.text_at("thinking", text);
                            self.out.close();
                        }
                        Block::Text { text, .. } | Block::Refusal { text } => self.text(text),
                        _ => {
                            let says = "the provider takes what its model said as texts only";
                            return Err(self.ask.unsupported_in(turn, says));
                        }
                    }
                }
                self.out.close_list();
            }
        }
        if !plan.is_empty() {
            self.out.text_at("tool_plan", &plan);
        }
        if !calls.is_empty() {
            self.out.key("tool_calls");
            self.out.open_list();
            for block in calls {
                self.call(block);
            }
            self.out.close_list();
        }
        self.out.close();
        Ok(())
    }

    fn call(&mut self, block: &Block<'_>) {
        let Block::ToolUse {
            id,
            name,
            input,
            signature,
            ..
        } = block
        else {
            return;
        };
        if signature.is_some() {
            self.losses.dropped("messages.tool_calls.extra_content");
        }
        let out = &mut *self.out;
        out.open();
        out.text_at("id", id);
        out.plain_at("type", "function");
        out.key("function");
        out.open();
        out.text_at("name", self.names.there(name));
        out.text_at(
            "arguments",
            if input.trim().is_empty() { "{}" } else { input },
        );
        out.close();
        out.close();
    }

    /// The API has no marks for a cache: it finds by itself what it has cached.
    fn uncached(&mut self, block: &Block<'_>) {
        let marked = match block {
            Block::Text { cache, .. }
            | Block::Image { cache, .. }
            | Block::Document { cache, .. }
            | Block::ToolUse { cache, .. }
            | Block::ToolResult { cache, .. } => cache.is_some(),
            _ => false,
        };
        if marked {
            self.losses.dropped("cache_control");
        }
    }
}

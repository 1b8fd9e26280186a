//! Writing calls, whole or in pieces.

use crate::losses::Losses;
use crate::neutral::{Block, Signature};
use crate::openai_chat::reasoning;
use crate::write::Writer;

/// What of an answer a client that reads one call has no place for.
pub(super) const LOST: &str = "choices.message.tool_calls";

/// A call, or what is known of it when it begins.
pub(super) struct Call<'c> {
    pub(super) id: &'c str,
    pub(super) name: &'c str,
    pub(super) text: &'c str,
    pub(super) custom: bool,
    pub(super) signature: Option<&'c Signature<'c>>,
}

impl<'c> Call<'c> {
    fn of(block: &'c Block<'_>) -> Option<Self> {
        match block {
            Block::ToolUse {
                id,
                name,
                input,
                custom,
                signature,
                ..
            } => Some(Self {
                id,
                name,
                text: input,
                custom: *custom,
                signature: signature.as_ref(),
            }),
            _ => None,
        }
    }

    /// An item of `tool_calls`.
    pub(super) fn write(&self, index: Option<u32>, out: &mut Writer) {
        out.open();
        if let Some(index) = index {
            out.number_at("index", index.into());
        }
        out.text_at("id", self.id);
        out.plain_at("type", kind(self.custom));
        out.key(kind(self.custom));
        out.open();
        out.text_at("name", self.name);
        out.text_at(text(self.custom), self.text);
        out.close();
        if let Some(signature) = self.signature {
            reasoning::extra_content(signature, out);
        }
        out.close();
    }

    /// The member `function_call`.
    pub(super) fn write_function(&self, out: &mut Writer) {
        out.key("function_call");
        out.open();
        out.text_at("name", self.name);
        out.text_at("arguments", self.text);
        out.close();
    }
}

const fn kind(custom: bool) -> &'static str {
    if custom { "custom" } else { "function" }
}

const fn text(custom: bool) -> &'static str {
    if custom { "input" } else { "arguments" }
}

/// The member `tool_calls`, where there are calls among the blocks.
pub(super) fn list(blocks: &[Block<'_>], out: &mut Writer) {
    let mut calls = blocks.iter().filter_map(Call::of).peekable();
    if calls.peek().is_none() {
        return;
    }
    out.key("tool_calls");
    out.open_list();
    calls.for_each(|call| call.write(None, out));
    out.close_list();
}

/// The first call as `function_call`, for a client that reads no more.
pub(super) fn function(blocks: &[Block<'_>], losses: &mut Losses, out: &mut Writer) {
    let mut calls = blocks.iter().filter_map(Call::of);
    if let Some(call) = calls.next() {
        call.write_function(out);
    }
    if calls.next().is_some() {
        losses.dropped(LOST);
    }
}

/// A piece of a call's arguments.
pub(super) fn piece(index: u32, custom: bool, piece: &str, out: &mut Writer) {
    out.key("tool_calls");
    out.open_list();
    out.open();
    out.number_at("index", index.into());
    out.key(kind(custom));
    out.open();
    out.text_at(text(custom), piece);
    out.close();
    out.close();
    out.close_list();
}

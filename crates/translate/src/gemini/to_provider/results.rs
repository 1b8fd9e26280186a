//! Writing results of functions: as many as the model called, in the order in which it called them, each by its name.

use std::borrow::Cow;

use bartizan_core::Refusal;
use bartizan_core::json::{Json, Kind};

use super::super::models::is_early;
use super::contents::{self, Group};
use super::media;
use super::parts::id_for;
use crate::dialects::To;
use crate::losses::Losses;
use crate::names::ToolNames;
use crate::neutral::{Ask, Block, Turn};
use crate::write::Writer;

/// The calls so far, by id.
#[derive(Debug, Default)]
pub(super) struct Results<'a> {
    calls: Vec<(&'a str, &'a str)>,
}

struct Given<'a> {
    turn: &'a Turn<'a>,
    /// Which call it answers.
    call: Option<usize>,
    id: &'a str,
    name: &'a str,
    blocks: &'a [Block<'a>],
    is_error: bool,
}

impl<'a> Results<'a> {
    pub(super) fn note(&mut self, block: &'a Block<'a>, names: &'a ToolNames) {
        if let Block::ToolUse { id, name, .. } = block {
            self.calls.push((id, names.there(name)));
        }
    }

    /// `false` where there are none.
    pub(super) fn write(
        &self,
        ask: &Ask<'_>,
        to: &To<'_>,
        names: &'a ToolNames,
        group: &Group<'a>,
        out: &mut Writer,
        losses: &mut Losses,
    ) -> Result<bool, Refusal> {
        let mut all = Vec::new();
        for (turn, block) in group.blocks() {
            if let Block::ToolResult {
                id,
                name,
                blocks,
                is_error,
                ..
            } = block
            {
                // Ids may come again in a long conversation: the latest call is meant.
                let call = self.calls.iter().rposition(|(known, _)| known == id);
                let called = call.and_then(|call| self.calls.get(call));
                let name = called
                    .map(|(_, name)| *name)
                    .or(name.as_deref().map(|name| names.there(name)));
                let Some(name) = name else {
                    let says = "the result of a call that is not in the conversation";
                    return Err(ask.unsupported_in(turn, says));
                };
                all.push(Given {
                    turn,
                    call,
                    id,
                    name,
                    blocks,
                    is_error: *is_error,
                });
            }
        }
        if all.is_empty() {
            return Ok(false);
        }
        all.sort_by_key(|given| given.call);
        contents::open(out, "user");
        let beside = is_early(to.model);
        for given in &all {
            out.open();
            out.key("functionResponse");
            out.open();
            if let Some(id) = id_for(to, given.id) {
                out.text_at("id", id);
            }
            out.text_at("name", given.name);
            out.key("response");
            out.open();
            response(ask, given, out)?;
            out.close();
            if !beside && given.media().next().is_some() {
                out.key("parts");
                out.open_list();
                for block in given.media() {
                    media::write(ask, to, given.turn, block, out, losses)?;
                }
                out.close_list();
            }
            out.close();
            out.close();
        }
        if beside {
            for given in &all {
                for block in given.media() {
                    losses.moved("messages.tool.content");
                    media::write(ask, to, given.turn, block, out, losses)?;
                }
            }
        }
        contents::close(out);
        Ok(true)
    }
}

impl<'a> Given<'a> {
    fn texts(&self) -> impl Iterator<Item = &'a str> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Text { text, .. } | Block::Refusal { text } => Some(text.as_ref()),
            _ => None,
        })
    }

    fn media(&self) -> impl Iterator<Item = &'a Block<'a>> {
        self.blocks.iter().filter(|block| {
            matches!(
                block,
                Block::Image { .. }
                    | Block::Document { .. }
                    | Block::Audio { .. }
                    | Block::Video { .. }
            )
        })
    }
}

/// The members of a response: `output` or `error`, or what the function gave, where that is an object without these two words.
fn response(ask: &Ask<'_>, given: &Given<'_>, out: &mut Writer) -> Result<(), Refusal> {
    let other = given.blocks.iter().any(|block| {
        matches!(
            block,
            Block::ToolUse { .. }
                | Block::ToolResult { .. }
                | Block::Thinking { .. }
                | Block::Redacted { .. }
        )
    });
    if other {
        return Err(ask.unsupported_in(given.turn, "results are texts and media"));
    }
    let key = if given.is_error { "error" } else { "output" };
    let mut texts = given.texts();
    let (first, second) = (texts.next().unwrap_or_default(), texts.next());
    if second.is_some() {
        out.key(key);
        out.open_list();
        given.texts().for_each(|text| out.text(text));
        out.close_list();
        return Ok(());
    }
    match object(first) {
        Some((members, false)) if !given.is_error => {
            if !members.is_empty() {
                out.raw(&members);
            }
        }
        Some(_) => out.raw_at(key, first.trim()),
        None => out.text_at(key, first),
    }
    Ok(())
}

/// The members of a text that is a JSON object, and whether the words are among them that the API has a meaning for.
fn object(text: &str) -> Option<(Cow<'_, str>, bool)> {
    let text = text.trim();
    if !text.starts_with('{') {
        return None;
    }
    let json = Json::read(text)
        .ok()
        .filter(|json| json.root().kind() == Kind::Object)?;
    let meant = ["output", "error"]
        .iter()
        .any(|word| json.root().get(word).is_some());
    let inside = text.get(1..text.len() - 1).unwrap_or_default().trim();
    Some((inside.into(), meant))
}

//! Writing the conversation.

use bartizan_core::Refusal;

use super::super::models::is_early;
use super::media;
use super::parts::Parts;
use super::results::Results;
use crate::dialects::To;
use crate::losses::Losses;
use crate::names::ToolNames;
use crate::neutral::{Ask, Block, Role, Turn};
use crate::write::Writer;

/// Instructions stand in front of the conversation; those that stood inside it are joined to them, and that is reported.
pub(super) fn system(ask: &Ask<'_>, out: &mut Writer, losses: &mut Losses) -> Result<(), Refusal> {
    let spoken = spoken_instructions(&ask.turns);
    let mut begun = false;
    let mut any = false;
    for (at, turn) in ask.turns.iter().enumerate() {
        if turn.role != Role::System || spoken == Some(at) {
            begun = true;
            continue;
        }
        for block in &turn.blocks {
            let Block::Text { text, .. } = block else {
                return Err(ask.unsupported_in(turn, "instructions are text only"));
            };
            if text.is_empty() {
                continue;
            }
            if begun {
                losses.moved("messages.system");
            }
            if !std::mem::replace(&mut any, true) {
                out.key("systemInstruction");
                out.open();
                out.key("parts");
                out.open_list();
            }
            out.open();
            out.text_at("text", text);
            out.close();
        }
    }
    if any {
        out.close_list();
        out.close();
    }
    if spoken.is_some() {
        losses.moved("messages.system");
    }
    Ok(())
}

/// Where nobody speaks but the application, its last instruction is what the user says: the API wants a content, and none is made up.
fn spoken_instructions(turns: &[Turn<'_>]) -> Option<usize> {
    if turns.iter().any(|turn| turn.role != Role::System) {
        return None;
    }
    let says = |block: &Block<'_>| !matches!(block, Block::Text { text, .. } if text.is_empty());
    turns.iter().rposition(|turn| turn.blocks.iter().any(says))
}

/// Neighbours of one side are one content. Results of functions are a content of their own, right after the calls and in their order.
pub(super) fn write(
    ask: &Ask<'_>,
    to: &To<'_>,
    names: &ToolNames,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    out.key("contents");
    out.open_list();
    let groups = groups(&ask.turns);
    // What a user says begins an exchange, and the API checks that the calls since then carry their thoughts' signatures.
    let begins = groups.iter().rposition(|group| group.speaks());
    let checks = !is_early(to.model);
    let mut results = Results::default();
    let mut any = false;
    for (at, group) in groups.iter().enumerate() {
        if group.by_model {
            let mut parts = Parts::default();
            for (turn, block) in group.blocks() {
                results.note(block, names);
                parts.add(ask, names, turn, block, losses)?;
            }
            if checks && begins.is_none_or(|begins| at > begins) {
                parts.excuse(losses);
            }
            any |= write_model(ask, to, parts, out, losses)?;
            continue;
        }
        any |= results.write(ask, to, names, group, out, losses)?;
        any |= write_user(ask, to, group, out, losses)?;
    }
    out.close_list();
    if any {
        Ok(())
    } else {
        Err(ask.invalid("messages", "at least one message with something in it"))
    }
}

/// Turns of one side.
pub(super) struct Group<'a> {
    by_model: bool,
    turns: Vec<&'a Turn<'a>>,
}

impl<'a> Group<'a> {
    pub(super) fn blocks(&self) -> impl Iterator<Item = (&'a Turn<'a>, &'a Block<'a>)> {
        let turns = self.turns.iter().copied();
        turns.flat_map(|turn| turn.blocks.iter().map(move |block| (turn, block)))
    }

    /// Whether a user says something in it, besides results.
    fn speaks(&self) -> bool {
        !self.by_model
            && self
                .blocks()
                .any(|(_, block)| !matches!(block, Block::ToolResult { .. }) && !is_empty(block))
    }
}

fn groups<'a>(turns: &'a [Turn<'a>]) -> Vec<Group<'a>> {
    let spoken = spoken_instructions(turns);
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (at, turn) in turns.iter().enumerate() {
        if turn.role == Role::System && spoken != Some(at) {
            continue;
        }
        let by_model = turn.role == Role::Assistant;
        match groups.last_mut() {
            Some(last) if last.by_model == by_model => last.turns.push(turn),
            _ => groups.push(Group {
                by_model,
                turns: vec![turn],
            }),
        }
    }
    groups
}

fn is_empty(block: &Block<'_>) -> bool {
    matches!(block, Block::Text { text, .. } | Block::Refusal { text } if text.is_empty())
}

fn write_model(
    ask: &Ask<'_>,
    to: &To<'_>,
    parts: Parts<'_>,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<bool, Refusal> {
    if parts.is_empty() {
        losses.dropped("messages");
        return Ok(false);
    }
    open(out, "model");
    parts.write(ask, to, out, losses)?;
    close(out);
    Ok(true)
}

fn write_user(
    ask: &Ask<'_>,
    to: &To<'_>,
    group: &Group<'_>,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<bool, Refusal> {
    let mut any = false;
    for (turn, block) in group.blocks() {
        if matches!(block, Block::ToolResult { .. }) || is_empty(block) {
            continue;
        }
        match block {
            Block::Text { text, .. } | Block::Refusal { text } => {
                begin(&mut any, out);
                out.open();
                out.text_at("text", text);
                out.close();
            }
            Block::Foreign { name } => losses.dropped(name),
            Block::Thinking { .. } | Block::Redacted { .. } => {
                losses.dropped("messages.reasoning_content");
            }
            Block::ToolUse { .. } | Block::ToolResult { .. } => {
                return Err(ask.unsupported_in(turn, "only the model calls functions"));
            }
            Block::Image { .. }
            | Block::Document { .. }
            | Block::Audio { .. }
            | Block::Video { .. } => {
                begin(&mut any, out);
                media::write(ask, to, turn, block, out, losses)?;
            }
        }
    }
    if any {
        close(out);
    } else if group.turns.iter().any(|turn| turn.role != Role::Tool) {
        // The API refuses empty contents.
        losses.dropped("messages");
    }
    Ok(any)
}

fn begin(any: &mut bool, out: &mut Writer) {
    if !std::mem::replace(any, true) {
        open(out, "user");
    }
}

pub(super) fn open(out: &mut Writer, role: &str) {
    out.open();
    out.plain_at("role", role);
    out.key("parts");
    out.open_list();
}

pub(super) fn close(out: &mut Writer) {
    out.close_list();
    out.close();
}

//! Reading the conversation: a string, or items.
//!
//! What a model says in one answer is several items here (thoughts, messages, calls) and one turn of the conversation.

use bartizan_core::Refusal;
use bartizan_core::json::{Json, Kind, Value};

use super::content::{self, needed};
use crate::losses::Losses;
use crate::neutral::{Block, Maker, Role, Signature, Str, Turn};
use crate::openai_responses::namespace::joined;
use crate::read::{Place, Unknown, member, members, unknown};

/// Items of tools that the provider ran itself: their words are for it alone.
const SERVER: &[&str] = &[
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "mcp_list_tools",
    "mcp_call",
];

/// What that is reported as.
const SERVER_TOOL: &str = "messages.server_tool_use";

pub(super) fn decode<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Turn<'a>>, Refusal> {
    if value.kind() == Kind::String {
        let blocks = vec![Block::text(here.text(value)?)];
        return Ok(vec![turn(0, Role::User, blocks)]);
    }
    if value.kind() != Kind::Array {
        return Err(here.invalid("a string or a list of items"));
    }
    let mut turns = Turns::default();
    for (at, item) in here.items(value)?.into_iter().enumerate() {
        let there = Place::At(here, at);
        let item = there.object(item)?;
        let reading = Item {
            here: &there,
            item,
            policy,
        };
        reading.read(at, &mut turns, losses)?;
    }
    Ok(turns.0)
}

const fn turn<'a>(at: usize, role: Role, blocks: Vec<Block<'a>>) -> Turn<'a> {
    Turn { at, role, blocks }
}

#[derive(Default)]
struct Turns<'a>(Vec<Turn<'a>>);

impl<'a> Turns<'a> {
    fn push(&mut self, at: usize, role: Role, blocks: Vec<Block<'a>>) {
        self.0.push(turn(at, role, blocks));
    }

    /// Goes on with the model's turn, if the last one is its.
    fn says(&mut self, at: usize, blocks: Vec<Block<'a>>) {
        match self.0.last_mut() {
            Some(last) if last.role == Role::Assistant => last.blocks.extend(blocks),
            _ => self.push(at, Role::Assistant, blocks),
        }
    }

    /// A message of the model's. Two in a row are two turns, unless calls wait for their results; a thought stands with what it led to.
    fn message(&mut self, at: usize, blocks: Vec<Block<'a>>) {
        let said = |block: &Block<'_>| matches!(block, Block::Text { .. } | Block::Refusal { .. });
        let calls = |block: &Block<'_>| matches!(block, Block::ToolUse { .. });
        let Some(last) = self.0.last_mut().filter(|last| {
            last.role == Role::Assistant
                && last.blocks.iter().any(said)
                && !last.blocks.iter().any(calls)
        }) else {
            return self.says(at, blocks);
        };
        let thought = |block: &Block<'_>| !said(block);
        let from = last.blocks.iter().rev().take_while(|block| thought(block));
        let from = last.blocks.len() - from.count();
        let mut new = last.blocks.split_off(from);
        new.extend(blocks);
        self.push(at, Role::Assistant, new);
    }

    /// A thought of Google's that led to a call stands right before it: this dialect has no place on the call.
    fn signed(&mut self) -> Option<Signature<'a>> {
        let last = self.0.last_mut()?;
        match last.blocks.pop()? {
            Block::Redacted { data, .. } if data.maker == Maker::Google => Some(data),
            other => {
                last.blocks.push(other);
                None
            }
        }
    }
}

/// One item, and where it stands.
struct Item<'p, 'a> {
    here: &'p Place<'p>,
    item: Value<'a>,
    policy: Unknown,
}

impl<'a> Item<'_, 'a> {
    fn read(&self, at: usize, turns: &mut Turns<'a>, losses: &mut Losses) -> Result<(), Refusal> {
        let kind = member(self.item, "type").and_then(Value::text);
        match kind.as_deref() {
            None | Some("message") => self.message(at, turns, losses)?,
            Some("reasoning") => {
                let blocks = self.reasoning(losses)?;
                if !blocks.is_empty() {
                    turns.says(at, blocks);
                }
            }
            Some("function_call") => {
                let input = self.arguments()?;
                self.call(at, input, false, turns, losses)?;
            }
            Some("custom_tool_call") => {
                let input = needed(self.here, self.item, "input")?;
                self.call(at, input, true, turns, losses)?;
            }
            Some("function_call_output") => self.output(at, false, turns, losses)?,
            Some("custom_tool_call_output") => self.output(at, true, turns, losses)?,
            Some("item_reference") => {
                let says = "items are not stored: send the item itself";
                return Err(self.here.unsupported(says));
            }
            Some(kind) if SERVER.contains(&kind) => {
                turns.says(at, vec![Block::Foreign { name: SERVER_TOOL }]);
            }
            _ => {
                let says = "an item of this type can't be sent to this provider";
                return Err(Place::In(self.here, "type").unsupported(says));
            }
        }
        Ok(())
    }

    fn text_at(&self, key: &str) -> Result<Str<'a>, Refusal> {
        let there = Place::In(self.here, key);
        let text = needed(self.here, self.item, key)?;
        if text.is_empty() {
            return Err(there.invalid("needed"));
        }
        Ok(text)
    }

    /// Refuses or drops what is none of the item's own members.
    fn rest(&self, known: &[&str], losses: &mut Losses) -> Result<(), Refusal> {
        for (key, _) in members(self.item) {
            // Names of stored items, and how far they came.
            if !matches!(key.as_ref(), "type" | "id" | "status") && !known.contains(&key.as_ref()) {
                unknown(self.here, self.policy, losses, &key)?;
            }
        }
        Ok(())
    }

    fn message(
        &self,
        at: usize,
        turns: &mut Turns<'a>,
        losses: &mut Losses,
    ) -> Result<(), Refusal> {
        let there = Place::In(self.here, "role");
        let role = match member(self.item, "role").and_then(Value::text).as_deref() {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system" | "developer") => Role::System,
            _ => return Err(there.invalid("user, assistant, system or developer")),
        };
        self.rest(&["role", "content", "phase"], losses)?;
        // Whether it is the answer or a word on the way to it.
        if member(self.item, "phase").is_some() {
            losses.dropped("input.phase");
        }
        let inside = Place::In(self.here, "content");
        let blocks = match member(self.item, "content") {
            Some(content) => content::decode(&inside, content, self.policy, losses)?,
            None => return Err(inside.invalid("needed")),
        };
        let text = |block: &Block<'_>| matches!(block, Block::Text { .. });
        if role == Role::System && !blocks.iter().all(text) {
            return Err(inside.unsupported("instructions are text only"));
        }
        if role == Role::Assistant {
            turns.message(at, blocks);
        } else {
            turns.push(at, role, blocks);
        }
        Ok(())
    }

    /// Each part of its words is a thought; the proof stands with the last.
    fn reasoning(&self, losses: &mut Losses) -> Result<Vec<Block<'a>>, Refusal> {
        self.rest(&["summary", "content", "encrypted_content"], losses)?;
        let text = |key: &str| -> Result<Option<Str<'a>>, Refusal> {
            let there = Place::In(self.here, key);
            let value = member(self.item, key);
            let value = value.map(|value| there.text(value)).transpose()?;
            Ok(value.filter(|text| !text.is_empty()))
        };
        let id = text("id")?;
        let signed = text("encrypted_content")?.map(|data| Signature::read(data, Maker::OpenAi));
        let mut blocks = Vec::new();
        for key in ["summary", "content"] {
            let there = Place::In(self.here, key);
            let Some(list) = member(self.item, key) else {
                continue;
            };
            for (index, part) in there.items(list)?.into_iter().enumerate() {
                let text = needed(&Place::At(&there, index), part, "text")?;
                if !text.is_empty() {
                    blocks.push(Block::Thinking {
                        id: id.clone(),
                        text,
                        signature: None,
                    });
                }
            }
        }
        match (blocks.last_mut(), signed) {
            (Some(Block::Thinking { signature, .. }), signed) => *signature = signed,
            (_, Some(data)) => blocks.push(Block::Redacted { id, data }),
            // Only OpenAI could find it, by its name.
            (_, None) => losses.dropped("messages.reasoning_content"),
        }
        Ok(blocks)
    }

    /// The text of one JSON object, as it was written; empty for none.
    fn arguments(&self) -> Result<Str<'a>, Refusal> {
        let text = needed(self.here, self.item, "arguments")?;
        let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
        if trimmed.is_empty() {
            return Ok("{}".into());
        }
        match Json::read(trimmed) {
            Ok(json) if json.root().kind() == Kind::Object => Ok(text),
            _ => Err(Place::In(self.here, "arguments").unsupported(
                "arguments must be the text of one JSON object: the provider takes nothing else",
            )),
        }
    }

    fn call(
        &self,
        at: usize,
        input: Str<'a>,
        custom: bool,
        turns: &mut Turns<'a>,
        losses: &mut Losses,
    ) -> Result<(), Refusal> {
        let body = if custom { "input" } else { "arguments" };
        self.rest(&["call_id", "name", body, "caller", "namespace"], losses)?;
        let name = self.text_at("name")?;
        let name = match member(self.item, "namespace") {
            Some(of) => {
                let of = Place::In(self.here, "namespace").text(of)?;
                joined(&of, &name).into()
            }
            None => name,
        };
        let block = Block::ToolUse {
            id: self.text_at("call_id")?,
            name,
            input,
            custom,
            cache: None,
            signature: turns.signed(),
        };
        turns.says(at, vec![block]);
        Ok(())
    }

    fn output(
        &self,
        at: usize,
        custom: bool,
        turns: &mut Turns<'a>,
        losses: &mut Losses,
    ) -> Result<(), Refusal> {
        let known = ["call_id", "output", "name", "caller", "namespace"];
        self.rest(&known, losses)?;
        let there = Place::In(self.here, "output");
        let output = member(self.item, "output").ok_or_else(|| there.invalid("needed"))?;
        let blocks = content::decode(&there, output, self.policy, losses)?;
        let fits = |block: &Block<'_>| {
            matches!(
                block,
                Block::Text { .. } | Block::Image { .. } | Block::Document { .. }
            )
        };
        if !blocks.iter().all(fits) {
            return Err(there.unsupported("results are texts, images and files"));
        }
        let result = Block::ToolResult {
            id: self.text_at("call_id")?,
            name: None,
            blocks,
            is_error: false,
            custom,
            cache: None,
        };
        turns.push(at, Role::Tool, vec![result]);
        Ok(())
    }
}

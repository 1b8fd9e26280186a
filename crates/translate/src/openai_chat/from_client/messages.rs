//! Reading the conversation.

use bartizan_core::Refusal;
use bartizan_core::json::{Json, Kind, Value};

use super::content;
use super::functions::Calls;
use crate::losses::Losses;
use crate::neutral::{Block, Maker, Role, Signature, Str, Turn};
use crate::openai_chat::reasoning::signature;
use crate::read::{Place, Unknown, member, members, unknown};

pub(in crate::openai_chat) fn decode<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Turn<'a>>, Refusal> {
    let items = here.items(value)?;
    let mut turns: Vec<Turn<'a>> = Vec::with_capacity(items.len());
    let mut calls = Calls::default();
    for (index, item) in items.into_iter().enumerate() {
        let there = Place::At(here, index);
        let mut turn = message(&there, there.object(item)?, &mut calls, policy, losses)?;
        turn.at = index;
        turns.push(turn);
    }
    mark_customs(&mut turns);
    Ok(turns)
}

/// Only a call says whether its tool takes any text; its result is of the same kind.
fn mark_customs(turns: &mut [Turn<'_>]) {
    let blocks = || turns.iter().flat_map(|turn| &turn.blocks);
    let called: Vec<String> = blocks()
        .filter_map(|block| match block {
            Block::ToolUse {
                id, custom: true, ..
            } => Some(id.clone().into_owned()),
            _ => None,
        })
        .collect();
    if called.is_empty() {
        return;
    }
    for block in turns.iter_mut().flat_map(|turn| &mut turn.blocks) {
        if let Block::ToolResult { id, custom, .. } = block {
            *custom = called.iter().any(|called| *called == *id);
        }
    }
}

fn message<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    old: &mut Calls,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Turn<'a>, Refusal> {
    let there = Place::In(here, "role");
    let role = match member(value, "role").and_then(Value::text).as_deref() {
        Some("system" | "developer") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("tool") => Role::Tool,
        Some("function") => return result(here, value, old, policy, losses),
        _ => return Err(there.invalid("developer, system, user, assistant or tool")),
    };
    let mut parts = Parts::default();
    for (key, value) in members(value) {
        let there = Place::In(here, &key);
        match (role, key.as_ref()) {
            (_, "role") => {}
            (_, "content") => parts.content = content::decode(&there, value, policy, losses)?,
            (_, "name") => losses.dropped("messages.name"),
            (_, "cache_control") => parts.cache = Some(there.object(value)?),
            (Role::Tool, "tool_call_id") => parts.id = Some(there.text(value)?),
            (Role::Assistant, "tool_calls") => {
                for (index, call) in there.items(value)?.into_iter().enumerate() {
                    let call = tool_call(&Place::At(&there, index), call, policy, losses)?;
                    parts.calls.push(call);
                }
            }
            (Role::Assistant, "refusal") => parts.refusal = Some(there.text(value)?),
            (Role::Assistant, "reasoning_content" | "reasoning") => {
                parts.reasoning = Some(there.text(value)?);
            }
            (Role::Assistant, "reasoning_details") => {
                parts.details = details(&there, value, losses)?;
            }
            // As LiteLLM gives them to its clients: Anthropic's blocks.
            (Role::Assistant, "thinking_blocks") => {
                for (index, block) in there.items(value)?.into_iter().enumerate() {
                    let block = thinking_block(&Place::At(&there, index), block)?;
                    parts.blocks.push(block);
                }
            }
            (Role::Assistant, "annotations" | "images")
                if value.kind() == Kind::Array && there.items(value)?.is_empty() => {}
            (Role::Assistant, "annotations") => losses.dropped("messages.annotations"),
            (Role::Assistant, "audio") => {
                return Err(there.unsupported("the provider does not have this spoken answer"));
            }
            (Role::Assistant, "function_call") => {
                parts.calls.push(old.call(&there, value, policy, losses)?);
            }
            (_, name) => unknown(here, policy, losses, name)?,
        }
    }
    let blocks = parts.blocks(here, role, losses)?;
    Ok(Turn {
        at: 0,
        role,
        blocks,
    })
}

/// A message of role `function`.
fn result<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    old: &mut Calls,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Turn<'a>, Refusal> {
    let mut name = Str::default();
    let mut blocks = Vec::new();
    for (key, value) in members(value) {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "role" => {}
            "name" => name = there.text(value)?,
            "content" => blocks = content::decode(&there, value, policy, losses)?,
            name => unknown(here, policy, losses, name)?,
        }
    }
    let result = Block::ToolResult {
        id: old.answered(here, &name)?.into(),
        name: Some(name),
        blocks,
        is_error: false,
        custom: false,
        cache: None,
    };
    Ok(Turn {
        at: 0,
        role: Role::Tool,
        blocks: vec![result],
    })
}

#[derive(Default)]
struct Parts<'a> {
    content: Vec<Block<'a>>,
    refusal: Option<Str<'a>>,
    reasoning: Option<Str<'a>>,
    details: Vec<Block<'a>>,
    /// The same thoughts in LiteLLM's words; what stands in `details` goes before.
    blocks: Vec<Block<'a>>,
    calls: Vec<Block<'a>>,
    id: Option<Str<'a>>,
    cache: Option<Value<'a>>,
}

impl<'a> Parts<'a> {
    fn blocks(
        self,
        here: &Place<'_>,
        role: Role,
        losses: &mut Losses,
    ) -> Result<Vec<Block<'a>>, Refusal> {
        let mut blocks = if self.details.is_empty() {
            self.blocks
        } else {
            self.details
        };
        if blocks.is_empty()
            && let Some(text) = self.reasoning.filter(|text| !text.is_empty())
        {
            blocks.push(Block::Thinking {
                id: None,
                text,
                signature: None,
            });
        }
        let thinks = |block: &Block<'_>| matches!(block, Block::Thinking { .. });
        if role != Role::Assistant && self.content.iter().any(thinks) {
            return Err(Place::In(here, "content").invalid("only an assistant thinks"));
        }
        if role == Role::System
            && !self
                .content
                .iter()
                .all(|block| matches!(block, Block::Text { .. }))
        {
            return Err(Place::In(here, "content").unsupported("instructions are text only"));
        }
        if role == Role::Tool {
            let there = Place::In(here, "tool_call_id");
            let id = self.id.filter(|id| !id.is_empty());
            blocks.push(Block::ToolResult {
                id: id.ok_or_else(|| there.invalid("needed"))?,
                name: None,
                blocks: self.content,
                is_error: false,
                custom: false,
                cache: None,
            });
        } else {
            blocks.extend(self.content);
        }
        blocks.extend(self.refusal.map(|text| Block::Refusal { text }));
        blocks.extend(self.calls);
        if let Some(mark) = self.cache {
            match blocks.iter_mut().rev().find_map(Block::cache_mut) {
                Some(cache) => *cache = cache.or(Some(mark)),
                None => losses.dropped("cache_control"),
            }
        }
        Ok(blocks)
    }
}

fn tool_call<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Block<'a>, Refusal> {
    let value = here.object(value)?;
    let kind = member(value, "type").and_then(Value::text);
    let of = match kind.as_deref() {
        None | Some("function") => "function",
        Some("custom") => "custom",
        _ => return Err(Place::In(here, "type").invalid("function or custom")),
    };
    let custom = of == "custom";
    let there = Place::In(here, of);
    let function = member(value, of).ok_or_else(|| there.invalid("needed"))?;
    let mut id = None;
    let mut cache = None;
    let mut signature = None;
    for (key, value) in members(value) {
        let there = Place::In(here, &key);
        match key.as_ref() {
            name if name == of || matches!(name, "type" | "index") => {}
            "id" => id = Some(there.text(value)?).filter(|id| !id.is_empty()),
            "cache_control" => cache = Some(there.object(value)?),
            // As Google's own OpenAI-compatible API has it.
            "extra_content" => {
                signature = member(value, "google")
                    .and_then(|google| member(google, "thought_signature"))
                    .and_then(Value::text)
                    .map(|data| Signature {
                        maker: Maker::Google,
                        data,
                    });
                if signature.is_none() {
                    losses.dropped("messages.tool_calls.extra_content");
                }
            }
            name => unknown(here, policy, losses, name)?,
        }
    }
    let mut name = None;
    let mut input = Str::from("");
    for (key, value) in members(there.object(function)?) {
        let inside = Place::In(&there, &key);
        match key.as_ref() {
            "name" => name = Some(inside.text(value)?).filter(|name| !name.is_empty()),
            "arguments" if !custom => input = arguments(&inside, value)?,
            "input" if custom => input = inside.text(value)?,
            name => unknown(&there, policy, losses, name)?,
        }
    }
    Ok(Block::ToolUse {
        id: id.ok_or_else(|| Place::In(here, "id").invalid("needed"))?,
        name: name.ok_or_else(|| Place::In(&there, "name").invalid("needed"))?,
        input: if input.is_empty() && !custom {
            "{}".into()
        } else {
            input
        },
        custom,
        cache,
        signature,
    })
}

/// The text of one JSON object, as it was written; empty for none.
pub(super) fn arguments<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Str<'a>, Refusal> {
    let text = here.text(value)?;
    let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
    if trimmed.is_empty() {
        return Ok("".into());
    }
    match Json::read(trimmed) {
        Ok(json) if json.root().kind() == Kind::Object => Ok(text),
        _ => Err(here.unsupported(
            "arguments must be the text of one JSON object: the provider takes nothing else",
        )),
    }
}

/// Thinking that came with an answer and goes back with it, in order. Pieces with the same index are one thought, as naive clients
/// keep a stream's.
fn details<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    losses: &mut Losses,
) -> Result<Vec<Block<'a>>, Refusal> {
    let mut blocks: Vec<(Option<u64>, Block<'a>)> = Vec::new();
    for (index, item) in here.items(value)?.into_iter().enumerate() {
        let there = Place::At(here, index);
        let item = there.object(item)?;
        let says = |key: &'static str| {
            let inside = Place::In(&there, key);
            member(item, key)
                .map(|value| inside.text(value))
                .transpose()
        };
        let format = says("format")?;
        let signed = |data| signature(format.as_deref(), data);
        let id = says("id")?;
        let number = member(item, "index").and_then(Value::as_u64);
        match says("type")?.as_deref() {
            Some("reasoning.text") => {
                let new = says("text")?.unwrap_or_default();
                let signed = says("signature")?.map(signed);
                if let Some((
                    last,
                    Block::Thinking {
                        text, signature, ..
                    },
                )) = blocks.last_mut()
                    && last.is_some()
                    && *last == number
                {
                    text.to_mut().push_str(&new);
                    *signature = signed.or(signature.take());
                    continue;
                }
                blocks.push((
                    number,
                    Block::Thinking {
                        id,
                        text: new,
                        signature: signed,
                    },
                ));
            }
            Some("reasoning.encrypted") => {
                let data = says("data")?.unwrap_or_default();
                let data = signed(data);
                blocks.push((number, Block::Redacted { id, data }));
            }
            Some("reasoning.summary") => {
                let block = Block::Thinking {
                    id,
                    text: says("summary")?.unwrap_or_default(),
                    signature: None,
                };
                blocks.push((None, block));
            }
            _ => losses.dropped("messages.reasoning_details"),
        }
    }
    Ok(blocks.into_iter().map(|(_, block)| block).collect())
}

fn thinking_block<'a>(here: &Place<'_>, block: Value<'a>) -> Result<Block<'a>, Refusal> {
    let block = here.object(block)?;
    let says = |key: &'static str| {
        let inside = Place::In(here, key);
        match member(block, key) {
            Some(value) => inside.text(value),
            None => Ok(Str::default()),
        }
    };
    let signed = |data: Str<'a>| Signature {
        maker: Maker::Anthropic,
        data,
    };
    match member(block, "type").and_then(Value::text).as_deref() {
        Some("thinking") => Ok(Block::Thinking {
            id: None,
            text: says("thinking")?,
            signature: Some(says("signature")?)
                .filter(|data| !data.is_empty())
                .map(signed),
        }),
        Some("redacted_thinking") => Ok(Block::Redacted {
            id: None,
            data: signed(says("data")?),
        }),
        _ => Err(Place::In(here, "type").invalid("thinking or redacted_thinking")),
    }
}

//! Reading the conversation.

use bartizan_core::Refusal;
use bartizan_core::json::{Kind, Value};

use super::super::fields::fields;
use super::super::seal::Seal;
use super::calls::Calls;
use super::media;
use crate::losses::Losses;
use crate::neutral::{Block, Maker, Role, Signature, Str, Turn};
use crate::read::{Place, Unknown, unknown};

/// Neighbouring contents of the model are one turn: its SDKs keep each piece of a stream as one of its own.
pub(super) fn decode<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Turn<'a>>, Refusal> {
    let items = here.items(value)?;
    let mut calls = Calls::of(&items);
    let mut turns: Vec<Turn<'a>> = Vec::with_capacity(items.len());
    for (at, item) in items.into_iter().enumerate() {
        let there = Place::At(here, at);
        let (role, parts) = content(&there, item, policy, losses)?;
        let mut blocks = match turns.last_mut() {
            Some(last) if role == Role::Assistant && last.role == role => {
                std::mem::take(&mut last.blocks)
            }
            _ => {
                if role == Role::Assistant {
                    calls.next_turn();
                }
                turns.push(Turn {
                    at,
                    role,
                    blocks: Vec::new(),
                });
                Vec::new()
            }
        };
        if let Some(parts) = parts {
            let inside = Place::In(&there, "parts");
            for (index, part) in inside.items(parts)?.into_iter().enumerate() {
                let place = Place::At(&inside, index);
                let read = Part::read(&place, part, policy, losses)?;
                match read.body {
                    Some(Body::Call(call)) => {
                        let signature = led(read.seals, &mut blocks);
                        let call = calls.call(&place, call, signature, policy, losses)?;
                        blocks.push(call);
                    }
                    Some(Body::Result(result, media)) => {
                        blocks.push(calls.result(&place, result, media)?);
                    }
                    _ => read.add(&mut blocks),
                }
            }
        }
        if let Some(turn) = turns.pop() {
            settle(turn.at, role, blocks, &mut turns);
        }
    }
    Ok(turns)
}

/// What stands in front of the conversation.
pub(super) fn instructions<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Option<Turn<'a>>, Refusal> {
    let mut blocks = Vec::new();
    for (key, value) in fields(here, value)? {
        let there = Place::In(here, &key);
        match key.as_ref() {
            // Whatever it says, these are instructions.
            "role" => {}
            "parts" => {
                for (index, part) in there.items(value)?.into_iter().enumerate() {
                    let place = Place::At(&there, index);
                    let part = Part::read(&place, part, policy, losses)?;
                    match part.body {
                        Some(Body::Text(text)) => blocks.push(Block::text(text)),
                        _ => return Err(place.unsupported("instructions are text only")),
                    }
                }
            }
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok((!blocks.is_empty()).then_some(Turn {
        at: 0,
        role: Role::System,
        blocks,
    }))
}

fn content<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<(Role, Option<Value<'a>>), Refusal> {
    let mut role = Role::User;
    let mut parts = None;
    for (key, value) in fields(here, value)? {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "role" => {
                role = match there.text(value)?.as_ref() {
                    "model" => Role::Assistant,
                    "" | "user" | "function" | "tool" => Role::User,
                    _ => return Err(there.invalid("user or model")),
                }
            }
            "parts" => parts = Some(value),
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok((role, parts))
}

/// Results of functions, which stand in a user's content here, are a turn of their own.
fn settle<'a>(at: usize, role: Role, blocks: Vec<Block<'a>>, turns: &mut Vec<Turn<'a>>) {
    if role == Role::Assistant {
        return turns.push(Turn { at, role, blocks });
    }
    let (results, rest): (Vec<_>, Vec<_>) = blocks
        .into_iter()
        .partition(|block| matches!(block, Block::ToolResult { .. }));
    let only_results = !results.is_empty() && rest.is_empty();
    if !results.is_empty() {
        turns.push(Turn {
            at,
            role: Role::Tool,
            blocks: results,
        });
    }
    if !only_results {
        turns.push(Turn {
            at,
            role,
            blocks: rest,
        });
    }
}

/// A part, which says one thing and what is said about it.
#[derive(Default)]
struct Part<'a> {
    body: Option<Body<'a>>,
    thought: bool,
    seals: Vec<Seal<'a>>,
    detail: Option<&'static str>,
}

enum Body<'a> {
    Text(Str<'a>),
    Media(Block<'a>),
    Call(Value<'a>),
    Result(Value<'a>, Vec<Block<'a>>),
    Foreign(&'static str),
}

impl<'a> Part<'a> {
    fn read(
        here: &Place<'_>,
        value: Value<'a>,
        policy: Unknown,
        losses: &mut Losses,
    ) -> Result<Self, Refusal> {
        let mut part = Self::default();
        for (key, value) in fields(here, value)? {
            let there = Place::In(here, &key);
            let body = match key.as_ref() {
                "text" => Body::Text(there.text(value)?),
                "inlineData" => Body::Media(media::inline(&there, value, policy, losses)?),
                "fileData" => Body::Media(media::file(&there, value, policy, losses)?),
                "functionCall" => Body::Call(there.object(value)?),
                "functionResponse" => {
                    let parts = media::of_result(&there, value, policy, losses)?;
                    Body::Result(there.object(value)?, parts)
                }
                "executableCode" | "toolCall" => Body::Foreign("messages.server_tool_use"),
                "codeExecutionResult" | "toolResponse" => {
                    Body::Foreign("messages.server_tool_result")
                }
                "thought" => {
                    part.thought = there.flag(value)?;
                    continue;
                }
                "thoughtSignature" => {
                    let text = there.text(value)?;
                    if !text.is_empty() {
                        part.seals = Seal::read(text);
                    }
                    continue;
                }
                "mediaResolution" => {
                    part.detail = media::detail(value);
                    if part.detail.is_none() {
                        losses.dropped("messages.image_url.detail");
                    }
                    continue;
                }
                name => {
                    match dropped(name) {
                        Some(name) => losses.dropped(name),
                        None => unknown(here, policy, losses, name)?,
                    }
                    continue;
                }
            };
            if part.body.replace(body).is_some() {
                return Err(here.invalid("a part says one thing"));
            }
        }
        if part.body.is_none() && part.seals.is_empty() {
            return Err(here.invalid("a part says text, data, a call or a result"));
        }
        Ok(part)
    }

    fn add(mut self, blocks: &mut Vec<Block<'a>>) {
        let seal = self.seals.pop().unwrap_or_default();
        for seal in self.seals {
            thought("".into(), seal, true, blocks);
        }
        match self.body {
            None => thought("".into(), seal, true, blocks),
            Some(Body::Text(text)) => thought(text, seal, self.thought, blocks),
            Some(Body::Media(mut block)) => {
                if let Block::Image { detail, .. } = &mut block {
                    *detail = self.detail.map(Into::into);
                }
                blocks.push(block);
            }
            Some(Body::Foreign(name)) => blocks.push(Block::Foreign { name }),
            // Those are read with the calls before them.
            Some(Body::Call(_) | Body::Result(..)) => {}
        }
    }
}

/// Another maker's thoughts that led to a call stand before it, as there are no signatures on calls elsewhere. Gives Google's.
fn led<'a>(seals: Vec<Seal<'a>>, blocks: &mut Vec<Block<'a>>) -> Option<Signature<'a>> {
    let mut own = None;
    for seal in seals {
        match seal.signature {
            Some(signature) if signature.maker == Maker::Google => own = Some(signature),
            _ => thought("".into(), seal, true, blocks),
        }
    }
    own
}

/// A text or a thought. What signs it may come in a part of its own, without words.
fn thought<'a>(text: Str<'a>, seal: Seal<'a>, is_thought: bool, blocks: &mut Vec<Block<'a>>) {
    let Some(signature) = seal.signature else {
        if is_thought {
            blocks.push(Block::Thinking {
                id: None,
                text,
                signature: None,
            });
        } else {
            blocks.push(Block::text(text));
        }
        return;
    };
    let id = seal.id;
    if signature.maker == Maker::Google && !is_thought || seal.redacted {
        blocks.push(Block::Redacted {
            id,
            data: signature,
        });
        if !text.is_empty() {
            blocks.push(Block::text(text));
        }
        return;
    }
    if !is_thought && !text.is_empty() {
        blocks.push(Block::Thinking {
            id,
            text: seal.words.unwrap_or_default(),
            signature: Some(signature),
        });
        blocks.push(Block::text(text));
        return;
    }
    // The words that were told piece by piece, before what signs them.
    let mut words = String::new();
    if let Some(hidden) = seal.words {
        words.push_str(&hidden);
    } else if signature.maker != Maker::Google {
        let unsigned = |block: &Block<'_>| {
            matches!(
                block,
                Block::Thinking {
                    signature: None,
                    ..
                }
            )
        };
        let signed = blocks.iter().rposition(|block| !unsigned(block));
        for block in blocks.drain(signed.map_or(0, |at| at + 1)..) {
            if let Block::Thinking { text, .. } = block {
                words.push_str(&text);
            }
        }
    }
    let text = if words.is_empty() {
        text
    } else {
        words.push_str(&text);
        words.into()
    };
    blocks.push(Block::Thinking {
        id,
        text,
        signature: Some(signature),
    });
}

/// What is said about a part, that no other API has a word for.
fn dropped(name: &str) -> Option<&'static str> {
    Some(match name {
        "videoMetadata" => "contents.parts.videoMetadata",
        "partMetadata" => "contents.parts.partMetadata",
        "mediaProcessing" => "contents.parts.mediaProcessing",
        "audioTranscription" => "contents.parts.audioTranscription",
        "speechMetadata" | "documentMetadata" | "spreadsheetMetadata" | "audioMetadata" => {
            "contents.parts.metadata"
        }
        _ => return None,
    })
}

/// A string's words, whatever else it says.
pub(super) fn word(value: Value<'_>) -> Option<Str<'_>> {
    (value.kind() == Kind::String)
        .then(|| value.text())
        .flatten()
        .filter(|word| !word.is_empty())
}

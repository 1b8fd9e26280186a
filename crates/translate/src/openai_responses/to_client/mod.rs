//! Writing answers.

mod events;
mod item;
mod response;

use bartizan_core::Out;

use self::events::Events;
use self::item::{Call, Ids, Item, Kind, Part, annotation, sealed};
use self::response::{End, Head, is_incomplete};
use crate::dialects;
use crate::neutral::{Answer, Ask, Block, Maker, Moment};
use crate::write::Writer;

/// Writes answers to one client.
#[derive(Debug)]
pub(crate) struct ToClient {
    events: Events,
}

impl ToClient {
    /// `created` in seconds since 1970.
    pub(crate) fn new(created: u64, ask: &Ask<'_>) -> Self {
        Self {
            events: Events::new(Head::new(created, ask)),
        }
    }
}

impl dialects::Writer for ToClient {
    fn answer(&self, answer: &Answer<'_>) -> String {
        let head = self.events.head().begun(&answer.id, &answer.model);
        let items = items(&answer.blocks, &head);
        let mut out = Writer::with_capacity(2_048);
        let end = End::Ended {
            finish: answer.finish,
            usage: &answer.usage,
            losses: &answer.losses,
        };
        let cut = is_incomplete(answer.finish);
        let output = |out: &mut Writer| {
            for (at, item) in items.iter().enumerate() {
                item.write(item.status(cut, at + 1 == items.len()), out);
            }
        };
        head.write(end, output, &mut out);
        out.finish()
    }

    fn say(&mut self, moment: &Moment<'_>, out: &mut Out) {
        self.events.say(moment, out);
    }
}

/// Blocks in their order: neighbouring texts are parts of one message, and thoughts without a proof between them of one thought.
fn items(blocks: &[Block<'_>], head: &Head) -> Vec<Item> {
    let ids = &Ids::of(&head.id);
    let mut items: Vec<Item> = Vec::with_capacity(blocks.len());
    let mut thought: Option<&str> = None;
    for block in blocks {
        match block {
            Block::Text {
                text, citations, ..
            } => {
                let part = part(false, text, &mut items, ids);
                if let Some(part) = part {
                    part.annotations.extend(citations.iter().map(annotation));
                }
            }
            Block::Refusal { text } => {
                part(true, text, &mut items, ids);
            }
            Block::Thinking {
                id,
                text,
                signature,
            } => {
                let signed = signature
                    .as_ref()
                    .map(|signature| signature.tagged(Maker::OpenAi).into_owned());
                let words = Some(text.clone().into_owned()).filter(|text| !text.is_empty());
                if words.is_none() && signed.is_none() {
                    continue;
                }
                match items.last_mut().map(|last| &mut last.kind) {
                    Some(Kind::Reasoning {
                        summary,
                        encrypted: encrypted @ None,
                    }) if thought == id.as_deref() => {
                        summary.extend(words);
                        *encrypted = signed;
                    }
                    _ => {
                        let kind = Kind::Reasoning {
                            summary: words.into_iter().collect(),
                            encrypted: signed,
                        };
                        push(kind, id.as_deref(), &mut items, ids);
                    }
                }
                thought = id.as_deref();
            }
            Block::Redacted { id, data } => push(sealed(data), id.as_deref(), &mut items, ids),
            Block::ToolUse {
                id,
                name,
                input,
                custom,
                signature,
                ..
            } => {
                // Of the thought that led here: the call has no place for it.
                if let Some(signature) = signature {
                    push(sealed(signature), None, &mut items, ids);
                }
                let mut call = Call::new(id, head.namespaces.split(name), *custom);
                call.push(if input.is_empty() && !custom {
                    "{}"
                } else {
                    input
                });
                push(Kind::Call(call), None, &mut items, ids);
            }
            // No answer is made of these.
            Block::Image { .. }
            | Block::Document { .. }
            | Block::Audio { .. }
            | Block::Video { .. }
            | Block::ToolResult { .. }
            | Block::Foreign { .. } => {}
        }
    }
    items
}

fn push(kind: Kind, said: Option<&str>, items: &mut Vec<Item>, ids: &Ids) {
    let id = ids.item(&kind, items.len(), said);
    items.push(Item { id, kind });
}

/// The part that `text` was added to; none is begun for an empty text.
fn part<'i>(
    refusal: bool,
    text: &str,
    items: &'i mut Vec<Item>,
    ids: &Ids,
) -> Option<&'i mut Part> {
    let in_message = matches!(
        items.last(),
        Some(Item {
            kind: Kind::Message(_),
            ..
        })
    );
    if !in_message && !text.is_empty() {
        push(Kind::Message(Vec::new()), None, items, ids);
    }
    let Some(Item {
        kind: Kind::Message(parts),
        ..
    }) = items.last_mut()
    else {
        return None;
    };
    if parts.last().is_none_or(|last| last.refusal != refusal) && !text.is_empty() {
        parts.push(Part::new(refusal));
    }
    let part = parts.last_mut()?;
    if part.refusal == refusal {
        part.text.push_str(text);
    }
    Some(part)
}

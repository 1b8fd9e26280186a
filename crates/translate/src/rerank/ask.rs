//! Reading a request.

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Document, Refusal};

use crate::losses::Losses;
use crate::neutral::Str;
use crate::read::{Place, Unknown, member, members, unknown};

#[derive(Debug, Default)]
pub(super) struct Ask<'a> {
    pub(super) query: Str<'a>,
    pub(super) documents: Vec<Str<'a>>,
    /// How many are wanted back.
    pub(super) best: Option<u64>,
    /// Whether the answer is to have the documents.
    pub(super) returns: bool,
    pub(super) max_tokens: Option<u64>,
    /// Whether what is too long is cut.
    pub(super) truncation: Option<bool>,
    pub(super) priority: Option<Value<'a>>,
}

impl<'a> Ask<'a> {
    pub(super) fn decode(
        document: &'a Document,
        policy: Unknown,
        losses: &mut Losses,
    ) -> Result<Self, Refusal> {
        let mut ask = Self::default();
        for (key, value) in members(document.json().root()) {
            let here = Place::In(&Place::Root, &key);
            match key.as_ref() {
                // The target's is another.
                "model" => {
                    here.text(value)?;
                }
                "query" => ask.query = here.text(value)?,
                "documents" => ask.documents = documents(&here, value, policy, losses)?,
                "top_n" | "top_k" => match here.count(value)? {
                    0 => return Err(here.invalid("at least 1")),
                    best => ask.best = Some(best),
                },
                "return_documents" => ask.returns = here.flag(value)?,
                "max_tokens_per_doc" => ask.max_tokens = Some(here.count(value)?),
                "truncation" => ask.truncation = Some(here.flag(value)?),
                "priority" => ask.priority = Some(value),
                "rank_fields" => {
                    return Err(
                        here.unsupported("rank by one text: send each document as a string")
                    );
                }
                "max_chunks_per_doc" => losses.dropped("max_chunks_per_doc"),
                name => unknown(&Place::Root, policy, losses, name)?,
            }
        }
        if ask.query.is_empty() {
            return Err(Place::In(&Place::Root, "query").invalid("needed"));
        }
        if ask.documents.is_empty() {
            return Err(Place::In(&Place::Root, "documents").invalid("at least one"));
        }
        Ok(ask)
    }
}

fn documents<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Str<'a>>, Refusal> {
    let items = here.items(value)?.into_iter().enumerate();
    items
        .map(|(index, item)| {
            let there = Place::At(here, index);
            if item.kind() == Kind::String {
                return there.text(item);
            }
            for (key, _) in members(there.object(item)?) {
                match key.as_ref() {
                    "text" => {}
                    "image" => {
                        let there = Place::In(&there, "image");
                        return Err(there.unsupported("texts only can be ranked there"));
                    }
                    name => unknown(&there, policy, losses, name)?,
                }
            }
            let there = Place::In(&there, "text");
            there.text(member(item, "text").ok_or_else(|| there.invalid("needed"))?)
        })
        .collect()
}

//! Reading the parts of a message, or of a piece of one.

use bartizan_core::json::{Kind, Value};

use super::{string, text};
use crate::losses::Losses;
use crate::neutral::{Block, Citation, Maker, Signature, Str};
use crate::openai_chat::reasoning::signature;
use crate::read::member;

/// What of a message no other API has a word for.
pub(super) const LOST: [(&str, &str); 2] = [
    ("audio", "choices.message.audio"),
    ("images", "choices.message.images"),
];

/// Thoughts, in the first of the forms in which they are told. Blocks of one thought's pieces are told apart by their [`Piece`].
pub(super) fn pieces<'a>(
    message: Value<'a>,
    losses: &mut Losses,
    mut say: impl FnMut(Option<u64>, Block<'a>),
) {
    let mut told = false;
    let details = member(message, "reasoning_details");
    for item in details.into_iter().flat_map(Value::items) {
        let format = text(item, "format");
        let signed = |data| signature(format.as_deref(), data);
        let id = text(item, "id");
        let index = member(item, "index").and_then(Value::as_u64);
        match member(item, "type").and_then(Value::text).as_deref() {
            Some("reasoning.text") => {
                told = true;
                let thought = Block::Thinking {
                    id,
                    text: string(item, "text"),
                    signature: text(item, "signature").map(signed),
                };
                say(index, thought);
            }
            Some("reasoning.summary") => {
                told = true;
                let thought = Block::Thinking {
                    id,
                    text: string(item, "summary"),
                    signature: None,
                };
                say(index, thought);
            }
            Some("reasoning.encrypted") => {
                let data = signed(string(item, "data"));
                say(index, Block::Redacted { id, data });
            }
            _ => losses.dropped("choices.message.reasoning_details"),
        }
    }
    let words = text(message, "reasoning_content").or_else(|| text(message, "reasoning"));
    if let Some(text) = words.filter(|_| !told) {
        let thought = Block::Thinking {
            id: None,
            text,
            signature: None,
        };
        say(None, thought);
    }
}

/// Thoughts, whole. Items of one index are one thought.
pub(super) fn thoughts<'a>(
    message: Value<'a>,
    losses: &mut Losses,
    mut say: impl FnMut(Block<'a>),
) {
    let mut blocks: Vec<(Option<u64>, Block<'a>)> = Vec::new();
    pieces(message, losses, |index, block| {
        if let Block::Thinking {
            text: more,
            signature: signed,
            ..
        } = &block
            && let Some((
                last,
                Block::Thinking {
                    text, signature, ..
                },
            )) = blocks.last_mut()
            && index.is_some()
            && *last == index
        {
            text.to_mut().push_str(more);
            *signature = signed.clone().or(signature.take());
        } else {
            blocks.push((index, block));
        }
    });
    blocks.into_iter().for_each(|(_, block)| say(block));
}

/// A string, or parts, thoughts among them.
pub(super) fn content<'a>(
    content: Option<Value<'a>>,
    losses: &mut Losses,
    mut say: impl FnMut(Block<'a>),
) {
    let Some(content) = content else {
        return;
    };
    if content.kind() == Kind::String {
        let text = content.text().unwrap_or_default();
        if !text.is_empty() {
            say(Block::text(text));
        }
        return;
    }
    for part in content.items() {
        if part.kind() == Kind::String {
            say(Block::text(part.text().unwrap_or_default()));
            continue;
        }
        match member(part, "type").and_then(Value::text).as_deref() {
            Some("text" | "output_text") => say(Block::text(string(part, "text"))),
            Some("refusal") => say(Block::Refusal {
                text: string(part, "refusal"),
            }),
            Some("thinking") => say(Block::Thinking {
                id: None,
                text: thought(part, losses),
                signature: text(part, "signature").map(|data| Signature {
                    maker: Maker::Other,
                    data,
                }),
            }),
            Some("reference") => losses.dropped("choices.message.content.reference"),
            _ => losses.dropped("choices.message.content"),
        }
    }
}

/// Mistral's thought: a string, or texts and references.
fn thought<'a>(part: Value<'a>, losses: &mut Losses) -> Str<'a> {
    let Some(thinking) = member(part, "thinking") else {
        return Str::default();
    };
    if let Some(text) = thinking.text() {
        return text;
    }
    let mut whole: Option<Str<'a>> = None;
    for item in thinking.items() {
        match text(item, "text") {
            Some(more) => match &mut whole {
                Some(text) => text.to_mut().push_str(&more),
                None => whole = Some(more),
            },
            None => losses.dropped("choices.message.content.reference"),
        }
    }
    whole.unwrap_or_default()
}

/// What the text stands on: OpenAI's annotations, else what a searching server found.
pub(super) fn citations<'a>(
    root: Value<'a>,
    message: Value<'a>,
    losses: &mut Losses,
) -> Vec<Citation<'a>> {
    let list = |of: Value<'a>, name: &str| member(of, name).into_iter().flat_map(Value::items);
    let mut all: Vec<Citation<'a>> = list(message, "annotations")
        .filter_map(|annotation| member(annotation, "url_citation"))
        .map(|cited| {
            let count = |name: &str| member(cited, name).and_then(Value::as_u64);
            Citation {
                url: string(cited, "url"),
                title: text(cited, "title"),
                quote: text(cited, "content"),
                range: count("start_index")
                    .zip(count("end_index"))
                    .filter(|(start, end)| start < end),
            }
        })
        .collect();
    if all.is_empty() {
        all = list(root, "search_results")
            .map(|found| Citation {
                url: string(found, "url"),
                title: text(found, "title"),
                quote: text(found, "snippet"),
                range: None,
            })
            .collect();
    }
    if all.is_empty() {
        all = list(root, "citations")
            .filter_map(Value::text)
            .map(|url| Citation {
                url,
                ..Citation::default()
            })
            .collect();
    }
    // What was attached to the question has no address.
    let found = all.len();
    all.retain(|citation| !citation.url.is_empty());
    if all.len() < found {
        losses.dropped("choices.message.annotations");
    }
    all
}

/// The thought's signature on a call, as Google's own OpenAI-compatible API has it.
pub(super) fn of_call(call: Value<'_>) -> Option<Signature<'_>> {
    let google = member(member(call, "extra_content")?, "google")?;
    Some(Signature {
        maker: Maker::Google,
        data: text(google, "thought_signature")?,
    })
}

//! Cohere's embed, version 2.

use bartizan_core::json::Value;
use bartizan_core::{Document, Refusal};

use crate::embeddings::ask::{Ask, Cut, Input, Part, Purpose, What};
use crate::embeddings::to_client::{Client, FORMS};
use crate::losses::Losses;
use crate::neutral::Names;
use crate::read::{Place, Unknown, member, members, unknown};

const NAMES: Names = &[
    ("input", "texts"),
    ("dimensions", "output_dimension"),
    ("encoding_format", "embedding_types"),
];

pub(super) fn decode<'a>(
    document: &'a Document,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Ask<'a>, Refusal> {
    let mut ask = Ask {
        names: NAMES,
        model: "".into(),
        client: Client::Cohere { forms: Vec::new() },
        inputs: Vec::new(),
        cut: None,
        max_tokens: None,
        user: None,
        rest: Vec::new(),
    };
    let (mut dimensions, mut purpose) = (None, None);
    let mut forms = Vec::new();
    for (key, value) in members(document.json().root()) {
        let here = Place::In(&Place::Root, &key);
        match key.as_ref() {
            "model" => ask.model = here.text(value)?,
            "texts" => {
                for (index, item) in here.items(value)?.into_iter().enumerate() {
                    let text = Place::At(&here, index).text(item)?;
                    ask.inputs.push(input(vec![Part::Text(text)]));
                }
            }
            "images" => {
                for (index, item) in here.items(value)?.into_iter().enumerate() {
                    let there = Place::At(&here, index);
                    ask.inputs
                        .push(input(vec![super::image(&there, there.text(item)?)?]));
                }
            }
            "inputs" => {
                for (index, item) in here.items(value)?.into_iter().enumerate() {
                    let there = Place::At(&here, index);
                    ask.inputs.push(input(mixed(&there, item, policy, losses)?));
                }
            }
            "input_type" => {
                let word = here.text(value)?;
                let known =
                    Purpose::named(&word).filter(|purpose| purpose.cohere() == (&*word, true));
                purpose = Some(known.ok_or_else(|| {
                    here.invalid(
                        "search_document, search_query, classification, clustering or image",
                    )
                })?);
            }
            "embedding_types" => {
                for (index, item) in here.items(value)?.into_iter().enumerate() {
                    let form = FORMS.iter().find(|form| item.is(form));
                    forms.push(*form.ok_or_else(|| {
                        Place::At(&here, index)
                            .invalid("float, int8, uint8, binary, ubinary or base64")
                    })?);
                }
            }
            "output_dimension" => dimensions = Some(super::size(&here, value)?),
            "max_tokens" => ask.max_tokens = Some(here.count(value)?),
            "truncate" => {
                let cut = Cut::named(&here.text(value)?);
                ask.cut = Some(cut.ok_or_else(|| here.invalid("NONE, START or END"))?);
            }
            "priority" => losses.dropped("priority"),
            name => unknown(&Place::Root, policy, losses, name)?,
        }
    }
    if forms.is_empty() {
        forms.push("float");
    }
    ask.client = Client::Cohere { forms };
    for input in &mut ask.inputs {
        input.dimensions = dimensions;
        input.purpose = purpose;
    }
    Ok(ask)
}

fn input(parts: Vec<Part<'_>>) -> Input<'_> {
    Input {
        what: What::Parts(parts),
        ..Input::default()
    }
}

fn mixed<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Part<'a>>, Refusal> {
    for (key, _) in members(here.object(value)?) {
        if key != "content" {
            unknown(here, policy, losses, &key)?;
        }
    }
    let there = Place::In(here, "content");
    let content = member(value, "content").ok_or_else(|| there.invalid("needed"))?;
    let items = there.items(content)?;
    if items.is_empty() {
        return Err(there.invalid("at least one part"));
    }
    let items = items.into_iter().enumerate();
    items
        .map(|(index, item)| part(&Place::At(&there, index), item))
        .collect()
}

fn part<'a>(here: &Place<'_>, part: Value<'a>) -> Result<Part<'a>, Refusal> {
    let part = here.object(part)?;
    let needed =
        |key: &str| member(part, key).ok_or_else(|| Place::In(here, key).invalid("needed"));
    match member(part, "type").and_then(Value::text).as_deref() {
        Some("text") => Place::In(here, "text")
            .text(needed("text")?)
            .map(Part::Text),
        Some("image_url") => {
            let there = Place::In(here, "image_url");
            let inside = Place::In(&there, "url");
            let url =
                member(needed("image_url")?, "url").ok_or_else(|| inside.invalid("needed"))?;
            super::image(&inside, inside.text(url)?)
        }
        _ => Err(Place::In(here, "type").unsupported("text or image_url")),
    }
}

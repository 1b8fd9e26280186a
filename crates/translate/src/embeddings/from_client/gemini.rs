//! Gemini's `embedContent` and `batchEmbedContents`.

use bartizan_core::json::Value;
use bartizan_core::{Document, Refusal};

use crate::embeddings::ask::{Ask, Cut, Input, Part, Purpose, What};
use crate::embeddings::to_client::Client;
use crate::losses::Losses;
use crate::neutral::Names;
use crate::read::{Place, Unknown, member, members, unknown};

const ONE: Names = &[
    ("input", "content"),
    ("dimensions", "outputDimensionality"),
    ("input_type", "taskType"),
    ("truncate", "autoTruncate"),
];

const BATCH: Names = &[
    ("input", "requests"),
    ("dimensions", "outputDimensionality"),
    ("input_type", "taskType"),
    ("truncate", "autoTruncate"),
];

pub(super) fn decode<'a>(
    document: &'a Document,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Ask<'a>, Refusal> {
    let root = document.json().root();
    let batch = member(root, "requests");
    let mut ask = Ask {
        names: if batch.is_some() { BATCH } else { ONE },
        model: document.facts().model.as_deref().unwrap_or_default().into(),
        client: Client::Gemini {
            batch: batch.is_some(),
        },
        inputs: Vec::new(),
        cut: None,
        max_tokens: None,
        user: None,
        rest: Vec::new(),
    };
    let Some(batch) = batch else {
        let input = one(&Place::Root, root, &mut ask.cut, policy, losses)?;
        ask.inputs.push(input);
        return Ok(ask);
    };
    let here = Place::In(&Place::Root, "requests");
    for (index, item) in here.items(batch)?.into_iter().enumerate() {
        let there = Place::At(&here, index);
        let item = there.object(item)?;
        let mut cut = None;
        let input = one(&there, item, &mut cut, policy, losses)?;
        if index > 0 && cut != ask.cut {
            let there = Place::In(&there, "autoTruncate");
            return Err(there.unsupported("the same in the whole batch only"));
        }
        ask.cut = cut;
        ask.inputs.push(input);
    }
    for (key, _) in members(root) {
        if !matches!(key.as_ref(), "requests" | "model") {
            unknown(&Place::Root, policy, losses, &key)?;
        }
    }
    Ok(ask)
}

fn one<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    cut: &mut Option<Cut>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Input<'a>, Refusal> {
    let mut input = Input::default();
    for (key, value) in members(value) {
        let there = Place::In(here, &key);
        match key.as_ref() {
            // The path says it.
            "model" => {}
            "content" => input.what = What::Parts(parts(&there, value, policy, losses)?),
            "embedContentConfig" | "embed_content_config" => {
                for (key, value) in members(there.object(value)?) {
                    setting(&there, &key, value, &mut input, cut, policy, losses)?;
                }
            }
            name => setting(here, name, value, &mut input, cut, policy, losses)?,
        }
    }
    match &input.what {
        What::Parts(parts) if parts.is_empty() => {
            Err(Place::In(here, "content").invalid("at least one part"))
        }
        _ => Ok(input),
    }
}

fn setting<'a>(
    here: &Place<'_>,
    key: &str,
    value: Value<'a>,
    input: &mut Input<'a>,
    cut: &mut Option<Cut>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let there = Place::In(here, key);
    match key {
        "taskType" | "task_type" => {
            let word = there.text(value)?;
            if word != "TASK_TYPE_UNSPECIFIED" {
                let purpose =
                    Purpose::named(&word).filter(|purpose| purpose.gemini() == Some(&*word));
                input.purpose =
                    Some(purpose.ok_or_else(|| there.invalid("such as RETRIEVAL_DOCUMENT"))?);
            }
        }
        "title" => input.title = Some(there.text(value)?),
        "outputDimensionality" | "output_dimensionality" => {
            input.dimensions = Some(super::size(&there, value)?);
        }
        "autoTruncate" | "auto_truncate" => *cut = Some(Cut::of(there.flag(value)?)),
        name => unknown(here, policy, losses, name)?,
    }
    Ok(())
}

fn parts<'a>(
    here: &Place<'_>,
    content: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Part<'a>>, Refusal> {
    for (key, _) in members(here.object(content)?) {
        if !matches!(key.as_ref(), "parts" | "role") {
            unknown(here, policy, losses, &key)?;
        }
    }
    let there = Place::In(here, "parts");
    let parts = member(content, "parts").ok_or_else(|| there.invalid("needed"))?;
    let items = there.items(parts)?.into_iter().enumerate();
    items
        .map(|(index, item)| part(&Place::At(&there, index), item))
        .collect()
}

fn part<'a>(here: &Place<'_>, part: Value<'a>) -> Result<Part<'a>, Refusal> {
    let part = here.object(part)?;
    let mut said = members(part);
    let (Some((key, value)), None) = (said.next(), said.next()) else {
        return Err(here.unsupported("a text, inlineData or fileData, and nothing else"));
    };
    let there = Place::In(here, &key);
    let of = |name: &str, other: &str| {
        let inside = Place::In(&there, name);
        let value = member(value, name).or_else(|| member(value, other));
        inside.text(value.ok_or_else(|| inside.invalid("needed"))?)
    };
    match key.as_ref() {
        "text" => there.text(value).map(Part::Text),
        "inlineData" | "inline_data" => {
            let media_type = of("mimeType", "mime_type")?.to_ascii_lowercase();
            super::data_part(&there, &media_type, &of("data", "data")?)
        }
        "fileData" | "file_data" => Ok(Part::Url {
            url: of("fileUri", "file_uri")?,
            media_type: of("mimeType", "mime_type").ok(),
        }),
        _ => Err(there.unsupported("a text, inlineData or fileData")),
    }
}

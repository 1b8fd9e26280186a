//! OpenAI's `input`: a text, a list of texts, tokens, lists of tokens; and the words of servers compatible with it.

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Document, Refusal};

use crate::embeddings::ask::{Ask, Cut, Input, Part, Purpose, What};
use crate::embeddings::to_client::Client;
use crate::read::{Place, members};

pub(super) fn decode(document: &Document) -> Result<Ask<'_>, Refusal> {
    let mut ask = Ask {
        names: &[],
        model: "".into(),
        client: Client::OpenAi {
            base64: false,
            as_is: false,
        },
        inputs: Vec::new(),
        cut: None,
        max_tokens: None,
        user: None,
        rest: Vec::new(),
    };
    let (mut dimensions, mut purpose) = (None, None);
    let (mut base64, mut as_is) = (false, false);
    for (key, value) in members(document.json().root()) {
        let here = Place::In(&Place::Root, &key);
        match key.as_ref() {
            "model" => ask.model = here.text(value)?,
            "input" => ask.inputs = inputs(&here, value)?,
            "encoding_format" => match here.text(value)?.as_ref() {
                "float" => base64 = false,
                "base64" => base64 = true,
                _ => return Err(here.invalid("float or base64")),
            },
            // Mistral and Voyage call it otherwise.
            "dimensions" | "output_dimension" => dimensions = Some(super::size(&here, value)?),
            "user" => ask.user = Some(here.text(value)?),
            name => {
                match name {
                    "input_type" | "task" => {
                        purpose = purpose.or(value.text().and_then(|word| Purpose::named(&word)));
                    }
                    "truncate" | "truncation" => {
                        let told = value.as_bool().map(Cut::of);
                        let cut = told.or_else(|| Cut::named(&value.text()?));
                        ask.cut = Some(cut.ok_or_else(|| here.invalid("NONE, START or END"))?);
                    }
                    // Such numbers are no floats, and only the caller knows what they are.
                    "output_dtype" | "embedding_type" if !value.is("float") => as_is = true,
                    _ => {}
                }
                ask.rest.push((key.clone(), value));
            }
        }
    }
    ask.client = Client::OpenAi { base64, as_is };
    for input in &mut ask.inputs {
        input.dimensions = dimensions;
        input.purpose = purpose;
    }
    Ok(ask)
}

fn inputs<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Vec<Input<'a>>, Refusal> {
    let input = |what| Input {
        what,
        ..Input::default()
    };
    let text = |text| input(What::Parts(vec![Part::Text(text)]));
    if value.kind() == Kind::String {
        return Ok(vec![text(here.text(value)?)]);
    }
    if let Some(tokens) = tokens(value) {
        return Ok(vec![input(What::Tokens(tokens))]);
    }
    let items = here.items(value)?.into_iter().enumerate();
    items
        .map(|(index, item)| {
            let there = Place::At(here, index);
            Ok(match item.kind() {
                Kind::String => text(there.text(item)?),
                Kind::Array => {
                    let tokens =
                        tokens(item).ok_or_else(|| there.invalid("a text or a list of tokens"))?;
                    input(What::Tokens(tokens))
                }
                _ => input(What::Own(item)),
            })
        })
        .collect()
}

/// A list of whole numbers, at least one.
fn tokens(value: Value<'_>) -> Option<&str> {
    let raw = value.raw();
    let inside = raw.strip_prefix('[')?.strip_suffix(']')?;
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b',' || byte.is_ascii_whitespace();
    (inside.bytes().all(plain) && inside.bytes().any(|byte| byte.is_ascii_digit())).then_some(raw)
}

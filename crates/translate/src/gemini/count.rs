//! Counts of tokens.
//!
//! Google AI counts contents alone, or a whole request that stands inside; Vertex AI counts what stands beside its contents.

use bartizan_core::json::quote;
use bartizan_core::{Document, Refusal};

use super::fields::{field, fields};
use super::from_client;
use super::to_provider;
use crate::dialects::To;
use crate::losses::Losses;
use crate::neutral::Ask;
use crate::read::{Place, Unknown, member};
use crate::write::Writer;

const REQUEST: &str = "generateContentRequest";

pub(crate) fn decode<'a>(
    document: &'a Document,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Ask<'a>, Refusal> {
    let root = document.json().root();
    let mut ask = match field(root, REQUEST) {
        Some(request) => {
            if fields(&Place::Root, root)?.len() > 1 {
                let says = "either this or contents of its own";
                return Err(Place::In(&Place::Root, REQUEST).invalid(says));
            }
            let here = Place::In(&Place::Root, REQUEST);
            from_client::request(&here, request, policy, losses)?
        }
        None => from_client::request(&Place::Root, root, policy, losses)?,
    };
    ask.model = from_client::model(document)?;
    Ok(ask)
}

pub(crate) fn encode(ask: &Ask<'_>, to: To<'_>, losses: &mut Losses) -> Result<String, Refusal> {
    let names = to_provider::names(ask);
    let mut out = Writer::with_capacity(4_096);
    out.open();
    if to.vertex {
        to_provider::prompt(ask, &to, &names, &mut out, losses)?;
    } else {
        out.key(REQUEST);
        out.open();
        out.text_at("model", &named(to.model));
        to_provider::prompt(ask, &to, &names, &mut out, losses)?;
        out.close();
    }
    out.close();
    Ok(out.finish())
}

/// Names the model inside of a relayed question as its path does: the API refuses two.
pub(crate) fn set_model(document: &mut Document, model: &str) {
    let root = document.json().root();
    let inside = field(root, REQUEST).and_then(|request| member(request, "model"));
    let Some(range) = inside.map(|named| named.range()) else {
        return;
    };
    // A name in quotes is JSON wherever one stood before.
    let _ = document.splice(&[(range, quote(&named(model)))]);
}

fn named(model: &str) -> String {
    if model.contains('/') {
        model.to_owned()
    } else {
        format!("models/{model}")
    }
}

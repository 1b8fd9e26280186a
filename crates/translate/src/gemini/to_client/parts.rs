//! Writing the parts of an answer.

use bartizan_core::json::{Json, Kind};

use super::super::seal::Seal;
use crate::neutral::Signature;
use crate::write::Writer;

pub(super) fn text(text: &str, signature: Option<&str>, out: &mut Writer) {
    out.open();
    out.text_at("text", text);
    if let Some(signature) = signature {
        out.text_at("thoughtSignature", signature);
    }
    out.close();
}

/// A thought that is told, or a piece of one.
pub(super) fn thought(
    id: Option<&str>,
    words: &str,
    signature: Option<&Signature<'_>>,
    out: &mut Writer,
) {
    out.open();
    out.text_at("text", words);
    out.raw_at("thought", "true");
    if let Some(signature) = signature {
        let seal = Seal {
            signature: Some(signature.clone()),
            id: id.map(Into::into),
            ..Seal::default()
        };
        out.text_at("thoughtSignature", &seal.written());
    }
    out.close();
}

/// A call, whose arguments are told whole.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) custom: bool,
    pub(super) signature: Option<String>,
}

impl Call<'_> {
    /// `false`, and nothing written, where the arguments are no JSON object: the API has no place for anything else.
    pub(super) fn write(&self, input: &str, out: &mut Writer) -> bool {
        let input = input.trim();
        let is_object =
            |input: &str| Json::read(input).is_ok_and(|json| json.root().kind() == Kind::Object);
        if !self.custom && !input.is_empty() && !is_object(input) {
            return false;
        }
        out.open();
        out.key("functionCall");
        out.open();
        if !self.id.is_empty() {
            out.text_at("id", self.id);
        }
        out.text_at("name", self.name);
        out.key("args");
        if self.custom {
            out.open();
            out.text_at("input", input);
            out.close();
        } else {
            out.raw(if input.is_empty() { "{}" } else { input });
        }
        out.close();
        if let Some(signature) = &self.signature {
            out.text_at("thoughtSignature", signature);
        }
        out.close();
        true
    }
}

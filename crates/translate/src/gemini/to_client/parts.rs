//! Writing the parts of an answer.

use bartizan_core::json::{Json, Kind};

use super::super::seal::Seal;
use crate::neutral::{Maker, Signature};
use crate::write::Writer;

pub(super) fn text(text: &str, signature: Option<&str>, out: &mut Writer) {
    out.open();
    out.text_at("text", text);
    if let Some(signature) = signature {
        out.text_at("thoughtSignature", signature);
    }
    out.close();
}

/// A thought, or a piece of one.
pub(super) struct Thought<'a> {
    pub(super) id: Option<&'a str>,
    /// None where it has no words.
    pub(super) words: Option<&'a str>,
    pub(super) signature: Option<&'a Signature<'a>>,
}

impl Thought<'_> {
    /// Where words are not told, they travel in what signs them: their maker may want them back. `false` where nothing is written.
    pub(super) fn write(&self, shows: bool, out: &mut Writer) -> bool {
        let told = self.words.filter(|words| shows && !words.is_empty());
        let hidden = self.words.filter(|words| !shows && !words.is_empty());
        if told.is_none() && self.signature.is_none() {
            return false;
        }
        out.open();
        out.text_at("text", told.unwrap_or_default());
        out.raw_at("thought", "true");
        if let Some(signature) = self.signature {
            let own = signature.maker == Maker::Google;
            let seal = Seal {
                signature: Some(signature.clone()),
                redacted: self.words.is_none(),
                id: self.id.map(Into::into),
                words: hidden.filter(|_| !own).map(Into::into),
            };
            out.text_at("thoughtSignature", &seal.written());
        }
        out.close();
        true
    }
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

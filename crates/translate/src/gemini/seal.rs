//! How another maker's thoughts travel through a Gemini client.
//!
//! The API has one place for them, `thoughtSignature`, whose SDKs hold it for bytes and refuse what is no base64. So whose it is, its name
//! and what the client did not ask to read are written into it, and the whole in base64. Google's own pass byte for byte.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::neutral::{Maker, Signature, Str};

const REDACTED: &str = "redacted:";

/// What a `thoughtSignature` says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seal<'a> {
    pub(super) signature: Option<Signature<'a>>,
    /// The thought has no words, and never had any.
    pub(super) redacted: bool,
    /// OpenAI's name of the thought.
    pub(super) id: Option<Str<'a>>,
    /// The thought's words, where they are not told.
    pub(super) words: Option<Str<'a>>,
}

impl<'a> Seal<'a> {
    /// Reads what a client sends back.
    pub(super) fn read(text: Str<'a>) -> Self {
        Self::opened(&text).unwrap_or_else(|| Self {
            signature: Some(Signature {
                maker: Maker::Google,
                data: text,
            }),
            ..Self::default()
        })
    }

    fn opened(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text));
        let whole = String::from_utf8(bytes.ok()?).ok()?;
        let mut lines = whole.splitn(3, '\n');
        let first = lines.next()?;
        let signed = first.strip_prefix(REDACTED).unwrap_or(first);
        // What has no tag is Google's own.
        let signature = Signature::read(Cow::Owned(signed.to_owned()), Maker::Google);
        if signature.maker == Maker::Google {
            return None;
        }
        let owned = |text: &str| (!text.is_empty()).then(|| Cow::Owned(text.to_owned()));
        Some(Self {
            signature: Some(signature),
            redacted: signed.len() < first.len(),
            id: lines.next().and_then(owned),
            words: lines.next().and_then(owned),
        })
    }

    /// Writes it for a client.
    pub(super) fn written(&self) -> Cow<'_, str> {
        let Some(signature) = &self.signature else {
            return Cow::Borrowed("");
        };
        if signature.maker == Maker::Google {
            return Cow::Borrowed(&signature.data);
        }
        let mark = if self.redacted { REDACTED } else { "" };
        let mut whole = format!("{mark}{}", signature.tagged(Maker::Google));
        if self.id.is_some() || self.words.is_some() {
            whole.push('\n');
            whole.push_str(self.id.as_deref().unwrap_or_default());
        }
        if let Some(words) = &self.words {
            whole.push('\n');
            whole.push_str(words);
        }
        Cow::Owned(STANDARD.encode(whole))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn googles_own_is_never_touched() {
        for data in [
            "EsoBCscBARFNMg87",
            "skip_thought_signature_validator",
            "not base64!",
            "",
        ] {
            let seal = Seal::read(data.into());
            assert_eq!(seal.written(), data);
            assert_eq!(seal.signature.unwrap().maker, Maker::Google);
        }
    }

    proptest! {
        #[test]
        fn a_thought_comes_back_to_its_maker_with_all_that_was_said_of_it(
            data in "[a-zA-Z0-9+/=]{1,80}",
            redacted: bool,
            id in proptest::option::of("[a-z0-9_]{1,20}"),
            words in proptest::option::of("[a-zä ]{1,10}(\n[a-zä ]{0,10}){0,3}"),
        ) {
            for maker in [Maker::Anthropic, Maker::OpenAi, Maker::Other] {
                let seal = Seal {
                    signature: Some(Signature { maker, data: data.clone().into() }),
                    redacted,
                    id: id.clone().map(Into::into),
                    words: words.clone().map(Into::into),
                };
                let written = seal.written().into_owned();
                prop_assert!(STANDARD.decode(&written).is_ok());
                prop_assert_eq!(Seal::read(written.into()), seal);
            }
        }
    }
}

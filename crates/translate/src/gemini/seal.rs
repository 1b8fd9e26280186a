//! How another maker's thoughts travel through a Gemini client.
//!
//! The API has one place for them, `thoughtSignature`, whose SDKs hold it for bytes and refuse what is no base64. So whose it is, its name
//! and what the client did not ask to read are written into it, and the whole in base64. Google's own pass byte for byte.
//!
//! Clients drop a part that says nothing, so that a thought without words to tell is sealed on the part that it led to, as Google does
//! it too: several such thoughts in one seal.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::neutral::{Maker, Signature, Str};

const REDACTED: &str = "redacted:";
/// What stands before several seals, each after its length.
const SEVERAL: &str = "several:";

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
    /// Reads what a client sends back: one, or several in one.
    pub(super) fn read(text: Str<'a>) -> Vec<Self> {
        let Some(whole) = opened(&text) else {
            return vec![Self::googles(text)];
        };
        let seals = match whole.strip_prefix(SEVERAL) {
            Some(seals) => Self::all(seals),
            // What has no tag is Google's own.
            None => Self::of(&whole)
                .filter(|seal| !seal.is_googles())
                .map(|seal| vec![seal]),
        };
        seals.unwrap_or_else(|| vec![Self::googles(text)])
    }

    fn all(mut rest: &str) -> Option<Vec<Self>> {
        let mut seals = Vec::new();
        while !rest.is_empty() {
            let (length, after) = rest.split_once('\n')?;
            let (seal, next) = after.split_at_checked(length.parse().ok()?)?;
            seals.push(Self::of(seal)?);
            rest = next;
        }
        (!seals.is_empty()).then_some(seals)
    }

    fn googles(text: Str<'a>) -> Self {
        Self {
            signature: Some(Signature {
                maker: Maker::Google,
                data: text,
            }),
            ..Self::default()
        }
    }

    fn is_googles(&self) -> bool {
        let maker = self.signature.as_ref().map(|signature| signature.maker);
        maker == Some(Maker::Google)
    }

    fn of(whole: &str) -> Option<Self> {
        let mut lines = whole.splitn(3, '\n');
        let first = lines.next()?;
        let signed = first.strip_prefix(REDACTED).unwrap_or(first);
        let signature = Signature::read(Cow::Owned(signed.to_owned()), Maker::Google);
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
        match &self.signature {
            None => Cow::Borrowed(""),
            Some(signature) if self.is_googles() => Cow::Borrowed(&signature.data),
            Some(signature) => Cow::Owned(STANDARD.encode(self.plain(signature))),
        }
    }

    fn plain(&self, signature: &Signature<'_>) -> String {
        let mark = if self.redacted { REDACTED } else { "" };
        // With its tag, whosever it is.
        let elsewhere = match signature.maker {
            Maker::Google => Maker::Other,
            _ => Maker::Google,
        };
        let mut whole = format!("{mark}{}", signature.tagged(elsewhere));
        if self.id.is_some() || self.words.is_some() {
            whole.push('\n');
            whole.push_str(self.id.as_deref().unwrap_or_default());
        }
        if let Some(words) = &self.words {
            whole.push('\n');
            whole.push_str(words);
        }
        whole
    }
}

/// Writes several as one.
pub(super) fn several(seals: &[Seal<'_>]) -> String {
    let mut whole = String::from(SEVERAL);
    for seal in seals {
        if let Some(signature) = &seal.signature {
            let plain = seal.plain(signature);
            whole.push_str(&format!("{}\n{plain}", plain.len()));
        }
    }
    STANDARD.encode(whole)
}

fn opened(text: &str) -> Option<String> {
    let bytes = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text));
    String::from_utf8(bytes.ok()?).ok()
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
            // "several:" and nothing, a length that is none, and one that is too great.
            "c2V2ZXJhbDo=",
            "c2V2ZXJhbDp4CmE=",
            "c2V2ZXJhbDo5CmE=",
        ] {
            let seals = Seal::read(data.into());
            assert_eq!(seals.len(), 1);
            assert_eq!(seals[0].written(), data);
            assert_eq!(seals[0].signature.as_ref().unwrap().maker, Maker::Google);
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
            let seals = [Maker::Anthropic, Maker::OpenAi, Maker::Other, Maker::Google].map(|maker| Seal {
                signature: Some(Signature { maker, data: data.clone().into() }),
                redacted,
                id: id.clone().map(Into::into),
                words: words.clone().map(Into::into),
            });
            for seal in seals.iter().filter(|seal| !seal.is_googles()) {
                let written = seal.written().into_owned();
                prop_assert!(STANDARD.decode(&written).is_ok());
                prop_assert_eq!(Seal::read(written.into()), std::slice::from_ref(seal));
            }
            let together = several(&seals);
            prop_assert!(STANDARD.decode(&together).is_ok());
            prop_assert_eq!(Seal::read(together.into()), seals);
        }
    }
}

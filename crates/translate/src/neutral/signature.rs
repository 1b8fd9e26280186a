//! What proves a thought to the provider that thought it.

use std::borrow::Cow;

use super::Str;

/// Whose models can read a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    Anthropic,
    Google,
    OpenAi,
    Other,
}

impl Maker {
    const ALL: [Self; 4] = [Self::Anthropic, Self::Google, Self::OpenAi, Self::Other];

    /// The word in front of a signature in another maker's dialect. `:` is in no base64.
    const fn tag(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic:",
            Self::Google => "google:",
            Self::OpenAi => "openai:",
            Self::Other => "other:",
        }
    }
}

/// An opaque word of a provider's, which goes back to its maker byte for byte and to nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature<'a> {
    pub(crate) maker: Maker,
    pub(crate) data: Str<'a>,
}

impl<'a> Signature<'a> {
    /// Reads what a client of `dialect_of`'s dialect sends back: its own, or another's by the tag that [`tagged`](Self::tagged) wrote.
    pub(crate) fn read(text: Str<'a>, dialect_of: Maker) -> Self {
        for maker in Maker::ALL {
            if let Some(data) = text.strip_prefix(maker.tag()) {
                let data = Cow::Owned(data.to_owned());
                return Self { maker, data };
            }
        }
        Self {
            maker: dialect_of,
            data: text,
        }
    }

    /// How it stands in `dialect_of`'s dialect, which has no word for whose it is.
    pub(crate) fn tagged(&self, dialect_of: Maker) -> Cow<'_, str> {
        if self.maker == dialect_of {
            Cow::Borrowed(&self.data)
        } else {
            Cow::Owned(format!("{}{}", self.maker.tag(), self.data))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_comes_back_from_any_dialect_to_its_maker() {
        for maker in Maker::ALL {
            for dialect in Maker::ALL {
                let signature = Signature {
                    maker,
                    data: "EqoB+/=".into(),
                };
                let told = signature.tagged(dialect).into_owned();
                assert_eq!(Signature::read(told.into(), dialect), signature);
            }
        }
    }
}

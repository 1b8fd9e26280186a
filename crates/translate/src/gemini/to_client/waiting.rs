//! Thoughts that are not told.

use super::super::seal::{self, Seal};
use crate::neutral::{Maker, Signature};

/// What seals thoughts, and waits for the part that they led to.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<Seal<'static>>);

impl Waiting {
    /// `words`, which the client did not ask to read, travel in the seal: their maker may want them back. None where it never had any.
    pub(super) fn add(&mut self, id: Option<&str>, words: Option<&str>, signature: &Signature<'_>) {
        let own = signature.maker == Maker::Google;
        let owned = |text: &str| text.to_owned().into();
        self.0.push(Seal {
            signature: Some(Signature {
                maker: signature.maker,
                data: owned(&signature.data),
            }),
            redacted: words.is_none(),
            id: id.map(owned),
            words: words.filter(|words| !own && !words.is_empty()).map(owned),
        });
    }

    /// The seal of all of them, for one part.
    pub(super) fn take(&mut self) -> Option<String> {
        match std::mem::take(&mut self.0).as_slice() {
            [] => None,
            [one] => Some(one.written().into_owned()),
            many => Some(seal::several(many)),
        }
    }
}

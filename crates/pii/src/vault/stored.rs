//! A vault as bytes: what its values are, and what stands for each.

use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;

use super::{Stands, Vault, inner};
use crate::Entity;
use crate::spelling::Spelling;

impl Vault {
    pub(crate) fn write(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(self.bytes + 64 * self.entries.len()));
        for entry in &self.entries {
            put(&mut out, entry.entity.as_str());
            match &entry.stands {
                Stands::Placeholder(number) => put(&mut out, &number.to_string()),
                Stands::Fake(fake, _) => put(&mut out, &format!("={fake}")),
            }
            put(&mut out, entry.original.expose_secret());
        }
        out
    }

    /// Reads what [`write`](Self::write) wrote; `None` for anything else.
    pub(crate) fn read(mut bytes: &[u8]) -> Option<Self> {
        let mut vault = Self::new();
        while !bytes.is_empty() {
            let entity: Entity = take(&mut bytes)?.parse().ok()?;
            let stands = take(&mut bytes)?;
            let original = take(&mut bytes)?;
            let hash = vault.hash(entity, original);
            let stands = match stands.strip_prefix('=') {
                Some(fake) => {
                    let spelled = Spelling::of(fake);
                    if !vault.fakes.add(spelled.bytes(), vault.entries.len()) {
                        return None;
                    }
                    Stands::Fake(fake.into(), inner(original, &spelled, fake))
                }
                None => Stands::Placeholder(stands.parse().ok()?),
            };
            vault.keep(hash, entity, original, stands);
        }
        Some(vault)
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    // A text of 4 GiB fits into no vault.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn take<'b>(bytes: &mut &'b [u8]) -> Option<&'b str> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (text, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}

//! The format of a virtual key, and the public name of one.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::{Error, random};

const PREFIX: &str = "sk-bz-";
const RANDOM: usize = 43;
const CHECKSUM: usize = 6;
const LENGTH: usize = PREFIX.len() + RANDOM + CHECKSUM;

const ID_PREFIX: &str = "key_";
const ID_RANDOM: usize = 22;

/// Text that has the form of a virtual key.
///
/// `sk-bz-`, 43 random base62 characters (256 bits), and a checksum: the CRC-32 (IEEE 802.3) of all that stands before it,
/// in six base62 digits (`0-9A-Za-z`, the most significant first). The form says nothing about whether the key exists; it
/// keeps what is no key at all (a typing error, another provider's key, an attack) away from the store, and lets secret
/// scanners find a leaked key without asking anyone.
///
/// ```
/// use bartizan_auth::VirtualKey;
/// use secrecy::ExposeSecret;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = VirtualKey::generate()?;
/// assert!(VirtualKey::parse(key.expose_secret()).is_some());
/// assert!(VirtualKey::parse("sk-bz-' OR 1=1 --").is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct VirtualKey<'a>(&'a str);

impl<'a> VirtualKey<'a> {
    /// Reads `text` as a virtual key: prefix, length, alphabet and checksum. Anything else gives `None`.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() != LENGTH {
            return None;
        }
        let rest = text.strip_prefix(PREFIX)?;
        if !random::is_base62(rest) {
            return None;
        }
        let (body, checksum) = text.split_at_checked(LENGTH - CHECKSUM)?;
        (checksum.as_bytes() == random::six_digits(crc32fast::hash(body.as_bytes())))
            .then_some(Self(text))
    }

    /// Whether `text` claims to be a virtual key, well formed or not.
    pub(crate) fn claimed_by(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    pub(crate) fn as_str(self) -> &'a str {
        self.0
    }
}

impl VirtualKey<'_> {
    /// Creates a key from the operating system's randomness.
    ///
    /// # Errors
    /// [`Error::Randomness`] when the operating system has none to give.
    pub fn generate() -> Result<SecretString, Error> {
        let random = SecretString::from(random::draw(RANDOM)?);
        let mut text = String::with_capacity(LENGTH);
        text.push_str(PREFIX);
        text.push_str(random.expose_secret());
        let checksum = random::six_digits(crc32fast::hash(text.as_bytes()));
        text.extend(checksum.map(char::from));
        Ok(SecretString::from(text))
    }
}

impl fmt::Debug for VirtualKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VirtualKey(..)")
    }
}

/// The public name of a key, safe to log and to show: `key_` and 22 random base62 characters.
///
/// It has nothing to do with the key's own text, and stays when the key is rotated.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// Creates a new name.
    ///
    /// # Errors
    /// [`Error::Randomness`] when the operating system has none to give.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self(format!("{ID_PREFIX}{}", random::draw(ID_RANDOM)?)))
    }

    /// Reads `text` as the name of a key. Anything else gives `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(ID_PREFIX)?;
        (rest.len() == ID_RANDOM && random::is_base62(rest)).then(|| Self(text.to_owned()))
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_generated_key_parses_and_hides_itself() {
        let key = VirtualKey::generate().unwrap();
        let text = key.expose_secret();
        assert_eq!(text.len(), 55);
        let parsed = VirtualKey::parse(text).unwrap();
        assert_eq!(format!("{parsed:?}"), "VirtualKey(..)");
    }

    #[test]
    fn keys_never_repeat() {
        let keys: std::collections::BTreeSet<String> = (0..1_000)
            .map(|_| VirtualKey::generate().unwrap().expose_secret().to_owned())
            .collect();
        assert_eq!(keys.len(), 1_000);
    }

    #[test]
    fn the_format_does_not_drift() {
        // Kept by hand: a change here would lock out every key ever handed out.
        let body = format!("sk-bz-{}", "A".repeat(43));
        let key = format!(
            "{body}{}",
            String::from_utf8(random::six_digits(crc32fast::hash(body.as_bytes())).to_vec())
                .unwrap()
        );
        assert_eq!(key, format!("sk-bz-{}{}", "A".repeat(43), "3Dywqx"));
        assert!(VirtualKey::parse(&key).is_some());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let good = VirtualKey::generate().unwrap().expose_secret().to_owned();
        let cases = [
            String::new(),
            "sk-bz-".to_owned(),
            "sk-1234".to_owned(),
            good.to_uppercase(),
            format!("{good} "),
            format!(" {good}"),
            format!("{good}\n"),
            format!("{good}\0"),
            good[..54].to_owned(),
            format!("{good}0"),
            good.replace("sk-bz-", "sk-by-"),
            format!("sk-bz-{}", "' OR '1'='1' --".repeat(4))[..55].to_owned(),
            format!("sk-bz-{}", "é".repeat(24)) + "0",
            "x".repeat(1 << 20),
        ];
        for case in cases {
            assert!(
                VirtualKey::parse(&case).is_none(),
                "{}",
                &case[..case.len().min(80)].escape_debug()
            );
        }
    }

    #[test]
    fn a_key_id_is_not_a_key_nor_the_other_way_round() {
        let id = KeyId::generate().unwrap();
        assert_eq!(KeyId::parse(id.as_str()), Some(id.clone()));
        assert!(VirtualKey::parse(id.as_str()).is_none());
        let key = VirtualKey::generate().unwrap();
        assert!(KeyId::parse(key.expose_secret()).is_none());
        for bad in [
            "key_",
            "key_'; DROP TABLE keys; --",
            "key_0123456789012345678é0",
            "KEY_0123456789012345678901",
        ] {
            assert!(KeyId::parse(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_other_character_anywhere_breaks_the_checksum(at in 0_usize..55, to in any::<char>()) {
            let key = VirtualKey::generate().unwrap();
            let mut text: Vec<char> = key.expose_secret().chars().collect();
            prop_assume!(text[at] != to);
            text[at] = to;
            prop_assert!(VirtualKey::parse(&text.into_iter().collect::<String>()).is_none());
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            prop_assert!(VirtualKey::parse(&text).is_none());
            let claimed = format!("sk-bz-{text}");
            prop_assert!(VirtualKey::parse(&claimed).is_none());
            prop_assert!(KeyId::parse(&text).is_none());
        }
    }
}

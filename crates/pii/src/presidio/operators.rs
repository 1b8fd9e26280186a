//! Presidio's operators, by its names and with its parameters.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha512};

use super::cipher;
use super::fault::Fault;
use super::fields::{kind_of, mistyped};

/// What `/anonymizers` lists.
pub(super) const ANONYMIZERS: [&str; 6] = ["encrypt", "hash", "keep", "mask", "redact", "replace"];

/// What `/deanonymizers` lists.
pub(super) const DEANONYMIZERS: [&str; 2] = ["deanonymize_keep", "decrypt"];

/// Whether data goes, or comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Away,
    Back,
}

/// What is done with one span.
pub(super) enum Operator<'p> {
    Replace(Option<&'p str>),
    Redact,
    Mask {
        with: &'p str,
        characters: usize,
        from_end: bool,
    },
    Hash {
        long: bool,
        salt: Option<&'p str>,
    },
    Encrypt(&'p [u8]),
    Decrypt(&'p [u8]),
    Keep,
}

/// A salt shorter than this is no salt.
const LEAST_SALT: usize = 16;

impl<'p> Operator<'p> {
    /// # Errors
    ///
    /// 422 for an unknown name and for parameters that can't be meant.
    pub(super) fn read(
        name: &str,
        parameters: &'p Map<String, Value>,
        direction: Direction,
    ) -> Result<Self, Fault> {
        let given = |name: &str| parameters.get(name).filter(|value| !value.is_null());
        let text = |name: &'static str| match given(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(other) => Err(mistyped(name, "string", other)),
        };
        let key = || {
            let key = text("key")?.ok_or_else(|| missing("key"))?.as_bytes();
            match key.len() {
                16 | 24 | 32 => Ok(key),
                _ => Err(Fault::invalid(
                    "Invalid input, key must be of length 128, 192 or 256 bits",
                )),
            }
        };
        Ok(match (direction, name) {
            (Direction::Away, "replace") => {
                Self::Replace(text("new_value")?.filter(|new| !new.is_empty()))
            }
            (Direction::Away, "redact") => Self::Redact,
            (Direction::Away, "mask") => {
                let with = text("masking_char")?.ok_or_else(|| missing("masking_char"))?;
                if with.chars().nth(1).is_some() {
                    return Err(Fault::invalid(
                        "Invalid input, masking_char must be a character",
                    ));
                }
                let characters = given("chars_to_mask").ok_or_else(|| missing("chars_to_mask"))?;
                let characters = characters
                    .as_i64()
                    .ok_or_else(|| mistyped("chars_to_mask", "number", characters))?;
                let from_end = given("from_end").ok_or_else(|| missing("from_end"))?;
                Self::Mask {
                    with,
                    characters: usize::try_from(characters.max(0)).unwrap_or(usize::MAX),
                    from_end: from_end
                        .as_bool()
                        .ok_or_else(|| mistyped("from_end", "boolean", from_end))?,
                }
            }
            (Direction::Away, "hash") => Self::Hash {
                long: match parameters.get("hash_type") {
                    None => false,
                    Some(Value::Null) => return Err(missing("hash_type")),
                    Some(Value::String(name)) if name == "sha256" => false,
                    Some(Value::String(name)) if name == "sha512" => true,
                    Some(other) => {
                        return Err(Fault::invalid(format!(
                            "Parameter hash_type is not in range of values ['sha256', 'sha512']: it is a {} of another value",
                            kind_of(other)
                        )));
                    }
                },
                salt: salt(text("salt")?)?,
            },
            (Direction::Away, "encrypt") => Self::Encrypt(key()?),
            (Direction::Away, "keep") | (Direction::Back, "deanonymize_keep") => Self::Keep,
            (Direction::Back, "decrypt") => Self::Decrypt(key()?),
            _ => {
                return Err(Fault::invalid(format!(
                    "Invalid operator class '{}'.",
                    shown(name)
                )));
            }
        })
    }

    /// What takes the place of `original`, which is an `entity`.
    ///
    /// # Errors
    ///
    /// No randomness; a text that isn't what was encrypted with the key.
    pub(super) fn apply(&self, original: &str, entity: &str) -> Result<String, Fault> {
        Ok(match *self {
            Self::Replace(Some(new)) => new.to_owned(),
            Self::Replace(None) => format!("<{entity}>"),
            Self::Redact => String::new(),
            Self::Keep => original.to_owned(),
            Self::Mask {
                with,
                characters,
                from_end,
            } => masked(original, with, characters, from_end),
            Self::Hash { long, salt } => {
                let mut own = [0_u8; 32];
                let salt = match salt {
                    Some(salt) => salt.as_bytes(),
                    None => {
                        getrandom::fill(&mut own).map_err(|_| Fault::internal())?;
                        &own
                    }
                };
                if long {
                    hex(&Sha512::new_with_prefix(original)
                        .chain_update(salt)
                        .finalize())
                } else {
                    hex(&Sha256::new_with_prefix(original)
                        .chain_update(salt)
                        .finalize())
                }
            }
            Self::Encrypt(key) => cipher::encrypt(key, original).ok_or_else(Fault::internal)?,
            Self::Decrypt(key) => cipher::decrypt(key, original).ok_or_else(|| {
                Fault::invalid("Invalid input, the text can't be decrypted with this key")
            })?,
        })
    }
}

fn missing(name: &str) -> Fault {
    Fault::invalid(format!("Expected parameter {name}"))
}

fn salt(given: Option<&str>) -> Result<Option<&str>, Fault> {
    match given {
        Some(salt) if salt.len() < LEAST_SALT => Err(Fault::invalid(format!(
            "Salt must be at least {LEAST_SALT} bytes ({} bits). Provided salt is {} bytes.",
            LEAST_SALT * 8,
            salt.len()
        ))),
        salt => Ok(salt),
    }
}

/// A name as an answer may show it.
fn shown(name: &str) -> &str {
    let sound = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic());
    if sound { name } else { "" }
}

fn masked(original: &str, with: &str, characters: usize, from_end: bool) -> String {
    let count = original.chars().count();
    let hidden = characters.min(count);
    let cut = if from_end { count - hidden } else { hidden };
    let cut = original
        .char_indices()
        .nth(cut)
        .map_or(original.len(), |(byte, _)| byte);
    let (before, after) = original.split_at_checked(cut).unwrap_or((original, ""));
    let mask = with.repeat(hidden);
    if from_end {
        format!("{before}{mask}")
    } else {
        format!("{mask}{after}")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

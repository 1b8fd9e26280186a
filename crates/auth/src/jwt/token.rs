//! Reads a token's three parts, strictly, before anything in them is believed.

use std::fmt;

use bartizan_core::json::{Bounds, Json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Header;

use super::denied::JwtDenied;

/// Providers' tokens have one or two thousand bytes; a header of HTTP seldom carries more than 8 KB.
pub(super) const LONGEST: usize = 8 * 1024;
const LONGEST_KID: usize = 256;

/// No token needs more, and what follows is walked.
const BOUNDS: Bounds = Bounds {
    depth: 16,
    values: 4_096,
    duplicate_keys: false,
};

/// A token that can be read. Nothing in it is verified.
pub(super) struct Token<'a> {
    pub(super) header: Header,
    pub(super) claims: Json,
    /// What the signature was made over.
    pub(super) message: &'a [u8],
    pub(super) signature: Vec<u8>,
}

/// Whether `text` has the form of a token: three parts of base64url, the first of which begins an object of JSON. A signature that was taken off
/// doesn't take the form away.
pub(super) fn has_form(text: &str) -> bool {
    let mut dots = 0;
    for byte in text.bytes() {
        match byte {
            b'.' => dots += 1,
            b'-' | b'_' => {}
            _ if byte.is_ascii_alphanumeric() => {}
            _ => return false,
        }
    }
    // `{` is 0x7B: six bits make `e`, and the two that remain one of the last sixteen of the alphabet.
    let begins = matches!(
        text.as_bytes(),
        [b'e', b'w'..=b'z' | b'0'..=b'9' | b'-' | b'_', ..]
    );
    dots == 2 && begins
}

impl<'a> Token<'a> {
    /// Takes `text` apart. Every part has one reading only: base64url without padding and without stray bits, JSON without duplicate keys.
    pub(super) fn read(text: &'a str) -> Result<Self, JwtDenied> {
        if text.len() > LONGEST {
            return Err(JwtDenied::Malformed);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(JwtDenied::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(JwtDenied::Malformed)?;
        let header = json(header)?;
        // Read again by its types. What it doesn't know (`none`, a number for a `kid`) is refused here.
        let header: Header =
            serde_json::from_str(header.as_str()).map_err(|_| JwtDenied::Malformed)?;
        if header
            .kid
            .as_ref()
            .is_some_and(|kid| kid.len() > LONGEST_KID)
        {
            return Err(JwtDenied::Malformed);
        }
        Ok(Self {
            header,
            claims: json(claims)?,
            message: message.as_bytes(),
            signature: decode(signature)?,
        })
    }
}

fn json(part: &str) -> Result<Json, JwtDenied> {
    Json::read_bytes(&decode(part)?, BOUNDS).map_err(|_| JwtDenied::Malformed)
}

fn decode(part: &str) -> Result<Vec<u8>, JwtDenied> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| JwtDenied::Malformed)
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("kid", &self.header.kid)
            .finish_non_exhaustive()
    }
}

//! Presidio's way to encrypt: AES in CBC mode with PKCS #7, a random vector in front, all of it in URL-safe base64.
//!
//! It has no authentication: who changes such a text, changes what it decrypts to. It is here because it is what Presidio's library reads and
//! writes.

use aes::{Aes128, Aes192, Aes256};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};

const BLOCK: usize = 16;

/// As Python reads it: what is no letter of base64 was taken out before.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// `None`: a key of another length than 16, 24 or 32 bytes, or no randomness.
pub(super) fn encrypt(key: &[u8], text: &str) -> Option<String> {
    let mut vector = [0_u8; BLOCK];
    getrandom::fill(&mut vector).ok()?;
    let text = text.as_bytes();
    let sealed = match key.len() {
        16 => cbc::Encryptor::<Aes128>::new_from_slices(key, &vector)
            .ok()?
            .encrypt_padded_vec::<Pkcs7>(text),
        24 => cbc::Encryptor::<Aes192>::new_from_slices(key, &vector)
            .ok()?
            .encrypt_padded_vec::<Pkcs7>(text),
        _ => cbc::Encryptor::<Aes256>::new_from_slices(key, &vector)
            .ok()?
            .encrypt_padded_vec::<Pkcs7>(text),
    };
    let all = [vector.as_slice(), &sealed].concat();
    Some(base64::engine::general_purpose::URL_SAFE.encode(all))
}

/// `None`: it isn't what [`encrypt`] makes with this key.
pub(super) fn decrypt(key: &[u8], text: &str) -> Option<String> {
    // Both alphabets are read, as Presidio's library does.
    let letters: String = text
        .chars()
        .filter_map(|letter| match letter {
            '-' => Some('+'),
            '_' => Some('/'),
            '+' | '/' | 'a'..='z' | 'A'..='Z' | '0'..='9' => Some(letter),
            _ => None,
        })
        .collect();
    let all = LENIENT.decode(letters).ok()?;
    let (vector, sealed) = all.split_at_checked(BLOCK)?;
    let open = match key.len() {
        16 => cbc::Decryptor::<Aes128>::new_from_slices(key, vector)
            .ok()?
            .decrypt_padded_vec::<Pkcs7>(sealed),
        24 => cbc::Decryptor::<Aes192>::new_from_slices(key, vector)
            .ok()?
            .decrypt_padded_vec::<Pkcs7>(sealed),
        _ => cbc::Decryptor::<Aes256>::new_from_slices(key, vector)
            .ok()?
            .decrypt_padded_vec::<Pkcs7>(sealed),
    };
    String::from_utf8(open.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_comes_back_with_its_key_alone() {
        for length in [16, 24, 32] {
            let key = vec![b'k'; length];
            for text in ["", "a", "a text of 16 byt", "आधार २३४१"] {
                let sealed = encrypt(&key, text).unwrap();
                assert_ne!(sealed, encrypt(&key, text).unwrap(), "the vector is random");
                assert_eq!(decrypt(&key, &sealed).as_deref(), Some(text));
                assert_ne!(decrypt(&vec![b'x'; length], &sealed).as_deref(), Some(text));
            }
        }
        for broken in ["", "AAAA", "not base64 at all!", "\u{e9}", &"A".repeat(33)] {
            assert_eq!(decrypt(&[b'k'; 16], broken), None);
        }
        assert_eq!(encrypt(b"short", "a"), None);
    }
}

//! Addresses of wallets.
//!
//! Base58 with a double SHA-256 (Bitcoin, Litecoin, Dogecoin, Dash, Tron, Zcash; Ripple with its own alphabet), Bech32 and Bech32m (Bitcoin,
//! Litecoin, Cosmos, Cardano), hexadecimal (Ethereum and what speaks like it). Their checks leave no doubt; an Ethereum address in letters of
//! one case has none, but nothing else looks like it.

use sha2::{Digest, Sha256};
use sha3::Keccak256;

use super::{Match, Scene};
use crate::Entity;
use crate::context::Kind;
use crate::window::is_word;

const CRYPTO: Kind = Kind::of(Entity::Crypto);

/// Cardano's; Bitcoin's have at most 90.
const LONGEST: usize = 108;
const SHORTEST: usize = 25;
/// The most letters before the first digit of one.
const MOST_LETTERS: usize = 24;

/// At the first digit of a word.
pub(super) fn find(scene: &Scene<'_>) -> Option<Match> {
    let (window, anchor) = (scene.window, scene.anchor);
    let mut start = anchor;
    while let Some(byte) = window.before(start).filter(|byte| is_word(*byte)) {
        if !byte.is_ascii_alphabetic() || anchor - start == MOST_LETTERS {
            return None;
        }
        start -= 1;
    }
    let end = (anchor..=start + LONGEST).find(|at| {
        !window
            .at(*at)
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
    })?;
    let word = window.slice(start, end);
    if word.len() < SHORTEST || window.at(end).is_some_and(is_word) {
        return None;
    }
    let found = Match::new(start, end, 1.0);
    if let Some(digits) = word.strip_prefix(b"0x").filter(|digits| digits.len() == 40) {
        return ethereum(scene, start, end, digits);
    }
    if word.len() <= 35 && (base58(word, BITCOIN) || word.starts_with(b"r") && base58(word, RIPPLE))
    {
        return Some(found.checked("base58check"));
    }
    if bech32(word) {
        return Some(found.checked("bech32"));
    }
    // Solana's have no check.
    let alike = (40..=44).contains(&word.len())
        && word.iter().all(|byte| BITCOIN.contains(byte))
        && mixed(word);
    (alike && said(scene, start, end)).then_some(Match {
        score: 0.8,
        ..found
    })
}

fn said(scene: &Scene<'_>, start: usize, end: usize) -> bool {
    scene.near(start).says(CRYPTO) || scene.after(end).says(CRYPTO)
}

fn mixed(word: &[u8]) -> bool {
    word.iter().any(u8::is_ascii_lowercase) && word.iter().any(u8::is_ascii_uppercase)
}

fn ethereum(scene: &Scene<'_>, start: usize, end: usize, digits: &[u8]) -> Option<Match> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    if !mixed(digits) {
        return Some(Match::new(start, end, 0.85));
    }
    // EIP-55: a letter is a capital where the hash of the address in small letters has an eight or more.
    let hash = Keccak256::digest(digits.to_ascii_lowercase());
    let capital = |place: usize| {
        hash.get(place / 2)
            .is_some_and(|byte| byte >> (4 * (1 - place % 2)) & 8 != 0)
    };
    let sound = digits.iter().enumerate().all(|(place, digit)| {
        !digit.is_ascii_alphabetic() || digit.is_ascii_uppercase() == capital(place)
    });
    match sound {
        true => Some(Match::new(start, end, 1.0).checked("eip55")),
        false => Some(Match::new(
            start,
            end,
            if said(scene, start, end) { 0.7 } else { 0.4 },
        )),
    }
}

const BITCOIN: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const RIPPLE: &[u8; 58] = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";

/// Whether `word` is a version, a hash and the first four bytes of their double SHA-256.
fn base58(word: &[u8], alphabet: &[u8; 58]) -> bool {
    // 20 bytes of hash, 4 of check, 1 or 2 of version.
    let mut number = [0_u8; 26];
    for letter in word {
        let Some(value) = alphabet.iter().position(|known| known == letter) else {
            return false;
        };
        let mut carry = u32::try_from(value).unwrap_or(0);
        for byte in number.iter_mut().rev() {
            carry += u32::from(*byte) * 58;
            *byte = u8::try_from(carry & 0xFF).unwrap_or(0);
            carry >>= 8;
        }
        if carry > 0 {
            return false;
        }
    }
    let checked = |body: &[u8]| {
        body.split_last_chunk::<4>()
            .is_some_and(|(body, check)| Sha256::digest(Sha256::digest(body)).starts_with(check))
    };
    // Each byte of zero in front is written as the alphabet's first letter.
    let zeros = word
        .iter()
        .take_while(|letter| Some(*letter) == alphabet.first())
        .count();
    let plain = number.iter().take_while(|byte| **byte == 0).count();
    let length = number.len() - plain + zeros;
    match length {
        25 => number.get(1..).is_some_and(checked),
        26 => checked(&number),
        _ => false,
    }
}

const HUMAN: [&[u8]; 12] = [
    b"bc",
    b"tb",
    b"ltc",
    b"addr",
    b"stake",
    b"cosmos",
    b"osmo",
    b"terra",
    b"inj",
    b"sei",
    b"celestia",
    b"secret",
];
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const BECH32M: u32 = 0x2BC8_30A3;

fn bech32(word: &[u8]) -> bool {
    if mixed(word) {
        return false;
    }
    let word = word.to_ascii_lowercase();
    let Some((human, data)) = HUMAN
        .iter()
        .find_map(|human| Some((*human, word.strip_prefix(*human)?.strip_prefix(b"1")?)))
    else {
        return false;
    };
    let step = |check: u32, value: u8| {
        const GENERATORS: [u32; 5] = [
            0x3B6A_57B2,
            0x2650_8E6D,
            0x1EA1_19FA,
            0x3D42_33DD,
            0x2A14_62B3,
        ];
        let top = check >> 25;
        let shifted = (check & 0x01FF_FFFF) << 5 ^ u32::from(value);
        GENERATORS
            .iter()
            .enumerate()
            .filter(|(bit, _)| top >> bit & 1 == 1)
            .fold(shifted, |check, (_, generator)| check ^ generator)
    };
    let head = human
        .iter()
        .map(|byte| byte >> 5)
        .chain([0])
        .chain(human.iter().map(|byte| byte & 31));
    let mut check = head.fold(1, step);
    for letter in data {
        let Some(value) = BECH32.iter().position(|known| known == letter) else {
            return false;
        };
        check = step(check, u8::try_from(value).unwrap_or(0));
    }
    data.len() >= 14 && matches!(check, 1 | BECH32M)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_addresses_pass_and_neighbours_fail() {
        for word in [
            "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ",
            "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
            "1111111111111111111114oLvT2",
            "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1",
            "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L",
            "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        ] {
            assert!(base58(word.as_bytes(), BITCOIN), "{word}");
            let wrong = word
                .replace('Y', "Z")
                .replace('M', "N")
                .replace('v', "w")
                .replace("DH5", "DH6")
                .replace("TR7", "TR8");
            assert!(!base58(wrong.as_bytes(), BITCOIN), "{wrong}");
        }
        assert!(base58(b"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", RIPPLE));
        assert!(!base58(b"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi", RIPPLE));
        for word in [
            "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "bc1p5d7rjq7g6rdk2yhzks9smlaqtedr4dekq08ge8ztwac72sfr9rusxg3297",
        ] {
            assert!(bech32(word.as_bytes()), "{word}");
            assert!(
                !bech32(word.replace('r', "x").replace('R', "X").as_bytes()),
                "{word}"
            );
        }
    }
}

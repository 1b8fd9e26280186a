//! Refuses secrets that an attacker would try first.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use crate::ConfigError;

/// 32 hex digits are 128 bits; whatever is shorter holds less than that in any alphabet people use.
const SHORTEST: usize = 32;
/// A longer one would not fit into a header beside the others.
const LONGEST: usize = 1_024;
/// What 32 random hex digits exceed by far (they are estimated at over 100), and words, dates and patterns don't reach.
const LEAST_BITS: f64 = 80.0;

const PUBLISHED: &str = include_str!("../data/published_keys.txt");
const PLACEHOLDERS: &str = include_str!("../data/placeholder_words.txt");
const COMMON: &str = include_str!("../data/common_words.txt");

/// Checks that `secret`, called `what` in messages, may guard a gateway.
pub(crate) fn check(what: &'static str, secret: &SecretString) -> Result<(), ConfigError> {
    let text = secret.expose_secret();
    if text.trim().is_empty() {
        return Err(ConfigError::Missing { what });
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConfigError::Characters { what });
    }
    // Published ones first: "published" tells the owner of `sk-1234` more than "short" does.
    let lower = SecretString::from(text.to_ascii_lowercase());
    let lower = lower.expose_secret();
    let bare = lower.strip_prefix("sk-").unwrap_or(lower);
    if lines(PUBLISHED).any(|known| known == bare || known == lower) {
        return Err(ConfigError::Published { what });
    }
    if text.len() < SHORTEST {
        return Err(ConfigError::Short {
            what,
            least: SHORTEST,
        });
    }
    if text.len() > LONGEST {
        return Err(ConfigError::Long {
            what,
            most: LONGEST,
        });
    }
    if lines(PLACEHOLDERS).any(|word| lower.contains(word))
        || are_words(text)
        || bits(&without_words(text)) < LEAST_BITS
    {
        return Err(ConfigError::Predictable { what });
    }
    Ok(())
}

/// Whether `text` is letters of one case and separators, as words are and as 32 random characters of any usual alphabet never are.
fn are_words(text: &str) -> bool {
    !text.bytes().any(|byte| byte.is_ascii_digit())
        && (text.bytes().all(|byte| !byte.is_ascii_uppercase())
            || text.bytes().all(|byte| !byte.is_ascii_lowercase()))
}

/// Cuts the common words out of `text`.
fn without_words(text: &str) -> Vec<u8> {
    let mut kept = text.strip_prefix("sk-").unwrap_or(text).as_bytes().to_vec();
    for word in lines(COMMON).map(str::as_bytes) {
        while let Some(at) = kept
            .windows(word.len())
            .position(|piece| piece.eq_ignore_ascii_case(word))
        {
            kept.drain(at..at + word.len());
        }
    }
    kept
}

fn lines(data: &'static str) -> impl Iterator<Item = &'static str> {
    data.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Estimates from above how many bits a guesser must try: what a repeated piece adds is nothing, and what is left counts by
/// the variety of its characters, or of the steps between them, whichever is less (`abcdef…` has one step).
fn bits(text: &[u8]) -> f64 {
    let fresh = fresh(text);
    let steps: Vec<u8> = fresh
        .windows(2)
        .filter_map(<[u8]>::split_first_chunk::<2>)
        .map(|([a, b], _)| b.wrapping_sub(*a))
        .collect();
    variety(&fresh).min(variety(&steps)) * fresh.len() as f64
}

/// Leaves out every piece of four bytes or more that stood earlier in `text`.
fn fresh(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        let before = text.len() - rest.len();
        let seen = text.get(..before + 3).unwrap_or_default();
        match rest.get(..4) {
            Some(piece) if seen.windows(4).any(|earlier| earlier == piece) => {
                rest = rest.get(4..).unwrap_or_default()
            }
            _ => {
                kept.push(first);
                rest = tail;
            }
        }
    }
    kept
}

/// Shannon's entropy of one symbol, in bits.
fn variety(symbols: &[u8]) -> f64 {
    let mut counts = BTreeMap::new();
    for symbol in symbols {
        *counts.entry(symbol).or_insert(0_u32) += 1;
    }
    let total = symbols.len() as f64;
    counts
        .values()
        .map(|&count| f64::from(count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(secret: &str) -> Result<(), ConfigError> {
        check("master key", &SecretString::from(secret))
    }

    #[test]
    fn bad_secrets_are_refused_for_the_right_reason() {
        type Want = fn(&ConfigError) -> bool;
        let missing: Want = |error| matches!(error, ConfigError::Missing { .. });
        let short: Want = |error| matches!(error, ConfigError::Short { .. });
        let published: Want = |error| matches!(error, ConfigError::Published { .. });
        let predictable: Want = |error| matches!(error, ConfigError::Predictable { .. });
        let characters: Want = |error| matches!(error, ConfigError::Characters { .. });
        let long: Want = |error| matches!(error, ConfigError::Long { .. });
        let huge = "aB3".repeat(500);
        let cases: [(&str, Want); 23] = [
            ("", missing),
            ("   ", missing),
            ("sk-1234", published),
            ("SK-1234", published),
            ("1234", published),
            ("your-256-bit-secret", published),
            ("sk-0123456789abcdef0123456789abcdef", published),
            ("sk-7Hq2", short),
            ("sk-9f1c6bd2a07e43f58b3d6e2c914a", short),
            ("sk-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", predictable),
            ("sk-12341234123412341234123412341234", predictable),
            ("sk-abcdefghijklmnopqrstuvwxyz0123456789", predictable),
            (
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
                predictable,
            ),
            ("sk-9f1c9f1c9f1c9f1c9f1c9f1c9f1c9f1c9f1c", predictable),
            ("sk-2026-11-24-2026-11-24-2026-11-24", predictable),
            ("sk-please-CHANGEME-before-production-9f1c6bd2", predictable),
            ("sk-correct-horse-battery-staple-and-some", predictable),
            ("CORRECT_HORSE_BATTERY_STAPLE_AND_SOME", predictable),
            ("sk-litellm-proxy-master-key-2026-production", predictable),
            ("sk-9f1c6bd2a07e43f58b3d6e2c914a7f0 5", characters),
            ("sk-9f1c6bd2a07e43f58b3d6e2c914a7f05\n", characters),
            ("sk-ключ-9f1c6bd2a07e43f58b3d6e2c914a7f05", characters),
            (&huge, long),
        ];
        for (secret, want) in cases {
            let error = verdict(secret).expect_err(secret);
            assert!(want(&error), "{secret}: {error}");
            assert!(
                secret.trim().is_empty() || !error.to_string().contains(secret),
                "the message repeats the secret"
            );
        }
    }

    #[test]
    fn random_secrets_of_every_usual_spelling_pass() {
        for _ in 0..500 {
            let mut bytes = [0_u8; 32];
            getrandom::fill(&mut bytes).unwrap();
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            verdict(&hex[..32]).unwrap();
            verdict(&hex).unwrap();
            verdict(&format!("sk-{}", &hex[..32])).unwrap();
            verdict(&crate::random::draw(32).unwrap()).unwrap();
        }
        verdict("sk-litellm-9f1c6bd2a07e43f58b3d6e2c914a7f05").unwrap();
        verdict("0c4e8f5a-6b1d-4e2f-9a73-5d8c2b7f1e60").unwrap();
    }

    #[test]
    fn every_published_secret_is_refused_with_and_without_its_prefix() {
        for known in lines(PUBLISHED) {
            for secret in [
                known.to_owned(),
                format!("sk-{known}"),
                known.to_uppercase(),
            ] {
                assert!(
                    matches!(verdict(&secret), Err(ConfigError::Published { .. })),
                    "{secret}"
                );
            }
        }
    }
}

//! What can be computed from a secret alone: checksums, encodings, chance.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// A named check, with its argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Check {
    /// The last six characters are the CRC-32 of those after the first `_`, in base62.
    Crc32Base62,
    /// The same of all characters before them.
    Crc32Base62All,
    /// The last seven characters are the CRC-32 of all before them, in base36.
    Crc32Base36,
    /// The checksum of BIP 173.
    Bech32,
    /// The first part decodes to JSON that names an algorithm.
    JwtHeader,
    /// What begins with `eyJ` decodes to JSON.
    JsonBase64,
    /// The first part decodes to a decimal number.
    NumberBase64,
    /// Decodes to a user, a colon and a password.
    LoginBase64,
    /// Decodes to so many bytes, percent-encoded or not.
    BytesBase64(usize),
    /// Holds these characters, which only its maker puts there.
    Marker(&'static str),
    /// Has at least so many bits of chance a character, as its characters are spread.
    Entropy(f32),
    /// Has letters and digits.
    Mixed,
    /// Has small letters and capitals.
    Cased,
}

impl Check {
    /// Reads `name` or `name(argument)`.
    pub(crate) fn read(text: &'static str) -> Option<Self> {
        let (name, argument) = match text.split_once('(') {
            Some((name, rest)) => (name, rest.strip_suffix(')')?),
            None => (text, ""),
        };
        Some(match name {
            "crc32_base62" => Self::Crc32Base62,
            "crc32_base62_all" => Self::Crc32Base62All,
            "crc32_base36" => Self::Crc32Base36,
            "bech32" => Self::Bech32,
            "jwt_header" => Self::JwtHeader,
            "json_base64" => Self::JsonBase64,
            "number_base64" => Self::NumberBase64,
            "login_base64" => Self::LoginBase64,
            "bytes_base64" => Self::BytesBase64(argument.parse().ok()?),
            "marker" if !argument.is_empty() => Self::Marker(argument),
            "entropy" => Self::Entropy(argument.parse().ok()?),
            "mixed" => Self::Mixed,
            "cased" => Self::Cased,
            _ => return None,
        })
    }

    /// Its name, as findings give it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Crc32Base62 | Self::Crc32Base62All => "crc32_base62",
            Self::Crc32Base36 => "crc32_base36",
            Self::Bech32 => "bech32",
            Self::JwtHeader => "jwt_header",
            Self::JsonBase64 => "json_base64",
            Self::NumberBase64 => "number_base64",
            Self::LoginBase64 => "login_base64",
            Self::BytesBase64(_) => "bytes_base64",
            Self::Marker(_) => "marker",
            Self::Entropy(_) => "entropy",
            Self::Mixed => "mixed",
            Self::Cased => "cased",
        }
    }

    /// Whether `secret` passes.
    pub(crate) fn passes(self, secret: &[u8]) -> bool {
        match self {
            Self::Crc32Base62 => {
                let prefix = secret.iter().position(|byte| *byte == b'_').unwrap_or(0);
                let body = secret.get(prefix + 1..).unwrap_or_default();
                has_checksum(body, 62, 6)
            }
            Self::Crc32Base62All => has_checksum(secret, 62, 6),
            Self::Crc32Base36 => has_checksum(secret, 36, 7),
            Self::Bech32 => is_bech32(secret),
            Self::JwtHeader => {
                let header = secret.split(|byte| *byte == b'.').next();
                let json = header.and_then(json);
                json.is_some_and(|json| json.get("alg").is_some_and(serde_json::Value::is_string))
            }
            Self::JsonBase64 => {
                let at = secret.windows(3).position(|three| three == b"eyJ");
                let rest = at.and_then(|at| secret.get(at..)).unwrap_or_default();
                let end = rest.iter().position(|byte| matches!(byte, b'_' | b'.'));
                json(rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()).is_some()
            }
            Self::NumberBase64 => {
                let first = secret.split(|byte| *byte == b'.').next().and_then(decoded);
                first.is_some_and(|id| {
                    (17..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit)
                })
            }
            Self::LoginBase64 => decoded(secret).is_some_and(|login| {
                login.contains(&b':') && login.iter().all(|byte| matches!(byte, 0x20..=0x7E))
            }),
            Self::BytesBase64(length) => {
                let plain = String::from_utf8_lossy(secret)
                    .replace("%2B", "+")
                    .replace("%2b", "+")
                    .replace("%2F", "/")
                    .replace("%2f", "/")
                    .replace("%3D", "=")
                    .replace("%3d", "=");
                decoded(plain.as_bytes()).is_some_and(|bytes| bytes.len() == length)
            }
            Self::Marker(marker) => secret
                .windows(marker.len())
                .any(|window| window == marker.as_bytes()),
            Self::Entropy(least) => entropy(secret) >= least,
            Self::Mixed => {
                secret.iter().any(u8::is_ascii_alphabetic) && secret.iter().any(u8::is_ascii_digit)
            }
            Self::Cased => {
                secret.iter().any(u8::is_ascii_lowercase)
                    && secret.iter().any(u8::is_ascii_uppercase)
            }
        }
    }
}

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The CRC-32 of `body` in so many digits of a base, the most significant first; of base 36 in small letters.
pub(crate) fn checksum(body: &[u8], base: u32, width: usize) -> Vec<u8> {
    let mut rest = crc32fast::hash(body);
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS.get((rest % base) as usize).copied().unwrap_or(b'0');
        if base == 36 {
            digit.make_ascii_lowercase();
        }
        rest /= base;
    }
    digits
}

fn has_checksum(text: &[u8], base: u32, width: usize) -> bool {
    let Some((body, last)) = text
        .len()
        .checked_sub(width)
        .and_then(|at| text.split_at_checked(at))
    else {
        return false;
    };
    !body.is_empty() && checksum(body, base, width) == last
}

const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The remainder that the checksum of BIP 173 makes 1.
fn polymod(values: impl Iterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [
        0x3B6A_57B2,
        0x2650_8E6D,
        0x1EA1_19FA,
        0x3D42_33DD,
        0x2A14_62B3,
    ];
    values.fold(1, |sum, value| {
        let top = sum >> 25;
        let shifted = (sum & 0x01FF_FFFF) << 5 ^ u32::from(value);
        GENERATOR
            .iter()
            .zip(0..5)
            .filter(|(_, bit)| top >> bit & 1 == 1)
            .fold(shifted, |sum, (generator, _)| sum ^ generator)
    })
}

/// What the checksum is made of: the name before the last `1`, then the values after it.
fn expanded(name: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let high = name.iter().map(|byte| byte.to_ascii_lowercase() >> 5);
    let low = name.iter().map(|byte| byte.to_ascii_lowercase() & 31);
    high.chain([0]).chain(low)
}

fn is_bech32(text: &[u8]) -> bool {
    let Some(split) = text.iter().rposition(|byte| *byte == b'1') else {
        return false;
    };
    let (name, values) = text.split_at(split);
    let values = values.iter().skip(1).map(|byte| {
        let place = BECH32
            .iter()
            .position(|known| known == &byte.to_ascii_lowercase());
        place.and_then(|place| u8::try_from(place).ok())
    });
    let Some(values) = values.collect::<Option<Vec<u8>>>() else {
        return false;
    };
    values.len() >= 6 && polymod(expanded(name).chain(values)) == 1
}

/// The six characters that make `body`, which ends in its values, pass.
#[cfg(test)]
pub(crate) fn bech32_end(body: &[u8]) -> Vec<u8> {
    let split = body.iter().rposition(|byte| *byte == b'1').unwrap();
    let values = body[split + 1..].iter().map(|byte| {
        BECH32
            .iter()
            .position(|known| known == &byte.to_ascii_lowercase())
            .unwrap() as u8
    });
    let sum = polymod(expanded(&body[..split]).chain(values).chain([0; 6])) ^ 1;
    (0..6)
        .map(|place| BECH32[(sum >> (5 * (5 - place)) & 31) as usize].to_ascii_uppercase())
        .collect()
}

/// Base64 in either alphabet, with or without its padding.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let url = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let alphabet = if url {
        &alphabet::URL_SAFE
    } else {
        &alphabet::STANDARD
    };
    GeneralPurpose::new(alphabet, CONFIG).decode(text).ok()
}

fn json(text: &[u8]) -> Option<serde_json::Value> {
    let value: serde_json::Value = serde_json::from_slice(&decoded(text)?).ok()?;
    value.is_object().then_some(value)
}

/// Bits a character, as the characters are spread.
pub(crate) fn entropy(text: &[u8]) -> f32 {
    let mut counts = [0_u16; 256];
    for byte in text {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count = count.saturating_add(1);
        }
    }
    let all = f32::from(u16::try_from(text.len()).unwrap_or(u16::MAX));
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f32::from(*count) / all;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_tell_true_from_false() {
        let check = |text| Check::read(text).unwrap();
        // Published: a revoked token that shows where the checksum stands, and the text of BIP 173.
        let revoked = ["ghp_zQWBuTSOoRi4A9spHcVY5", "ncnsDkxkJ0mLq17"].concat();
        for (check, text, passes) in [
            (check("crc32_base62"), revoked.as_str(), true),
            (check("crc32_base62"), &revoked.replace("0mL", "0mM"), false),
            (check("crc32_base62"), "ghp_", false),
            (check("bech32"), "A12UEL5L", true),
            (
                check("bech32"),
                "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
                true,
            ),
            (check("bech32"), "A12UEL5M", false),
            (check("bech32"), "nothing", false),
            (check("jwt_header"), "eyJhbGciOiJIUzI1NiJ9.x.y", true),
            (check("jwt_header"), "eyJ0eXAiOiJKV1QifQ.x.y", false),
            (check("jwt_header"), "eyJabcdefghijk.x.y", false),
            (check("json_base64"), "ops_eyJhIjoxfQ", true),
            (check("json_base64"), "ops_eyJhIjoxJQ", false),
            (check("number_base64"), "MTIzNDU2Nzg5MDEyMzQ1Njc4.a.b", true),
            (check("number_base64"), "MTIzNDU2Nzg5MDEyMzQ1Njc.a.b", true),
            (check("number_base64"), "MTIzNDU2.a.b", false),
            (
                check("number_base64"),
                "MYIzNDU2Nzg5MDEyMzQ1Njc4.a.b",
                false,
            ),
            (check("login_base64"), "YW5uOnBhc3N3b3Jk", true),
            (check("login_base64"), "YW5uIHBhc3N3b3Jk", false),
            (check("bytes_base64(3)"), "%2B%2fa%2B", true),
            (check("bytes_base64(3)"), "aaaaaaaa", false),
            (check("marker(T3B)"), "sk-aT3Bb", true),
            (check("marker(T3B)"), "sk-at3bb", false),
            (check("entropy(3)"), "abcdefgh", true),
            (check("entropy(3)"), "abcdefga", false),
            (check("mixed"), "abc1", true),
            (check("mixed"), "1234", false),
            (check("cased"), "aB", true),
            (check("cased"), "ab", false),
        ] {
            assert_eq!(check.passes(text.as_bytes()), passes, "{check:?} {text}");
        }
        for unknown in ["", "crc", "entropy", "entropy(x)", "marker", "bytes_base64"] {
            assert_eq!(Check::read(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn what_a_checksum_is_made_for_passes() {
        let body = b"AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3";
        let whole = [body.as_slice(), &bech32_end(body)].concat();
        assert!(Check::Bech32.passes(&whole));
        let body = b"glpat-abc.0x";
        let whole = [body.as_slice(), &checksum(body, 36, 7)].concat();
        assert!(Check::Crc32Base36.passes(&whole));
        assert!(!Check::Crc32Base36.passes(&whole[1..]));
    }
}

//! Takes the caller's credential out of a request.

use http::header::{AUTHORIZATION, HeaderMap};
use http::{HeaderName, HeaderValue};
use secrecy::SecretString;

/// Headers that hold a key as it is, besides `authorization: Bearer`: Anthropic's, Azure's, Google's and LiteLLM's.
const BARE: [HeaderName; 4] = [
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("x-litellm-api-key"),
];

/// No credential that anybody hands out is longer; what is, is not worth hashing.
const LONGEST: usize = 8 * 1024;

/// Why a request's credential can't be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// There is none.
    Missing,
    /// Another scheme, no visible ASCII, or too long.
    Malformed,
    /// Two that differ: which one another reader would take is anybody's guess.
    Ambiguous,
}

/// Removes every header that may hold a credential, so that none of them goes on to the provider, and gives the one credential that
/// they held.
pub(crate) fn take(headers: &mut HeaderMap) -> Result<SecretString, Unreadable> {
    let mut found = Vec::new();
    for value in remove(headers, &AUTHORIZATION) {
        found.push(bearer(&value).and_then(plain));
    }
    for name in &BARE {
        found.extend(
            remove(headers, name)
                .iter()
                .map(|value| plain(value.as_bytes())),
        );
    }
    let mut found = found.into_iter();
    let first = found.next().ok_or(Unreadable::Missing)?;
    for other in found {
        if other != first {
            return Err(Unreadable::Ambiguous);
        }
    }
    first.map(SecretString::from)
}

fn remove(headers: &mut HeaderMap, name: &HeaderName) -> Vec<HeaderValue> {
    match headers.entry(name) {
        http::header::Entry::Occupied(entry) => entry.remove_entry_mult().1.collect(),
        http::header::Entry::Vacant(_) => Vec::new(),
    }
}

/// RFC 6750: the scheme, whose case is free (RFC 9110, 11.1), spaces, and the token.
fn bearer(value: &HeaderValue) -> Result<&[u8], Unreadable> {
    let (scheme, token) = value
        .as_bytes()
        .split_at_checked(6)
        .ok_or(Unreadable::Malformed)?;
    if scheme.eq_ignore_ascii_case(b"bearer") && token.first() == Some(&b' ') {
        Ok(token.trim_ascii_start())
    } else {
        Err(Unreadable::Malformed)
    }
}

fn plain(value: &[u8]) -> Result<String, Unreadable> {
    let fits =
        !value.is_empty() && value.len() <= LONGEST && value.iter().all(u8::is_ascii_graphic);
    let text = if fits {
        std::str::from_utf8(value).ok()
    } else {
        None
    };
    text.map(str::to_owned).ok_or(Unreadable::Malformed)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn taken(pairs: &[(&'static str, &[u8])]) -> Result<String, Unreadable> {
        let mut headers = HeaderMap::new();
        headers.insert("x-other", HeaderValue::from_static("stays"));
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let taken = take(&mut headers).map(|secret| secret.expose_secret().to_owned());
        assert_eq!(headers.len(), 1, "a credential goes on: {pairs:?}");
        taken
    }

    #[test]
    fn every_sdks_header_is_read_and_removed() {
        for (name, value) in [
            ("authorization", &b"Bearer k"[..]),
            ("authorization", b"bearer k"),
            ("authorization", b"BEARER   k"),
            ("x-api-key", b"k"),
            ("api-key", b"k"),
            ("x-goog-api-key", b"k"),
            ("x-litellm-api-key", b"k"),
        ] {
            assert_eq!(taken(&[(name, value)]), Ok("k".to_owned()), "{name}");
        }
    }

    #[test]
    fn none_or_a_broken_one_is_told_apart() {
        assert_eq!(taken(&[]), Err(Unreadable::Missing));
        let long = [b"Bearer ".as_slice(), &[b'a'; LONGEST + 1]].concat();
        let cases: [&[u8]; 11] = [
            b"",
            b"k",
            b"Bearer",
            b"Bearer ",
            b"Bearerk",
            b"Bearer\tk",
            b"Basic azpr",
            b"Bearer a b",
            b"Bearer k\xc3\xa9",
            b"Bearer \x80",
            &long,
        ];
        for value in cases {
            assert_eq!(
                taken(&[("authorization", value)]),
                Err(Unreadable::Malformed),
                "{}",
                value.escape_ascii()
            );
        }
        assert_eq!(taken(&[("x-api-key", b"")]), Err(Unreadable::Malformed));
        assert_eq!(
            taken(&[("x-api-key", b"Bearer k")]),
            Err(Unreadable::Malformed)
        );
    }

    #[test]
    fn several_must_agree() {
        assert_eq!(
            taken(&[("authorization", b"Bearer k"), ("x-api-key", b"k")]),
            Ok("k".to_owned())
        );
        for pairs in [
            [
                ("authorization", &b"Bearer k"[..]),
                ("x-api-key", &b"j"[..]),
            ],
            [
                ("authorization", b"Bearer k"),
                ("authorization", b"Bearer j"),
            ],
            [("api-key", b"k"), ("api-key", b"j")],
            [("authorization", b"Basic azpr"), ("x-api-key", b"k")],
            [("x-api-key", b""), ("api-key", b"k")],
        ] {
            assert_eq!(taken(&pairs), Err(Unreadable::Ambiguous), "{pairs:?}");
        }
    }
}

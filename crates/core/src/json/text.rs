//! JSON strings: where they end, what they say, how they are written.

use std::borrow::Cow;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// How many words are looked at one by one: most strings of a message end within them.
const SHORT: usize = 4;

/// Skips the bytes from `from` on that may stand in a string as they are; stops at a quote, a backslash, a control
/// character or the end.
///
/// A short string is searched a word at a time by the classic zero-byte trick (Mycroft 1987): a borrow can only make a
/// false hit above a true one, so the first hit is exact. A long one by SIMD, which costs more to start.
pub(super) fn plain_run(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let (words, _) = rest.as_chunks::<8>();
    for (at, word) in words.iter().take(SHORT).enumerate() {
        let hit = stops(u64::from_le_bytes(*word));
        if hit != 0 {
            return from + at * 8 + (hit.trailing_zeros() / 8) as usize;
        }
    }
    let searched = words.len().min(SHORT) * 8;
    let far = rest.get(searched..).unwrap_or_default();
    let length = if far.len() < 8 {
        far.len()
    } else {
        memchr::memchr2(b'"', b'\\', far).unwrap_or(far.len())
    };
    let run = far.get(..length).unwrap_or_default();
    // Without a way out of the loop the compiler makes it a vector loop; a hit is rare and searched for then.
    let dirty = run.iter().fold(false, |dirty, byte| dirty | (*byte < 0x20));
    let stop = if dirty || length < 8 {
        run.iter().position(|byte| is_stop(*byte))
    } else {
        None
    };
    from + searched + stop.unwrap_or(length)
}

fn is_stop(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

/// The top bit of each byte that is a quote, a backslash or a control character; above the first, bits may be wrong.
fn stops(word: u64) -> u64 {
    let quote = word ^ (LOW * 0x22);
    let slash = word ^ (LOW * 0x5C);
    ((quote.wrapping_sub(LOW) & !quote)
        | (slash.wrapping_sub(LOW) & !slash)
        | (word.wrapping_sub(LOW * 0x20) & !word))
        & HIGH
}

pub(super) fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |value, byte| {
        Some(value << 4 | char::from(*byte).to_digit(16)?)
    })
}

/// Decodes the inside of a scanned string.
pub(crate) fn unescape(raw: &str) -> Cow<'_, str> {
    let Some(mut slash) = memchr::memchr(b'\\', raw.as_bytes()) else {
        return Cow::Borrowed(raw);
    };
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    loop {
        text.push_str(rest.get(..slash).unwrap_or_default());
        let (character, length) = one_escape(rest.as_bytes(), slash);
        text.push(character);
        rest = rest.get(slash + length..).unwrap_or_default();
        match memchr::memchr(b'\\', rest.as_bytes()) {
            Some(next) => slash = next,
            None => break,
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// [`unescape`] for bytes known to be UTF-8.
pub(super) fn unescape_bytes(raw: &[u8]) -> Cow<'_, [u8]> {
    match str::from_utf8(raw).map(unescape) {
        Ok(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
        _ => Cow::Borrowed(raw),
    }
}

/// The character that the escape at `at` stands for, and the escape's length.
fn one_escape(bytes: &[u8], at: usize) -> (char, usize) {
    match bytes.get(at + 1) {
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'n') => ('\n', 2),
        Some(b'r') => ('\r', 2),
        Some(b't') => ('\t', 2),
        Some(b'u') => {
            let unit = hex4(bytes, at + 2).unwrap_or(0xFFFD);
            if (0xD800..0xDC00).contains(&unit) {
                let low = hex4(bytes, at + 8).unwrap_or(0xDC00);
                let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low.wrapping_sub(0xDC00) & 0x3FF);
                (
                    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
                    12,
                )
            } else {
                (
                    char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER),
                    6,
                )
            }
        }
        Some(other) => (char::from(*other), 2),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}

/// Appends `text` as the inside of a JSON string.
///
/// Escapes what JSON must, and U+0085, U+2028 and U+2029 too: some clients' line readers end a server-sent event there.
pub fn escape_into(out: &mut String, text: &str) {
    let mut from = 0;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let (short, length): (&str, usize) = match byte {
            b'"' => ("\\\"", 1),
            b'\\' => ("\\\\", 1),
            b'\n' => ("\\n", 1),
            b'\r' => ("\\r", 1),
            b'\t' => ("\\t", 1),
            0..0x20 => ("", 1),
            0xC2 if bytes.get(at + 1) == Some(&0x85) => ("\\u0085", 2),
            0xE2 if bytes.get(at + 1..at + 3) == Some(&[0x80, 0xA8]) => ("\\u2028", 3),
            0xE2 if bytes.get(at + 1..at + 3) == Some(&[0x80, 0xA9]) => ("\\u2029", 3),
            _ => {
                at += 1;
                continue;
            }
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        if short.is_empty() {
            out.push_str("\\u00");
            for shift in [4, 0] {
                out.push(char::from_digit(u32::from(byte >> shift & 0xF), 16).unwrap_or('0'));
            }
        } else {
            out.push_str(short);
        }
        at += length;
        from = at;
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

/// `text` as a JSON string, quotes included.
///
/// ```
/// assert_eq!(bartizan_core::json::quote("a \"b\"\n"), r#""a \"b\"\n""#);
/// ```
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    escape_into(&mut out, text);
    out.push('"');
    out
}

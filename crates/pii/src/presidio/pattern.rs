//! Patterns that a request brings: what of Python's syntax and flags there is here, and bounds for their size.

use regex::{Regex, RegexBuilder};

use super::fault::Fault;
use super::fields::Fields;

/// Bytes of one pattern, unless it may grow large.
const LONGEST_PATTERN: usize = 4_096;

/// Python's `re.DOTALL | re.MULTILINE | re.IGNORECASE`.
const USUAL_FLAGS: i64 = 16 | 8 | 2;

/// Reads a number of Python's `re` flags.
///
/// # Errors
///
/// 400 for flags that have no like here.
pub(super) fn flags(fields: Fields<'_>, name: &str) -> Result<i64, Fault> {
    let flags = match fields.get(name) {
        None => return Ok(USUAL_FLAGS),
        Some(value) => value.as_i64(),
    };
    // IGNORECASE, MULTILINE, DOTALL, UNICODE and VERBOSE.
    flags
        .filter(|flags| flags & !(2 | 8 | 16 | 32 | 64) == 0)
        .ok_or_else(|| {
            Fault::bad(format!(
                "{name} must be a sum of Python's re.IGNORECASE (2), re.MULTILINE (8), re.DOTALL (16), re.UNICODE (32) and re.VERBOSE (64)"
            ))
        })
}

/// Compiles a pattern that takes time in proportion to the text.
///
/// # Errors
///
/// 400 for what can't be compiled so, with the reason, and without the pattern.
pub(super) fn compile(text: &str, flags: i64, size: usize) -> Result<Regex, Fault> {
    if text.len() > LONGEST_PATTERN.max(size / 8) {
        return Err(Fault::bad(format!(
            "Invalid regex pattern: longer than {LONGEST_PATTERN} bytes"
        )));
    }
    if looks_around(text) {
        return Err(Fault::bad(
            "Invalid regex pattern: look-around ((?=, (?!, (?<=, (?<!) and back-references are not supported here, for no bound could be kept on their time; use \\b, or a deny_list",
        ));
    }
    RegexBuilder::new(text)
        .case_insensitive(flags & 2 != 0)
        .multi_line(flags & 8 != 0)
        .dot_matches_new_line(flags & 16 != 0)
        .ignore_whitespace(flags & 64 != 0)
        .size_limit(size)
        .dfa_size_limit(size)
        .nest_limit(64)
        .build()
        .map_err(|error| {
            Fault::bad(match error {
                regex::Error::CompiledTooBig(_) => {
                    "Invalid regex pattern: it grows too large".to_owned()
                }
                _ => "Invalid regex pattern: it can't be compiled (syntax of Rust's regex crate)"
                    .to_owned(),
            })
        })
}

/// Whether a pattern holds an assertion about what stands around, or a back-reference.
fn looks_around(text: &str) -> bool {
    let mut escaped = false;
    let mut in_class = false;
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        let rest = bytes.get(at..).unwrap_or_default();
        if std::mem::take(&mut escaped) {
            return !in_class && (matches!(byte, b'1'..=b'9') || rest.starts_with(b"k<"));
        }
        match byte {
            b'\\' => escaped = true,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'(' if !in_class => {
                return [&b"(?="[..], b"(?!", b"(?<=", b"(?<!", b"(?P="]
                    .iter()
                    .any(|opening| rest.starts_with(opening));
            }
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 256 * 1024;

    #[test]
    fn what_has_no_bound_in_time_is_refused_and_what_only_looks_like_it_is_not() {
        for (text, refused) in [
            (r"(?<!\d)\d{5}(?!\d)", true),
            (r"(?=a)b", true),
            (r"(?<=a)b", true),
            (r"(a)\1", true),
            (r"(?P<x>a)(?P=x)", true),
            (r"(?P<x>a)b", false),
            (r"(?:a|b)\b", false),
            (r"\(?=", false),
            (r"[(?=]", false),
            (r"(?i)a", false),
            (r"\\1", false),
        ] {
            assert_eq!(looks_around(text), refused, "{text}");
            let compiled = compile(text, USUAL_FLAGS, SIZE);
            assert_eq!(compiled.is_err(), refused, "{text}");
        }
        for text in [r"\w{200}{200}", "(", &"a".repeat(LONGEST_PATTERN * 9)] {
            assert!(compile(text, USUAL_FLAGS, SIZE).is_err());
        }
    }

    #[test]
    fn pythons_flags_mean_the_same_here() {
        for (flags, text, found) in [
            (2, "ABC", true),
            (0, "ABC", false),
            (USUAL_FLAGS, "x\nABC", true),
        ] {
            let regex = compile("^abc$", flags, SIZE).unwrap();
            assert_eq!(regex.is_match(text), found, "{flags} {text:?}");
        }
        assert!(compile("a.b", 16, SIZE).unwrap().is_match("a\nb"));
        assert!(!compile("a.b", 0, SIZE).unwrap().is_match("a\nb"));
        assert!(compile("a b # remark", 64, SIZE).unwrap().is_match("ab"));
    }
}

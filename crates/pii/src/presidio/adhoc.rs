//! Recognizers that a request brings along: patterns and words, for that request alone.

use std::ops::Range;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::Deadline;
use super::fault::Fault;
use super::fields::Fields;
use super::hit::{Explanation, Hit};

/// Recognizers, patterns of one, words of one's deny-list, and bytes of one pattern.
const MOST_RECOGNIZERS: usize = 64;
const MOST_PATTERNS: usize = 64;
const MOST_WORDS: usize = 2_000;
const LONGEST_PATTERN: usize = 4_096;

/// How large a compiled pattern may be, and one of a list of words, in bytes.
const PATTERN_SIZE: usize = 256 * 1024;
const WORDS_SIZE: usize = 4 * 1024 * 1024;

/// How many bytes of text may be searched by them.
pub(super) const MOST_TEXT: usize = 2 * 1024 * 1024;

/// Words before a match that are read for context, and how far back they may lie, in bytes.
const WORDS_BEFORE: usize = 8;
const LOOK_BACK: usize = 256;

/// By how much a context word raises a score, and to how much at least: Presidio's figures.
const RAISE: f64 = 0.35;
const AT_LEAST: f64 = 0.4;

/// Python's `re.DOTALL | re.MULTILINE | re.IGNORECASE`.
pub(super) const USUAL_FLAGS: i64 = 16 | 8 | 2;

/// One recognizer of a request.
pub(super) struct AdHoc<'v> {
    name: &'v str,
    entity: &'v str,
    patterns: Vec<Pattern<'v>>,
    context: Vec<String>,
    flags: i64,
}

struct Pattern<'v> {
    name: &'v str,
    text: std::borrow::Cow<'v, str>,
    regex: Regex,
    score: f64,
}

const PARSE: &str = "Failed to parse /analyze request for AnalyzerEngine.analyze().";

/// Reads `ad_hoc_recognizers`, those for `language`.
///
/// # Errors
///
/// 400 for a shape that Presidio doesn't take, for patterns that need look-around or back-references, and for those that grow too large.
pub(super) fn read<'v>(list: Option<&'v Value>, language: &str) -> Result<Vec<AdHoc<'v>>, Fault> {
    let list = match list {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => {
            return Err(Fault::bad(format!(
                "{PARSE} ad_hoc_recognizers must be a list"
            )));
        }
    };
    if list.len() > MOST_RECOGNIZERS {
        return Err(Fault::new(
            413,
            format!("ad_hoc_recognizers holds more than {MOST_RECOGNIZERS} items"),
        ));
    }
    list.iter()
        .map(|value| one(value, language))
        .filter_map(Result::transpose)
        .collect()
}

fn one<'v>(value: &'v Value, language: &str) -> Result<Option<AdHoc<'v>>, Fault> {
    let fields = Fields::of(value, "a recognizer")?;
    only(
        fields,
        "a recognizer",
        &[
            "name",
            "supported_entity",
            "supported_entities",
            "supported_language",
            "patterns",
            "deny_list",
            "deny_list_score",
            "context",
            "global_regex_flags",
            "version",
            "country_code",
        ],
    )?;
    let listed = fields.texts("supported_entities", 1)?;
    let entity = match (fields.optional_text("supported_entity")?, listed.as_slice()) {
        (Some(_), &[_, ..]) => {
            return Err(Fault::new(
                500,
                "Both 'supported_entity' and 'supported_entities' are present in the input dictionary. Only one should be provided.",
            ));
        }
        (Some(entity), &[]) | (None, &[entity]) if !entity.is_empty() && entity.len() <= 128 => {
            entity
        }
        (None, &[]) => {
            return Err(Fault::bad(format!(
                "{PARSE} a recognizer needs a supported_entity"
            )));
        }
        _ => {
            return Err(Fault::new(
                500,
                "Pattern recognizer should be initialized with entity",
            ));
        }
    };
    let flags = flags(fields, "global_regex_flags")?;
    let mut patterns = match fields.get("patterns") {
        None => Vec::new(),
        Some(Value::Array(list)) if list.len() <= MOST_PATTERNS => list
            .iter()
            .map(|value| pattern(value, flags))
            .collect::<Result<_, _>>()?,
        Some(Value::Array(_)) => {
            return Err(Fault::new(
                413,
                format!("patterns holds more than {MOST_PATTERNS} items"),
            ));
        }
        Some(_) => return Err(Fault::bad(format!("{PARSE} patterns must be a list"))),
    };
    let words = fields.texts("deny_list", MOST_WORDS)?;
    if !words.is_empty() {
        patterns.push(deny_list(
            &words,
            score(fields, "deny_list_score", Some(1.0))?,
            flags,
        )?);
    }
    if patterns.is_empty() {
        return Err(Fault::new(
            500,
            "Pattern recognizer should be initialized with patterns or with deny list",
        ));
    }
    let own = fields.optional_text("supported_language")?.unwrap_or("en");
    if !own.eq_ignore_ascii_case(language) {
        return Ok(None);
    }
    Ok(Some(AdHoc {
        name: fields.optional_text("name")?.unwrap_or("PatternRecognizer"),
        entity,
        patterns,
        context: fields
            .texts("context", MOST_WORDS)?
            .into_iter()
            .map(str::to_lowercase)
            .collect(),
        flags,
    }))
}

fn only(fields: Fields<'_>, what: &str, known: &[&str]) -> Result<(), Fault> {
    if fields
        .map()
        .keys()
        .all(|name| known.contains(&name.as_str()))
    {
        return Ok(());
    }
    Err(Fault::bad(format!(
        "{PARSE} {what} has only these members: {}",
        known.join(", ")
    )))
}

fn score(fields: Fields<'_>, name: &str, usual: Option<f64>) -> Result<f64, Fault> {
    let score = match fields.get(name) {
        None => usual,
        Some(value) => value.as_f64(),
    };
    let Some(score) = score else {
        return Err(Fault::bad(format!("{PARSE} {name} must be a number")));
    };
    if (0.0..=1.0).contains(&score) {
        Ok(score)
    } else {
        Err(Fault::new(
            500,
            format!("Invalid score: {score}. Score should be between 0 and 1"),
        ))
    }
}

fn pattern<'v>(value: &'v Value, flags: i64) -> Result<Pattern<'v>, Fault> {
    let fields = Fields::of(value, "a pattern")?;
    only(fields, "a pattern", &["name", "regex", "score"])?;
    let need = |name: &str| {
        fields
            .optional_text(name)?
            .ok_or_else(|| Fault::bad(format!("{PARSE} a pattern needs a {name}")))
    };
    let text = need("regex")?;
    Ok(Pattern {
        name: need("name")?,
        text: text.into(),
        regex: compile(text, flags, PATTERN_SIZE)?,
        score: score(fields, "score", None)?,
    })
}

/// The words as whole words.
fn deny_list<'v>(words: &[&str], score: f64, flags: i64) -> Result<Pattern<'v>, Fault> {
    let words: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
    let text = format!(r"\b{{start-half}}(?:{})\b{{end-half}}", words.join("|"));
    Ok(Pattern {
        name: "deny_list",
        // A word with a `#` or a blank is one in Python's verbose mode too, for it escapes them.
        regex: compile(&text, flags & !64, WORDS_SIZE)?,
        text: text.into(),
        score,
    })
}

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

impl<'v> AdHoc<'v> {
    pub(super) fn entity(&self) -> &'v str {
        self.entity
    }

    /// Adds what it finds in `text`. `more`: words that the request says stand around all of its texts, in lower case.
    ///
    /// # Errors
    ///
    /// 503 past the deadline.
    pub(super) fn find(
        &self,
        text: &str,
        more: &[String],
        deadline: Deadline,
        out: &mut Vec<Hit<'v>>,
    ) -> Result<(), Fault> {
        for pattern in &self.patterns {
            let mut at = 0;
            while let Some(found) = pattern.regex.find_at(text, at) {
                // Between two matches: one search alone takes time in proportion to the text.
                deadline.check()?;
                at = found.end();
                if found.is_empty() {
                    let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) else {
                        break;
                    };
                    at += next.len_utf8();
                    continue;
                }
                if pattern.score > 0.0 {
                    out.push(self.hit(pattern, found.range(), text, more));
                }
            }
            deadline.check()?;
        }
        Ok(())
    }

    fn hit(
        &self,
        pattern: &Pattern<'v>,
        range: Range<usize>,
        text: &str,
        more: &[String],
    ) -> Hit<'v> {
        let mut score = pattern.score;
        let word = self.supportive(text, range.start, more);
        if word.is_some() {
            score = (score + RAISE).clamp(AT_LEAST, 1.0);
        }
        Hit {
            entity: self.entity.into(),
            range,
            score,
            explanation: Explanation {
                pattern: Some(pattern.text.clone()),
                pattern_name: Some(pattern.name.into()),
                regex_flags: Some(self.flags),
                supportive_context_word: word.unwrap_or_default().into(),
                ..Explanation::by(self.name, pattern.score, score)
            },
        }
    }

    /// The first context word of this recognizer that is part of a word before `start`.
    fn supportive(&self, text: &str, start: usize, more: &[String]) -> Option<String> {
        if self.context.is_empty() {
            return None;
        }
        let mut from = start.saturating_sub(LOOK_BACK);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        let before = text.get(from..start).unwrap_or_default();
        let around: Vec<String> = before
            .rsplit(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(WORDS_BEFORE)
            .map(str::to_lowercase)
            .collect();
        self.context
            .iter()
            .find(|context| {
                around
                    .iter()
                    .chain(more)
                    .any(|word| word.contains(context.as_str()))
            })
            .cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let compiled = compile(text, USUAL_FLAGS, PATTERN_SIZE);
            assert_eq!(compiled.is_err(), refused, "{text}");
        }
        for text in [r"\w{200}{200}", "(", &"a".repeat(LONGEST_PATTERN * 9)] {
            assert!(compile(text, USUAL_FLAGS, PATTERN_SIZE).is_err());
        }
    }

    #[test]
    fn pythons_flags_mean_the_same_here() {
        for (flags, text, found) in [
            (2, "ABC", true),
            (0, "ABC", false),
            (USUAL_FLAGS, "x\nABC", true),
        ] {
            let regex = compile("^abc$", flags, PATTERN_SIZE).unwrap();
            assert_eq!(regex.is_match(text), found, "{flags} {text:?}");
        }
        assert!(compile("a.b", 16, PATTERN_SIZE).unwrap().is_match("a\nb"));
        assert!(!compile("a.b", 0, PATTERN_SIZE).unwrap().is_match("a\nb"));
        assert!(
            compile("a b # remark", 64, PATTERN_SIZE)
                .unwrap()
                .is_match("ab")
        );
    }
}

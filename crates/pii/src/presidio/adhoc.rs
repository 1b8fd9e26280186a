//! Recognizers that a request brings along: patterns and words, for that request alone.

use std::ops::Range;

use regex::Regex;
use serde_json::Value;

use super::Deadline;
use super::fault::Fault;
use super::fields::Fields;
use super::hit::{Explanation, Hit};
use super::pattern::{compile, flags};

/// Recognizers, patterns of one, and words of one's deny-list.
const MOST_RECOGNIZERS: usize = 64;
const MOST_PATTERNS: usize = 64;
const MOST_WORDS: usize = 2_000;

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

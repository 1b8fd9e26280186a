//! The vocabulary by which another process tells the mock what to do.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};

use super::script::{Ending, LineEnd, Script, Speech, Split};

/// A word that the mock does not know. The mock answers it with 400, so that no test passes on a misspelt script.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the mock does not know {0:?}: see the vocabulary in bartizan_testkit::mock")]
pub struct UnknownWord(String);

impl Script {
    /// Adds what `words` say, joined by `+`, to this script.
    ///
    /// ```
    /// use bartizan_testkit::Script;
    ///
    /// assert!(Script::echo().with_words("tools-2+cut-after-3+crlf").is_ok());
    /// assert!(Script::echo().with_words("tolls").is_err());
    /// ```
    ///
    /// # Errors
    /// [`UnknownWord`] for a word that is not in the vocabulary, or whose number does not fit.
    pub fn with_words(mut self, words: &str) -> Result<Self, UnknownWord> {
        for word in words.split('+') {
            self = self
                .word(word)
                .ok_or_else(|| UnknownWord(word.to_owned()))?;
        }
        Ok(self)
    }

    fn word(mut self, word: &str) -> Option<Self> {
        let (name, numbers) = split_numbers(word)?;
        let count = |number: u64| usize::try_from(number).ok();
        let millis = Duration::from_millis;
        let wire = &mut self.wire;
        match (name.as_str(), numbers.as_slice()) {
            ("echo", []) => self.speech = Speech::Echo,
            ("words", &[n]) => self.speech = Speech::Words(count(n)?),
            ("tools", []) => self.speech = Speech::Tools(1),
            ("tools", &[n]) => self.speech = Speech::Tools(count(n)?),
            ("refusal", []) => self.speech = Speech::Refusal,
            ("redirect", []) => self.speech = Speech::Redirect,
            ("bench", []) => self.speech = Speech::Bench,
            ("error", &[n]) => self.speech = Speech::Error(status(n)?),
            ("thinking", []) => self.thinking = true,
            ("redacted", []) => self.redacted = true,
            ("length", []) => self.length = true,
            ("interleaved", []) => self.interleaved = true,
            ("piece", &[n]) => self.piece = Some(count(n)?.max(1)),
            ("usage", &[input, output]) => self.usage = Some((input, output)),
            ("cached", &[n]) => self.cached = n,
            ("no-usage", []) => self.no_usage = true,
            ("flaky", &[n, code]) => self.flaky = Some((n, status(code)?)),
            ("retry-after", &[n]) => {
                self.headers.insert(RETRY_AFTER, HeaderValue::from(n));
            }
            ("slow", []) => (wire.delay, wire.pace) = (millis(200), millis(50)),
            ("delay", &[n]) => wire.delay = millis(n),
            ("pace", &[n]) => wire.pace = millis(n),
            ("cut-after", &[n]) => wire.ending = Ending::Cut(count(n)?),
            ("drop-after", &[n]) => wire.ending = Ending::Drop(count(n)?),
            ("abort-after", &[n]) => wire.ending = Ending::Abort(count(n)?),
            ("hang-after", &[n]) => wire.ending = Ending::Hang(count(n)?),
            ("error-after", &[n]) => wire.ending = Ending::Error(count(n)?),
            ("garbled-after", &[n]) => wire.garbled = Some(count(n)?),
            ("split", &[n]) => wire.split = Split::Every(count(n)?.max(1)),
            ("scatter", &[seed]) => wire.split = Split::Scatter(seed),
            ("crlf", []) => wire.line = LineEnd::CrLf,
            ("cr", []) => wire.line = LineEnd::Cr,
            ("comments", []) => wire.comments = true,
            ("bom", []) => wire.mark = true,
            _ => return None,
        }
        Some(self)
    }
}

fn status(code: u64) -> Option<StatusCode> {
    StatusCode::from_u16(u16::try_from(code).ok()?).ok()
}

/// `cut-after-3` is `cut-after` and 3.
fn split_numbers(word: &str) -> Option<(String, Vec<u64>)> {
    let mut parts: Vec<&str> = word.split('-').collect();
    let mut numbers = Vec::new();
    while let Some(number) = parts
        .last()
        .filter(|part| part.bytes().all(|b| b.is_ascii_digit()))
    {
        numbers.insert(0, number.parse().ok()?);
        parts.pop();
    }
    Some((parts.join("-"), numbers))
}

/// The words at the start of a text, `mock:WORDS`, and what follows them after one space or line end.
pub(super) fn spoken(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("mock:")?;
    let end = rest
        .find(|c: char| c.is_ascii_whitespace())
        .unwrap_or(rest.len());
    let (words, rest) = rest.split_at_checked(end)?;
    Some((words, rest.get(1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_known_with_its_numbers() {
        let all = "echo+words-9+tools+tools-2+refusal+redirect+bench+error-529+thinking+redacted+length+interleaved+piece-1\
                   +usage-10-20+cached-4+no-usage+flaky-2-503+retry-after-7+slow+delay-1+pace-1+cut-after-0+drop-after-1\
                   +abort-after-2+hang-after-3+error-after-4+garbled-after-1+split-1+scatter-7+crlf+cr+comments+bom";
        let script = Script::echo().with_words(all).unwrap();
        assert_eq!(script.flaky, Some((2, StatusCode::SERVICE_UNAVAILABLE)));
        assert_eq!(script.usage, Some((10, 20)));
        assert_eq!(script.wire.ending, Ending::Error(4));
        assert_eq!(script.headers[RETRY_AFTER], "7");
    }

    #[test]
    fn a_word_that_is_misspelt_is_refused() {
        for word in [
            "",
            "cut-after",
            "cut-after-x",
            "error",
            "error-1",
            "error-70000",
            "echo-1",
            "usage-1",
            "Echo",
            "words-99999999999999999999",
        ] {
            assert_eq!(
                Script::echo().with_words(word).unwrap_err(),
                UnknownWord(word.to_owned())
            );
        }
    }

    #[test]
    fn a_text_can_begin_with_words() {
        assert_eq!(
            spoken("mock:tools+crlf and the rest"),
            Some(("tools+crlf", "and the rest"))
        );
        assert_eq!(spoken("mock:slow"), Some(("slow", "")));
        assert_eq!(spoken("a mock:slow"), None);
    }
}

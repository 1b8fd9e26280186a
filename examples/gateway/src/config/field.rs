//! One value, and what it can be taken for.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::read::{Section, Source, nearest};
use super::tree::{Node, Value};

/// A value under its path.
#[derive(Clone)]
pub(crate) struct Field<'a> {
    source: &'a Source<'a>,
    path: String,
    node: &'a Node,
}

impl<'a> Field<'a> {
    pub(super) fn new(source: &'a Source<'a>, path: String, node: &'a Node) -> Self {
        Self { source, path, node }
    }

    pub(crate) fn root(source: &'a Source<'a>, node: &'a Node) -> Self {
        Self {
            source,
            path: String::new(),
            node,
        }
    }

    pub(crate) fn fail(&self, message: impl Into<String>) {
        self.source.fail(self.node.line, &self.path, message);
    }

    /// The text as a secret, with `os.environ/NAME` put in.
    pub(crate) fn secret(&self) -> Option<SecretString> {
        let Value::Scalar(text) = &self.node.value else {
            self.fail(format!(
                "a single value belongs here, not {}",
                self.node.value.kind()
            ));
            return None;
        };
        let Some(name) = text.expose_secret().strip_prefix("os.environ/") else {
            return Some(text.clone());
        };
        let value = self.source.env(name);
        if value.is_none() {
            self.fail(format!("the environment variable {name} is not set"));
        }
        value
    }

    pub(crate) fn text(&self) -> Option<String> {
        self.secret().map(|text| text.expose_secret().to_owned())
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => {
                self.fail("true or false belongs here");
                None
            }
        }
    }

    pub(crate) fn number<T: FromStr + PartialOrd + fmt::Display>(
        &self,
        range: RangeInclusive<T>,
    ) -> Option<T> {
        let number = self
            .text()?
            .replace('_', "")
            .parse()
            .ok()
            .filter(|number| range.contains(number));
        if number.is_none() {
            self.fail(format!(
                "a whole number from {} to {} belongs here",
                range.start(),
                range.end()
            ));
        }
        number
    }

    /// A number from 0 to 1.
    pub(crate) fn fraction(&self) -> Option<f32> {
        let number = self.text()?.parse().ok();
        let number = number.filter(|number| (0.0..=1.0).contains(number));
        if number.is_none() {
            self.fail("a number from 0 to 1 belongs here");
        }
        number
    }

    /// Seconds, perhaps with a fraction or a unit: `600`, `2.5`, `250ms`, `30s`, `5m`, `1h`, `30d`.
    pub(crate) fn duration(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let text = self.text()?;
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match text.get(digits.len()..).unwrap_or_default() {
            "" | "s" => Some(1.0),
            "ms" => Some(0.001),
            "m" => Some(60.0),
            "h" => Some(3_600.0),
            "d" => Some(86_400.0),
            _ => None,
        };
        let seconds = digits
            .trim_end()
            .parse::<f64>()
            .ok()
            .zip(unit)
            .map(|(number, unit)| number * unit);
        let found = seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .filter(|found| range.contains(found));
        if found.is_none() {
            self.fail(format!(
                "a time from {:?} to {:?} belongs here, in seconds or with ms, s, m, h or d behind it",
                range.start(),
                range.end()
            ));
        }
        found
    }

    /// One of a few words.
    pub(crate) fn one_of<T: Clone>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(&text))
            .map(|(_, value)| value.clone());
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.fail(match nearest(&text, &known) {
                Some(near) => format!(
                    "this is none of {}; did you mean `{near}`?",
                    known.join(", ")
                ),
                None => format!("this is none of {}", known.join(", ")),
            });
        }
        found
    }

    /// The items of a list.
    pub(crate) fn list(&self) -> Vec<Field<'a>> {
        match &self.node.value {
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, node)| Field {
                    source: self.source,
                    path: format!("{}[{index}]", self.path),
                    node,
                })
                .collect(),
            other => {
                self.fail(format!("a list belongs here, not {}", other.kind()));
                Vec::new()
            }
        }
    }

    /// The items of a list of texts, or one text alone.
    pub(crate) fn texts(&self) -> Vec<(Field<'a>, String)> {
        let fields = match &self.node.value {
            Value::Scalar(_) => vec![self.clone()],
            _ => self.list(),
        };
        fields
            .into_iter()
            .filter_map(|field| field.text().map(|text| (field, text)))
            .collect()
    }

    /// The fields of a mapping whose keys are anybody's; none for what is no mapping.
    pub(crate) fn pairs(&self) -> Option<Vec<(String, Field<'a>)>> {
        match &self.node.value {
            Value::Map(_) => self.section().map(|mut section| section.rest()),
            _ => None,
        }
    }

    pub(crate) fn section(&self) -> Option<Section<'a>> {
        match &self.node.value {
            Value::Map(entries) => Some(Section::new(
                self.source,
                self.node.line,
                self.path.clone(),
                entries,
            )),
            other => {
                self.fail(format!("a mapping belongs here, not {}", other.kind()));
                None
            }
        }
    }
}

//! Takes values out of the tree, and keeps every complaint instead of stopping at the first.
//!
//! A [`Section`] is a mapping of which fields are taken by name. What nobody has taken in the end is a mistake, and is told with the
//! nearest name that would have been known.

use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::tree::{Key, Node, Value};

/// Where values come from besides the file, and where complaints go.
pub(crate) struct Source<'a> {
    env: &'a dyn Fn(&str) -> Option<String>,
    problems: RefCell<Vec<Problem>>,
}

/// One thing that is wrong, and how to mend it. Holds no value of the configuration, which might be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) line: usize,
    pub(crate) path: String,
    pub(crate) message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.path.as_str()) {
            (0, "") => write!(f, "{}", self.message),
            (0, path) => write!(f, "{path}: {}", self.message),
            (line, "") => write!(f, "line {line}: {}", self.message),
            (line, path) => write!(f, "line {line}: {path}: {}", self.message),
        }
    }
}

impl<'a> Source<'a> {
    pub(crate) fn new(env: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            env,
            problems: RefCell::default(),
        }
    }

    /// A variable of the environment; an empty one counts as unset.
    pub(crate) fn env(&self, name: &str) -> Option<SecretString> {
        (self.env)(name)
            .filter(|value| !value.is_empty())
            .map(SecretString::from)
    }

    pub(crate) fn fail(&self, line: usize, path: &str, message: impl Into<String>) {
        self.problems.borrow_mut().push(Problem {
            line,
            path: path.to_owned(),
            message: message.into(),
        });
    }

    /// The complaints so far, in the order of their lines.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems
    }
}

/// A value under its path.
#[derive(Clone)]
pub(crate) struct Field<'a> {
    source: &'a Source<'a>,
    path: String,
    node: &'a Node,
}

impl<'a> Field<'a> {
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

    /// Seconds, perhaps with a fraction or a unit: `600`, `2.5`, `250ms`, `30s`, `5m`, `1h`.
    pub(crate) fn duration(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let text = self.text()?;
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match text.get(digits.len()..).unwrap_or_default() {
            "" | "s" => Some(1.0),
            "ms" => Some(0.001),
            "m" => Some(60.0),
            "h" => Some(3_600.0),
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
                "a time from {:?} to {:?} belongs here, in seconds or with ms, s, m or h behind it",
                range.start(),
                range.end()
            ));
        }
        found
    }

    /// One of a few words.
    pub(crate) fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(&text))
            .map(|(_, value)| *value);
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

    pub(crate) fn section(&self) -> Option<Section<'a>> {
        match &self.node.value {
            Value::Map(entries) => Some(Section {
                source: self.source,
                line: self.node.line,
                path: self.path.clone(),
                left: entries.iter().collect(),
                known: Vec::new(),
            }),
            other => {
                self.fail(format!("a mapping belongs here, not {}", other.kind()));
                None
            }
        }
    }
}

/// A mapping that is being read.
pub(crate) struct Section<'a> {
    source: &'a Source<'a>,
    line: usize,
    path: String,
    left: Vec<&'a (Key, Node)>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// Takes the field `name`. An empty one is as good as none.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Field<'a>> {
        self.known.push(name);
        let at = self.left.iter().position(|(key, _)| key.name == name)?;
        let (_, node) = self.left.swap_remove(at);
        (!matches!(node.value, Value::Null)).then(|| Field {
            source: self.source,
            path: self.below(name),
            node,
        })
    }

    /// Takes a field that must be there.
    pub(crate) fn need(&mut self, name: &'static str) -> Option<Field<'a>> {
        let field = self.take(name);
        if field.is_none() {
            self.fail(format!("`{name}` is missing"));
        }
        field
    }

    /// Takes all that is left: a mapping whose keys are anybody's.
    pub(crate) fn rest(&mut self) -> Vec<(String, Field<'a>)> {
        let left = std::mem::take(&mut self.left);
        left.into_iter()
            .map(|(key, node)| {
                let field = Field {
                    source: self.source,
                    path: self.below(&key.name),
                    node,
                };
                (key.name.clone(), field)
            })
            .collect()
    }

    pub(crate) fn fail(&self, message: impl Into<String>) {
        self.source.fail(self.line, &self.path, message);
    }

    pub(crate) fn env(&self, name: &str) -> Option<SecretString> {
        self.source.env(name)
    }

    /// Complains of what nobody took. `foreign` are LiteLLM's words that this version does not implement.
    pub(crate) fn finish(self, foreign: &[&str]) {
        for (key, _) in &self.left {
            let name = key.name.as_str();
            let message = if foreign.contains(&name) {
                "this is LiteLLM's, and this version does not implement it: remove it, and see docs/configuration.md for what stands in".to_owned()
            } else if let Some(near) = nearest(name, &self.known) {
                format!("this key is not known; did you mean `{near}`?")
            } else if let Some(near) = nearest(name, foreign) {
                format!(
                    "this key is not known; LiteLLM's `{near}`, if that is meant, is not implemented in this version"
                )
            } else {
                let mut known = self.known.clone();
                known.sort_unstable();
                format!("this key is not known; known here: {}", known.join(", "))
            };
            self.source.fail(key.line, &self.below(name), message);
        }
    }

    fn below(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}

/// The one of `known` that `name` was probably meant to be: at most a third of it mistyped, or one held in the other.
pub(crate) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', ' ', '.'], "_");
    let name = plain(name);
    let near = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&name, &plain(known)), *known))
        .min()
        .filter(|(distance, known)| distance * 3 <= known.len().max(name.len()))
        .map(|(_, known)| known);
    near.or_else(|| {
        let holds = |known: &&&str| {
            name.len() >= 4
                && (known.contains(name.as_str()) || known.len() >= 4 && name.contains(**known))
        };
        known
            .iter()
            .filter(holds)
            .min_by_key(|known| known.len().abs_diff(name.len()))
            .copied()
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    fn problems(text: &str, read: impl Fn(Section<'_>)) -> Vec<String> {
        let env = |name: &str| (name == "HERE").then(|| "7".to_owned());
        let root = tree::read(text).unwrap();
        let source = Source::new(&env);
        read(Field::root(&source, &root).section().unwrap());
        source
            .into_problems()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn an_unknown_key_is_told_with_the_nearest_known_one() {
        let found = problems(
            "master_kye: x\nmaster-key: x\nfallbacks: x\nfalback: x\nwhatever: x",
            |mut section| {
                section.take("master_key");
                section.take("database_url");
                section.finish(&["fallbacks"]);
            },
        );
        for (line, says) in [
            "line 1: master_kye: this key is not known; did you mean `master_key`?",
            "line 2: master-key: this key is not known; did you mean `master_key`?",
            "line 3: fallbacks: this is LiteLLM's, and this version does not implement it",
            "line 4: falback: this key is not known; LiteLLM's `fallbacks`",
            "line 5: whatever: this key is not known; known here: database_url, master_key",
        ]
        .into_iter()
        .enumerate()
        {
            assert!(found[line].starts_with(says), "{found:?}");
        }
    }

    #[test]
    fn the_environment_stands_in_and_is_missed_by_name() {
        let found = problems("a: os.environ/HERE\nb: os.environ/GONE", |mut section| {
            assert_eq!(section.take("a").unwrap().number(0..=9), Some(7));
            assert_eq!(section.take("b").unwrap().text(), None);
            section.finish(&[]);
        });
        assert_eq!(
            found,
            ["line 2: b: the environment variable GONE is not set"]
        );
    }

    #[test]
    fn times_are_seconds_or_have_a_unit() {
        let all = Duration::ZERO..=Duration::from_secs(3_600);
        for (text, wanted) in [
            ("600", Some(600_000)),
            ("2.5", Some(2_500)),
            ("250ms", Some(250)),
            ("30s", Some(30_000)),
            ("5m", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("2h", None),
            ("-1", None),
            ("s", None),
            ("1d", None),
            ("inf", None),
            ("NaN", None),
        ] {
            let found = problems(&format!("t: {text}"), |mut section| {
                let time = section.take("t").unwrap().duration(all.clone());
                assert_eq!(time, wanted.map(Duration::from_millis), "{text}");
            });
            assert_eq!(found.is_empty(), wanted.is_some(), "{text}");
        }
    }

    #[test]
    fn no_complaint_repeats_a_value() {
        let found = problems(
            "a: canary\nb: canary\nc: canary\nd: canary\ne: canary",
            |mut section| {
                section.take("a").unwrap().boolean();
                section.take("b").unwrap().number(0..=9_u8);
                section
                    .take("c")
                    .unwrap()
                    .duration(Duration::ZERO..=Duration::MAX);
                section.take("d").unwrap().one_of(&[("x", 1)]);
                section.take("e").unwrap().section();
            },
        );
        assert_eq!(found.len(), 5);
        assert!(
            found.iter().all(|line| !line.contains("canary")),
            "{found:?}"
        );
    }
}

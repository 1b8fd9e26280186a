//! Takes values out of the tree, and keeps every complaint instead of stopping at the first.
//!
//! A [`Section`] is a mapping of which fields are taken by name. What nobody has taken in the end is a mistake, and is told with the
//! nearest name that would have been known.

use std::cell::RefCell;
use std::fmt;

use secrecy::SecretString;

use super::field::Field;
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

/// A mapping that is being read.
pub(crate) struct Section<'a> {
    source: &'a Source<'a>,
    line: usize,
    path: String,
    left: Vec<&'a (Key, Node)>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        source: &'a Source<'a>,
        line: usize,
        path: String,
        entries: &'a [(Key, Node)],
    ) -> Self {
        Self {
            source,
            line,
            path,
            left: entries.iter().collect(),
            known: Vec::new(),
        }
    }

    /// Takes the field `name`. An empty one is as good as none.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Field<'a>> {
        self.known.push(name);
        let at = self.left.iter().position(|(key, _)| key.name == name)?;
        let (_, node) = self.left.swap_remove(at);
        (!matches!(node.value, Value::Null))
            .then(|| Field::new(self.source, self.below(name), node))
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
                let field = Field::new(self.source, self.below(&key.name), node);
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
    use std::time::Duration;

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

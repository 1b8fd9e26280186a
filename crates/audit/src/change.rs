//! What an administrator did: a record before it is done, and one of how it went.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::entry::{Who, bounded, rfc3339};

/// The longest value of a field, in bytes of its JSON: with that, no record comes near the longest line.
const LONGEST_VALUE: usize = 2 * 1024;

/// The most fields of one object.
const MOST_FIELDS: usize = 48;

/// The most objects that one change names.
const MOST_TARGETS: usize = 100;

/// A change of a key, an account or the like: about to be made, made, or refused.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// When, since 1970.
    #[serde(serialize_with = "rfc3339")]
    pub time: Duration,
    /// The change, by the id that all records of it have.
    pub change: String,
    /// How far it is.
    pub stage: Stage,
    /// Who asks for it; absent where nobody was identified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Who>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// What is done, such as `update_key`.
    pub action: &'static str,
    /// The names of what it is done to, as far as they are known.
    pub targets: Vec<String>,
    /// The refusal's code, where it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The object before, without what is the same after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Fields>,
    /// The object after, without what is the same before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Fields>,
}

/// How far a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// It is about to be made.
    Intended,
    /// It was made.
    Made,
    /// It was refused, and nothing was changed.
    Refused,
}

impl Change {
    /// Creates the record of a change with the id `change`, of which nothing else is known.
    #[must_use]
    pub fn new(
        time: Duration,
        change: impl Into<String>,
        stage: Stage,
        action: &'static str,
    ) -> Self {
        Self {
            time,
            change: change.into(),
            stage,
            who: None,
            address: None,
            action,
            targets: Vec::new(),
            code: None,
            before: None,
            after: None,
        }
    }

    /// Names what it is done to. Names past the hundredth are left out, and long ones cut.
    #[must_use]
    pub fn targets<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.targets = names.into_iter().take(MOST_TARGETS).map(bounded).collect();
        self
    }
}

/// The fields of an object, each with its value as JSON. A number stands in it as it was told.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    /// Sets a field, if there is room for another. A value that is long is told by its length alone.
    ///
    /// # Errors
    /// Where the value can't be told as JSON.
    pub fn set(&mut self, name: &str, value: &impl Serialize) -> Result<(), serde_json::Error> {
        let text = serde_json::to_string(value)?;
        // A line end may only come from JSON that was told as a whole; here it would end the record.
        let text = if text.len() > LONGEST_VALUE || text.contains('\n') {
            format!(r#"{{"bytes":{}}}"#, text.len())
        } else {
            text
        };
        if self.0.len() < MOST_FIELDS {
            self.0.insert(bounded(name), RawValue::from_string(text)?);
        }
        Ok(())
    }

    /// Sets a field to JSON that stands ready, as [`set`](Self::set) does.
    ///
    /// # Errors
    /// Where `json` is none.
    pub fn set_json(&mut self, name: &str, json: &str) -> Result<(), serde_json::Error> {
        self.set(name, &RawValue::from_string(json.to_owned())?)
    }

    /// The field's value, as JSON.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.get())
    }

    /// Leaves what is not the same in both. What one has and the other has not stays.
    pub fn differ(&mut self, other: &mut Self) {
        let same: Vec<String> = self
            .0
            .iter()
            .filter(|(name, value)| other.field(name) == Some(value.get()))
            .map(|(name, _)| name.clone())
            .collect();
        for name in same {
            self.0.remove(&name);
            other.0.remove(&name);
        }
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .all(|(name, value)| other.field(name) == Some(value.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entry;
    use crate::chain::{Anchor, Chain};

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::default();
        for (name, json) in pairs {
            fields.set_json(name, json).unwrap();
        }
        fields
    }

    #[test]
    fn only_what_differs_is_told_and_numbers_stand_as_they_were() {
        let mut before = fields(&[("max_budget", "0.1"), ("rpm_limit", "3"), ("tags", "[]")]);
        let mut after = fields(&[("max_budget", "0.10"), ("rpm_limit", "3")]);
        before.differ(&mut after);
        assert_eq!(before, fields(&[("max_budget", "0.1"), ("tags", "[]")]));
        assert_eq!(after, fields(&[("max_budget", "0.10")]));
    }

    #[test]
    fn a_change_is_one_short_line_whatever_it_holds() {
        let mut after = Fields::default();
        for n in 0..100 {
            let name = format!("{n}{}", "n".repeat(1_000));
            after.set(&name, &"v".repeat(n * 100)).unwrap();
        }
        after.set_json("lines", "[1,\n2]").unwrap();
        let mut change = Change::new(Duration::ZERO, "c", Stage::Made, "update_key")
            .targets(["x".repeat(1_000).as_str(); 200]);
        change.after = Some(after.clone());
        change.before = Some(after);
        let mut line = Vec::new();
        let mut chain = Chain::new(Anchor::start(), None);
        chain
            .seal(&Entry::Change(Box::new(change)), &mut line)
            .unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(
            Chain::new(Anchor::start(), None).check(&line),
            Ok(()),
            "{} bytes",
            line.len()
        );
    }
}

//! The members of a JSON object, as Presidio takes them.

use serde_json::{Map, Value};

use super::fault::Fault;

/// An object that is being read.
#[derive(Clone, Copy)]
pub(super) struct Fields<'v>(&'v Map<String, Value>);

impl<'v> Fields<'v> {
    pub(super) fn of(value: &'v Value, what: &str) -> Result<Self, Fault> {
        match value {
            Value::Object(map) => Ok(Self(map)),
            other => Err(Fault::bad(format!(
                "{what} must be an object, not {}",
                kind_of(other)
            ))),
        }
    }

    pub(super) fn over(map: &'v Map<String, Value>) -> Self {
        Self(map)
    }

    pub(super) fn map(self) -> &'v Map<String, Value> {
        self.0
    }

    /// A member that is there and not null.
    pub(super) fn get(self, name: &str) -> Option<&'v Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(self, name: &str) -> Option<&'v str> {
        self.get(name)?.as_str()
    }

    pub(super) fn number(self, name: &str) -> Option<f64> {
        self.get(name)?.as_f64()
    }

    /// A place in a text, in characters.
    pub(super) fn position(self, name: &str) -> Result<i64, Fault> {
        let Some(value) = self.get(name) else {
            return Err(Fault::invalid(format!(
                "Invalid input, result must contain {name}"
            )));
        };
        value
            .as_i64()
            .ok_or_else(|| mistyped(name, "number", value))
    }

    /// A text, where it is there.
    pub(super) fn optional_text(self, name: &str) -> Result<Option<&'v str>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(Fault::bad(format!(
                "{name} must be a string, not {}",
                kind_of(other)
            ))),
        }
    }

    /// A list of texts; empty where it isn't there.
    pub(super) fn texts(self, name: &str, most: usize) -> Result<Vec<&'v str>, Fault> {
        let list = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(other) => {
                return Err(Fault::bad(format!(
                    "{name} must be a list of strings, not {}",
                    kind_of(other)
                )));
            }
        };
        if list.len() > most {
            return Err(Fault::new(
                413,
                format!("{name} holds more than {most} items"),
            ));
        }
        list.iter()
            .map(|item| {
                item.as_str().ok_or_else(|| {
                    Fault::bad(format!(
                        "{name} must be a list of strings, and holds {}",
                        kind_of(item)
                    ))
                })
            })
            .collect()
    }

    /// Yes or no; `false` where it isn't there.
    pub(super) fn flag(self, name: &str) -> Result<bool, Fault> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(Fault::bad(format!(
                "{name} must be true or false, not {}",
                kind_of(other)
            ))),
        }
    }
}

/// In Presidio's anonymizer's words.
pub(super) fn mistyped(name: &str, wanted: &str, value: &Value) -> Fault {
    Fault::invalid(format!(
        "Invalid parameter value for {name}. Expecting '{wanted}', but got '{}'.",
        kind_of(value)
    ))
}

/// What a value is, without saying what it says.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

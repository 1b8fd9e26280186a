//! Amazon's own model of the service, where it is there: what it says a request is.

use std::sync::LazyLock;

use serde_json::Value;

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/specs/bedrock/bedrock-runtime.service-2.json"
);

static MODEL: LazyLock<Option<Value>> = LazyLock::new(|| {
    let text = std::fs::read_to_string(PATH).ok()?;
    Some(serde_json::from_str(&text).unwrap())
});

pub(crate) struct Spec(&'static Value);

impl Spec {
    pub(crate) fn read() -> Option<Self> {
        MODEL.as_ref().map(|model| Self(&model["shapes"]))
    }

    /// All that `value`, a body, is not as `shape` says.
    pub(crate) fn faults(&self, shape: &str, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(shape, value, shape, &mut faults);
        faults
    }

    fn check(&self, shape: &str, value: &Value, at: &str, faults: &mut Vec<String>) {
        let rule = &self.0[shape];
        let mut fault = |says: &str| faults.push(format!("{at} ({shape}): {says}"));
        if rule["document"] == true {
            return;
        }
        let length = match value {
            Value::String(text) => text.chars().count(),
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            _ => 0,
        };
        let (least, most) = (rule["min"].as_f64(), rule["max"].as_f64());
        let size = value.as_f64().unwrap_or(length as f64);
        if least.is_some_and(|least| size < least) || most.is_some_and(|most| size > most) {
            fault("too small or too large");
        }
        match rule["type"].as_str().unwrap() {
            "structure" => {
                let Some(members) = value.as_object() else {
                    return fault("no object");
                };
                if rule["union"] == true && members.len() != 1 {
                    fault("not one of its kinds");
                }
                let needed = rule["required"].as_array().into_iter().flatten();
                for name in needed.map(|name| name.as_str().unwrap()) {
                    let in_body = rule["members"][name]["location"].is_null();
                    if in_body && !members.contains_key(name) {
                        fault(&format!("no {name}"));
                    }
                }
                for (name, value) in members {
                    match rule["members"][name]["shape"].as_str() {
                        Some(shape) => self.check(shape, value, &format!("{at}.{name}"), faults),
                        None => faults.push(format!("{at}: no member {name}")),
                    }
                }
            }
            "list" => match value.as_array() {
                Some(items) => {
                    let shape = rule["member"]["shape"].as_str().unwrap();
                    for (index, item) in items.iter().enumerate() {
                        self.check(shape, item, &format!("{at}[{index}]"), faults);
                    }
                }
                None => fault("no list"),
            },
            "map" => match value.as_object() {
                Some(members) => {
                    let shape = rule["value"]["shape"].as_str().unwrap();
                    for (name, value) in members {
                        self.check(shape, value, &format!("{at}.{name}"), faults);
                    }
                }
                None => fault("no map"),
            },
            "string" | "blob" => {
                let Some(text) = value.as_str() else {
                    return fault("no string");
                };
                if let Some(words) = rule["enum"].as_array()
                    && !words.iter().any(|word| word == text)
                {
                    fault("none of its words");
                }
                let fits: fn(char) -> bool = match rule["pattern"].as_str() {
                    Some("[a-zA-Z0-9_.:-]+") => |c| c.is_ascii_alphanumeric() || "_.:-".contains(c),
                    Some("[a-zA-Z0-9_-]+") => |c| c.is_ascii_alphanumeric() || "_-".contains(c),
                    _ => |_| true,
                };
                if !text.chars().all(fits) {
                    fault("other characters than it may have");
                }
            }
            "boolean" if value.is_boolean() => {}
            "integer" | "long" if value.is_u64() => {}
            "float" | "double" if value.is_number() => {}
            _ => fault("another type"),
        }
    }
}

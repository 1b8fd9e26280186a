//! The older schemas of functions and answers, which are OpenAPI's and not JSON schema's.
//!
//! | theirs | JSON schema |
//! |---|---|
//! | `type` in capitals | in small letters; `TYPE_UNSPECIFIED` says nothing |
//! | `nullable` | `null` is one of the types, and of the `enum` |
//! | `anyOf`, `items`, `properties`, `defs`, `ref` | the same, read alike; `$defs`, `$ref` |
//! | `propertyOrdering` | the order in which the properties stand |
//! | `format: enum` | says nothing more than `enum` does |
//! | `example` | `examples` |
//! | counts as strings (`"minItems": "1"`) | numbers |

use std::borrow::Cow;

use bartizan_core::Refusal;
use bartizan_core::json::{Kind, Value};

use super::super::fields::{field, fields};
use crate::losses::Losses;
use crate::neutral::Raw;
use crate::read::{Place, Unknown, unknown};
use crate::write::Writer;

pub(super) fn decode<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Raw<'a>, Refusal> {
    let mut out = Writer::with_capacity(value.raw().len() + 32);
    let mut schema = Schema {
        out: &mut out,
        policy,
        losses,
    };
    schema.write(here, value)?;
    Ok(Raw::Made(out.finish()))
}

struct Schema<'s> {
    out: &'s mut Writer,
    policy: Unknown,
    losses: &'s mut Losses,
}

impl Schema<'_> {
    fn write(&mut self, here: &Place<'_>, whole: Value<'_>) -> Result<(), Refusal> {
        let nullable = field(whole, "nullable").and_then(Value::as_bool) == Some(true);
        self.out.open();
        for (key, value) in fields(here, whole)? {
            let there = Place::In(here, &key);
            match key.as_ref() {
                "type" => self.kind(&there, value, nullable)?,
                "enum" => self.choices(&there, value, nullable)?,
                "properties" => {
                    let order = field(whole, "propertyOrdering");
                    self.properties(&there, value, order)?;
                }
                // Each is told with another.
                "nullable" | "propertyOrdering" => {}
                "format" if value.is("enum") => {}
                "items" => {
                    self.out.key("items");
                    self.write(&there, value)?;
                }
                "additionalProperties" if value.kind() == Kind::Object => {
                    self.out.key("additionalProperties");
                    self.write(&there, value)?;
                }
                "anyOf" => {
                    self.out.key("anyOf");
                    self.out.open_list();
                    for (index, item) in there.items(value)?.into_iter().enumerate() {
                        self.write(&Place::At(&there, index), item)?;
                    }
                    if nullable {
                        self.out.raw(r#"{"type":"null"}"#);
                    }
                    self.out.close_list();
                }
                "defs" | "$defs" => {
                    self.out.key("$defs");
                    self.named(&there, there.object(value)?.members())?;
                }
                "ref" | "$ref" => {
                    let to = there.text(value)?;
                    let to = to.replacen("#/defs/", "#/$defs/", 1);
                    self.out.text_at("$ref", &to);
                }
                "example" => {
                    self.out.key("examples");
                    self.out.open_list();
                    self.out.raw(value.raw());
                    self.out.close_list();
                }
                "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties"
                | "maxProperties" | "minimum" | "maximum" => {
                    let number = value.text().filter(|text| text.parse::<f64>().is_ok());
                    let number = number.unwrap_or(Cow::Borrowed(value.raw()));
                    self.out.raw_at(&key, &number);
                }
                "title"
                | "description"
                | "default"
                | "format"
                | "pattern"
                | "required"
                | "additionalProperties" => self.out.raw_at(&key, value.raw()),
                name => unknown(here, self.policy, self.losses, name)?,
            }
        }
        self.out.close();
        Ok(())
    }

    fn kind(&mut self, here: &Place<'_>, value: Value<'_>, nullable: bool) -> Result<(), Refusal> {
        let kind = match here.text(value)?.to_ascii_lowercase().as_str() {
            "type_unspecified" => return Ok(()),
            "string" => "string",
            "number" => "number",
            "integer" => "integer",
            "boolean" => "boolean",
            "array" => "array",
            "object" => "object",
            "null" => "null",
            _ => return Err(here.invalid("STRING, NUMBER, INTEGER, BOOLEAN, ARRAY or OBJECT")),
        };
        if nullable {
            self.out.key("type");
            self.out.open_list();
            self.out.plain(kind);
            self.out.plain("null");
            self.out.close_list();
        } else {
            self.out.plain_at("type", kind);
        }
        Ok(())
    }

    fn choices(
        &mut self,
        here: &Place<'_>,
        value: Value<'_>,
        nullable: bool,
    ) -> Result<(), Refusal> {
        self.out.key("enum");
        self.out.open_list();
        for item in here.items(value)? {
            self.out.raw(item.raw());
        }
        if nullable {
            self.out.raw("null");
        }
        self.out.close_list();
        Ok(())
    }

    fn properties(
        &mut self,
        here: &Place<'_>,
        value: Value<'_>,
        order: Option<Value<'_>>,
    ) -> Result<(), Refusal> {
        self.out.key("properties");
        let order: Vec<_> = order
            .into_iter()
            .flat_map(Value::items)
            .filter_map(Value::text)
            .collect();
        let mut members: Vec<_> = here.object(value)?.members().collect();
        members.sort_by_key(|(name, _)| {
            let place = order.iter().position(|ordered| name.is(ordered));
            place.unwrap_or(order.len())
        });
        self.named(here, members.into_iter())
    }

    /// Schemas by names, which are no words of ours.
    fn named<'v>(
        &mut self,
        here: &Place<'_>,
        members: impl Iterator<Item = (Value<'v>, Value<'v>)>,
    ) -> Result<(), Refusal> {
        self.out.open();
        for (name, value) in members {
            let told = name.text().unwrap_or_default();
            self.out.raw(name.raw());
            self.out.follow("");
            self.write(&Place::In(here, &told), value)?;
        }
        self.out.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::json::Json;
    use serde_json::{Value as Tree, json};

    use super::*;

    #[test]
    fn an_openapi_schema_becomes_a_json_schema() {
        for (theirs, ours) in [
            (json!({"type": "STRING"}), json!({"type": "string"})),
            (json!({"type": "string"}), json!({"type": "string"})),
            (json!({"type": "TYPE_UNSPECIFIED"}), json!({})),
            (
                json!({"type": "STRING", "format": "enum", "enum": ["a", "b"], "nullable": true}),
                json!({"type": ["string", "null"], "enum": ["a", "b", null]}),
            ),
            (
                json!({"type": "ARRAY", "min_items": "1", "maxItems": 3, "items": {"type": "INTEGER", "format": "int64"}}),
                json!({"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "integer", "format": "int64"}}),
            ),
            (
                json!({"anyOf": [{"type": "STRING"}, {"ref": "#/defs/A"}], "nullable": true, "defs": {"A": {"type": "OBJECT"}}}),
                json!({"anyOf": [{"type": "string"}, {"$ref": "#/$defs/A"}, {"type": "null"}], "$defs": {"A": {"type": "object"}}}),
            ),
            (
                json!({"type": "OBJECT", "additionalProperties": {"type": "BOOLEAN"}, "example": {"a": true}}),
                json!({"type": "object", "additionalProperties": {"type": "boolean"}, "examples": [{"a": true}]}),
            ),
        ] {
            assert_eq!(read(&theirs.to_string()).unwrap(), ours);
        }
    }

    #[test]
    fn properties_stand_in_the_order_that_is_told_and_keep_their_names() {
        let theirs = r#"{"type":"OBJECT","properties":{"max_items":{"type":"STRING"},"b":{},"type":{"type":"NULL"}},"property_ordering":["type","max_items"]}"#;
        let json = Json::read(theirs).unwrap();
        let mut losses = Losses::default();
        let schema = decode(&Place::Root, json.root(), Unknown::Refuse, &mut losses).unwrap();
        assert_eq!(
            schema.raw(),
            r#"{"type":"object","properties":{"type":{"type":"null"},"max_items":{"type":"string"},"b":{}}}"#
        );
    }

    #[test]
    fn what_the_api_itself_refuses_is_refused_with_its_place() {
        for (schema, place) in [
            (json!({"type": "TEXT"}), "type"),
            (
                json!({"properties": {"a": {"$schema": "x"}}}),
                "properties.a.*",
            ),
            (json!({"enum": [1]}), "enum"),
            (json!({"items": []}), "items"),
        ] {
            let refusal = read(&schema.to_string()).unwrap_err();
            assert!(
                refusal.message().starts_with(place),
                "{}",
                refusal.message()
            );
        }
    }

    fn read(text: &str) -> Result<Tree, Refusal> {
        let json = Json::read(text).unwrap();
        let mut losses = Losses::default();
        let schema = decode(&Place::Root, json.root(), Unknown::Refuse, &mut losses)?;
        Ok(serde_json::from_str(schema.raw()).unwrap())
    }
}

//! Reads what was sent: strictly, with the field's name in each refusal, and without saying again what was sent.

use bartizan_core::json::{Bounds, Json, Kind, Value};
use bartizan_core::{Body, Refusal, RefusalKind};
use serde::de::DeserializeOwned;

use crate::digits;

/// The most bytes of a body.
pub(crate) const MOST: usize = 1 << 20;

/// Depth and number of values that no honest request comes near.
const BOUNDS: Bounds = Bounds {
    depth: 16,
    values: 65_536,
    duplicate_keys: false,
};

/// Where a key's text may stand: to name a key by it.
const KEYS: [&str; 2] = ["key", "keys"];

/// What a key begins with, and every other secret of its kind.
const SECRET: &str = "sk-";

/// Reads a JSON body, whatever type it says it has. Nothing is as good as `{}`.
pub(crate) async fn body<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let bytes = body.into_bytes(MOST).await?;
    let bytes = if bytes.is_empty() { &b"{}"[..] } else { &bytes };
    let json = Json::read_bytes(bytes, BOUNDS)?;
    // serde reads a list as a struct of that many fields.
    if json.root().kind() != Kind::Object {
        return Err(invalid("body", "the body is not valid: expected an object"));
    }
    for (name, value) in json.root().members() {
        let named = name.text().is_some_and(|name| KEYS.contains(&&*name));
        let holds = |text: Option<std::borrow::Cow<'_, str>>| {
            text.is_some_and(|text| text.contains(SECRET))
        };
        if !named && (holds(name.text()) || value.strings().any(|text| holds(text.text()))) {
            return Err(invalid(
                "body",
                "a key stands where none belongs: it would be kept and shown; name keys by `key_id`",
            ));
        }
    }
    if let Some(noted) = json.root().get("metadata")
        && !numbers(noted).all(|number| digits::are_kept(number.raw()))
    {
        return Err(invalid(
            "metadata",
            "a number has more digits than are kept: give it as a text",
        ));
    }
    serde_json::from_str(json.as_str()).map_err(|error| explain(&json, &error))
}

/// Every number inside.
fn numbers(value: Value<'_>) -> Box<dyn Iterator<Item = Value<'_>> + '_> {
    match value.kind() {
        Kind::Number => Box::new(std::iter::once(value)),
        Kind::Array => Box::new(value.items().flat_map(numbers)),
        Kind::Object => Box::new(value.members().flat_map(|(_, value)| numbers(value))),
        _ => Box::new(std::iter::empty()),
    }
}

/// Tells what is wrong where, and what was expected instead.
fn explain(json: &Json, error: &serde_json::Error) -> Refusal {
    let said = error.to_string();
    if let Some(refusal) = unknown_field(&said) {
        return refusal;
    }
    if let Some((_, rest)) = said.split_once("missing field `")
        && let Some((field, _)) = rest.split_once('`')
    {
        return invalid(field.to_owned(), format!("`{field}` is missing"));
    }
    // The words behind this are ours; those before it may be the sender's.
    let expected = said.split_once("expected ").map(|(_, rest)| {
        let end = rest.find(" at line ").unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    });
    let expected = expected.unwrap_or("expected something else");
    let expected = expected.strip_prefix("expected ").unwrap_or(expected);
    match member_at(json, error) {
        Some(field) => invalid(
            field.clone(),
            format!("`{field}` is not valid: expected {expected}"),
        ),
        None => invalid(
            "body",
            format!("the body is not valid: expected {expected}"),
        ),
    }
}

/// The outermost member that serde had come to.
fn member_at(json: &Json, error: &serde_json::Error) -> Option<String> {
    let before: usize = json
        .as_str()
        .split_inclusive('\n')
        .take(error.line().checked_sub(1)?)
        .map(str::len)
        .sum();
    let at = before + error.column();
    let members = json.root().members();
    let reached = members.take_while(|(name, _)| name.range().start < at);
    reached.last()?.0.text().map(std::borrow::Cow::into_owned)
}

/// Tells the name that is not known, and the nearest that is.
pub(crate) fn unknown_field(said: &str) -> Option<Refusal> {
    let (field, rest) = said.split_once("unknown field `")?.1.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2);
    let (shown, message) = with_nearest(field, known);
    Some(Refusal::new(RefusalKind::BadRequest, "unknown_field", message).param(shown))
}

/// Refuses a word of a field that is none of those that are known.
pub(crate) fn unknown<'k>(
    field: &'static str,
    word: &str,
    known: impl Iterator<Item = &'k str>,
) -> Refusal {
    let (_, message) = with_nearest(word, known);
    invalid(field, format!("in `{field}`: {message}"))
}

/// A name that is not known as it may be shown, and the words for it.
fn with_nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> (String, String) {
    let nearest = known
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .max_by(|one, two| one.0.total_cmp(&two.0))
        .filter(|(likeness, _)| *likeness > 0.6);
    let shown: String = name.chars().take(64).filter(|c| !c.is_control()).collect();
    let message = match nearest {
        Some((_, known)) => {
            format!("`{shown}` is not known here; the nearest that is, is `{known}`")
        }
        None => format!("`{shown}` is not known here"),
    };
    (shown, message)
}

pub(crate) fn invalid(
    param: impl Into<std::borrow::Cow<'static, str>>,
    message: impl Into<std::borrow::Cow<'static, str>>,
) -> Refusal {
    Refusal::new(RefusalKind::BadRequest, "invalid_field", message).param(param)
}

/// A key in a URL lies in every log on its way; whoever sends one should hear of it.
pub(crate) fn refuse_key_in_url(text: &str) -> Result<(), Refusal> {
    if text.contains(SECRET) {
        return Err(invalid(
            "key",
            "a key has no place in a URL: name it by its `key_id`; and replace this one, which logs may hold now",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::money::Money;
    use crate::object::Object;
    use crate::rights::ModelBudget;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Wish {
        key_alias: Option<String>,
        rpm_limit: Option<u32>,
        max_budget: Option<Money>,
        metadata: BTreeMap<String, serde_json::Value>,
        model_max_budget: BTreeMap<String, Object<ModelBudget>>,
    }

    async fn read(text: impl Into<String>) -> Result<Wish, Refusal> {
        body(Body::from(text.into())).await
    }

    #[tokio::test]
    async fn each_refusal_names_the_field_and_says_nothing_that_was_sent() {
        let deep = format!("{}1{}", "[".repeat(20), "]".repeat(20));
        let cases = [
            (
                r#"{"key_alais":1}"#,
                "unknown_field",
                "`key_alais` is not known here; the nearest that is, is `key_alias`",
            ),
            (r#"{"zzz":1}"#, "unknown_field", "`zzz` is not known here"),
            (
                "{\"key_alias\":\"a\",\n \"rpm_limit\":\"canary\"}",
                "invalid_field",
                "`rpm_limit` is not valid: expected u32",
            ),
            (
                r#"{"rpm_limit":-1}"#,
                "invalid_field",
                "`rpm_limit` is not valid: expected u32",
            ),
            (
                r#"{"rpm_limit":1.5}"#,
                "invalid_field",
                "`rpm_limit` is not valid: expected u32",
            ),
            (
                r#"{"max_budget":"canary"}"#,
                "invalid_field",
                "`max_budget` is not valid: expected US dollars as a decimal number from 0, in at most 28 digits",
            ),
            (
                r#"{"metadata":["canary"]}"#,
                "invalid_field",
                "`metadata` is not valid: expected a map",
            ),
            (
                r#"{"metadata":{"a":[{"b":0.300000000000000000001}]}}"#,
                "invalid_field",
                "a number has more digits than are kept",
            ),
            (
                r#"{"model_max_budget":{"gpt-4":["10"]}}"#,
                "invalid_field",
                "`model_max_budget` is not valid: expected an object",
            ),
            (
                r#"{"metadata":{"a":{"sk-canary":1}}}"#,
                "invalid_field",
                "a key stands where none belongs",
            ),
            (
                r#"["canary"]"#,
                "invalid_field",
                "the body is not valid: expected",
            ),
            (
                r#"{"key_alias":"a","key_alias":"b"}"#,
                "duplicate_key",
                "a key stands twice",
            ),
            (
                r#"{"key_alias":"sk-canary"}"#,
                "invalid_field",
                "a key stands where none belongs",
            ),
            (
                r#"{"metadata":{"a":"my sk-canary"}}"#,
                "invalid_field",
                "a key stands where none belongs",
            ),
            (deep.as_str(), "nested_too_deep", "nested too deep"),
            ("{", "invalid_json", "not valid JSON"),
        ];
        for (text, code, message) in cases {
            let refusal = read(text).await.unwrap_err();
            assert!(
                refusal.message().contains(message),
                "{text}: {}",
                refusal.message()
            );
            assert!(
                !refusal.message().contains("canary"),
                "{text}: {}",
                refusal.message()
            );
            if code != "nested_too_deep" {
                assert_eq!(refusal.code(), code, "{text}");
            }
        }
        let long = format!(r#"{{"key_alias":"{}"}}"#, "a".repeat(MOST));
        assert_eq!(read(long).await.unwrap_err().kind(), RefusalKind::TooLarge);
        assert!(read("").await.is_ok() && read("{}").await.is_ok());
    }
}

//! Reading members by either of their names: protobuf's JSON takes them in camel case and as they stand in the schema.

use std::borrow::Cow;

use bartizan_core::Refusal;
use bartizan_core::json::Value;

use crate::read::{Place, members};

/// An object's members that are not null, by their names in camel case.
///
/// A member that stands there by both names is refused: it could be read as either.
pub(super) fn fields<'a>(
    here: &Place<'_>,
    value: Value<'a>,
) -> Result<Vec<(Cow<'a, str>, Value<'a>)>, Refusal> {
    let mut all: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
    for (key, value) in members(here.object(value)?) {
        let key = camel(key);
        if all.iter().any(|(known, _)| *known == key) {
            return Err(Place::In(here, &key).invalid("stands here twice, by two names"));
        }
        all.push((key, value));
    }
    Ok(all)
}

/// The member of that name, which is in camel case.
pub(super) fn field<'a>(object: Value<'a>, name: &str) -> Option<Value<'a>> {
    members(object)
        .find(|(key, _)| key == name || camel(key.clone()) == name)
        .map(|(_, value)| value)
}

/// `file_data` as `fileData`. An underscore in front is part of a name.
fn camel(key: Cow<'_, str>) -> Cow<'_, str> {
    if !key.bytes().skip(1).any(|byte| byte == b'_') {
        return key;
    }
    let mut camel = String::with_capacity(key.len());
    let mut raise = false;
    for (at, letter) in key.char_indices() {
        if letter == '_' && at > 0 {
            raise = true;
        } else if std::mem::take(&mut raise) {
            camel.extend(letter.to_uppercase());
        } else {
            camel.push(letter);
        }
    }
    Cow::Owned(camel)
}

#[cfg(test)]
mod tests {
    use bartizan_core::json::Json;

    use super::*;

    #[test]
    fn a_member_has_two_names_and_stands_there_once() {
        let json = Json::read(r#"{"file_data":{},"fileUri":"a","_x_y":1,"none":null}"#).unwrap();
        let names: Vec<_> = fields(&Place::Root, json.root())
            .unwrap()
            .into_iter()
            .map(|(name, _)| name.into_owned())
            .collect();
        assert_eq!(names, ["fileData", "fileUri", "_xY"]);
        assert!(field(json.root(), "fileData").is_some());
        assert!(field(json.root(), "fileUri").is_some());
        assert!(field(json.root(), "none").is_none());
        let json = Json::read(r#"{"file_data":{},"fileData":{}}"#).unwrap();
        let refusal = fields(&Place::Root, json.root()).unwrap_err();
        assert!(refusal.message().starts_with("fileData: "));
    }
}

//! Reading a caller's JSON, where nothing may be overlooked.

use std::borrow::Cow;

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Refusal, RefusalKind};

use crate::losses::{Losses, shown};
use crate::neutral::{Number, Str};

/// What becomes of a member of a request that no dialect knows and that is not null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// The request is refused with 400 and the member's name.
    #[default]
    Refuse,
    /// It is left out, and named in [`DROPPED`](crate::DROPPED).
    Drop,
}

/// A place in a request, for the refusal that names it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'p> {
    Root,
    In(&'p Place<'p>, &'p str),
    At(&'p Place<'p>, usize),
}

impl Place<'_> {
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::In(Place::Root, name) => shown(name).to_owned(),
            Self::In(parent, name) => format!("{}.{}", parent.path(), shown(name)),
            Self::At(parent, index) => format!("{}[{index}]", parent.path()),
        }
    }

    /// 400: the value here is not what the API has here.
    pub(crate) fn invalid(&self, says: &'static str) -> Refusal {
        self.refusal("invalid_value", says)
    }

    /// 400: the target has no way to say this, and leaving it out would change the meaning.
    pub(crate) fn unsupported(&self, says: &'static str) -> Refusal {
        self.refusal("unsupported_parameter", says)
    }

    fn refusal(&self, code: &'static str, says: &'static str) -> Refusal {
        let path = self.path();
        let message = format!("{path}: {says}");
        Refusal::new(RefusalKind::BadRequest, code, message).param(path)
    }

    pub(crate) fn text<'a>(&self, value: Value<'a>) -> Result<Str<'a>, Refusal> {
        value.text().ok_or_else(|| self.invalid("not a string"))
    }

    pub(crate) fn flag(&self, value: Value<'_>) -> Result<bool, Refusal> {
        value.as_bool().ok_or_else(|| self.invalid("not a boolean"))
    }

    pub(crate) fn count(&self, value: Value<'_>) -> Result<u64, Refusal> {
        value
            .as_u64()
            .ok_or_else(|| self.invalid("not a whole number"))
    }

    pub(crate) fn number<'a>(&self, value: Value<'a>) -> Result<Number<'a>, Refusal> {
        let raw = value.raw();
        match raw.parse() {
            Ok(number) if value.kind() == Kind::Number => Ok(Number { raw, value: number }),
            _ => Err(self.invalid("not a number")),
        }
    }

    pub(crate) fn object<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Refusal> {
        match value.kind() {
            Kind::Object => Ok(value),
            _ => Err(self.invalid("not an object")),
        }
    }

    /// The items of an array of strings, objects or arrays. Scalars, which the tree does not note, are refused and not overlooked.
    pub(crate) fn items<'a>(&self, list: Value<'a>) -> Result<Vec<Value<'a>>, Refusal> {
        items(list).ok_or_else(|| self.invalid("not a list of what belongs here"))
    }
}

fn items(list: Value<'_>) -> Option<Vec<Value<'_>>> {
    if list.kind() != Kind::Array {
        return None;
    }
    let start = list.range().start;
    let raw = list.raw().as_bytes();
    // Between noted items stand commas and white space; a scalar would show.
    let between = |from: usize, to: usize| {
        let gap = raw.get(from..to)?;
        let empty = gap
            .iter()
            .all(|byte| matches!(byte, b',' | b' ' | b'\t' | b'\r' | b'\n'));
        empty.then_some(())
    };
    let mut all = Vec::new();
    let mut from = 1;
    for item in list.items() {
        let range = item.range();
        between(from, range.start - start)?;
        from = range.end - start;
        all.push(item);
    }
    between(from, raw.len() - 1)?;
    Some(all)
}

/// An object's members that are not null: every API here takes null for absent.
pub(crate) fn members<'a>(object: Value<'a>) -> impl Iterator<Item = (Cow<'a, str>, Value<'a>)> {
    object
        .members()
        .filter(|(_, value)| value.kind() != Kind::Null)
        .map(|(key, value)| (key.text().unwrap_or_default(), value))
}

/// The member `key`, unless it is null.
pub(crate) fn member<'a>(object: Value<'a>, key: &str) -> Option<Value<'a>> {
    object.get(key).filter(|value| value.kind() != Kind::Null)
}

/// Refuses or leaves out the member `key` that no dialect knows.
pub(crate) fn unknown(
    place: &Place<'_>,
    policy: Unknown,
    losses: &mut Losses,
    key: &str,
) -> Result<(), Refusal> {
    match policy {
        Unknown::Refuse => {
            Err(Place::In(place, key).unsupported("unknown here, and it may have a meaning"))
        }
        Unknown::Drop => {
            losses.unknown(key);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::json::Json;

    use super::*;

    #[test]
    fn no_item_of_a_list_is_overlooked() {
        for (list, items) in [
            ("[]", Some(0)),
            ("[ ]", Some(0)),
            (r#"["a"]"#, Some(1)),
            (r#"[ "a" , {"b":[1,2]},[] ]"#, Some(3)),
            ("[1]", None),
            (r#"["a",1]"#, None),
            (r#"[null,"a"]"#, None),
            (r#"["a",true,"b"]"#, None),
            ("{}", None),
            (r#""a""#, None),
            (r#"[",","a"]"#, Some(2)),
        ] {
            let json = Json::read(list).unwrap();
            assert_eq!(
                super::items(json.root()).map(|items| items.len()),
                items,
                "{list}"
            );
        }
    }

    #[test]
    fn a_place_names_itself_and_never_quotes_what_is_no_word() {
        let root = Place::Root;
        let messages = Place::In(&root, "messages");
        let second = Place::At(&messages, 1);
        assert_eq!(Place::In(&second, "content").path(), "messages[1].content");
        assert_eq!(Place::In(&second, "say \"hi\"").path(), "messages[1].*");
    }
}

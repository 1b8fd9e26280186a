//! Reads a query string into a type.

use percent_encoding::percent_decode_str;
use serde::de::value::{Error, MapDeserializer};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use bartizan_core::Refusal;

use crate::read::{invalid, refuse_key_in_url, unknown_field};

/// The most bytes of a query.
const MOST: usize = 8 * 1024;

/// Reads a query. Each name may stand once.
pub(crate) fn read<T: DeserializeOwned>(query: Option<&str>) -> Result<T, Refusal> {
    let query = query.unwrap_or_default();
    if query.len() > MOST {
        return Err(invalid("query", "the query is too long"));
    }
    let mut pairs: Vec<(String, Word)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        refuse_key_in_url(&name)?;
        refuse_key_in_url(&value)?;
        if pairs.iter().any(|(known, _)| *known == name) {
            return Err(invalid("query", "a name stands twice in the query"));
        }
        pairs.push((name, Word(value)));
    }
    T::deserialize(MapDeserializer::<_, Error>::new(pairs.into_iter())).map_err(|error| {
        let said = error.to_string();
        if let Some(refusal) = unknown_field(&said) {
            return refusal;
        }
        match said
            .split_once("missing field `")
            .and_then(|(_, rest)| rest.split_once('`'))
        {
            Some((field, _)) => invalid(field.to_owned(), format!("`{field}` is missing")),
            None => invalid("query", "a value in the query is not of its kind"),
        }
    })
}

fn decode(text: &str) -> Result<String, Refusal> {
    let text = text.replace('+', " ");
    match percent_decode_str(&text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(invalid("query", "the query is not UTF-8")),
    }
}

/// A value, which is what the field asks for.
struct Word(String);

impl<'de> IntoDeserializer<'de, Error> for Word {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let value = self.0.parse().map_err(|_| Error::custom("not of its kind"))?;
            visitor.$visit(value)
        }
    )*};
}

impl<'de> Deserializer<'de> for Word {
    type Error = Error;

    parsed! {
        deserialize_bool visit_bool
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple tuple_struct map struct
        enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Asked {
        team_id: Option<String>,
        size: Option<u16>,
        revoked: bool,
    }

    #[test]
    fn a_query_is_read_strictly() {
        let read = |query| read::<Asked>(Some(query));
        let asked = read("team_id=a%20b%26c&size=7&revoked=true").unwrap();
        assert_eq!(asked.team_id.as_deref(), Some("a b&c"));
        assert_eq!((asked.size, asked.revoked), (Some(7), true));
        assert_eq!(read("").unwrap(), Asked::default());
        for (query, message) in [
            ("size=x", "not of its kind"),
            ("size=-1", "not of its kind"),
            ("size=70000", "not of its kind"),
            ("revoked=yes", "not of its kind"),
            ("size=1&size=2", "stands twice"),
            ("size=1&s%69ze=2", "stands twice"),
            ("tem_id=1", "the nearest that is, is `team_id`"),
            ("team_id=%ff", "not UTF-8"),
            ("team_id=sk-canary", "a key has no place in a URL"),
            ("team_id=s%6b-canary", "a key has no place in a URL"),
        ] {
            let refusal = read(query).unwrap_err();
            assert!(
                refusal.message().contains(message),
                "{query}: {}",
                refusal.message()
            );
            assert!(!refusal.message().contains("canary"), "{query}");
        }
    }
}

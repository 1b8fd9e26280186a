//! A vector's numbers: a list, or base64 of 32-bit floats.

use bartizan_core::json::{Kind, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::neutral::Str;

#[derive(Debug)]
pub(super) enum Numbers<'a> {
    /// A list of numbers, as it was spelled.
    List(&'a str),
    Base64(Str<'a>),
    /// Base64 of signed bytes.
    Int8(Str<'a>),
}

impl<'a> Numbers<'a> {
    /// `None` where it is no vector.
    pub(super) fn read(value: Value<'a>) -> Option<Self> {
        match value.kind() {
            Kind::String => value.text().map(Self::Base64),
            Kind::Array if is_list_of_numbers(value.raw()) => Some(Self::List(value.raw())),
            _ => None,
        }
    }

    /// Writes a list. `None` where base64 holds none.
    pub(super) fn list(&self, out: &mut String) -> Option<()> {
        match self {
            Self::List(list) => {
                out.extend(list.split_ascii_whitespace());
                Some(())
            }
            Self::Int8(text) => {
                let bytes = STANDARD.decode(text.as_bytes()).ok()?;
                out.push('[');
                for (at, byte) in bytes.into_iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    out.push_str(&byte.cast_signed().to_string());
                }
                out.push(']');
                Some(())
            }
            Self::Base64(text) => {
                let bytes = STANDARD.decode(text.as_bytes()).ok()?;
                let (floats, rest) = bytes.as_chunks::<4>();
                if !rest.is_empty() {
                    return None;
                }
                out.push('[');
                for (at, float) in floats.iter().enumerate() {
                    let float = f32::from_le_bytes(*float);
                    // JSON has no word for what is no number.
                    if !float.is_finite() {
                        return None;
                    }
                    if at > 0 {
                        out.push(',');
                    }
                    // The shortest spelling that reads as the same 32 bits.
                    out.push_str(&float.to_string());
                }
                out.push(']');
                Some(())
            }
        }
    }

    /// Writes base64, with its quotes. `None` where a number has no 32-bit float.
    pub(super) fn base64(&self, out: &mut String) -> Option<()> {
        out.push('"');
        match self {
            Self::Base64(text) => {
                if !text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
                {
                    return None;
                }
                out.push_str(text);
            }
            Self::Int8(text) => {
                let bytes = STANDARD.decode(text.as_bytes()).ok()?.into_iter();
                let floats = bytes.flat_map(|byte| f32::from(byte.cast_signed()).to_le_bytes());
                STANDARD.encode_string(floats.collect::<Vec<u8>>(), out);
            }
            Self::List(list) => {
                let mut bytes = Vec::with_capacity(list.len() / 2);
                let inside = list.trim_matches(['[', ']', ' ', '\t', '\r', '\n']);
                for number in inside.split(',').filter(|number| !number.is_empty()) {
                    let float: f32 = number.trim().parse().ok()?;
                    if !float.is_finite() {
                        return None;
                    }
                    bytes.extend_from_slice(&float.to_le_bytes());
                }
                STANDARD.encode_string(&bytes, out);
            }
        }
        out.push('"');
        Some(())
    }
}

/// Whether the JSON array `raw` holds numbers alone.
fn is_list_of_numbers(raw: &str) -> bool {
    let inside = raw
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inside.is_some_and(|inside| {
        inside.bytes().all(|byte| {
            byte.is_ascii_digit()
                || matches!(
                    byte,
                    b'-' | b'+' | b'.' | b'e' | b'E' | b',' | b' ' | b'\t' | b'\r' | b'\n'
                )
        })
    })
}

#[cfg(test)]
mod tests {
    use bartizan_core::json::Json;
    use proptest::prelude::*;

    use super::*;

    fn told(
        numbers: &Numbers<'_>,
        write: fn(&Numbers<'_>, &mut String) -> Option<()>,
    ) -> Option<String> {
        let mut out = String::new();
        write(numbers, &mut out).map(|()| out)
    }

    #[test]
    fn a_list_keeps_its_spelling() {
        for (raw, told_as) in [
            ("[]", "[]"),
            (
                "[ 0.10, -3.0573521507903934E-4,\n1e-7 ,0]",
                "[0.10,-3.0573521507903934E-4,1e-7,0]",
            ),
        ] {
            let json = Json::read(raw).unwrap();
            let numbers = Numbers::read(json.root()).unwrap();
            assert_eq!(
                told(&numbers, |numbers, out| numbers.list(out)).unwrap(),
                told_as
            );
        }
    }

    #[test]
    fn what_is_no_vector_is_none() {
        for raw in [r#"["a"]"#, "[[1]]", "[null]", "[1,true]", "{}", "1", "null"] {
            let json = Json::read(raw).unwrap();
            assert!(Numbers::read(json.root()).is_none(), "{raw}");
        }
        for text in ["AAA", "AAAA", "AACAfw==", "AADAfw==", "!!!!"] {
            let numbers = Numbers::Base64(text.into());
            assert!(
                told(&numbers, |numbers, out| numbers.list(out)).is_none(),
                "{text}"
            );
        }
        let quote = Numbers::Base64("\"".into());
        assert!(told(&quote, |numbers, out| numbers.base64(out)).is_none());
        assert!(told(&Numbers::List("[1e39]"), |numbers, out| numbers.base64(out)).is_none());
    }

    #[test]
    fn signed_bytes_are_numbers_too() {
        let numbers = Numbers::Int8("AH+A/w==".into());
        assert_eq!(
            told(&numbers, |numbers, out| numbers.list(out)).unwrap(),
            "[0,127,-128,-1]"
        );
        let base64 = told(&numbers, |numbers, out| numbers.base64(out)).unwrap();
        let floats = Numbers::Base64(base64.trim_matches('"').to_owned().into());
        assert_eq!(
            told(&floats, |numbers, out| numbers.list(out)).unwrap(),
            "[0,127,-128,-1]"
        );
    }

    #[test]
    fn base64_is_what_openai_makes_of_the_same_floats() {
        // The first three floats of a recorded answer.
        let numbers = Numbers::List("[0.017608326,-0.045733217,0.029819995]");
        assert_eq!(
            told(&numbers, |numbers, out| numbers.base64(out)).unwrap(),
            r#""Vj+QPMFSO70QSfQ8""#,
        );
    }

    proptest! {
        #[test]
        fn all_32_bits_survive_both_ways(bits in proptest::collection::vec(any::<u32>(), 0..40)) {
            let floats: Vec<f32> = bits.into_iter().map(f32::from_bits).filter(|float| float.is_finite()).collect();
            let bytes: Vec<u8> = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
            let base64 = STANDARD.encode(&bytes);
            let list = told(&Numbers::Base64(base64.clone().into()), |numbers, out| numbers.list(out)).unwrap();
            prop_assert!(is_list_of_numbers(&list));
            let back = told(&Numbers::List(&list), |numbers, out| numbers.base64(out)).unwrap();
            prop_assert_eq!(back, format!("\"{base64}\""));
        }
    }
}

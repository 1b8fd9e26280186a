//! Amounts of money, digit by digit.

use std::borrow::Cow;

use bartizan_core::Decimal;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::openapi::{ObjectBuilder, RefOr, Type};
use utoipa::{PartialSchema, ToSchema};

/// US dollars: a JSON number, or one in quotes as LiteLLM writes some, in up to 28 digits. It goes out as the number that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Money(pub(crate) Decimal);

const EXPECTED: &str = "expected US dollars as a decimal number from 0, in at most 28 digits";

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let quoted = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        let digits = quoted.unwrap_or(text);
        let plain = digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
        let amount = if digits.contains(['e', 'E']) {
            Decimal::from_scientific(digits)
        } else {
            Decimal::from_str_exact(digits)
        };
        match amount {
            Ok(amount) if plain && amount >= Decimal::ZERO => Ok(Self(amount)),
            _ => Err(D::Error::custom(EXPECTED)),
        }
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl ToSchema for Money {
    fn name() -> Cow<'static, str> {
        "Money".into()
    }
}

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new()
            .schema_type(Type::Number)
            .minimum(Some(0))
            .description(Some("US dollars"));
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"^[0-9]{1,20}(\.[0-9]{1,8})?$"));
        OneOfBuilder::new()
            .item(number)
            .item(text)
            .description(Some("US dollars, to the last digit"))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn through(text: &str) -> Result<String, String> {
        let money: Money = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Ok(serde_json::to_string(&money).unwrap())
    }

    #[test]
    fn numbers_go_out_as_they_came_in() {
        for text in [
            "5000",
            "0.1",
            "0",
            "0.30000000000000000000000001",
            "12345678901234567890.12345678",
            "5000.00",
        ] {
            assert_eq!(through(text).as_deref(), Ok(text));
        }
        assert_eq!(through("\"0.1\"").as_deref(), Ok("0.1"));
        assert_eq!(through("1e3").as_deref(), Ok("1000"));
        assert_eq!(through("1.5E-3").as_deref(), Ok("0.0015"));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "-1",
            "-0.1",
            "\"\"",
            "\"1 000\"",
            "\"1_000\"",
            "\"NaN\"",
            "\"0x10\"",
            "true",
            "{}",
            "[1]",
            "1e99",
            "1e-99",
            "123456789012345678901234567890",
        ] {
            assert!(through(text).is_err(), "{text}: {:?}", through(text));
        }
    }

    proptest! {
        #[test]
        fn no_digit_is_lost(whole in 0_u64..1_000_000_000_000, cents in "[0-9]{0,12}") {
            let text = if cents.is_empty() { whole.to_string() } else { format!("{whole}.{cents}") };
            prop_assert_eq!(through(&text), Ok(text));
        }
    }
}

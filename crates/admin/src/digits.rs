//! Whether a number is kept as it was given.

use serde_json::Number;

/// Whether a number of JSON comes out again as the same number. One of more digits than a float has does not.
pub(crate) fn are_kept(number: &str) -> bool {
    serde_json::from_str::<Number>(number)
        .is_ok_and(|kept| value_of(&kept.to_string()) == value_of(number))
}

/// Sign, digits without zeros around them, and the power of ten that they are multiplied by.
fn value_of(number: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (number, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => (true, mantissa),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let power = exponent
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(zeros)?;
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    Some((negative, significant.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_kept_or_it_is_told() {
        for (number, kept) in [
            ("0", true),
            ("-0.0", true),
            ("17", true),
            ("5000.00", true),
            ("1e3", true),
            ("-1.5E-3", true),
            ("18446744073709551615", true),
            ("0.1", true),
            ("3.141592653589793", true),
            ("18446744073709551617", false),
            ("0.30000000000000000001", false),
            ("123456789012345678.5", false),
            ("1e999", false),
            ("1e-999", false),
            ("1e99999999999999999999", false),
        ] {
            assert_eq!(are_kept(number), kept, "{number}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_float_prints_is_kept(number in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO) {
            prop_assert!(are_kept(&serde_json::to_string(&number).unwrap()));
        }

        #[test]
        fn zeros_and_powers_do_not_make_another_number(digits in "[1-9][0-9]{0,14}", zeros in 0_usize..6) {
            let padded = format!("{digits}{}.{}", "0".repeat(zeros), "0".repeat(zeros + 1));
            prop_assert_eq!(value_of(&padded), value_of(&format!("{digits}e{zeros}")));
        }
    }
}

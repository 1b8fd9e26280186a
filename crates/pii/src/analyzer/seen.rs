//! A first look at digits, and all else that rules something out early, hides nothing.

use proptest::prelude::*;

use super::{Analyzer, Finding};
use crate::recognize::look;

/// What is found where everything is asked everywhere.
fn asked_everywhere(analyzer: &Analyzer, text: &str) -> Vec<Finding> {
    look::OFF.set(true);
    let found = analyzer.analyze(text);
    look::OFF.set(false);
    found
}

/// Groups of digits, numbers that are something, and words for them.
fn pieces() -> impl Strategy<Value = String> {
    let whole = [
        "2341 2341 2346",
        "234123412346",
        "4111 1111 1111 1111",
        "4111111111111111",
        "3782 822463 10005",
        "98765 43210",
        "+91 98765 43210",
        "0 98765 43210",
        "00919876543210",
        "(212) 555-0147",
        "+44 20 7946 0123",
        "01 42 68 53 00",
        "27AAPFU0939F1ZV",
        "ABCPE1234F",
        "UP/12/345/678901",
        "MH 12 AB 1234",
        "22 BH 1234 AA",
        "900-70-1234",
        "943 476 5919",
        "00:1A:2B:3C:4D:5E",
        "001a.2b3c.4d5e",
        "203.0.113.9",
        "2001:db8::1",
        "12.05.1990",
        "12 May 1990",
        "15 जनवरी 1990",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "GB82 WEST 1234 5698 7654 32",
        "HDFC0001234",
        "30123456789",
    ];
    let words = [
        "aadhaar",
        "card",
        "phone",
        "my number is",
        "order",
        "account",
        "nhs",
        "ssn",
        "born",
        "id",
        "tfn",
        "आधार",
        "license",
        "pin code Delhi",
        "mac",
        "version ",
    ];
    prop_oneof![
        6 => "[0-9]{1,5}",
        2 => "[0-9]{6,20}",
        3 => prop::sample::select(whole.to_vec()).prop_map(str::to_owned),
        2 => prop::sample::select(words.to_vec()).prop_map(str::to_owned),
    ]
}

fn separators() -> impl Strategy<Value = String> {
    let usual = [
        " ", " ", " ", "-", ".", ":", ", ", ",", "/", "\n", "  ", " (", ") ", "|", "+", "a", "é",
        "",
    ];
    prop::sample::select(usual.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_is_ruled_out_that_would_be_found(
        pieces in prop::collection::vec((pieces(), separators()), 1..14),
        same in prop::option::of(separators()),
    ) {
        let text = pieces
            .iter()
            .map(|(piece, separator)| format!("{piece}{}", same.as_ref().unwrap_or(separator)))
            .collect::<String>();
        let sensitive = Analyzer::builder()
            .entities(crate::Entity::built_in())
            .score_threshold(0.2)
            .build()
            .unwrap();
        for analyzer in [Analyzer::all(), sensitive] {
            prop_assert_eq!(analyzer.analyze(&text), asked_everywhere(&analyzer, &text), "{}", text);
        }
    }
}

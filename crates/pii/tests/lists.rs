//! What stands in a list of other numbers is found there.

#![allow(
    clippy::unwrap_used,
    reason = "a helper outside a test function panics as the test would"
)]

use bartizan_pii::{Analyzer, Entity};

/// Numbers that need no word beside them, as they are written.
const NUMBERS: &[(&str, Entity)] = &[
    ("4111 1111 1111 1111", Entity::Card),
    ("4111-1111-1111-1111", Entity::Card),
    ("4111111111111111", Entity::Card),
    ("3782 822463 10005", Entity::Card),
    ("2341 2341 2346", Entity::InAadhaar),
    ("2341-2341-2346", Entity::InAadhaar),
    ("+91 98765 43210", Entity::Phone),
    ("+919876543210", Entity::Phone),
    ("+44 20 7946 0123", Entity::Phone),
    ("27AAPFU0939F1ZV", Entity::InGstin),
    ("ABCPE1234F", Entity::InPan),
    ("203.0.113.9", Entity::Ip),
    ("00:1A:2B:3C:4D:5E", Entity::Mac),
];

/// Others around it, and what parts them.
const LISTS: &[(&str, &str)] = &[
    ("1, 2, 3, 4, 5, 6, 7, 8, 9", ", "),
    ("11, 202, 33, 4004, 55", ", "),
    ("1;22;333;1;22;333;1;22", ";"),
    ("30.1, 30.2, 30.3, 30.4", ", "),
    ("1.8.64, 1.8.65, 1.8.66", ", "),
    ("100511172, 100511173, 100511174", ", "),
    ("12:30, 12:45, 13:00", ", "),
    ("1\n2\n3\n4\n5\n6\n7\n8", "\n"),
    ("30.1\n30.2\n30.3", "\n"),
    ("2333\t23\t23\t2333", "\t"),
    ("1 | 22 | 333 | 4 | 55", " | "),
    ("a 1 b 2 c 3 d 4", " e "),
];

#[test]
fn a_number_within_a_list_of_others_is_found() {
    let analyzer = Analyzer::all();
    for (list, separator) in LISTS {
        for (number, entity) in NUMBERS {
            for text in [
                format!("{list}{separator}{number}"),
                format!("{number}{separator}{list}"),
                format!("{list}{separator}{number}{separator}{list}"),
            ] {
                let found = analyzer.analyze(&text);
                let there = found
                    .iter()
                    .any(|found| found.entity == *entity && &text[found.range.clone()] == *number);
                assert!(there, "{text:?}: {found:?}");
            }
        }
    }
}

#[test]
fn a_number_with_a_word_is_found_behind_others_that_blanks_part() {
    let analyzer = Analyzer::all();
    for (word, number, entity) in [
        ("card", "4111 1111 1111 1111", Entity::Card),
        ("aadhaar", "2341 2341 2346", Entity::InAadhaar),
        ("call", "98765 43210", Entity::Phone),
        ("call", "+91 98765 43210", Entity::Phone),
        ("ssn", "536-90-4399", Entity::UsSsn),
    ] {
        for list in [
            "1 2 3 4 5 6 7 8",
            "30.1 30.2 30.3",
            "2333 23 23 2333",
            "1 2 3",
        ] {
            let text = format!("{list} {word} {number} and {list}");
            let found = analyzer.analyze(&text);
            let there = found
                .iter()
                .any(|found| found.entity == entity && &text[found.range.clone()] == number);
            assert!(there, "{text:?}: {found:?}");
        }
    }
}

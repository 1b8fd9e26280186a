//! A number that goes on in the next line is found whole, and two rows of a table don't join.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

use bartizan_pii::{Analyzer, Entity};

fn found(text: &str) -> Vec<(Entity, &str)> {
    let found = Analyzer::all().analyze(text);
    found
        .into_iter()
        .map(|found| (found.entity, &text[found.range]))
        .collect()
}

/// Numbers as they are wrapped, and what may stand before them.
const WRAPPED: &[(Entity, &str, &[&str])] = &[
    (
        Entity::InAadhaar,
        "my number is ",
        &[
            "2341 2341\n2346",
            "2341\n2341 2346",
            "2341-2341-\n2346",
            "2341-2341\n2346",
            "2341.2341\r\n2346",
        ],
    ),
    (
        Entity::InAadhaar,
        "Aadhaar: ",
        &[
            "2341 2341 \n2346",
            "2341 2341\n        2346",
            "२३४१ २३४१\n२३४६",
            "23412341\n2346",
            "2341\u{a0}2341\r\n  2346",
        ],
    ),
    (
        Entity::InAadhaarVid,
        "Aadhaar VID ",
        &["2341 2341 2341\n2341", "2341 2341\n2341 2341"],
    ),
    (
        Entity::Card,
        "paid with ",
        &[
            "4111 1111\n1111 1111",
            "4111-1111-1111-\n1111",
            "4111\r\n 1111 1111 1111",
            "3782 822463\n10005",
        ],
    ),
    (
        Entity::Card,
        "card ",
        &["41111111\n11111111", "4111 111111\n111111"],
    ),
    (
        Entity::Iban,
        "to ",
        &[
            "GB82 WEST 1234 5698\n7654 32",
            "GB82 WEST\r\n  1234 5698 7654 32",
            "DE89 3704 0044 0532 0130\n00",
        ],
    ),
];

#[test]
fn a_number_over_a_line_break_is_found_whole() {
    for (entity, before, numbers) in WRAPPED {
        for number in *numbers {
            for after in ["", ".", " and so on", ", they said", "\n", "\nThen 7 more"] {
                let text = format!("Dear all,\n{before}{number}{after}");
                assert_eq!(found(&text).first(), Some(&(*entity, *number)), "{text:?}");
            }
        }
    }
}

#[test]
fn rows_of_numbers_do_not_join() {
    for text in [
        // The digits of an Aadhaar number, a card and an IBAN, each.
        "2341 2341\n2346",
        "2341 2341\n2346 5555\n1234 1234",
        "Totals of the year\n2341 2341\n2346 7777",
        "a 2341 2341\nb 2346",
        "a 2341 2341\n2346\n1111",
        "a 2341 2341\n2346 5555",
        "x,2341 2341\n2346,y",
        "Ravi, 2341 2341\n2346,Meena",
        "| 2341 2341 |\n| 2346 |",
        "Ravi\t2341 2341\n2346\tMeena",
        "Ravi  2341 2341\n2346  Meena",
        "a 2341 2341\n\n2346",
        "a 2341 2341\n         2346",
        "a 2341-2341\n2346-7",
        "a 7 2341 2341\n2346",
        "a 2341 2341\n2346kg",
        "order 2341 2341\n2346",
        "a 2341 2341\n2345",
        "a 23412341\n2346",
        "a 234123412\n346",
        "4111 1111\n1111 1111",
        "a 4111 1111\n1111 1112",
        "a 41111111\n11111111",
        "GB82WEST12345698\n765432",
        "GB82 WEST 1234 5698\n7654\n32",
    ] {
        let joined = found(text)
            .into_iter()
            .find(|(_, number)| number.contains('\n'));
        assert_eq!(joined, None, "{text:?}");
    }
}

#[test]
fn a_column_of_numbers_below_its_head_stays_rows() {
    let mut text = "aadhaar  card\n".to_owned();
    for row in 0..40_u32 {
        text += &format!(
            "{:04} {:04}\n",
            2341 + row * 97 % 6000,
            1000 + row * 61 % 9000
        );
    }
    assert_eq!(
        found(&text)
            .into_iter()
            .find(|(_, number)| number.contains('\n')),
        None
    );
}

//! The head of a column says what its cells hold, however long the table is.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

use bartizan_core::TextRewriter;
use bartizan_pii::{Analyzer, Entity, Operator, Redactor, Vault};
use proptest::prelude::*;

/// Twelve digits with the right last one, which nothing around speaks for.
fn aadhaar(seed: u64) -> String {
    let analyzer = Analyzer::all();
    let first = 20_000_000_000 + (seed * 7_919_777_333) % 70_000_000_000;
    (0..10)
        .map(|last| format!("{first}{last}"))
        .find(|number| {
            let text = format!("Aadhaar {number}");
            analyzer
                .analyze(&text)
                .iter()
                .any(|found| found.entity == Entity::InAadhaar)
        })
        .unwrap()
}

fn phone(seed: u64) -> String {
    format!("9{:09}", (seed * 48_271_007) % 1_000_000_000)
}

fn order(seed: u64) -> String {
    format!("8{:09}", (seed * 69_621_013) % 1_000_000_000)
}

const NAMES: [&str; 4] = ["Ravi", "\"Rao, Meena\"", "अनिल", "Priya K"];

/// A table with the columns name, order, Aadhaar, phone and city.
fn table(head: &str, separator: &str, edge: &str, rows: u64, end: &str) -> String {
    let row = |cells: &[&str]| format!("{edge}{}{edge}{end}", cells.join(separator));
    let mut text = row(&head.split(',').collect::<Vec<_>>());
    if edge == "|" {
        text += &row(&["---", ":--", "--:", "---", "---"]);
    }
    for seed in 0..rows {
        let name = NAMES[seed as usize % 4];
        // A quote parts nothing in Markdown, and a comma nothing elsewhere.
        let name = if separator.starts_with(',') {
            name
        } else {
            name.trim_matches('"')
        };
        text += &row(&[name, &order(seed), &aadhaar(seed), &phone(seed), "Pune"]);
    }
    text
}

fn found(text: &str) -> Vec<(Entity, String)> {
    let found = Analyzer::all().analyze(text);
    found
        .into_iter()
        .map(|found| (found.entity, text[found.range].to_owned()))
        .collect()
}

#[test]
fn every_cell_has_the_head_of_its_column_in_each_format() {
    for (separator, edge, end) in [
        (",", "", "\n"),
        (",", "", "\r\n"),
        (", ", "", "\n"),
        ("\t", "", "\n"),
        (";", "", "\n"),
        ("|", "|", "\n"),
        (" | ", "|", "\n"),
        ("     |     ", "|", "\n"),
    ] {
        for head in [
            "name,order_id,aadhaar,phone,city",
            "Name,Order No,Aadhaar No,Mobile,City",
            "\"name\",\"order\",\"aadhaar number\",\"phone\",\"city\"",
            "नाम,ऑर्डर,आधार,मोबाइल,शहर",
        ] {
            let text = table(head, separator, edge, 50, end);
            let expected: Vec<_> = (0..50)
                .flat_map(|seed| {
                    [
                        (Entity::InAadhaar, aadhaar(seed)),
                        (Entity::Phone, phone(seed)),
                    ]
                })
                .collect();
            assert_eq!(found(&text), expected, "{head} by {separator:?}");
        }
    }
}

#[test]
fn the_head_of_another_column_says_nothing_of_a_cell() {
    let number = aadhaar(3);
    for (text, expected) in [
        (format!("order_id,aadhaar\n{number},"), None),
        (
            format!("aadhaar,order_id\n{number},"),
            Some(Entity::InAadhaar),
        ),
        (
            format!("order_id,aadhaar\n1,{number}"),
            Some(Entity::InAadhaar),
        ),
        ("invoice,phone\n9876543210,".to_owned(), None),
        (
            "invoice,phone\n7,9876543210".to_owned(),
            Some(Entity::Phone),
        ),
        // A head that tells nothing leaves it to the words near by.
        (
            format!("field,value\naadhaar,{number}"),
            Some(Entity::InAadhaar),
        ),
    ] {
        let entities: Vec<_> = found(&text).into_iter().map(|(entity, _)| entity).collect();
        assert_eq!(entities.first().copied(), expected, "{text:?}");
    }
}

#[test]
fn a_table_ends_where_a_line_has_other_cells() {
    let number = phone(1);
    let rows = "Ravi,9876543210,Pune\n".repeat(9);
    let below = |line: &str| format!("name,phone,city\n{rows}{line}x\n");
    for (text, last) in [
        (format!("{}a,{number},b\n", below("")), false),
        (
            format!("name,phone,city\n{rows}Meena,{number},Pune\n"),
            true,
        ),
        (
            format!("name,phone,city\n{rows}\nMeena,{number},Pune\n"),
            false,
        ),
        (
            format!("name,phone,city\n{rows}a,b\nMeena,{number},Pune\n"),
            false,
        ),
        (
            format!("name,phone,city\n{rows}\nname,order,city\nMeena,{number},Pune\n"),
            false,
        ),
        (
            format!(
                "name,order,city\n{}\nname,phone,city\nMeena,{number},Pune\n",
                rows.replace("9876543210", "1")
            ),
            true,
        ),
    ] {
        assert_eq!(
            found(&text).iter().any(|(_, found)| *found == number),
            last,
            "{text}"
        );
    }
}

#[test]
fn lines_of_prose_are_no_head() {
    let number = phone(1);
    let far = "and so it went on for a good while longer than anybody had thought it would";
    for text in [
        format!(
            "I shall call you, then, when all of this that we talked about is over, {far}\nItem,{far},\n7,{number},x\n"
        ),
        format!("call 7, then wait\n{far}, x\n{number}, x\n"),
        format!("phone\n{far}\n{number}\n"),
    ] {
        assert_eq!(found(&text), [], "{text}");
    }
}

fn redactor() -> Redactor {
    let builder = Entity::built_in().fold(Redactor::builder(), |builder, entity| {
        builder.operator(entity, Operator::Replace)
    });
    builder.build().unwrap()
}

fn streamed(redactor: &Redactor, text: &str, mut cuts: Vec<usize>) -> String {
    let mut stream = redactor.stream();
    let (mut out, mut start) = (String::new(), 0);
    cuts.push(text.len());
    for cut in cuts {
        stream.push(&text[start..cut], &mut out);
        start = cut;
    }
    stream.finish(&mut out);
    out
}

#[test]
fn a_streamed_table_is_read_as_the_whole_one_for_every_cut() {
    let redactor = redactor();
    for (separator, edge) in [(",", ""), ("\t", ""), (" | ", "|")] {
        let text = table(
            "name,order_id,aadhaar,phone,city",
            separator,
            edge,
            24,
            "\n",
        );
        let expected = redactor.mask(&text, &mut Vault::new()).unwrap();
        assert_eq!(expected.matches("<IN_AADHAAR>").count(), 24);
        let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
        for cut in &places {
            assert_eq!(streamed(&redactor, &text, vec![*cut]), expected, "{cut}");
        }
        assert_eq!(streamed(&redactor, &text, places), expected);
    }
}

proptest! {
    #[test]
    fn any_lines_in_pieces_have_the_heads_of_the_whole(
        cells in proptest::collection::vec(proptest::sample::select(&[
            "phone", "aadhaar", "order_id", "name", "9876543210", "234123412346", "\"", "\"a,b\"", ",", ",", ",", "\n", "\n", "\r\n", " ", "  ",
            "|", "\t", ";", "x", "आधार", "+", "this is a longer text that nobody would ever take for the name of a column at all",
        ][..]), 1..120),
        steps in proptest::collection::vec(1usize..90, 1..60),
    ) {
        let text = cells.concat();
        let redactor = redactor();
        let mut cuts = Vec::new();
        let mut at = 0;
        for step in steps {
            at = text.ceil_char_boundary(at + step);
            if at < text.len() {
                cuts.push(at);
            }
        }
        let whole = redactor.mask(&text, &mut Vault::new()).unwrap().into_owned();
        prop_assert_eq!(streamed(&redactor, &text, cuts), whole);
    }
}

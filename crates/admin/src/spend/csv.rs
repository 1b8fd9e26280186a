//! Tables for spreadsheets (RFC 4180).

use std::borrow::Cow;

use bartizan_limit::spend::SpendSum;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ObjectBuilder, RefOr, Type};
use utoipa::{PartialSchema, ToSchema};

use super::asked::By;

/// A table, as its text.
#[derive(Debug)]
pub(crate) struct Csv(pub(crate) String);

impl ToSchema for Csv {
    fn name() -> Cow<'static, str> {
        "Csv".into()
    }
}

impl PartialSchema for Csv {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A table with a header (RFC 4180). A cell that a spreadsheet would reckon with has an apostrophe before it."))
            .into()
    }
}

const AMOUNTS: [&str; 8] = [
    "spend",
    "api_requests",
    "failed_requests",
    "prompt_tokens",
    "completion_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "reasoning_tokens",
];

pub(super) fn report(by: By, groups: &[SpendSum]) -> Csv {
    let mut text = String::new();
    let header = std::iter::once(by.as_str()).chain(AMOUNTS);
    row(&mut text, header);
    for sum in groups {
        let amounts = [
            sum.cost.to_string(),
            sum.calls.to_string(),
            sum.failed.to_string(),
            sum.usage.total_input().to_string(),
            sum.usage.total_output().to_string(),
            sum.usage.cached_input.to_string(),
            sum.usage.cache_write.to_string(),
            sum.usage.reasoning.to_string(),
        ];
        let name = sum.name.as_deref().unwrap_or_default();
        row(
            &mut text,
            std::iter::once(name).chain(amounts.iter().map(String::as_str)),
        );
    }
    Csv(text)
}

fn row<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (at, value) in cells.enumerate() {
        if at > 0 {
            text.push(',');
        }
        cell(text, value);
    }
    text.push_str("\r\n");
}

/// Names come from callers, and a spreadsheet reckons with what begins so: it must be shown as it is.
fn cell(text: &mut String, value: &str) {
    let reckons = value.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    if !value.contains(['"', ',', '\r', '\n', '\t', ';']) && !reckons {
        text.push_str(value);
        return;
    }
    text.push('"');
    if reckons {
        text.push('\'');
    }
    text.push_str(&value.replace('"', "\"\""));
    text.push('"');
}

#[cfg(test)]
mod tests {
    use bartizan_core::Cost;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cells_are_quoted_and_nothing_is_reckoned_with() {
        for (value, written) in [
            ("search", "search"),
            ("", ""),
            ("a b", "a b"),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("a\r\nb", "\"a\r\nb\""),
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("=\"a\"", "\"'=\"\"a\"\"\""),
            ("1-1", "1-1"),
            ("ü", "ü"),
        ] {
            let mut text = String::new();
            cell(&mut text, value);
            assert_eq!(text, written);
        }
    }

    #[test]
    fn a_table_has_a_header_and_money_to_the_last_digit() {
        let sum = SpendSum {
            name: Some("=HYPERLINK(\"x\")".into()),
            calls: 3,
            failed: 1,
            cost: Cost::from_femto_dollars(1_500_000_000_000_001),
            ..SpendSum::default()
        };
        assert_eq!(
            report(By::Team, &[sum, SpendSum::default()]).0,
            "team,spend,api_requests,failed_requests,prompt_tokens,completion_tokens,cache_read_input_tokens,cache_creation_input_tokens,reasoning_tokens\r\n\
             \"'=HYPERLINK(\"\"x\"\")\",1.500000000000001,3,1,0,0,0,0,0\r\n\
             ,0,0,0,0,0,0,0,0\r\n"
        );
    }

    /// Reads a table as RFC 4180 has it.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut cells, mut value, mut quoted) =
            (Vec::new(), Vec::new(), String::new(), false);
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if quoted && letters.peek() == Some(&'"') => {
                    letters.next();
                    value.push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(std::mem::take(&mut value)),
                '\r' if !quoted => {
                    assert_eq!(letters.next(), Some('\n'));
                    cells.push(std::mem::take(&mut value));
                    rows.push(std::mem::take(&mut cells));
                }
                letter => value.push(letter),
            }
        }
        assert!(!quoted && value.is_empty() && cells.is_empty());
        rows
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_it_was(names in prop::collection::vec("[=+@,;\"\r\n\t a-zü-]{0,8}", 0..5)) {
            let sums: Vec<_> = names.iter().map(|name| SpendSum { name: Some(name.clone()), ..SpendSum::default() }).collect();
            let rows = read(&report(By::Key, &sums).0);
            prop_assert_eq!(rows.len(), names.len() + 1);
            for (row, name) in rows[1..].iter().zip(&names) {
                prop_assert_eq!(row.len(), 9);
                let shown = &row[0];
                prop_assert!(shown == name || shown.strip_prefix('\'') == Some(name.as_str()));
                prop_assert!(!shown.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']));
            }
        }
    }
}

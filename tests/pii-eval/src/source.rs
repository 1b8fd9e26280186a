//! Data sets that are read: presidio-research's JSON (an array of `full_text` and `spans`), one such object a line, or the
//! same with `text` and `start`/`end`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::case::{Case, Dataset, bytes};
use crate::{Failure, Span};

/// Names that data sets use, and Presidio's own; as presidio-research maps them.
const ALIASES: &[(&str, &str)] = &[
    ("ADDRESS", "LOCATION"),
    ("CITY", "LOCATION"),
    ("DOMAIN", "URL"),
    ("DOMAIN_NAME", "URL"),
    ("EMAIL", "EMAIL_ADDRESS"),
    ("FIRST_NAME", "PERSON"),
    ("GPE", "LOCATION"),
    ("LAST_NAME", "PERSON"),
    ("NATIONALITY", "NRP"),
    ("PHONE", "PHONE_NUMBER"),
    ("STREET_ADDRESS", "LOCATION"),
];

/// Kinds that only a model can find, or that are no kind of ours: left out of what is measured.
const LEFT_OUT: &[&str] = &[
    "AGE",
    "LOCATION",
    "NRP",
    "ORGANIZATION",
    "PERSON",
    "TITLE",
    "ZIP_CODE",
];

/// The file of a shared data set; it may not be there.
#[must_use]
pub fn shared(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/pii")
        .join(name)
}

/// Reads a data set.
///
/// # Errors
///
/// The file can't be read, or holds something else.
pub fn read(name: &str, path: &Path) -> Result<Dataset, Failure> {
    let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let rows: Vec<Value> = if text.trim_start().starts_with('[') {
        serde_json::from_str(&text).map_err(|error| wrong(&error))?
    } else {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(&error))?
    };
    let cases = rows.iter().enumerate().map(|(index, row)| {
        case(row)
            .map(|case| Case {
                name: format!("{name}:{index}"),
                ..case
            })
            .ok_or_else(|| {
                wrong(&format!(
                    "row {index} has no text, or a span without a place"
                ))
            })
    });
    Ok(Dataset::new(name, cases.collect::<Result<_, _>>()?))
}

fn case(row: &Value) -> Option<Case> {
    let first = |value: &Value, names: &[&str]| -> Option<Value> {
        names.iter().find_map(|name| value.get(name)).cloned()
    };
    let text = first(row, &["full_text", "text"])?;
    let mut case = Case::new(text.as_str()?);
    let spans = first(row, &["spans", "entities"]).unwrap_or(Value::Array(Vec::new()));
    for span in spans.as_array()? {
        let entity = first(span, &["entity_type", "entity", "label", "type"])?;
        let entity = named(entity.as_str()?);
        let place = |names: &[&str]| first(span, names)?.as_u64()?.try_into().ok();
        let start = place(&["start_position", "start"])?;
        let end = place(&["end_position", "end"])?;
        if !LEFT_OUT.contains(&entity) {
            case.spans.push(Span {
                entity: entity.to_owned(),
                range: bytes(&case.text, start, end),
                form: "",
            });
        }
    }
    case.spans.sort_by_key(|span| span.range.start);
    Some(case)
}

fn named(entity: &str) -> &str {
    ALIASES
        .iter()
        .find(|(alias, _)| *alias == entity)
        .map_or(entity, |(_, name)| name)
}

/// A case as one line that [`read`] reads.
#[must_use]
pub fn written(case: &Case) -> String {
    let chars = |place| case.text.get(..place).unwrap_or_default().chars().count();
    let spans: Vec<Value> = case
        .spans
        .iter()
        .map(|span| {
            json!({
                "entity_type": span.entity,
                "entity_value": case.text.get(span.range.clone()),
                "start_position": chars(span.range.start),
                "end_position": chars(span.range.end),
            })
        })
        .collect();
    json!({ "full_text": case.text, "spans": spans, "template_id": case.name }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Vec<(String, String)> {
        let case = case(&serde_json::from_str(text).unwrap()).unwrap();
        let value = |span: &Span| case.text.get(span.range.clone()).unwrap().to_owned();
        case.spans
            .iter()
            .map(|span| (span.entity.clone(), value(span)))
            .collect()
    }

    #[test]
    fn every_shape_is_read_and_places_count_characters() {
        let rows = [
            r#"{"full_text":"आधार a@b.in","spans":[{"entity_type":"EMAIL_ADDRESS","start_position":5,"end_position":11}]}"#,
            r#"{"text":"आधार a@b.in","entities":[{"label":"EMAIL","start":5,"end":11}]}"#,
        ];
        for row in rows {
            let read = ("EMAIL_ADDRESS".to_owned(), "a@b.in".to_owned());
            assert_eq!(span(row), [read], "{row}");
        }
    }

    #[test]
    fn what_needs_a_model_is_left_out_and_a_row_that_is_wrong_is_told() {
        assert_eq!(
            span(
                r#"{"text":"Ravi","spans":[{"entity_type":"PERSON","start_position":0,"end_position":4}]}"#
            ),
            []
        );
        for wrong in [
            r#"{"spans":[]}"#,
            r#"{"text":"x","spans":[{"label":"EMAIL"}]}"#,
            r#"{"text":"x","spans":3}"#,
        ] {
            assert_eq!(case(&serde_json::from_str(wrong).unwrap()), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let before = Case::new("पैन ABCPE1234F, mail a@b.in")
            .span("IN_PAN", 10..20)
            .span("EMAIL_ADDRESS", 27..33);
        let after = case(&serde_json::from_str(&written(&before)).unwrap()).unwrap();
        assert_eq!(after.spans, before.spans);
        assert_eq!(after.text, before.text);
    }
}

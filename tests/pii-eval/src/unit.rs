//! Presidio's unit cases: texts with what its recogniser of one entity must find in them.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use bartizan_pii::{Analyzer, Entity};
use serde_json::Value;

use crate::Failure;
use crate::case::bytes;
use crate::floors::{Figure, Floor};

/// Recognisers whose cases need a model, or a configuration of their own.
const LEFT_OUT: &[&str] = &[
    "gliner_recognizer",
    "huggingface_ner_recognizer",
    "pattern_recognizer",
    "recognizer_result",
    "spacy_recognizer",
    "stanza_recognizer",
    "transformers_recognizer",
];

/// Presidio's recognisers are tested at no threshold at all.
const THRESHOLD: f32 = 0.0;

/// A case of Presidio's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnitCase {
    /// Its recogniser, and its number among that one's: `in_pan_recognizer 3`.
    pub name: String,
    /// The entity that is looked for.
    pub entity: String,
    /// The text.
    pub text: String,
    /// How many must be found.
    pub expected: usize,
    /// Where, where it says.
    pub places: Vec<Range<usize>>,
}

/// Reads the cases that one entity's recogniser can answer.
///
/// # Errors
///
/// The file can't be read, or holds something else.
pub fn read(path: &Path) -> Result<Vec<UnitCase>, Failure> {
    let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut cases = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let row: Value = serde_json::from_str(line).map_err(|error| wrong(&error))?;
        let recognizer = row
            .get("recognizer")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if LEFT_OUT.contains(&recognizer) {
            continue;
        }
        let number = numbers.entry(recognizer.to_owned()).or_default();
        *number += 1;
        let name = format!("{recognizer} {number}");
        cases.extend(case(&row, name));
    }
    Ok(cases)
}

fn case(row: &Value, name: String) -> Option<UnitCase> {
    let entity = row
        .pointer("/entities/0")
        .and_then(Value::as_str)
        .unwrap_or("PHONE_NUMBER");
    let case = row.get("case")?;
    let field = |names: &[&str]| names.iter().find_map(|name| case.get(name));
    // A leniency is a setting of libphonenumber's.
    if case.get("leniency").is_some() {
        return None;
    }
    let text = field(&["text", "iban", "number", "gstin", "id_number", "pesel"])?.as_str()?;
    let expected = match field(&["expected_len", "expected"]) {
        Some(Value::Number(number)) => number.as_u64()?.try_into().ok()?,
        // What a check says of a number; `null` is neither yes nor no.
        Some(Value::Bool(valid)) => usize::from(*valid),
        Some(_) => return None,
        None => field(&["expected_positions"])
            .and_then(Value::as_array)
            .map_or(0, Vec::len),
    };
    let pairs = match field(&["expected_positions", "expected_res", "expected_position"]) {
        Some(Value::Array(places)) if places.first().is_some_and(Value::is_u64) => {
            vec![Value::Array(places.clone())]
        }
        Some(Value::Array(places)) => places.clone(),
        _ => match (case.get("expected_start"), case.get("expected_end")) {
            (Some(start), Some(end)) => vec![Value::Array(vec![start.clone(), end.clone()])],
            _ => Vec::new(),
        },
    };
    let place = |pair: &Value| {
        let at = |index: usize| pair.get(index)?.as_u64()?.try_into().ok();
        Some(bytes(text, at(0)?, at(1)?))
    };
    let places = if expected == 0 {
        Vec::new()
    } else {
        pairs.iter().filter_map(place).collect()
    };
    Some(UnitCase {
        name,
        entity: entity.to_owned(),
        text: text.to_owned(),
        expected,
        places,
    })
}

impl UnitCase {
    /// Whether what was found is what must be.
    fn agrees(&self, found: &[Range<usize>]) -> bool {
        found.len() == self.expected && self.places.iter().all(|place| found.contains(place))
    }

    /// What we find when the case's entity alone is looked for; nothing where it is unknown to the analyzer.
    fn find(&self) -> Result<Vec<Range<usize>>, Failure> {
        let Ok(entity) = self.entity.parse::<Entity>() else {
            return Ok(Vec::new());
        };
        let analyzer = Analyzer::builder()
            .entity(entity)
            .threshold(entity, THRESHOLD)
            .build()
            .map_err(|error| error.to_string())?;
        let found = analyzer.analyze(&self.text).into_iter();
        Ok(found.map(|found| found.range).collect())
    }
}

/// How often we agree with Presidio's cases.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Agreement {
    /// How many cases there are.
    pub all: usize,
    /// Those that we answer otherwise, with what we find and why.
    pub differ: Vec<(UnitCase, Vec<Range<usize>>, Option<String>)>,
    /// Per entity: how many cases, how many of them differ.
    pub entities: BTreeMap<String, (usize, usize)>,
}

impl Agreement {
    /// Judges all cases.
    ///
    /// # Errors
    ///
    /// The cases or the reasons can't be read.
    pub fn of(path: &Path) -> Result<Self, Failure> {
        let reasons = reasons()?;
        let mut agreement = Self::default();
        for case in read(path)? {
            let found = case.find()?;
            let counts = agreement.entities.entry(case.entity.clone()).or_default();
            agreement.all += 1;
            counts.0 += 1;
            if !case.agrees(&found) {
                counts.1 += 1;
                let why = reasons.get(&case.name).cloned();
                agreement.differ.push((case, found, why));
            }
        }
        Ok(agreement)
    }

    /// The part of the cases that we agree with.
    #[must_use]
    pub fn rate(&self) -> f64 {
        (self.all - self.differ.len()) as f64 / self.all.max(1) as f64
    }

    /// The floor, where it isn't reached, and each difference that no reason is given for, in words. Reasons are wanted once
    /// what is promised is held.
    #[must_use]
    pub fn broken(&self, floors: &[Floor]) -> Vec<String> {
        let agree = || floors.iter().filter(|floor| floor.figure == Figure::Agree);
        let below = agree()
            .filter(|floor| !floor.holds(self.rate()))
            .map(|floor| format!("{floor}: reached {:.4}", self.rate()));
        let whole = agree().all(|floor| floor.now.is_none());
        let unexplained = self
            .differ
            .iter()
            .filter(|(_, _, why)| whole && why.is_none())
            .map(|(case, ..)| format!("{}: no reason for the difference", case.name));
        below.chain(unexplained).collect()
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "presidio: {} of {} cases agree, {:.4}",
            self.all - self.differ.len(),
            self.all,
            self.rate()
        )?;
        writeln!(f, "\n{:26} {:>6} {:>6}", "entity", "cases", "differ")?;
        for (entity, (all, differ)) in &self.entities {
            writeln!(f, "{entity:26} {all:>6} {differ:>6}")?;
        }
        writeln!(f)?;
        for (case, found, why) in &self.differ {
            writeln!(
                f,
                "{}: {:?} wants {} at {:?}, found {found:?}: {}",
                case.name,
                case.text,
                case.expected,
                case.places,
                why.as_deref().unwrap_or("no reason given")
            )?;
        }
        Ok(())
    }
}

/// Why we differ: `in_gstin_recognizer 1-11: the check character is wrong` a line.
fn reasons() -> Result<BTreeMap<String, String>, Failure> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/presidio-differs.txt");
    let wrong = |why: &dyn fmt::Display| format!("{}: {why}", path.display());
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(&error))?;
    let mut reasons = BTreeMap::new();
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let parsed = line.split_once(": ").and_then(|(cases, why)| {
            let (recognizer, numbers) = cases.split_once(' ')?;
            Some((recognizer, numbers, why))
        });
        let (recognizer, numbers, why) = parsed.ok_or_else(|| wrong(&format!("{line:?}")))?;
        for range in numbers.split(", ") {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let number = |text: &str| {
                text.parse::<usize>()
                    .map_err(|error| wrong(&format!("{line:?}: {error}")))
            };
            for number in number(first)?..=number(last)? {
                reasons.insert(format!("{recognizer} {number}"), why.to_owned());
            }
        }
    }
    Ok(reasons)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Told = (String, usize, Vec<(usize, usize)>);

    fn read(case: &str) -> Option<Told> {
        let row = format!(r#"{{"entities":["IN_PAN"],"case":{case}}}"#);
        let case = super::case(&serde_json::from_str(&row).unwrap(), "x 1".to_owned())?;
        let places = case.places.iter().map(|place| (place.start, place.end));
        Some((case.text, case.expected, places.collect()))
    }

    #[test]
    fn each_shape_of_case_tells_how_many_must_be_found_and_where() {
        let cases = [
            (
                r#"{"text":"a b","expected_len":1,"expected_positions":[[2,3]]}"#,
                1,
                vec![(2, 3)],
            ),
            (
                r#"{"iban":"a b","expected_len":1,"expected_res":[[0,3]]}"#,
                1,
                vec![(0, 3)],
            ),
            (
                r#"{"text":"a b","expected_len":1,"expected_position":[0,1]}"#,
                1,
                vec![(0, 1)],
            ),
            (
                r#"{"text":"a b","expected_len":1,"expected_start":0,"expected_end":1}"#,
                1,
                vec![(0, 1)],
            ),
            (
                r#"{"text":"a b","expected_len":0,"expected_position":[0,1]}"#,
                0,
                vec![],
            ),
            (r#"{"number":"a b","expected":true}"#, 1, vec![]),
            (r#"{"pesel":"a b","expected":false}"#, 0, vec![]),
            (r#"{"text":"a b"}"#, 0, vec![]),
        ];
        for (case, expected, places) in cases {
            assert_eq!(
                read(case),
                Some(("a b".to_owned(), expected, places)),
                "{case}"
            );
        }
        for none in [
            r#"{"number":"a b","expected":null}"#,
            r#"{"text":"a b","expected_len":1,"leniency":1}"#,
            r#"{"start":1}"#,
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn more_or_fewer_findings_or_another_place_do_not_agree() {
        let case = UnitCase {
            name: String::new(),
            entity: "IN_PAN".to_owned(),
            text: "a b".to_owned(),
            expected: 1,
            places: vec![Range { start: 0, end: 1 }],
        };
        assert!(case.agrees(&[Range { start: 0, end: 1 }]));
        assert!(!case.agrees(&[]));
        assert!(!case.agrees(&[Range { start: 0, end: 2 }]));
        assert!(!case.agrees(&[Range { start: 0, end: 1 }, Range { start: 2, end: 3 }]));
    }
}

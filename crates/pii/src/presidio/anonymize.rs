//! `/anonymize` and `/deanonymize`: operators over the spans that somebody found.
//!
//! Presidio's rules, in its order: spans of one kind that overlap become one; a span inside another goes, and of two at the same place the
//! surer stays; spans of one kind with nothing but blanks between them become one. Spans that overlap only in part stay both, and the later
//! one gives way. Its own ways of doing this take time in the square of their number; these don't.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::fault::Fault;
use super::fields::{Fields, kind_of};
use super::operators::{Direction, Operator};
use crate::characters::Characters;

/// One span that is to be changed, in characters.
#[derive(Clone, Debug, PartialEq)]
struct Span {
    start: usize,
    end: usize,
    entity: String,
    score: Option<f64>,
}

/// What took a span's place.
#[derive(Debug, serde::Serialize)]
struct Item {
    start: usize,
    end: usize,
    entity_type: String,
    text: String,
    operator: String,
    score: Option<f64>,
}

/// The whole answer.
#[derive(Debug, serde::Serialize)]
pub(super) struct Changed {
    text: String,
    items: Vec<Item>,
}

/// Changes what was found, by each kind's operator.
///
/// # Errors
///
/// As Presidio's: 422 for a parameter that can't be meant, 400 for the operator `custom`.
pub(super) fn anonymize(request: &Map<String, Value>, most: usize) -> Result<Changed, Fault> {
    let mut operators = operators(request.get("anonymizers"))?;
    if operators.values().any(|named| named.name == "custom") {
        return Err(Fault::new(400, "Custom type anonymizer is not supported"));
    }
    operators
        .entry("DEFAULT".to_owned())
        .or_insert_with(Named::replace);
    let Some(results) = request
        .get("analyzer_results")
        .filter(|results| !results.is_null())
    else {
        return Err(Fault::invalid(
            "Invalid input, request must contain analyzer results",
        ));
    };
    let spans = spans(results, "analyzer_results", true, most)?;
    let text = text(request)?;
    let characters = Characters::new(text);
    let mut spans = joined(unnested(joined_by_kind(spans)), &characters);
    spans.sort_by_key(|span| std::cmp::Reverse((span.start, span.end)));
    change(&characters, spans, &operators, Direction::Away)
}

/// Undoes what can be undone.
///
/// # Errors
///
/// As [`anonymize`]; 500 where a kind has no operator, as Presidio.
pub(super) fn deanonymize(request: &Map<String, Value>, most: usize) -> Result<Changed, Fault> {
    let text = text(request)?;
    let spans = match request.get("anonymizer_results") {
        None | Some(Value::Null) => Vec::new(),
        Some(results) => spans(results, "anonymizer_results", false, most)?,
    };
    let operators = operators(request.get("deanonymizers"))?;
    let mut spans = spans;
    spans.sort_by_key(|span| std::cmp::Reverse(span.start));
    change(&Characters::new(text), spans, &operators, Direction::Back)
}

fn text(request: &Map<String, Value>) -> Result<&str, Fault> {
    match request.get("text") {
        None => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(Fault::bad(format!(
            "text must be a string, not {}",
            kind_of(other)
        ))),
    }
}

/// An operator's name and its parameters.
struct Named {
    name: String,
    parameters: Map<String, Value>,
}

impl Named {
    fn replace() -> Self {
        Self {
            name: "replace".to_owned(),
            parameters: Map::new(),
        }
    }
}

fn operators(given: Option<&Value>) -> Result<HashMap<String, Named>, Fault> {
    let given = match given {
        None | Some(Value::Null) => return Ok(HashMap::new()),
        Some(Value::Object(given)) => given,
        Some(other) => {
            return Err(Fault::bad(format!(
                "operators must be an object by kind, not {}",
                kind_of(other)
            )));
        }
    };
    given
        .iter()
        .map(|(entity, value)| {
            let mut parameters = Fields::of(value, "an operator")?.map().clone();
            match parameters.remove("type") {
                Some(Value::String(name)) if !name.is_empty() => {
                    Ok((entity.clone(), Named { name, parameters }))
                }
                _ => Err(Fault::invalid(
                    "Invalid input, operator config must contain operator_name",
                )),
            }
        })
        .collect()
}

fn spans(results: &Value, name: &str, scored: bool, most: usize) -> Result<Vec<Span>, Fault> {
    let Value::Array(results) = results else {
        return Err(Fault::bad(format!(
            "{name} must be a list, not {}",
            kind_of(results)
        )));
    };
    if results.len() > most {
        return Err(Fault::new(
            413,
            format!("{name} holds more than {most} items"),
        ));
    }
    let read = |value: &Value| {
        let fields = Fields::of(value, "a result")?;
        let (start, end) = (fields.position("start")?, fields.position("end")?);
        let entity = fields
            .text("entity_type")
            .filter(|entity| !entity.is_empty());
        let Some(entity) = entity else {
            return Err(Fault::invalid(
                "Invalid input, result must contain entity_type",
            ));
        };
        if start < 0 || end < 0 {
            return Err(Fault::invalid(
                "Invalid input, result start and end must be positive",
            ));
        }
        if start > end {
            return Err(Fault::invalid(format!(
                "Invalid input, start index '{start}' must be smaller than end index '{end}'"
            )));
        }
        let score = fields.number("score");
        if scored && score.is_none() {
            return Err(Fault::invalid(
                "Invalid input, analyzer result must contain score",
            ));
        }
        Ok(Span {
            start: usize::try_from(start).unwrap_or(usize::MAX),
            end: usize::try_from(end).unwrap_or(usize::MAX),
            entity: entity.to_owned(),
            score,
        })
    };
    results.iter().map(read).collect()
}

impl Span {
    fn score(&self) -> f64 {
        self.score.unwrap_or_default()
    }
}

fn surer(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

/// Spans of one kind that overlap become one, with the best score of all, in the place of the last of them.
fn joined_by_kind(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| (span.start, span.end));
    let mut gone = vec![false; spans.len()];
    let mut last: HashMap<String, usize> = HashMap::new();
    for at in 0..spans.len() {
        let Some(span) = spans.get(at).filter(|span| span.start < span.end) else {
            continue;
        };
        let entity = span.entity.clone();
        if let Some(before) = last.insert(entity, at)
            && let Ok([earlier, span]) = spans.get_disjoint_mut([before, at])
            && span.start < earlier.end
        {
            span.start = earlier.start;
            span.end = span.end.max(earlier.end);
            span.score = surer(span.score, earlier.score);
            if let Some(gone) = gone.get_mut(before) {
                *gone = true;
            }
        }
    }
    let mut gone = gone.into_iter();
    spans.retain(|_| gone.next() == Some(false));
    spans
}

/// Without the spans that lie inside others; of those at the same place the surest stays, of equally sure ones the last.
fn unnested(spans: Vec<Span>) -> Vec<Span> {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by(|one, other| match (spans.get(*one), spans.get(*other)) {
        (Some(a), Some(b)) => (a.start, b.end)
            .cmp(&(b.start, a.end))
            .then(b.score().total_cmp(&a.score()))
            .then(other.cmp(one)),
        _ => std::cmp::Ordering::Equal,
    });
    let mut keeps = vec![false; spans.len()];
    let mut reach: Option<usize> = None;
    for at in order {
        if let Some(span) = spans.get(at)
            && reach.is_none_or(|reach| span.end > reach)
        {
            reach = Some(span.end);
            if let Some(keep) = keeps.get_mut(at) {
                *keep = true;
            }
        }
    }
    let mut keeps = keeps.into_iter();
    let mut spans = spans;
    spans.retain(|_| keeps.next() == Some(true));
    spans
}

/// Neighbours of one kind with nothing but blanks between them become one.
fn joined(spans: Vec<Span>, characters: &Characters<'_>) -> Vec<Span> {
    let mut all: Vec<Span> = Vec::with_capacity(spans.len());
    for mut span in spans {
        if let Some(before) = all.last()
            && before.entity == span.entity
            && characters
                .slice(before.end, span.start.min(characters.count()))
                .is_some_and(|between| {
                    !between.is_empty() && between.bytes().all(|byte| byte == b' ')
                })
        {
            span.start = before.start;
            all.pop();
        }
        all.push(span);
    }
    all
}

/// Changes `spans`, which come from the text's end to its start.
fn change(
    characters: &Characters<'_>,
    spans: Vec<Span>,
    operators: &HashMap<String, Named>,
    direction: Direction,
) -> Result<Changed, Fault> {
    let count = characters.count();
    // From the end on: each piece, and how many characters there are so far.
    let mut pieces: Vec<String> = Vec::new();
    let mut behind = 0;
    let mut last = count;
    let mut items = Vec::with_capacity(spans.len());
    for span in spans {
        let Some(original) = characters.slice(span.start, span.end) else {
            return Err(Fault::invalid(format!(
                "Invalid analyzer result, start: {} and end: {}, while text length is only {count}.",
                span.start, span.end
            )));
        };
        let named = operators
            .get(&span.entity)
            .or_else(|| operators.get("DEFAULT"))
            .ok_or_else(Fault::internal)?;
        let operator = Operator::read(&named.name, &named.parameters, direction)?;
        let new = operator.apply(original, &span.entity)?;
        let kept = characters
            .slice(span.end.min(last), last)
            .unwrap_or_default();
        behind += last - span.end.min(last);
        last = span.start;
        pieces.push(kept.to_owned());
        let length = new.chars().count();
        behind += length;
        items.push(Item {
            // Counted from the end until the whole length is known.
            start: behind,
            end: length,
            entity_type: span.entity,
            text: new.clone(),
            operator: named.name.clone(),
            score: span.score,
        });
        pieces.push(new);
    }
    pieces.push(characters.slice(0, last).unwrap_or_default().to_owned());
    let length = behind + last;
    for item in &mut items {
        item.start = length - item.start;
        item.end += item.start;
    }
    Ok(Changed {
        text: pieces.into_iter().rev().collect(),
        items,
    })
}

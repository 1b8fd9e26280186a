//! What detection reaches on Presidio's own cases and its synthetic set, where they are there to read.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

use std::collections::BTreeMap;
use std::ops::Range;

use bartizan_pii::{Analyzer, Entity};
use serde_json::Value;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/pii/");

fn read(name: &str) -> Option<String> {
    std::fs::read_to_string(format!("{DATA}{name}")).ok()
}

/// A range in characters, as Python counts, in bytes.
fn bytes(text: &str, start: usize, end: usize) -> Range<usize> {
    let at = |place| {
        text.char_indices()
            .nth(place)
            .map_or(text.len(), |(index, _)| index)
    };
    at(start)..at(end)
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> f64 {
    let shared = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    shared as f64 / a.len().max(b.len()).max(1) as f64
}

#[test]
fn presidios_synthetic_set() {
    let Some(data) = read("synth_dataset_v2.json") else {
        return;
    };
    let data: Vec<Value> = serde_json::from_str(&data).unwrap();
    let analyzer = Analyzer::all();
    // Per entity: found, missed, false.
    let mut tally: BTreeMap<Entity, [u32; 3]> = BTreeMap::new();
    for row in &data {
        let text = row["full_text"].as_str().unwrap();
        let findings = analyzer.analyze(text);
        let mut used = vec![false; findings.len()];
        for span in row["spans"].as_array().unwrap() {
            let Ok(entity) = span["entity_type"].as_str().unwrap().parse::<Entity>() else {
                continue;
            };
            let place = |name: &str| usize::try_from(span[name].as_u64().unwrap()).unwrap();
            let range = bytes(text, place("start_position"), place("end_position"));
            let hit = findings
                .iter()
                .position(|found| found.entity == entity && overlap(&found.range, &range) >= 0.7);
            match hit {
                Some(index) => {
                    used[index] = true;
                    tally.entry(entity).or_default()[0] += 1;
                }
                None => {
                    println!("missed {entity} {:?} in {text:?}", &text[range]);
                    tally.entry(entity).or_default()[1] += 1;
                }
            }
        }
        for (found, _) in findings.iter().zip(used).filter(|(_, used)| !used) {
            println!(
                "false {} {:?} in {text:?}",
                found.entity,
                &text[found.range.clone()]
            );
            tally.entry(found.entity).or_default()[2] += 1;
        }
    }
    for (entity, [found, missed, wrong]) in &tally {
        let precision = f64::from(*found) / f64::from(found + wrong).max(1.0);
        let recall = f64::from(*found) / f64::from(found + missed).max(1.0);
        println!(
            "{entity}: P {precision:.3} R {recall:.3} ({found} found, {missed} missed, {wrong} false)"
        );
    }
}

#[test]
fn presidios_own_cases() {
    let Some(data) = read("presidio_cases.jsonl") else {
        return;
    };
    let entities = [
        ("credit_card_recognizer", Entity::Card),
        ("email_recognizer", Entity::Email),
        ("iban_recognizer", Entity::Iban),
        ("in_aadhaar_recognizer", Entity::InAadhaar),
        ("in_gstin_recognizer", Entity::InGstin),
        ("in_pan_recognizer", Entity::InPan),
        ("ip_recognizer", Entity::Ip),
        ("phone_recognizer", Entity::Phone),
    ];
    let (mut all, mut agreed) = (0, 0);
    for line in data.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let Some((_, entity)) = entities.iter().find(|(name, _)| row["recognizer"] == *name) else {
            continue;
        };
        let case = &row["case"];
        let Some(text) = case["text"].as_str().or(case["iban"].as_str()) else {
            continue;
        };
        let Some(expected) = case["expected_len"].as_u64() else {
            continue;
        };
        let analyzer = Analyzer::builder().entity(*entity).build().unwrap();
        let found = analyzer.analyze(text);
        let positions = case["expected_positions"]
            .as_array()
            .or(case["expected_res"].as_array());
        let placed = positions.is_none_or(|positions| {
            positions.iter().all(|position| {
                let place =
                    |index: usize| usize::try_from(position[index].as_u64().unwrap()).unwrap();
                let range = bytes(text, place(0), place(1));
                found.iter().any(|found| found.range == range)
            })
        });
        all += 1;
        if found.len() as u64 == expected && (placed || expected == 0) {
            agreed += 1;
        } else {
            println!(
                "{entity}: {text:?} wants {expected} {:?}, found {found:?}",
                positions
            );
        }
    }
    println!("{agreed} of {all} agree");
}

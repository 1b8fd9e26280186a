//! What is promised of finding personal data holds, on the own corpus always, and on shared sets where they are.

#![expect(clippy::print_stdout, reason = "a set that is absent is said")]
#![expect(
    clippy::unwrap_used,
    reason = "a helper outside a test function panics as the test would"
)]

use bartizan_pii::Analyzer;
use bartizan_pii_eval::floors::{self, Standing};
use bartizan_pii_eval::unit::Agreement;
use bartizan_pii_eval::{Dataset, Score, corpus, find, source};

fn holds(dataset: &Dataset) {
    let score = Score::of(dataset, &find(&Analyzer::all(), dataset));
    let standing = Standing::of(&floors::read().unwrap(), &dataset.name, &score);
    println!("{}: {standing}", dataset.name);
    assert!(standing.kept + standing.short.len() > 0, "no floors");
    assert_eq!(standing.broken, Vec::<String>::new());
}

#[test]
fn the_own_corpus_is_found_as_well_as_promised() {
    holds(&corpus::india(corpus::SEED).unwrap());
}

#[test]
fn documents_are_read_as_well_as_single_texts() {
    holds(&corpus::documents(corpus::SEED).unwrap());
}

#[test]
fn what_only_looks_like_personal_data_is_left_alone() {
    holds(&corpus::negatives(corpus::SEED).unwrap());
}

#[test]
fn keys_and_tokens_are_found_as_well_as_promised() {
    holds(&corpus::secrets(corpus::SEED).unwrap());
}

#[test]
fn presidios_synthetic_set_is_found_as_well_as_promised() {
    let path = source::shared("synth_dataset_v2.json");
    if path.exists() {
        holds(&source::read("synth", &path).unwrap());
    } else {
        println!("not measured: {} is not there", path.display());
    }
}

#[test]
fn presidios_own_cases_are_answered_as_presidio_answers_them() {
    let path = source::shared("presidio_cases.jsonl");
    if path.exists() {
        let agreement = Agreement::of(&path).unwrap();
        println!("{agreement}");
        assert_eq!(
            agreement.broken(&floors::read().unwrap()),
            Vec::<String>::new()
        );
    } else {
        println!("not measured: {} is not there", path.display());
    }
}

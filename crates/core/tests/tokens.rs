//! Estimates of tokens against exact counts, which `cargo xtask tokens counts` writes beside the texts.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that fails panics, and a table is read by whoever asks for it"
)]

use bartizan_core::{TokenEstimate, Tokenizer};
use serde_json::Value;

fn estimate(tokenizer: Tokenizer, text: &str) -> u64 {
    let mut estimate = TokenEstimate::new(tokenizer);
    estimate.add(text);
    estimate.tokens()
}

/// Per cent above what is counted.
fn error(estimated: u64, counted: u64) -> f64 {
    (estimated as f64 / counted as f64 - 1.0) * 100.0
}

#[test]
fn usual_texts_are_never_estimated_a_fifth_too_low_nor_absurdly_high() {
    let mut errors = Vec::new();
    for line in include_str!("data/tokens.jsonl").lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let (kind, text) = (
            line["kind"].as_str().unwrap(),
            line["text"].as_str().unwrap(),
        );
        for (name, tokenizer) in [("o200k", Tokenizer::O200k), ("cl100k", Tokenizer::Cl100k)] {
            let error = error(estimate(tokenizer, text), line[name].as_u64().unwrap());
            println!("{kind:<24} {name:<7} {error:+.0} %");
            errors.push((kind.to_owned(), name, error));
        }
    }
    let wrong: Vec<_> = errors
        .iter()
        .filter(|(kind, _, error)| {
            // Blanks in a row are one token, which nothing that costs no memory can know.
            *error < -20.0 || (*error > 60.0 && kind != "long white space")
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");

    let mut sizes: Vec<f64> = errors.iter().map(|(_, _, error)| error.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let median = sizes[sizes.len() / 2];
    assert!(median <= 15.0, "{median}");
}

//! Exact counts equal OpenAI's tiktoken.
//!
//! The texts of `tokens.jsonl` were counted by it (`cargo xtask tokens counts`); `cargo xtask tokens check` makes thousands more, and names their file in
//! `BARTIZAN_TIKTOKEN`.
#![cfg(feature = "exact")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

use bartizan_core::{Dialect, Direction, Document};
use bartizan_limit::{ExactCount, ExactTokens};
use serde_json::Value;

fn equal(lines: &str) -> usize {
    let o200k = ExactTokens::for_model("gpt-4o").unwrap();
    let cl100k = ExactTokens::for_model("gpt-4").unwrap();
    let mut compared = 0;
    let mut wrong = Vec::new();
    for line in lines.split('\n').filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = line["text"].as_str().unwrap();
        for (name, tokens) in [("o200k", o200k), ("cl100k", cl100k)] {
            compared += 1;
            if Some(tokens.count(text)) != line[name].as_u64() {
                let start: String = text.chars().take(80).collect();
                wrong.push(format!(
                    "{name}: {} for {} of {start:?}",
                    tokens.count(text),
                    line[name]
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared}: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(20)]
    );
    compared
}

#[test]
fn counts_equal_tiktokens() {
    let compared = equal(include_str!("../../core/tests/data/tokens.jsonl"));
    assert!(compared >= 100);
}

#[test]
fn counts_of_made_texts_equal_tiktokens() {
    // Made by `cargo xtask tokens check`, and by `cargo xtask test`.
    if let Some(file) = std::env::var_os("BARTIZAN_TIKTOKEN") {
        let compared = equal(&std::fs::read_to_string(file).unwrap());
        assert!(compared >= 9_000);
    }
}

#[test]
fn special_tokens_in_a_text_are_text() {
    let tokens = ExactTokens::for_model("gpt-4o").unwrap();
    assert!(tokens.count("<|endoftext|>") > 1);
    assert!(tokens.count("<|im_start|>") > 1);
}

#[test]
fn other_makers_models_have_no_exact_count() {
    for name in [
        "claude-opus-4-5",
        "gemini-2.5-pro",
        "mistral-large",
        "house",
        "",
    ] {
        assert!(ExactTokens::for_model(name).is_none(), "{name}");
    }
}

fn count(text: &str, dialect: Dialect) -> ExactCount {
    let document = Document::read(text, dialect, Direction::Request).unwrap();
    let model = document.facts().model.clone().unwrap();
    ExactTokens::for_model(&model)
        .unwrap()
        .count_request(&document)
}

#[test]
fn a_chat_counts_by_the_published_recipe() {
    // The messages of OpenAI's own example, for which it states what its API counts.
    let messages = r#"[
        {"role":"system","content":"You are a helpful, pattern-following assistant that translates corporate jargon into plain English."},
        {"role":"system","name":"example_user","content":"New synergies will help drive top-line growth."},
        {"role":"system","name":"example_assistant","content":"Things working well together will increase revenue."},
        {"role":"system","name":"example_user","content":"Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage."},
        {"role":"system","name":"example_assistant","content":"Let's talk later when we're less busy about how to do better."},
        {"role":"user","content":"This late pivot means we don't have time to boil the ocean for the client deliverable."}
    ]"#;
    for (model, tokens) in [
        ("gpt-4-0613", 129),
        ("gpt-3.5-turbo", 129),
        ("gpt-4o", 124),
        ("gpt-4o-mini", 124),
    ] {
        let text = format!(
            r#"{{"model":"{model}","messages":{messages},"user":"ada","metadata":{{"note":"unseen"}}}}"#
        );
        let expected = ExactCount {
            tokens,
            exact: true,
        };
        assert_eq!(count(&text, Dialect::OpenAiChat), expected, "{model}");
    }
}

#[test]
fn what_is_not_published_is_told_to_be_estimated() {
    let hi = r#"{"role":"user","content":"hi"}"#;
    for (text, dialect, exact) in [
        (format!(r#"{{"model":"gpt-4o","messages":[{hi}]}}"#), Dialect::OpenAiChat, true),
        (
            format!(r#"{{"model":"gpt-4o","messages":[{hi}],"tools":[{{"type":"function","function":{{"name":"f"}}}}]}}"#),
            Dialect::OpenAiChat,
            false,
        ),
        (
            format!(r#"{{"model":"gpt-4o","messages":[{hi},{{"role":"assistant","tool_calls":[{{"id":"a","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}]}}]}}"#),
            Dialect::OpenAiChat,
            false,
        ),
        (
            r#"{"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]}"#.to_owned(),
            Dialect::OpenAiChat,
            false,
        ),
        (r#"{"model":"gpt-5","input":"hi"}"#.to_owned(), Dialect::OpenAiResponses, false),
        (r#"{"model":"text-embedding-3-small","input":["hi","there"]}"#.to_owned(), Dialect::OpenAiEmbeddings, true),
    ] {
        let counted = count(&text, dialect);
        assert_eq!(counted.exact, exact, "{text}");
        assert!(counted.tokens > 0, "{text}");
    }
}

//! Every dialect reads any JSON in every direction; what it calls texts can be edited, and nothing else changes.

#![no_main]

use bartizan::core::{Dialect, Direction, Document};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

const DIALECTS: [Dialect; 21] = [
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::OpenAiEmbeddings,
    Dialect::AnthropicMessages,
    Dialect::OpenAiCompletions,
    Dialect::OpenAiModerations,
    Dialect::AnthropicCountTokens,
    Dialect::Gemini,
    Dialect::GeminiCountTokens,
    Dialect::GeminiEmbeddings,
    Dialect::BedrockConverse,
    Dialect::CohereChat,
    Dialect::CohereEmbed,
    Dialect::CohereRerank,
    Dialect::OllamaChat,
    Dialect::OllamaEmbed,
    Dialect::VertexPredict,
    Dialect::AmazonEmbed,
    Dialect::TeiRerank,
    Dialect::MistralModerations,
    Dialect::Json,
];

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    bartizan_fuzz::mutate(data, size, max_size, seed)
});

fuzz_target!(|bytes: &[u8]| {
    for dialect in DIALECTS {
        for direction in [Direction::Request, Direction::Reply, Direction::Event] {
            match Document::read(bytes, dialect, direction) {
                Ok(document) => check(document, dialect, direction),
                Err(fault) => {
                    assert!(fault.offset() <= bytes.len() && !fault.to_string().is_empty())
                }
            }
        }
    }
});

fn check(mut document: Document, dialect: Dialect, direction: Direction) {
    let original = document.as_str().to_owned();
    for part in document.unseen() {
        assert!(!part.place().is_empty());
        assert!(!document.json().at(part.node()).raw().is_empty());
    }
    assert_eq!(document.rewrite(|_| None), 0);
    assert_eq!(document.as_str(), original);

    let before = texts(&document);
    let wanted: Vec<(_, String)> = before
        .iter()
        .enumerate()
        .map(|(at, (what, old))| (*what, format!("{at}~{old}")))
        .collect();
    let mut at = 0;
    let replaced = document.rewrite(|text| {
        at += 1;
        Some(format!("{}~{}", at - 1, text.as_str()))
    });
    assert_eq!(replaced, before.len());
    assert_eq!(texts(&document), wanted, "{dialect:?} {direction:?}");
    let fresh = Document::read(document.as_str(), dialect, direction);
    // Where keys are texts, an edit may name what the dialect knows; any other edit leaves a message of the dialect.
    let fresh = fresh.expect("an edited message is one");
    assert_eq!(texts(&fresh), wanted, "{dialect:?} {direction:?}");
    assert_eq!(fresh.facts(), document.facts(), "{dialect:?} {direction:?}");
    // All back: nothing but the spelling of the strings may differ.
    document.rewrite(|text| text.as_str().split_once('~').map(|(_, old)| old.to_owned()));
    assert_eq!(texts(&document), before);

    if document.set_model("a \"model\"\n") {
        assert_eq!(document.facts().model.as_deref(), Some("a \"model\"\n"));
        let fresh = Document::read(document.as_str(), dialect, direction).expect("another model");
        assert_eq!(texts(&fresh).len(), before.len());
    }
}

fn texts(document: &Document) -> Vec<(What, String)> {
    document
        .texts()
        .map(|text| {
            (
                (text.channel(), text.is_delta(), text.is_json_piece()),
                text.as_str().to_owned(),
            )
        })
        .collect()
}

type What = (bartizan::core::Channel, bool, bool);

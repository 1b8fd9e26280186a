//! What it costs to know a prompt's tokens: by estimate and exactly.

#![allow(missing_docs, reason = "a bench")]

use std::hint::black_box;

use bartizan_core::{Dialect, Direction, Document, RequestEstimate, TokenEstimate, Tokenizer};
use bartizan_limit::ExactTokens;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// A text of each kind, and its length.
const TEXTS: [(&str, &str); 5] = [
    (
        "prose",
        "The harbour was quiet when the last ferry came in, and two children sat on the sea wall, dangling their feet above the water. ",
    ),
    (
        "code",
        "let entry = self.accounts.entry(account).or_default();\nif balance < Cents::ZERO && !entry.overdraft { return Err(Error::Overdrawn); }\n",
    ),
    (
        "json",
        r#"{"id":"ord_4821","lines":[{"sku":"BK-1093","quantity":2,"unit_price":18.5}],"shipped":false,"at":"2026-03-14T09:26:53Z"}"#,
    ),
    (
        "hindi",
        "बारिश रुकने के बाद गली में बच्चों की आवाज़ें फिर से सुनाई देने लगीं। ",
    ),
    (
        "chinese",
        "雨停了以后，街上又传来孩子们的笑声。奶奶坐在门口，慢慢讲着从前的故事。",
    ),
];

/// Whole repetitions, a kilobyte or somewhat less.
fn kilobyte(text: &str) -> String {
    text.repeat(1_024 / text.len())
}

fn tokens(criterion: &mut Criterion) {
    let exact = ExactTokens::for_model("gpt-4o");
    let mut group = criterion.benchmark_group("tokens");
    for (kind, text) in TEXTS {
        let text = kilobyte(text);
        group.throughput(Throughput::Bytes(text.len() as u64));
        for (name, tokenizer) in [
            ("estimate", Tokenizer::O200k),
            ("estimate other", Tokenizer::Other),
        ] {
            group.bench_function(format!("{name} {kind}"), |bencher| {
                bencher.iter(|| {
                    let mut estimate = TokenEstimate::new(tokenizer);
                    estimate.add(black_box(&text));
                    estimate.tokens()
                });
            });
        }
        if let Some(exact) = exact {
            group.bench_function(format!("exact {kind}"), |bencher| {
                bencher.iter(|| exact.count(black_box(&text)));
            });
        }
    }
    let [(_, prose), ..] = TEXTS;
    let prose = kilobyte(prose);
    let text =
        format!(r#"{{"model":"gpt-4o","messages":[{{"role":"user","content":"{prose}"}}]}}"#);
    if let Ok(document) = Document::read(&text, Dialect::OpenAiChat, Direction::Request) {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("estimate request", |bencher| {
            bencher.iter(|| RequestEstimate::of(black_box(&document)));
        });
    }
    group.finish();
}

criterion_group!(benches, tokens);
criterion_main!(benches);

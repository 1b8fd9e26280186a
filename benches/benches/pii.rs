//! What finding personal data costs a KB: by the size of the text, how much of it is personal, and its script; and a piece of a stream.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;

use bartizan::core::TextRewriter;
use bartizan::pii::{Analyzer, Entity, Operator, Redactor, Vault};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ENGLISH: &str = "The committee met again on Tuesday, and after a long debate about the reading room it was agreed that the windows should \
    face the river. Two members asked whether the cost had been settled; the chair said that it would be by the end of May. ";
const HINDI: &str = "समिति की बैठक मंगलवार को फिर हुई और वाचनालय पर लंबी चर्चा के बाद तय हुआ कि खिड़कियाँ नदी की ओर खुलेंगी। दो सदस्यों ने पूछा कि खर्च \
    का क्या हुआ; अध्यक्ष ने कहा कि मई के अंत तक सब तय हो जाएगा। ";

/// What ten findings a KB are made of, in turn. All are test numbers.
const ENGLISH_FINDINGS: &[&str] = &[
    "Aadhaar 2341 2341 2346, ",
    "PAN ABCPE1234F, ",
    "mail ravi.kumar@example.in, ",
    "call +91 98765 43210, ",
    "card 4111 1111 1111 1111, ",
    "IFSC HDFC0001234, ",
    "from 203.0.113.9, ",
    "IBAN GB82 WEST 1234 5698 7654 32, ",
    "GSTIN 27AAPFU0939F1ZV, ",
    "UPI ravi@okicici, ",
];
const HINDI_FINDINGS: &[&str] = &[
    "आधार २३४१ २३४१ २३४६, ",
    "पैन ABCPE1234F, ",
    "ईमेल ravi.kumar@example.in, ",
    "मोबाइल ९८७६५ ४३२१०, ",
    "कार्ड 4111 1111 1111 1111, ",
];

/// `size` bytes of prose with `findings` findings in each KB.
fn text(prose: &str, of: &[&str], size: usize, findings: usize) -> String {
    let mut text = String::with_capacity(size + 256);
    let mut sentences = prose.split_inclusive(' ').cycle();
    let mut of = of.iter().cycle();
    let mut told = 0;
    while text.len() < size {
        if told < (text.len() * findings).div_ceil(1_024) {
            text.push_str(of.next().unwrap());
            told += 1;
        } else {
            text.push_str(sentences.next().unwrap());
        }
    }
    text.truncate(text.floor_char_boundary(size));
    text
}

fn analyze(criterion: &mut Criterion) {
    let analyzer = Analyzer::all();
    for (language, prose, of) in [
        ("english", ENGLISH, ENGLISH_FINDINGS),
        ("hindi", HINDI, HINDI_FINDINGS),
    ] {
        for findings in [0, 1, 10] {
            let mut group =
                criterion.benchmark_group(format!("analyze {language}, {findings} a KB"));
            for size in [256, 4 << 10, 32 << 10, 1 << 20] {
                let text = text(prose, of, size, findings);
                group.throughput(Throughput::Bytes(text.len() as u64));
                group.bench_with_input(
                    BenchmarkId::from_parameter(size),
                    &text,
                    |bencher, text| {
                        bencher.iter(|| analyzer.analyze(black_box(text)));
                    },
                );
            }
        }
    }
}

fn redactor() -> Redactor {
    Entity::built_in()
        .fold(Redactor::builder(), |builder, entity| {
            builder.operator(entity, Operator::Mask)
        })
        .build()
        .unwrap()
}

fn mask(criterion: &mut Criterion) {
    let redactor = redactor();
    let text = text(ENGLISH, ENGLISH_FINDINGS, 4 << 10, 10);
    let mut group = criterion.benchmark_group("mask and restore");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("4096, 10 a KB", |bencher| {
        bencher.iter(|| {
            let mut vault = Vault::new();
            let masked = redactor.mask(black_box(&text), &mut vault).unwrap();
            vault.restore(&masked).len()
        });
    });
}

/// Pieces of four characters, as models send them.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest
            .char_indices()
            .nth(4)
            .map_or(rest.len(), |(end, _)| end);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn stream(criterion: &mut Criterion) {
    let redactor = redactor();
    let mut group = criterion.benchmark_group("stream, a piece");
    for (name, text) in [
        ("english", text(ENGLISH, ENGLISH_FINDINGS, 8 << 10, 0)),
        (
            "english, 10 a KB",
            text(ENGLISH, ENGLISH_FINDINGS, 8 << 10, 10),
        ),
        ("hindi", text(HINDI, HINDI_FINDINGS, 8 << 10, 0)),
    ] {
        let pieces = pieces(&text);
        group.throughput(Throughput::Elements(pieces.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (mut masker, mut out) = (redactor.stream(), String::new());
                for piece in &pieces {
                    masker.push(black_box(piece), &mut out);
                }
                masker.finish(&mut out);
                out.len()
            });
        });
    }
}

criterion_group!(benches, analyze, mask, stream);
criterion_main!(benches);

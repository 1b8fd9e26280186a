//! What finding personal data costs a KB: by the size of the text, how much of it is personal, and its script; and a piece of a stream.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;
use std::sync::Arc;

use bartizan::core::TextRewriter;
use bartizan::pii::{Analyzer, Entity, Operator, Redactor, Vault};
use bartizan_pii_eval::prose::{ENGLISH, HINDI};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn analyze(criterion: &mut Criterion) {
    let analyzer = Analyzer::all();
    for prose in [ENGLISH, HINDI] {
        let language = prose.language.to_lowercase();
        for findings in [0, 1, 10] {
            let mut group =
                criterion.benchmark_group(format!("analyze {language}, {findings} a KB"));
            for size in [256, 4 << 10, 32 << 10, 1 << 20] {
                let text = prose.text(size, findings);
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

/// What makes the analyzer look most for each byte, over and over. No more than some ten times what the usual text costs is the aim.
const CRAFTED: &[&str] = &[
    "2 2 2 2 23333 ",
    "2 2 2 2 23333\n",
    "30.1 ",
    "1:1.",
    "1.8.64-",
    "11 02 573175 39 ",
    "2333 23 23 ",
    "67 6810 ",
    "823 391 934 807",
    "100511172, ",
    "352886241:",
    "192.168.1.1 ",
    "4111 1111 1111 1111 ",
    "00:1A:2B:3C:4D:5E ",
    "7/21/2532 23:25:11 ",
    "30-JUL ",
    "GR1348941=",
    "passphrase=",
    "passphrase is ",
    "http://",
    "x@y@z@",
];

/// Crafted texts beside one with ten findings a KB, so that one run shows how many times as much they cost.
fn crafted(criterion: &mut Criterion) {
    const SIZE: usize = 4 << 10;
    let analyzer = Analyzer::all();
    let mut group = criterion.benchmark_group("analyze crafted");
    let usual = ENGLISH.text(SIZE, 10);
    let texts = CRAFTED.iter().map(|atom| {
        (
            atom.escape_debug().to_string(),
            atom.repeat(SIZE / atom.len()),
        )
    });
    for (name, text) in [("usual".to_owned(), usual)].into_iter().chain(texts) {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), &text, |bencher, text| {
            bencher.iter(|| analyzer.analyze(black_box(text)));
        });
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
    let text = ENGLISH.text(4 << 10, 10);
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
        ("english", ENGLISH.text(8 << 10, 0)),
        ("english, 10 a KB", ENGLISH.text(8 << 10, 10)),
        ("hindi", HINDI.text(8 << 10, 0)),
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

/// An exchange in which something of each kind was masked, and what a model says that repeats the placeholders, or says nothing of them.
fn exchange() -> (Arc<Vault>, [(&'static str, String); 2]) {
    let mut vault = Vault::new();
    let masked = redactor()
        .mask(&ENGLISH.text(4 << 10, 10), &mut vault)
        .unwrap()
        .into_owned();
    let answers = [
        ("4096, none", ENGLISH.text(4 << 10, 0)),
        ("4096, 10 a KB", masked),
    ];
    (Arc::new(vault), answers)
}

fn restore(criterion: &mut Criterion) {
    let (vault, answers) = exchange();
    let mut group = criterion.benchmark_group("restore");
    for (name, answer) in &answers {
        group.throughput(Throughput::Bytes(answer.len() as u64));
        group.bench_function(*name, |bencher| {
            bencher.iter(|| vault.restore(black_box(answer)).len());
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("restore, a piece");
    for (name, answer) in &answers {
        let pieces = pieces(answer);
        group.throughput(Throughput::Elements(pieces.len() as u64));
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                let (mut restorer, mut out) = (vault.restorer(), String::new());
                for piece in &pieces {
                    restorer.push(black_box(piece), &mut out);
                }
                restorer.finish(&mut out);
                out.len()
            });
        });
    }
}

criterion_group!(benches, analyze, crafted, mask, restore, stream);
criterion_main!(benches);

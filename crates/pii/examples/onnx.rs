//! What a model of one's own costs: `cargo run --release -p bartizan-pii --features onnx --example onnx -- FOLDER TEXT [THREADS [WINDOW [FILE]]]`.
//!
//! Prints the time that texts of several lengths take, cut from the file TEXT, and what is found in it of each kind.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_types,
    reason = "a program that tells times"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bartizan_pii::{Model, Onnx};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, text, more @ ..] = arguments.as_slice() else {
        return Err("name a model's folder and a file of text".into());
    };
    let mut builder = Onnx::at(folder);
    if let Some(threads) = more.first() {
        builder = builder.threads(threads.parse()?);
    }
    if let Some(window) = more.get(1) {
        builder = builder.window(window.parse()?);
    }
    if let Some(file) = more.get(2) {
        builder = builder.file(file);
    }
    let clock = Instant::now();
    let model = builder.load()?;
    println!("loaded in {:?}: {model:?}", clock.elapsed());

    let text = std::fs::read_to_string(text)?;
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in model.analyze(&[&text]).await?.iter().flatten() {
        *found.entry(finding.entity.as_str()).or_default() += 1;
    }
    println!("found in {} bytes: {found:?}", text.len());

    for bytes in [64, 256, 1024, 4096, 32_768] {
        let part = text
            .get(..text.floor_char_boundary(bytes))
            .unwrap_or_default();
        let mut times = Vec::new();
        let clock = Instant::now();
        while times.len() < 5 || (clock.elapsed() < Duration::from_secs(2) && times.len() < 200) {
            let clock = Instant::now();
            model.analyze(&[part]).await?;
            times.push(clock.elapsed());
        }
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        println!(
            "{:>6} bytes: {:>8.2} ms, {:>7.2} ms a KB",
            part.len(),
            median.as_secs_f64() * 1e3,
            median.as_secs_f64() * 1e3 * 1024.0 / part.len().max(1) as f64
        );
    }
    Ok(())
}

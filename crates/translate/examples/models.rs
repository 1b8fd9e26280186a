//! Rebuilds `data/models.csv` from a table of facts: `cargo xtask models PATH`.
//!
//! The source is a CSV with the columns of [`COLUMNS`], such as one made of LiteLLM's public list. Rows of providers that the catalogue
//! does not know are left out and counted.

#![expect(clippy::print_stdout, reason = "a chore talks to whoever runs it")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::process::ExitCode;

use bartizan_translate::catalogue::{Price, Providers};

const COLUMNS: &str = "model,provider,mode,max_input_tokens,max_output_tokens,usd_per_input_token,usd_per_output_token,usd_per_cached_input_token,usd_per_cache_write_token,usd_per_reasoning_token,usd_per_audio_input_token,usd_per_audio_output_token,supports,deprecated_on";

const HEAD: &str = "model,provider,bare,purpose,context,max_output,input,output,cached_input,cache_write,reasoning,audio_input,audio_output,abilities,retires";

/// The source's words for what a model can do, and ours.
const ABILITIES: [(&str, &str); 9] = [
    ("function_calling", "tools"),
    ("parallel_function_calling", "parallel"),
    ("response_schema", "schema"),
    ("vision", "vision"),
    ("pdf_input", "pdf"),
    ("audio_input", "audio_in"),
    ("audio_output", "audio_out"),
    ("prompt_caching", "cache"),
    ("reasoning", "reasoning"),
];

fn main() -> ExitCode {
    match rebuild() {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn rebuild() -> Result<String, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (path, day) = (arguments.next(), arguments.next());
    let (Some(path), Some(day)) = (path, day) else {
        return Err(
            "usage: cargo xtask models PATH DAY, such as cargo xtask models facts.csv 2026-11-24"
                .into(),
        );
    };
    let source = fs::read_to_string(&path)?;
    let mut lines = source.lines();
    if lines.next() != Some(COLUMNS) {
        return Err(format!("{path}: the head must be {COLUMNS}").into());
    }
    let providers = Providers::builtin();
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    let mut strange: BTreeMap<String, usize> = BTreeMap::new();
    for (at, line) in lines.enumerate() {
        let row =
            row(line, &providers).map_err(|fault| format!("{path}, line {}: {fault}", at + 2))?;
        let row = match row {
            Ok(row) => row,
            Err(provider) => {
                *strange.entry(provider).or_default() += 1;
                continue;
            }
        };
        let key = (row.model.clone(), row.provider.clone());
        match rows.get_mut(&key) {
            None => {
                rows.insert(key, row);
            }
            // The same model under two names: with its provider in front, whose facts count, and alone.
            Some(before) => {
                let bare = before.bare || row.bare;
                if before.bare {
                    *before = row;
                }
                before.bare = bare;
            }
        }
    }
    let mut table = format!(
        "# Facts on models as of {day}: limits in tokens, prices in US dollars a token. Rebuilt by `cargo xtask models`, never by hand:\n\
         # what is known better stands in corrections.csv.\n{HEAD}\n"
    );
    for row in rows.values() {
        let bare = if row.bare { "bare" } else { "" };
        writeln!(table, "{},{},{bare},{}", row.model, row.provider, row.facts)?;
    }
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/data/models.csv");
    fs::write(target, table)?;
    let left: Vec<String> = strange
        .iter()
        .map(|(provider, count)| format!("{provider} {count}"))
        .collect();
    Ok(format!(
        "{} models; left out, for want of a provider: {}",
        rows.len(),
        left.join(", ")
    ))
}

struct Row {
    model: String,
    provider: String,
    bare: bool,
    facts: String,
}

/// A row, or the provider that is not known.
fn row(line: &str, providers: &Providers) -> Result<Result<Row, String>, String> {
    let fields: Vec<&str> = line.split(',').collect();
    let [name, provider, mode, limits @ .., supports, ends] = fields.as_slice() else {
        return Err("too few fields".to_owned());
    };
    let [context, most, prices @ ..] = limits else {
        return Err("too few fields".to_owned());
    };
    if prices.len() != 7 {
        return Err(format!("{} fields", fields.len()));
    }
    // Vertex AI's makers and the like stand behind a hyphen.
    let provider = match provider.split_once('-') {
        Some(("vertex_ai", _)) => "vertex_ai",
        Some(("fireworks_ai", _)) => "fireworks_ai",
        _ if *provider == "bedrock_converse" => "bedrock",
        _ => provider,
    };
    let Some(known) = providers.get(provider) else {
        return Ok(Err(provider.to_owned()));
    };
    let inside = name.split_once('/').filter(|(first, _)| {
        *first == provider
            || providers
                .get(first)
                .is_some_and(|other| other.slug() == known.slug())
    });
    // The facts of text-completion-openai are OpenAI's own.
    let (model, bare) = match inside {
        Some((_, model)) => (model, false),
        None => (*name, !name.contains('/')),
    };
    let count = |text: &str| match text {
        "" => Ok(String::new()),
        text => text
            .parse::<u64>()
            .map(|count| count.to_string())
            .map_err(|_| format!("{text}: no whole number")),
    };
    let mut facts = format!("{mode},{},{}", count(context)?, count(most)?);
    for text in prices {
        let price = match *text {
            "" => String::new(),
            text => price(text).ok_or_else(|| format!("{text}: no price"))?,
        };
        let _ = write!(facts, ",{price}");
    }
    let mut abilities: Vec<&str> = Vec::new();
    for (word, ours) in ABILITIES {
        if supports.split(';').any(|said| said == word) {
            abilities.push(ours);
        }
    }
    let _ = write!(facts, ",{},{ends}", abilities.join(" "));
    Ok(Ok(Row {
        model: model.to_owned(),
        provider: known.slug().to_owned(),
        bare,
        facts,
    }))
}

/// Sources carry what binary fractions make of decimal ones: fifteen decimals are rounded to, which no price needs.
fn price(text: &str) -> Option<String> {
    let rounded = format!("{:.15}", text.parse::<f64>().ok()?);
    Some(rounded.parse::<Price>().ok()?.to_string())
}

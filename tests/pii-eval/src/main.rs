//! `cargo xtask eval-pii`, which tells the options.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bartizan_pii::Analyzer;
use bartizan_pii_eval::floors::Standing;
use bartizan_pii_eval::speed::{self, Speed};
use bartizan_pii_eval::table::{Column, report};
use bartizan_pii_eval::unit::Agreement;
use bartizan_pii_eval::{Failure, Score, corpus, find, floors, presidio, source};
use lexopt::prelude::*;

const USAGE: &str = "usage: cargo xtask eval-pii DATASET [--with-presidio] [--seed N] [--floor] [--write FILE]
  DATASET: india, documents, world, negatives, secrets, synth, presidio, or a file in presidio-research's JSON or one such object a line;
           speed, what it takes on the texts of the benches
  --with-presidio  Presidio's pattern recognisers beside, on the same texts
  --seed N         other texts of the own corpus (1)
  --floor          fails below the floors of tests/pii-eval/data/floors.txt
  --write FILE     writes the texts with what they hold, one JSON object a line";

#[derive(Debug, Default)]
struct Asked {
    dataset: String,
    presidio: Option<PathBuf>,
    seed: Option<u64>,
    floor: bool,
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    match asked().and_then(|asked| run(&asked)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            say(&failure);
            ExitCode::FAILURE
        }
    }
}

fn asked() -> Result<Asked, Failure> {
    let usage = |error: lexopt::Error| format!("{error}\n{USAGE}");
    let mut asked = Asked::default();
    let mut words = lexopt::Parser::from_env();
    while let Some(word) = words.next().map_err(usage)? {
        match word {
            // The chore gives the interpreter of the environment that it made.
            Long("with-presidio") => asked.presidio = Some(words.value().map_err(usage)?.into()),
            Long("seed") => {
                asked.seed = Some(words.value().and_then(|seed| seed.parse()).map_err(usage)?)
            }
            Long("floor") => asked.floor = true,
            Long("write") => asked.write = Some(words.value().map_err(usage)?.into()),
            Value(name) if asked.dataset.is_empty() => {
                asked.dataset = name.string().map_err(usage)?
            }
            other => return Err(usage(other.unexpected())),
        }
    }
    if asked.dataset.is_empty() {
        return Err(USAGE.to_owned());
    }
    Ok(asked)
}

fn run(asked: &Asked) -> Result<bool, Failure> {
    let seed = asked.seed.unwrap_or(corpus::SEED);
    let dataset = match asked.dataset.as_str() {
        "presidio" => return agreement(asked),
        "speed" => {
            say(&Speed::measure(asked.presidio.as_deref())?);
            return Ok(true);
        }
        "india" => corpus::india(seed)?,
        "negatives" => corpus::negatives(seed)?,
        "secrets" => corpus::secrets(seed)?,
        "world" => corpus::world(seed)?,
        "documents" => corpus::documents(seed)?,
        "synth" => source::read("synth", &source::shared("synth_dataset_v2.json"))?,
        path => source::read("file", Path::new(path))?,
    };
    if let Some(path) = &asked.write {
        let rows: Vec<String> = dataset.cases.iter().map(source::written).collect();
        std::fs::write(path, rows.join("\n") + "\n")
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let analyzer = Analyzer::all();
    let findings = find(&analyzer, &dataset);
    let took = speed::fastest(&analyzer, &dataset);
    let ours = Score::of(&dataset, &findings);
    let standing = Standing::of(&floors::read()?, &dataset.name, &ours);
    let mut columns = vec![Column::new("Bartizan", ours, took)];
    if let Some(python) = &asked.presidio {
        let answer = presidio::find(python, &dataset)?;
        let score = Score::of(&dataset, &answer.findings);
        columns.push(Column::new(
            &format!("Presidio {}", answer.version),
            score,
            answer.took,
        ));
    }
    say(&report(&dataset, &columns));
    if asked.floor {
        say(&standing);
    }
    Ok(!asked.floor || standing.broken.is_empty())
}

fn held(broken: &[String]) -> bool {
    for floor in broken {
        say(&format_args!("below the floor: {floor}"));
    }
    broken.is_empty()
}

fn agreement(asked: &Asked) -> Result<bool, Failure> {
    let agreement = Agreement::of(&source::shared("presidio_cases.jsonl"))?;
    say(&agreement);
    Ok(!asked.floor || held(&agreement.broken(&floors::read()?)))
}

/// A reader that has seen enough may go.
fn say(what: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{what}");
}

//! The project's chores, as `cargo xtask CHORE`.
//!
//! | chore | does |
//! |---|---|
//! | `test` | installs what the tests need where it may, and runs every test: unit, integration and documentation tests, then models in the ONNX runtime, then the official SDKs against the example gateway, then the management API by its document |
//! | `test --all` | the same, and fails when something could not be run on this machine; CI calls it so |
//! | `sdk [WORDS]` | builds the gateway and runs the SDK tests alone; WORDS go to pytest, such as `-k masking` |
//! | `differential [WORDS]` | compares what LiteLLM sends with what we send, `--list` tells all differences; then runs LiteLLM's guardrail and Presidio's libraries against our Presidio |
//! | `management` | asks the management API for whatever its OpenAPI document allows, with a key of each role (schemathesis) |
//! | `eval-pii DATASET [OPTIONS]` | measures how well personal data is found, or with `speed` how fast, `--with-presidio` beside Presidio; without words it tells what it takes |
//! | `onnx [WORDS]` | runs the tests of models in the ONNX runtime, which it installs; WORDS choose among them |
//! | `fuzz [SECONDS]` | runs every fuzz target, 150 seconds in all unless told |
//! | `features` | checks each crate alone: with no feature, with each one, with all |
//! | `docs-links` | follows each link from one document of the project to another |
//! | `models PATH DAY` | rebuilds the table of models from a CSV of facts that are of that day |
//! | `providers-doc` | rewrites the list in `docs/providers.md` from the catalogue |
//! | `phones DAY` | rebuilds the table of phone numbers' plans from libphonenumber's metadata, which are of that day |
//! | `phones check` | compares that table with libphonenumber, on numbers of each region |
//! | `tokens counts` | has tiktoken count the texts that estimates are tested with |
//! | `tokens check` | compares exact counts of tokens with tiktoken's, on thousands of made texts |
//! | `setup` | only installs what `test` needs |

#![expect(clippy::print_stdout, reason = "a chore talks to whoever runs it")]

mod catalogue;
mod differential;
mod evaluation;
mod features;
mod fuzz;
mod links;
mod management;
mod needs;
mod onnx;
mod phones;
mod report;
mod sdk;
mod servers;
mod tests;
mod tokens;
mod tree;

use std::process::ExitCode;

use report::Report;

const USAGE: &str = "usage: cargo xtask test [--all] | sdk [WORDS] | differential [WORDS] | management | eval-pii DATASET | onnx [WORDS] | fuzz [SECONDS] | features | docs-links | models PATH DAY | providers-doc | phones DAY|check | tokens counts|check | setup";

/// Why a chore stopped, in words for whoever runs it.
type Failure = String;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut report = Report::new();
    let done = match words.as_slice() {
        ["test"] => tests::run(&mut report, false),
        ["test", "--all"] => tests::run(&mut report, true),
        ["sdk", words @ ..] => sdk::alone(&mut report, words),
        ["differential", words @ ..] => differential::alone(&mut report, words),
        ["management"] => management::alone(&mut report),
        ["eval-pii", words @ ..] => evaluation::run(words),
        ["onnx", words @ ..] => onnx::alone(&mut report, words),
        ["docs-links"] => links::run(&mut report),
        ["features"] => features::run(&mut report),
        ["fuzz", words @ ..] => fuzz::run(&mut report, words),
        ["models", path, day] => catalogue::models(path, day),
        ["providers-doc"] => catalogue::page(),
        ["phones", "check"] => phones::check(),
        ["phones", day] => phones::write(day),
        ["tokens", "counts"] => tokens::counts(),
        ["tokens", "check"] => tokens::check(),
        ["setup"] => {
            needs::setup().map(|missing| missing.iter().for_each(|need| println!("{need}")))
        }
        _ => Err(USAGE.to_owned()),
    };
    report.print();
    match done {
        Ok(()) if report.passed() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

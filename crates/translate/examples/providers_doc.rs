//! Rewrites the table of `docs/providers.md` from `data/providers.ini`: `cargo xtask providers-doc`.

#![expect(clippy::print_stdout, reason = "a chore talks to whoever runs it")]

use std::fs;
use std::process::ExitCode;

#[path = "../tests/support/providers_doc.rs"]
mod providers_doc;

fn main() -> ExitCode {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/providers.md");
    let written = fs::read_to_string(path)
        .map_err(|error| error.to_string())
        .and_then(|page| providers_doc::rewritten(&page))
        .and_then(|page| fs::write(path, page).map_err(|error| error.to_string()));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("{path}: {failure}");
            ExitCode::FAILURE
        }
    }
}

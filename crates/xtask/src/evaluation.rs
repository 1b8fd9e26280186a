//! `cargo xtask eval-pii`: how well personal data is found, by itself or beside Presidio.

use crate::needs::{self, Need};
use crate::{Failure, sdk, tree};

const PACKAGE: &str = "bartizan-pii-eval";

/// Runs the evaluation on what `words` name. Optimised: what it tells of time is of no use otherwise.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let mut cargo = tree::cargo(["run", "--quiet", "--release", "--package", PACKAGE, "--"]);
    for word in words {
        cargo.arg(word);
        if *word == "--with-presidio" {
            cargo.arg(presidio()?);
        }
    }
    tree::run(&mut cargo).map_err(|_| "the evaluation failed".to_owned())
}

/// The interpreter of an environment with Presidio's recognisers and its anonymizer, and no model.
pub(crate) fn presidio() -> Result<std::path::PathBuf, Failure> {
    if needs::setup()?.contains(&Need::Python) {
        return Err(Need::Python.to_string());
    }
    let venv = tree::target().join("sdk/presidio");
    let requirements = tree::root().join("tests/pii-eval/presidio/requirements.txt");
    sdk::environment(&venv, &requirements, &[])?;
    Ok(venv.join("bin/python"))
}

//! `cargo xtask tokens`: counts of tokens by OpenAI's tiktoken, which tests hold ours to.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::needs::{self, Need};
use crate::report::Report;
use crate::{Failure, sdk, tree};

const TEXTS: &str = "crates/core/tests/data/tokens.jsonl";

/// Counts the texts of the tests anew, in place.
pub(crate) fn counts() -> Result<(), Failure> {
    make(&["counts"], &tree::root().join(TEXTS))
}

/// Has tiktoken count thousands of made texts, and us the same.
pub(crate) fn check() -> Result<(), Failure> {
    let vectors = vectors()?;
    let mut cargo = tree::cargo([
        "test",
        "--quiet",
        "--package",
        "bartizan-limit",
        "--features",
        "exact",
        "--test",
        "exact",
    ]);
    tree::run(cargo.env("BARTIZAN_TIKTOKEN", vectors))
}

/// Made texts with their counts, for the tests of `cargo xtask test`, as a step of `report`.
pub(crate) fn before_tests(report: &mut Report, missing: &[Need]) -> Option<PathBuf> {
    if missing.contains(&Need::Python) {
        return None;
    }
    let mut made = None;
    report.step("ask tiktoken how many tokens texts have", || {
        made = Some(vectors()?);
        Ok(())
    });
    made
}

fn vectors() -> Result<PathBuf, Failure> {
    let vectors = tree::target().join("tokens/vectors.jsonl");
    make(&["vectors"], &vectors)?;
    Ok(vectors)
}

fn make(words: &[&str], file: &Path) -> Result<(), Failure> {
    let mut command = Command::new(python()?);
    command
        .arg(tree::root().join("tests/tokens/make.py"))
        .args(words)
        .arg(file)
        .current_dir(tree::root());
    tree::run(command.env("PYTHONDONTWRITEBYTECODE", "1"))
}

/// The interpreter of an environment that has tiktoken.
fn python() -> Result<PathBuf, Failure> {
    if needs::setup()?.contains(&Need::Python) {
        return Err(Need::Python.to_string());
    }
    let venv = tree::target().join("tokens/venv");
    let requirements = tree::root().join("tests/tokens/requirements.txt");
    sdk::environment(&venv, &requirements, &[])?;
    Ok(venv.join("bin/python"))
}

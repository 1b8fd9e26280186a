//! `cargo xtask phones`: the table of numbering plans, from libphonenumber's metadata, and whether it is read as libphonenumber does.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::needs::{self, Need};
use crate::report::Report;
use crate::{Failure, sdk, tree};

const TABLE: &str = "crates/pii/data/phones.txt";

/// Writes the table anew; `day` is what its head says.
pub(crate) fn write(day: &str) -> Result<(), Failure> {
    let digits =
        |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = day.split('-').collect();
    if !matches!(parts.as_slice(), [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2))
    {
        return Err(format!("{day} is no day: write it as 2026-11-24"));
    }
    make(&["plans", day], &tree::root().join(TABLE))
}

/// Asks libphonenumber about numbers of each region, and the table about the same.
pub(crate) fn check() -> Result<(), Failure> {
    let cases = cases()?;
    let mut cargo = tree::cargo([
        "test",
        "--quiet",
        "--package",
        "bartizan-pii",
        "--lib",
        "libphonenumber",
        "--",
        "--nocapture",
    ]);
    tree::run(cargo.env("BARTIZAN_PHONES", cases))
}

/// Numbers with what libphonenumber says of them, for the tests of `cargo xtask test`, as a step of `report`.
pub(crate) fn before_tests(report: &mut Report, missing: &[Need]) -> Option<PathBuf> {
    if missing.contains(&Need::Python) {
        return None;
    }
    let mut made = None;
    report.step("ask libphonenumber about numbers", || {
        made = Some(cases()?);
        Ok(())
    });
    made
}

fn cases() -> Result<PathBuf, Failure> {
    let cases = tree::target().join("phones/cases.txt");
    make(&["cases"], &cases)?;
    Ok(cases)
}

fn make(words: &[&str], file: &Path) -> Result<(), Failure> {
    let mut command = Command::new(python()?);
    command
        .arg(tree::root().join("tests/phones/make.py"))
        .args(words)
        .arg(file);
    tree::run(command.env("PYTHONDONTWRITEBYTECODE", "1"))
}

/// The interpreter of an environment that has the metadata.
fn python() -> Result<PathBuf, Failure> {
    if needs::setup()?.contains(&Need::Python) {
        return Err(Need::Python.to_string());
    }
    let venv = tree::target().join("phones/venv");
    let requirements = tree::root().join("tests/phones/requirements.txt");
    sdk::environment(&venv, &requirements, &[])?;
    Ok(venv.join("bin/python"))
}

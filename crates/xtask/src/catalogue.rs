//! `cargo xtask models` and `cargo xtask providers-doc`: the catalogue's tables, by programs that know the catalogue.

use crate::{Failure, tree};

pub(crate) fn models(path: &str, day: &str) -> Result<(), Failure> {
    // The program runs in the workspace's folder, not in the caller's.
    let path = std::path::absolute(path).map_err(|error| format!("{path}: {error}"))?;
    let path = path.to_str().ok_or("the path is not UTF-8")?.to_owned();
    run("models", &["--", &path, day])
}

pub(crate) fn page() -> Result<(), Failure> {
    run("providers_doc", &[])
}

fn run(program: &str, arguments: &[&str]) -> Result<(), Failure> {
    let mut cargo = tree::cargo([
        "run",
        "--quiet",
        "--package",
        "bartizan-translate",
        "--example",
        program,
    ]);
    tree::run(cargo.args(arguments))
}

//! Models in the ONNX runtime: both are made or installed, then the tests that need them run.

use std::path::PathBuf;
use std::process::Command;

use crate::needs::{self, Need};
use crate::report::Report;
use crate::{Failure, sdk, tree};

/// `cargo xtask onnx [WORDS]`.
pub(crate) fn alone(report: &mut Report, words: &[&str]) -> Result<(), Failure> {
    let missing = needs::setup()?;
    if missing.contains(&Need::Python) {
        report.unrun(Need::Python.to_string());
        return Ok(());
    }
    let own = [
        "--package",
        "bartizan-pii",
        "--package",
        "bartizan-gateway",
        "--features",
        "bartizan-pii/onnx,bartizan-gateway/onnx",
    ];
    run(report, &own, words);
    Ok(())
}

/// As a part of `cargo xtask test`, which has built all of this: the same arguments build nothing again.
pub(crate) fn after_tests(report: &mut Report, missing: &[Need]) {
    if !missing.contains(&Need::Python) {
        run(report, &["--workspace", "--all-features"], &[]);
    }
}

/// Runs, as steps of `report`, the tests that are ignored elsewhere because of what they need; `words` choose among them.
fn run(report: &mut Report, packages: &[&str], words: &[&str]) {
    let mut made = Err(String::new());
    report.step("install the ONNX runtime, and make models", || {
        made = Made::make();
        made.as_ref().map(drop).map_err(Clone::clone)
    });
    let Ok(made) = made else { return };
    report.step("models in the ONNX runtime", || {
        let mut cargo = tree::cargo(["test"]);
        cargo.args(packages);
        cargo.args([
            "--no-fail-fast",
            "--test",
            "onnx",
            "--test",
            "gateway",
            "--",
            "--ignored",
        ]);
        cargo.args(if words.is_empty() { &["onnx"] } else { words });
        cargo
            .env("BARTIZAN_ONNX_RUNTIME", &made.runtime)
            .env("BARTIZAN_ONNX_MODELS", &made.models);
        tree::run(&mut cargo)
    });
}

/// What the tests need.
struct Made {
    /// The runtime's library.
    runtime: PathBuf,
    /// A folder with a model in each folder.
    models: PathBuf,
}

impl Made {
    fn make() -> Result<Self, Failure> {
        let folder = tree::root().join("tests/onnx");
        let target = tree::target().join("onnx");
        let venv = target.join("venv");
        sdk::environment(&venv, &folder.join("requirements.txt"), &[])?;
        let python = venv.join("bin/python");
        let models = target.join("models");
        let _ = std::fs::remove_dir_all(&models);
        let mut make = Command::new(&python);
        make.arg(folder.join("make.py")).arg(&models);
        tree::run(make.env("PYTHONDONTWRITEBYTECODE", "1"))?;
        Ok(Self {
            runtime: library(&python)?,
            models,
        })
    }
}

/// Where the wheel has put the library, which has its version in its name.
fn library(python: &PathBuf) -> Result<PathBuf, Failure> {
    let code = "import importlib.util, pathlib; \
                spec = importlib.util.find_spec('onnxruntime'); \
                folder = pathlib.Path(spec.origin).parent / 'capi'; \
                print(*sorted([*folder.glob('libonnxruntime.so*'), *folder.glob('libonnxruntime*.dylib')])[:1])";
    let output = Command::new(python)
        .args(["-c", code])
        .output()
        .map_err(|error| format!("python: {error}"))?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if path.is_empty() {
        Err("the wheel onnxruntime has no library".to_owned())
    } else {
        Ok(path.into())
    }
}

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
    let Some(made) = before_tests(report, &missing) else {
        return Ok(());
    };
    report.step("models in the ONNX runtime", || {
        let mut cargo = tree::cargo([
            "test",
            "--package",
            "bartizan-pii",
            "--package",
            "bartizan-gateway",
            "--features",
            "bartizan-pii/onnx,bartizan-gateway/onnx",
            "--no-fail-fast",
            "--test",
            "onnx",
            "--test",
            "gateway",
            "--",
        ]);
        cargo.args(if words.is_empty() { &["onnx"] } else { words });
        tree::run(made.tell(&mut cargo))
    });
    Ok(())
}

/// The runtime and the models that tests of `cargo xtask test` need, as a step of `report`.
pub(crate) fn before_tests(report: &mut Report, missing: &[Need]) -> Option<Made> {
    if missing.contains(&Need::Python) {
        return None;
    }
    let mut made = None;
    report.step("install the ONNX runtime, and make models", || {
        made = Some(Made::make()?);
        Ok(())
    });
    made
}

/// What the tests need.
pub(crate) struct Made {
    /// The runtime's library.
    runtime: PathBuf,
    /// A folder with a model in each folder.
    models: PathBuf,
}

impl Made {
    /// Tells the tests that `cargo` runs where both are.
    pub(crate) fn tell<'c>(&self, cargo: &'c mut Command) -> &'c mut Command {
        cargo
            .env("BARTIZAN_ONNX_RUNTIME", &self.runtime)
            .env("BARTIZAN_ONNX_MODELS", &self.models)
    }

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

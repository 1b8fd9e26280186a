//! What LiteLLM sends for the same requests, beside what we send.

use std::process::Command;

use crate::needs::{self, Need};
use crate::report::Report;
use crate::servers::Replay;
use crate::{Failure, sdk, tree};

/// `cargo xtask differential [WORDS]`.
pub(crate) fn alone(report: &mut Report, words: &[&str]) -> Result<(), Failure> {
    let missing = needs::setup()?;
    if missing.contains(&Need::Python) {
        report.unrun(Need::Python.to_string());
        return Ok(());
    }
    report.step("build the replay server", || {
        tree::run(&mut tree::cargo([
            "build",
            "--bins",
            "--package",
            "bartizan-replay",
        ]))
    });
    run(report, words);
    Ok(())
}

/// Runs it as steps of `report`. LiteLLM gets an environment of its own, with no variable of ours in it.
pub(crate) fn run(report: &mut Report, words: &[&str]) {
    let folder = tree::root().join("tests/sdk/differential");
    let venv = tree::target().join("sdk/litellm");
    let mut installed = false;
    report.step("install LiteLLM, apart", || {
        sdk::environment(&venv, &folder.join("requirements.txt"), &["--no-deps"])?;
        installed = true;
        Ok(())
    });
    if !installed {
        return;
    }
    report.step("differential: LiteLLM", || {
        let replay = Replay::start()?;
        let mut python = Command::new(venv.join("bin/python"));
        python
            .arg(folder.join("differential.py"))
            .args(words)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &venv)
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .env("LITELLM_LOG", "ERROR")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("REPLAY_URL", &replay.url);
        tree::run(&mut python)
    });
}

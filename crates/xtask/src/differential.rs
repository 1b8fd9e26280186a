//! What LiteLLM sends for the same requests, beside what we send; and LiteLLM's guardrail and Presidio's libraries beside our Presidio.

use std::path::Path;
use std::process::Command;

use crate::needs::{self, Need};
use crate::report::Report;
use crate::servers::{Presidio, Replay};
use crate::{Failure, evaluation, sdk, tree};

/// `cargo xtask differential [WORDS]`.
pub(crate) fn alone(report: &mut Report, words: &[&str]) -> Result<(), Failure> {
    let missing = needs::setup()?;
    if missing.contains(&Need::Python) {
        report.unrun(Need::Python.to_string());
        return Ok(());
    }
    report.step("build the replay server and the gateway", || {
        tree::run(&mut tree::cargo([
            "build",
            "--bins",
            "--package",
            "bartizan-replay",
            "--package",
            "bartizan-gateway",
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
        let mut python = apart(&venv);
        python
            .arg(folder.join("differential.py"))
            .args(words)
            .env("REPLAY_URL", &replay.url);
        tree::run(&mut python)
    });
    // Words choose among the requests, and these have none.
    if words.is_empty() {
        presidio(report, &venv);
    }
}

/// The gateway in Presidio's place, and asking Presidio.
fn presidio(report: &mut Report, litellm: &Path) {
    let folder = tree::root().join("tests/sdk/presidio");
    let run = tree::target().join("sdk/presidio-run");
    report.step(
        "LiteLLM's Presidio guardrail, pointed at the gateway",
        || {
            let presidio = Presidio::start(&run)?;
            let mut python = apart(litellm);
            python.arg(folder.join("guardrail.py"));
            tree::run(python.env("PRESIDIO_URL", &presidio.url))
        },
    );
    let mut library = Err(String::new());
    report.step("install Presidio's libraries", || {
        library = evaluation::presidio();
        library.as_ref().map(drop).map_err(Clone::clone)
    });
    let Ok(library) = library else { return };
    report.step("Presidio's anonymizer beside the gateway", || {
        let presidio = Presidio::start(&run)?;
        let mut python = Command::new(&library);
        python.arg(folder.join("library.py"));
        tree::run(sdk::direct(&mut python).env("PRESIDIO_URL", &presidio.url))
    });
    report.step("Presidio's analyzer, asked by the gateway", || {
        let mut python = Command::new(&library);
        python.arg(folder.join("analyzer.py"));
        let gateway = tree::target().join("debug/bartizan-gateway");
        tree::run(sdk::direct(&mut python).env("GATEWAY", gateway))
    });
}

/// LiteLLM's Python, with no variable of ours in its environment.
fn apart(venv: &Path) -> Command {
    let mut python = Command::new(venv.join("bin/python"));
    python
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", venv)
        .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        .env("LITELLM_LOG", "ERROR")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

//! The management API, asked for whatever its OpenAPI document allows.

use std::process::Command;

use crate::needs::{self, Need};
use crate::report::Report;
use crate::{Failure, sdk, tree};

/// `cargo xtask management`.
pub(crate) fn alone(report: &mut Report) -> Result<(), Failure> {
    let missing = needs::setup()?;
    if missing.contains(&Need::Python) {
        report.unrun(Need::Python.to_string());
        return Ok(());
    }
    let serve = ["build", "--package", "bartizan-admin", "--example", "serve"];
    report.step("build the management API", || {
        tree::run(&mut tree::cargo(serve))
    });
    run(report);
    Ok(())
}

/// Runs it as steps of `report`, once the examples are built.
pub(crate) fn run(report: &mut Report) {
    let venv = tree::target().join("sdk/management");
    let mut installed = false;
    report.step("install schemathesis", || {
        let requirements = tree::root().join("tests/sdk/management/requirements.txt");
        sdk::environment(&venv, &requirements, &[])?;
        installed = true;
        Ok(())
    });
    if !installed {
        return;
    }
    report.step(
        "the management API by its document, with a key of each role",
        || {
            let mut python = Command::new(venv.join("bin/python"));
            python.arg("management/management.py");
            let serve = tree::target().join("debug/examples/serve");
            tree::run(sdk::direct(&mut python).env("SERVE", serve))
        },
    );
}

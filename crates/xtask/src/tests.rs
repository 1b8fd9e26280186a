//! `cargo xtask test`.

use crate::needs::{self, Need};
use crate::report::Report;
use crate::{Failure, differential, management, onnx, phones, sdk, tokens, tree};

pub(crate) fn run(report: &mut Report, all: bool) -> Result<(), Failure> {
    if all {
        report.strict();
    }
    let missing = needs::setup()?;
    for need in &missing {
        report.unrun(need.to_string());
    }
    let made = onnx::before_tests(report, &missing);
    let phones = phones::before_tests(report, &missing);
    let vectors = tokens::before_tests(report, &missing);
    report.step("unit, integration and documentation tests", || {
        let arguments = ["test", "--workspace", "--all-features", "--no-fail-fast"];
        let cuts = sdk::cuts();
        let _ = std::fs::remove_dir_all(&cuts);
        std::fs::create_dir_all(&cuts).map_err(|error| format!("{}: {error}", cuts.display()))?;
        let mut cargo = tree::cargo(arguments);
        if let Some(made) = &made {
            made.tell(&mut cargo);
        }
        if let Some(cases) = &phones {
            cargo.env("BARTIZAN_PHONES", cases);
        }
        if let Some(vectors) = &vectors {
            cargo.env("BARTIZAN_TIKTOKEN", vectors);
        }
        tree::run(cargo.args(skips(&missing)).env("BARTIZAN_CUTS", cuts))
    });
    sdk::after_tests(report, &missing);
    if !missing.contains(&Need::Python) {
        differential::run(report, &[]);
        management::run(report);
    }
    Ok(())
}

/// A test that needs a server or a runtime has its name in its path; nothing else is left out with it.
fn skips(missing: &[Need]) -> Vec<&'static str> {
    let mut skips = vec!["--"];
    for need in missing {
        match need {
            Need::Redis => skips.extend(["--skip", "redis"]),
            Need::Postgres => skips.extend(["--skip", "postgres"]),
            Need::Pgbouncer => skips.extend(["--skip", "pgbouncer"]),
            Need::Python => skips.extend(["--skip", "onnx"]),
            Need::Kill => {}
        }
    }
    skips
}

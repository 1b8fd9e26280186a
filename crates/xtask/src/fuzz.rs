//! `cargo xtask fuzz`: every fuzz target for a while.

use std::fs;
use std::process::{Command, Stdio};

use crate::Failure;
use crate::report::Report;
use crate::tree;

/// Per change; hours before a release.
const SECONDS: u64 = 150;

pub(crate) fn run(report: &mut Report, words: &[&str]) -> Result<(), Failure> {
    let seconds = match words {
        [] => SECONDS,
        [seconds] => seconds
            .parse()
            .map_err(|_| format!("{seconds}: not a number of seconds, which all targets share"))?,
        _ => return Err("usage: cargo xtask fuzz [SECONDS]".to_owned()),
    };
    installed()?;
    let targets = targets()?;
    let each = (seconds / targets.len().max(1) as u64).max(1);
    // No sanitizer: our code has no unsafe block, and what a sanitizer costs is better spent on more runs.
    report.step("building the fuzz targets", || {
        tree::run(fuzz().args(["build", "--sanitizer", "none"]))
    });
    if !report.passed() {
        return Ok(());
    }
    for target in targets {
        report.step(&format!("{target}: {each} s"), || {
            let [corpus, seeds] = ["corpus", "seeds"].map(|kind| format!("fuzz/{kind}/{target}"));
            fs::create_dir_all(tree::root().join(&corpus))
                .map_err(|error| format!("{corpus}: {error}"))?;
            let mut run = fuzz();
            run.args(["run", "--sanitizer", "none", &target, &corpus, &seeds])
                .args(["--", "-dict=fuzz/words.dict", "-max_len=4096"])
                .args(["-timeout=10", "-rss_limit_mb=1024", "-verbosity=0"])
                .args(["-print_final_stats=1", &format!("-max_total_time={each}")]);
            tree::run(&mut run)
        });
    }
    Ok(())
}

/// cargo of the nightly toolchain, whatever runs this chore: only it takes the flags that cargo-fuzz sets.
fn fuzz() -> Command {
    let mut cargo = Command::new("rustup");
    cargo
        .current_dir(tree::root())
        .args(["run", "nightly", "cargo", "fuzz"]);
    cargo
}

fn installed() -> Result<(), Failure> {
    let missing = [
        (
            ["run", "nightly", "rustc", "--version"].as_slice(),
            "the nightly toolchain: rustup toolchain install nightly --profile minimal",
        ),
        (
            ["run", "nightly", "cargo", "fuzz", "--version"].as_slice(),
            "cargo-fuzz: cargo install cargo-fuzz --locked",
        ),
    ];
    for (arguments, mend) in missing {
        let mut command = Command::new("rustup");
        command.args(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if !command.status().is_ok_and(|status| status.success()) {
            return Err(format!("fuzzing needs {mend}"));
        }
    }
    Ok(())
}

/// A file a target.
fn targets() -> Result<Vec<String>, Failure> {
    let folder = tree::root().join("fuzz/fuzz_targets");
    let files = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut targets: Vec<String> = files
        .flatten()
        .filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    targets.sort();
    Ok(targets)
}

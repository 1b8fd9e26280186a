use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// The cargo that runs this chore.
pub(crate) fn cargo<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).args(arguments);
    cargo
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let said = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{said}: {status}")),
        Err(error) => Err(format!("{said}: {error}")),
    }
}

/// The names of the workspace's packages, with their folders.
pub(crate) fn packages() -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut packages = Vec::new();
    for folder in ["crates", "examples", "."] {
        let folder = root().join(folder);
        if !folder.is_dir() {
            continue;
        }
        let entries =
            std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries.flatten() {
            let manifest =
                std::fs::read_to_string(entry.path().join("Cargo.toml")).unwrap_or_default();
            let name = manifest
                .lines()
                .find_map(|line| line.strip_prefix("name = "));
            // The fuzz targets are a workspace of their own.
            let name = name.filter(|_| !manifest.lines().any(|line| line == "[workspace]"));
            packages.extend(name.map(|name| (name.trim_matches('"').to_owned(), entry.path())));
        }
    }
    packages.sort();
    Ok(packages)
}

//! `cargo xtask features`: each crate must stand alone, and a feature must not lean on another that happens to be on.

use std::fs;
use std::path::Path;

use crate::Failure;
use crate::report::Report;
use crate::tree;

pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    for (name, folder) in tree::packages()? {
        let features = features(&folder)?;
        report.step(
            &format!("{name}: alone, {} features", features.len()),
            || {
                check(&name, &[])?;
                for feature in &features {
                    check(&name, &["--features", feature])?;
                }
                if features.len() > 1 {
                    check(&name, &["--all-features"])
                } else {
                    Ok(())
                }
            },
        );
    }
    Ok(())
}

fn check(name: &str, features: &[&str]) -> Result<(), Failure> {
    let arguments = [
        "clippy",
        "--quiet",
        "--no-deps",
        "--package",
        name,
        "--no-default-features",
    ];
    tree::run(
        tree::cargo(arguments)
            .args(features)
            .args(["--", "-D", "warnings"]),
    )
}

fn features(folder: &Path) -> Result<Vec<String>, Failure> {
    let path = folder.join("Cargo.toml");
    let manifest =
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(named(&manifest))
}

/// The keys of the table `[features]`, but `default`.
fn named(manifest: &str) -> Vec<String> {
    let table = manifest
        .lines()
        .skip_while(|line| line.trim() != "[features]")
        .skip(1);
    let keys = table
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| {
            let (key, _) = line.split_once('=')?;
            // A line that goes on from the one above begins with white space, and a note with `#`.
            (!key.starts_with([' ', '\t', '#'])).then(|| key.trim().trim_matches('"').to_owned())
        });
    keys.filter(|key| key != "default").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_the_keys_of_their_table() {
        let manifest = "[package]\nname = \"a\"\n\n[features]\ndefault = []\n# why = not\nredis = [\n    \"dep:redis\",\n]\nsql-lite = [\"dep:x\"]\n\n[dependencies]\nb = \"1\"\n";
        assert_eq!(named(manifest), ["redis", "sql-lite"]);
        assert!(named("[package]\nname = \"a\"\n").is_empty());
    }
}

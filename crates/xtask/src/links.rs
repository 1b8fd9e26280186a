//! `cargo xtask docs-links`: each link from one file of the project to another leads somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use crate::report::Report;
use crate::{Failure, tree};

/// Folders that are not the project's own text.
const FOREIGN: [&str; 3] = ["target", "node_modules", ".git"];

pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    let mut files = Vec::new();
    collect(&tree::root(), &mut files)?;
    report.step(&format!("links in {} documents", files.len()), || {
        let mut broken = Vec::new();
        for file in &files {
            let text =
                fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            let dead = targets(&text)
                .into_iter()
                .filter(|target| !leads_somewhere(file, &text, target));
            broken.extend(dead.map(|target| format!("{}: {target}", file.display())));
        }
        if broken.is_empty() {
            Ok(())
        } else {
            Err(broken.join("\n"))
        }
    });
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let unread = |error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && !FOREIGN.iter().any(|foreign| name == *foreign) {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    Ok(())
}

/// What stands in `](…)`, outside code.
fn targets(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut targets = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        let spoken: String = line.split('`').step_by(2).collect();
        let links = spoken
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'));
        targets.extend(links.map(|(target, _)| target.to_owned()));
    }
    targets
}

fn leads_somewhere(file: &Path, text: &str, target: &str) -> bool {
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let to = if path.is_empty() {
        file.to_owned()
    } else {
        file.parent().unwrap_or(file).join(path)
    };
    let there = if path.is_empty() {
        text.to_owned()
    } else {
        fs::read_to_string(&to).unwrap_or_default()
    };
    to.exists()
        && (anchor.is_empty()
            || there
                .lines()
                .any(|line| line.starts_with('#') && slug(line) == anchor))
}

/// The anchor of a heading, as the forges make it.
fn slug(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_code() {
        let text = "a [b](c.md) and `[no](x)` [d](e#f)\n```\n[no](y)\n```\n[g](h)";
        assert_eq!(targets(text), ["c.md", "e#f", "h"]);
    }

    #[test]
    fn an_anchor_is_its_headings_words() {
        let text = "# One: two `three`, four\n";
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert!(leads_somewhere(&file, text, "#one-two-three-four"));
        assert!(!leads_somewhere(&file, text, "#two"));
        assert!(leads_somewhere(&file, text, "src/main.rs"));
        assert!(!leads_somewhere(&file, text, "src/none.rs"));
    }
}

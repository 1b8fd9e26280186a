//! Presidio's own pattern recognisers on the same texts, in an environment of their own.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Failure;
use crate::case::{Dataset, Found, bytes};

/// What Presidio found, and the time that its recognisers took for all texts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// An entry for each case.
    pub findings: Vec<Vec<Found>>,
    /// Without loading and without splitting texts into words.
    pub took: Duration,
    /// Its version.
    pub version: String,
}

/// Runs Presidio in the environment whose interpreter is `python`.
///
/// # Errors
///
/// It can't be started, or answers something else than findings.
pub fn find(python: &Path, dataset: &Dataset) -> Result<Answer, Failure> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("presidio/find.py");
    let wrong = |error: std::io::Error| format!("{}: {error}", python.display());
    let mut child = Command::new(python)
        .arg(script)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(wrong)?;
    let mut texts = child.stdin.take().ok_or("no way to Presidio")?;
    // It reads all before it writes anything.
    for case in &dataset.cases {
        writeln!(texts, "{}", json!(case.text)).map_err(wrong)?;
    }
    drop(texts);
    let output = child.wait_with_output().map_err(wrong)?;
    if !output.status.success() {
        return Err(format!("Presidio: {}", output.status));
    }
    let answer = String::from_utf8_lossy(&output.stdout);
    let rows: Vec<Value> = answer
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("Presidio: {error}"))?;
    let Some((last, rows)) = rows
        .split_last()
        .filter(|(_, rows)| rows.len() == dataset.cases.len())
    else {
        return Err("Presidio: not an answer for each text".to_owned());
    };
    let findings = rows.iter().zip(&dataset.cases).map(|(row, case)| {
        let found = |row: &Value| {
            let place = |name: &str| row.get(name)?.as_u64()?.try_into().ok();
            let range = bytes(&case.text, place("start")?, place("end")?);
            let score = row.get("score")?.as_f64()? as f32;
            Some(Found::new(row.get("entity")?.as_str()?, range, score))
        };
        row.as_array()
            .into_iter()
            .flatten()
            .filter_map(found)
            .collect()
    });
    Ok(Answer {
        findings: findings.collect(),
        took: Duration::from_secs_f64(
            last.get("seconds")
                .and_then(Value::as_f64)
                .unwrap_or_default(),
        ),
        version: last
            .get("version")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    })
}

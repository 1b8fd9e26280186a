//! Presidio's own pattern recognisers on the same texts, in an environment of their own.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
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
    let wrong = |error: std::io::Error| format!("{}: {error}", python.display());
    let mut child = run(python, "find.py")?;
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

fn run(python: &Path, script: &str) -> Result<Child, Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("presidio");
    Command::new(python)
        .arg(folder.join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", python.display()))
}

/// Presidio, loaded and warm, which tells what it takes for one text after another. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Session {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub(crate) version: String,
    /// How many recognisers are on, as the evaluation runs it and with those of all states.
    pub(crate) recognizers: [u64; 2],
}

impl Session {
    pub(crate) fn start(python: &Path) -> Result<Self, Failure> {
        let mut child = run(python, "speed.py")?;
        let ways = child.stdin.take().zip(child.stdout.take());
        let (asks, answers) = ways.ok_or("no way to Presidio")?;
        let mut session = Self {
            child,
            asks,
            answers: BufReader::new(answers),
            version: String::new(),
            recognizers: [0; 2],
        };
        let loaded = session.answer()?;
        let count = |at: usize| loaded.get("recognizers")?.get(at)?.as_u64();
        session.recognizers = [0, 1].map(|at| count(at).unwrap_or_default());
        let version = loaded.get("version").and_then(Value::as_str);
        session.version = version.unwrap_or_default().to_owned();
        Ok(session)
    }

    /// What a call with `text` takes, and how much it finds, with the recognisers of all states or without.
    pub(crate) fn time(
        &mut self,
        text: &str,
        every: bool,
        long: Duration,
    ) -> Result<(Duration, usize), Failure> {
        let ask = json!({"text": text, "every": every, "seconds": long.as_secs_f64()});
        writeln!(self.asks, "{ask}").map_err(|error| format!("Presidio: {error}"))?;
        let answer = self.answer()?;
        let seconds = answer.get("seconds").and_then(Value::as_f64);
        let found = answer.get("found").and_then(Value::as_u64);
        let told = seconds.zip(found.and_then(|found| found.try_into().ok()));
        let (seconds, found) = told.ok_or("Presidio: no times")?;
        Ok((Duration::from_secs_f64(seconds), found))
    }

    fn answer(&mut self) -> Result<Value, Failure> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line);
        read.map_err(|error| error.to_string())
            .and_then(|_| serde_json::from_str(&line).map_err(|error| error.to_string()))
            .map_err(|error| format!("Presidio: {error}"))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

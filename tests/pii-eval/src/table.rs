//! What an evaluation prints.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use crate::case::Dataset;
use crate::score::{Miss, Score, Tally};

/// Who found what, for one column of the table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Column {
    /// `Bartizan`, `Presidio 2.2.366`.
    pub name: String,
    /// What came of it.
    pub score: Score,
    /// How long all texts took; zero where nothing is told of it.
    pub took: Duration,
}

impl Column {
    /// Creates a column.
    #[must_use]
    pub fn new(name: &str, score: Score, took: Duration) -> Self {
        Self {
            name: name.to_owned(),
            score,
            took,
        }
    }
}

/// The whole report: sizes, the table, forms, confusion and traps of each column; misses and alarms of the first.
#[must_use]
pub fn report(dataset: &Dataset, columns: &[Column]) -> String {
    let mut out = String::new();
    let marked: usize = dataset.cases.iter().map(|case| case.spans.len()).sum();
    let traps: usize = dataset.cases.iter().map(|case| case.traps.len()).sum();
    line(
        &mut out,
        format_args!(
            "{}: {} texts, {} bytes, {marked} marked, {traps} traps",
            dataset.name,
            dataset.cases.len(),
            dataset.len()
        ),
    );
    entities(&mut out, columns);
    for column in columns.iter().filter(|column| !column.took.is_zero()) {
        let micros = column.took.as_secs_f64() * 1e6 / (dataset.len().max(1) as f64 / 1024.0);
        line(
            &mut out,
            format_args!("{}: {micros:.1} µs a KB", column.name),
        );
    }
    forms(&mut out, columns);
    caught(&mut out, columns);
    for column in columns {
        confusion(&mut out, column);
    }
    if let Some(first) = columns.first() {
        each(&mut out, &first.name, "misses", &first.score.misses);
        each(&mut out, &first.name, "false alarms", &first.score.alarms);
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // A String takes all that is written to it.
    let _ = writeln!(out, "{text}");
}

fn entities(out: &mut String, columns: &[Column]) {
    let names: BTreeSet<&String> = columns
        .iter()
        .flat_map(|column| column.score.entities.keys())
        .collect();
    let mut head = format!("\n{:26} {:>6}", "entity", "marked");
    for column in columns {
        let _ = write!(head, " | {:^35}", column.name);
    }
    line(out, format_args!("{head}"));
    let mut head = format!("{:33}", "");
    for _ in columns {
        let _ = write!(
            head,
            " | {:>5} {:>5} {:>5} {:>5} {:>5}    ",
            "P", "R", "F2", "miss", "false"
        );
    }
    line(out, format_args!("{}", head.trim_end()));
    for name in names {
        let tallies: Vec<Tally> = columns
            .iter()
            .map(|column| column.score.tally(name))
            .collect();
        let marked = tallies.first().map_or(0, Tally::marked);
        let mut row = format!("{name:26} {marked:>6}");
        for tally in tallies {
            let figure = |value: f64, there: bool| {
                if there {
                    format!("{value:.3}")
                } else {
                    "–".to_owned()
                }
            };
            let _ = write!(
                row,
                " | {:>5} {:>5} {:>5} {:>5} {:>5}    ",
                figure(tally.precision(), tally.hits + tally.alarms > 0),
                figure(tally.recall(), marked > 0),
                figure(tally.f2(), marked > 0),
                tally.misses,
                tally.alarms
            );
        }
        line(out, format_args!("{}", row.trim_end()));
    }
    for column in columns {
        if !column.score.unmarked.is_empty() {
            line(
                out,
                format_args!(
                    "{} also found what this set doesn't mark: {:?}",
                    column.name, column.score.unmarked
                ),
            );
        }
    }
}

fn forms(out: &mut String, columns: &[Column]) {
    let keys: BTreeSet<&(String, &str)> = columns
        .iter()
        .flat_map(|column| column.score.forms.keys())
        .collect();
    if keys.iter().all(|(_, form)| form.is_empty()) {
        return;
    }
    line(out, format_args!("\nrecall by form"));
    for key in keys {
        let (name, form) = key;
        let mut row = format!("{name:26} {form:>10}");
        for column in columns {
            let tally = column.score.forms.get(key).copied().unwrap_or_default();
            let _ = write!(row, " | {:.3} of {:>4}", tally.recall(), tally.marked());
        }
        line(out, format_args!("{row}"));
    }
}

fn caught(out: &mut String, columns: &[Column]) {
    let kinds: BTreeSet<&String> = columns
        .iter()
        .flat_map(|column| column.score.traps.keys())
        .collect();
    if kinds.is_empty() {
        return;
    }
    line(out, format_args!("\ntraps: how many were found as what"));
    for kind in kinds {
        let all = columns
            .first()
            .and_then(|column| column.score.traps.get(kind))
            .copied()
            .unwrap_or_default();
        let mut row = format!("{kind:18} {all:>5}");
        for column in columns {
            let found: Vec<String> = column
                .score
                .caught
                .iter()
                .filter(|((trap, _), _)| trap == kind)
                .map(|((_, entity), count)| {
                    format!(
                        "{entity} {:.1} %",
                        *count as f64 * 100.0 / all.max(1) as f64
                    )
                })
                .collect();
            let _ = write!(
                row,
                " | {}",
                if found.is_empty() {
                    "none".to_owned()
                } else {
                    found.join(", ")
                }
            );
        }
        line(out, format_args!("{row}"));
    }
}

fn confusion(out: &mut String, column: &Column) {
    if column.score.confusion.is_empty() {
        return;
    }
    line(out, format_args!("\n{}: marked, and found as", column.name));
    for ((marked, found), count) in &column.score.confusion {
        line(out, format_args!("{marked:26} {found:26} {count:>5}"));
    }
}

fn each(out: &mut String, name: &str, what: &str, misses: &[Miss]) {
    line(out, format_args!("\n{name}: {} {what}", misses.len()));
    let mut sorted: Vec<&Miss> = misses.iter().collect();
    sorted.sort_by(|a, b| (&a.entity, a.form).cmp(&(&b.entity, b.form)));
    for miss in sorted {
        let instead = miss
            .instead
            .as_ref()
            .map(|other| format!(" ({other})"))
            .unwrap_or_default();
        line(
            out,
            format_args!(
                "  {} {} {}: {}{instead}",
                miss.entity, miss.form, miss.case, miss.excerpt
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Case, Found};

    #[test]
    fn a_report_tells_sizes_figures_times_misses_and_alarms() {
        let case = Case::new("PAN ABCPE1234F, card 4111").span("IN_PAN", 4..14);
        let dataset = Dataset::new("mine", vec![case]);
        let score = |found: Vec<Found>| Score::of(&dataset, &[found]);
        let ours = score(vec![Found::new("CREDIT_CARD", 21..25, 1.0)]);
        let theirs = score(vec![Found::new("IN_PAN", 4..14, 1.0)]);
        let columns = [
            Column::new("Bartizan", ours, Duration::from_micros(1)),
            Column::new("Other", theirs, Duration::from_millis(1)),
        ];
        let report = report(&dataset, &columns);
        for line in [
            "mine: 1 texts, 25 bytes, 1 marked, 0 traps",
            "IN_PAN                          1 |     – 0.000 0.000     1     0     | 1.000 1.000 1.000     0     0",
            "Bartizan: 41.0 µs a KB",
            "Other: 40960.0 µs a KB",
            "Bartizan: 1 misses",
            "Bartizan: 1 false alarms",
        ] {
            assert!(
                report.lines().any(|there| there == line),
                "{line}\n{report}"
            );
        }
        assert!(report.contains("⟦ABCPE1234F⟧"), "{report}");
    }
}

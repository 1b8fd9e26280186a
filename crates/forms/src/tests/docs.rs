use std::fmt::Write;

use super::*;

/// The table of `docs/secrets.md`: a row an id, with the vendors and forms that share it.
fn table(forms: &Forms) -> String {
    let mut table = String::from("| id | vendor | written | checks |\n|---|---|---|---|\n");
    let cell = |text: &str| text.replace('|', "\\|");
    let mut at = 0;
    while let Some(row) = forms.rows.get(at) {
        let same = forms.rows[at..]
            .iter()
            .take_while(|other| other.form.id == row.form.id);
        let same: Vec<&Form> = same.map(|row| &row.form).collect();
        let shapes: Vec<String> = same
            .iter()
            .map(|form| format!("`{}`", cell(form.shape)))
            .collect();
        let checks: Vec<&str> = same
            .iter()
            .map(|form| form.checks)
            .filter(|checks| !checks.is_empty())
            .collect();
        let mut checks = checks;
        checks.dedup();
        writeln!(
            table,
            "| `{}` | {} | {} | {} |",
            row.form.id,
            row.form.vendor,
            shapes.join("<br>"),
            checks.join("; ")
        )
        .unwrap();
        at += same.len();
    }
    table
}

#[test]
fn the_page_lists_the_table() {
    const BETWEEN: (&str, &str) = ("<!-- the table -->\n", "<!-- its end -->");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/secrets.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BETWEEN.0).unwrap();
    let (listed, after) = rest.split_once(BETWEEN.1).unwrap();
    let table = table(Forms::shipped());
    if std::env::var_os("BARTIZAN_WRITE_DOCS").is_some() {
        std::fs::write(
            path,
            format!("{before}{}{table}{}{after}", BETWEEN.0, BETWEEN.1),
        )
        .unwrap();
        return;
    }
    assert!(
        listed == table,
        "docs/secrets.md is old: run this test with BARTIZAN_WRITE_DOCS=1"
    );
}

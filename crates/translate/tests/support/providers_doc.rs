//! The table of providers for `docs/providers.md`, made of `data/providers.ini`.

use std::fmt::Write as _;

const TABLE: &str = include_str!("../../data/providers.ini");
const START: &str = "<!-- made by cargo xtask providers-doc -->\n";
const END: &str = "<!-- end -->\n";

/// One provider's lines.
struct Told<'t> {
    slug: &'t str,
    note: &'t str,
    fields: Vec<(&'t str, &'t str)>,
}

impl<'t> Told<'t> {
    fn all(&self, field: &str) -> impl Iterator<Item = &'t str> {
        let found = self.fields.iter().filter(move |(name, _)| *name == field);
        found.map(|(_, value)| *value)
    }

    fn one(&self, field: &str) -> &'t str {
        self.all(field).next().unwrap_or_default()
    }
}

fn told() -> Vec<Told<'static>> {
    let mut all: Vec<Told<'static>> = Vec::new();
    let mut note = "";
    for line in TABLE.lines() {
        if let Some(slug) = line.strip_prefix('[') {
            all.push(Told {
                slug: slug.trim_end_matches(']'),
                note,
                fields: Vec::new(),
            });
        } else if let Some((field, value)) = line.split_once(" = ")
            && !line.starts_with('#')
            && let Some(last) = all.last_mut()
        {
            last.fields.push((field, value));
        }
        note = line.strip_prefix("# ").unwrap_or_default();
    }
    all
}

/// `page` with the table as the data has it.
pub(crate) fn rewritten(page: &str) -> Result<String, String> {
    let parts = page.split_once(START).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) =
        parts.ok_or_else(|| format!("{START} and {END} belong around the table"))?;
    Ok(format!("{before}{START}{}{END}{after}", table()))
}

fn table() -> String {
    let all = told();
    let mut page = format!(
        "{} providers.\n\n| name | who | base URL | speaks | key | at home, computes in | differs |\n|---|---|---|---|---|---|---|\n",
        all.len()
    );
    for told in &all {
        let mut names = format!("`{}`", told.slug);
        for also in told.all("also").flat_map(|also| also.split(", ")) {
            let _ = write!(names, ", `{}`", also.split(' ').next().unwrap_or(also));
        }
        let note = if told.note.is_empty() {
            String::new()
        } else {
            format!(". {}", told.note.trim_end_matches('.'))
        };
        let _ = writeln!(
            page,
            "| {names} | {}{note} | {} | {} | {} | {} | {} |",
            told.one("name"),
            base(told),
            spoken(told),
            key(told),
            place(told),
            differs(told),
        );
    }
    page
}

fn base(told: &Told<'_>) -> String {
    match told.one("base") {
        "" => "yours".to_owned(),
        base => format!("`{base}`"),
    }
}

/// The dialects, each once.
fn spoken(told: &Told<'_>) -> String {
    let mut all: Vec<&str> = Vec::new();
    for (field, value) in &told.fields {
        let found: Vec<&str> = match *field {
            "speaks" => value.split(", ").collect(),
            "route" => value.split(' ').take(1).collect(),
            _ => Vec::new(),
        };
        for dialect in found {
            if !all.contains(&dialect) {
                all.push(dialect);
            }
        }
    }
    all.join(", ")
}

fn key(told: &Told<'_>) -> String {
    let how = match told.one("auth") {
        "" => "",
        "optional" => "if any, ",
        "azure" => "`api-key`, ",
        "google" => "service account, ",
        "sigv4 bedrock" => "signed, or ",
        header => header.strip_prefix("header ").unwrap_or_default(),
    };
    let how = match how {
        "" => String::new(),
        words if words.ends_with(", ") || words.ends_with("or ") => words.to_owned(),
        header => format!("`{header}`, "),
    };
    let variables: Vec<String> = told
        .one("key_env")
        .split(", ")
        .map(|name| format!("`{name}`"))
        .collect();
    format!("{how}{}", variables.join(" or "))
}

fn place(told: &Told<'_>) -> String {
    let settings: Vec<String> = told
        .all("setting")
        .map(|setting| format!("`{}`", setting.split(' ').next().unwrap_or(setting)))
        .filter(|name| name == "`region`" || name == "`location`")
        .collect();
    let computes = match (told.one("region"), settings.first()) {
        (_, Some(setting)) => setting.as_str(),
        (region, None) => region,
    };
    [told.one("seat"), computes]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

fn differs(told: &Told<'_>) -> String {
    let mut all: Vec<String> = Vec::new();
    for rename in told.all("rename").flat_map(|renames| renames.split(", ")) {
        all.push(format!("`{}`", rename.replace(" > ", "` is `")));
    }
    for (field, word) in [("drop", "drops"), ("refuse", "refuses"), ("take", "takes")] {
        let members: Vec<String> = told
            .all(field)
            .flat_map(|members| members.split(", "))
            .map(|member| format!("`{member}`"))
            .collect();
        if !members.is_empty() {
            all.push(format!("{word} {}", members.join(", ")));
        }
    }
    if let Some(most) = told.all("max_temperature").next() {
        all.push(format!("temperature to {most}"));
    }
    all.extend(told.all("quirks").map(str::to_owned));
    all.join("; ")
}

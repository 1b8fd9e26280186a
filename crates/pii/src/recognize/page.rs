//! `docs/pii-entities.md`, which lists what the tables say.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::RECOGNIZERS;
use crate::Entity;

/// The fields of the lines for `entity` in both tables: score without a word, and check.
fn rows(entity: Entity) -> impl Iterator<Item = (f32, &'static str)> {
    [
        include_str!("../../data/numbers.txt"),
        include_str!("../../data/codes.txt"),
    ]
    .into_iter()
    .flat_map(str::lines)
    .filter_map(move |line| {
        let mut fields = line.split(" | ").map(str::trim);
        (fields.next()? == entity.as_str()).then_some(())?;
        Some((fields.nth(1)?.parse().ok()?, fields.nth(1)?))
    })
}

fn table() -> String {
    let mut table = String::from("| kind | what it is | counts | checks |\n|---|---|---|---|\n");
    for entity in Entity::ALL {
        // Their functions, for two lines and for other scripts, want a word as their lines in the tables do.
        let alike = matches!(entity, Entity::InAadhaarVid | Entity::DateOfBirth);
        let by_hand = !alike && RECOGNIZERS.iter().any(|own| own.entity == *entity);
        let best = rows(*entity).map(|(score, _)| score).fold(0.0, f32::max);
        let counts = match () {
            () if !entity.is_built_in() => "by a model alone",
            () if by_hand || best >= 0.5 || *entity == Entity::Secret => "alone, or beside a word",
            () => "beside a word that says so",
        };
        let checks: BTreeSet<&str> = rows(*entity)
            .map(|(_, check)| check)
            .filter(|check| *check != "-")
            .chain(match entity {
                Entity::InAadhaar => Some("verhoeff"),
                Entity::InGstin => Some("luhn_mod_36"),
                Entity::Card => Some("luhn"),
                Entity::Iban => Some("mod_97"),
                Entity::Crypto => Some("base58check, bech32"),
                Entity::Secret => Some("[secrets.md](secrets.md)"),
                _ => None,
            })
            .collect();
        let checks: Vec<&str> = checks.into_iter().collect();
        writeln!(
            table,
            "| `{entity}` | {} | {counts} | {} |",
            entity.description(),
            checks.join(", ")
        )
        .unwrap();
    }
    table
}

#[test]
fn the_page_lists_the_tables() {
    const BETWEEN: (&str, &str) = ("<!-- the table -->\n", "<!-- its end -->");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/pii-entities.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BETWEEN.0).unwrap();
    let (listed, after) = rest.split_once(BETWEEN.1).unwrap();
    let table = table();
    if std::env::var_os("BARTIZAN_WRITE_DOCS").is_some() {
        let page = format!("{before}{}{table}{}{after}", BETWEEN.0, BETWEEN.1);
        std::fs::write(path, page).unwrap();
        return;
    }
    assert!(
        listed == table,
        "docs/pii-entities.md is old: run this test with BARTIZAN_WRITE_DOCS=1"
    );
}

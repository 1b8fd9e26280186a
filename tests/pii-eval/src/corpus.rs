//! Texts of India, generated: hand-written templates (`templates/`) whose slots are filled with numbers that have the right
//! check digits and belong to nobody that we know of, in all the ways in which people and programs write them, among what
//! only looks like them. The same seed gives the same texts.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::corpus::chance::Chance;
use crate::corpus::template::{Part, Template};
use crate::{Case, Dataset, Failure, Span, Trap};

mod abroad;
mod chance;
mod check;
mod entities;
mod filler;
mod forms;
mod india;
mod secrets;
mod template;
mod traps;
mod world;

/// The seed unless another is given.
pub const SEED: u64 = 1;

/// How many texts a template gives.
const TEXTS: usize = 8;
/// How many a template of `negatives` gives: a rate of 1 % is to be seen.
const NEGATIVES: usize = 30;
/// How many texts a document has.
const DOCUMENT: usize = 12;

/// What templates give, beside their texts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Contents {
    /// How many templates there are.
    pub templates: usize,
    /// The languages that they are written in.
    pub languages: BTreeSet<String>,
    /// The kinds of their files: `chat`, `kyc` …
    pub kinds: BTreeSet<String>,
    /// The kinds of traps in them.
    pub traps: BTreeSet<String>,
    /// The entities in them.
    pub entities: BTreeSet<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")
}

/// All texts of the corpus but those of [`secrets()`] and [`world()`]: personal data and traps.
///
/// # Errors
///
/// A template can't be read, or has a slot that nothing is known of.
pub fn india(seed: u64) -> Result<Dataset, Failure> {
    generate("india", seed, |template| match Sort::of(template) {
        Sort::Data => TEXTS,
        Sort::Traps => NEGATIVES / 5,
        Sort::Secrets | Sort::World => 0,
    })
}

/// The texts that hold traps and no personal data, more of each.
///
/// # Errors
///
/// As [`india()`].
pub fn negatives(seed: u64) -> Result<Dataset, Failure> {
    generate("negatives", seed, |template| match Sort::of(template) {
        Sort::Traps => NEGATIVES,
        Sort::Data | Sort::Secrets | Sort::World => 0,
    })
}

/// The texts that hold keys and tokens, or what looks like them.
///
/// # Errors
///
/// As [`india()`].
pub fn secrets(seed: u64) -> Result<Dataset, Failure> {
    generate("secrets", seed, |template| match Sort::of(template) {
        Sort::Secrets => TEXTS,
        Sort::Data | Sort::Traps | Sort::World => 0,
    })
}

/// The texts of [`india()`], twelve of them after one another in each document: what stands near a number is often about another.
///
/// # Errors
///
/// As [`india()`].
pub fn documents(seed: u64) -> Result<Dataset, Failure> {
    let mut cases = india(seed)?.cases;
    let mut chance = Chance::new(seed, &["documents"], 0);
    for index in (1..cases.len()).rev() {
        cases.swap(index, chance.below(index + 1));
    }
    let documents = cases.chunks(DOCUMENT).map(|cases| {
        let mut document = Case::default();
        for case in cases {
            if !document.text.is_empty() {
                document.text.push_str(chance.pick(&["\n\n", "\n", " "]));
                document.name.push(' ');
            }
            let start = document.text.len();
            let moved = |range: &Range<usize>| range.start + start..range.end + start;
            document.name.push_str(&case.name);
            document.text.push_str(&case.text);
            document.spans.extend(case.spans.iter().map(|span| Span {
                range: moved(&span.range),
                ..span.clone()
            }));
            document.traps.extend(case.traps.iter().map(|trap| Trap {
                range: moved(&trap.range),
                ..trap.clone()
            }));
        }
        document
    });
    Ok(Dataset::new("documents", documents.collect()))
}

/// The texts that hold numbers of other states.
///
/// # Errors
///
/// As [`india()`].
pub fn world(seed: u64) -> Result<Dataset, Failure> {
    generate("world", seed, |template| match Sort::of(template) {
        Sort::World => TEXTS,
        Sort::Data | Sort::Traps | Sort::Secrets => 0,
    })
}

/// What the templates are.
///
/// # Errors
///
/// As [`india()`].
pub fn contents() -> Result<Contents, Failure> {
    let templates = template::read(&folder())?;
    let mut contents = Contents {
        templates: templates.len(),
        languages: templates
            .iter()
            .map(|template| template.language.clone())
            .collect(),
        kinds: BTreeSet::new(),
        traps: BTreeSet::new(),
        entities: BTreeSet::new(),
    };
    for template in templates {
        let kind = template.name.split('.').next().unwrap_or_default();
        contents.kinds.insert(kind.to_owned());
        for part in template.parts {
            match part {
                Part::Data { entity, .. } => contents.entities.insert(entity),
                Part::Trap(kind) => contents.traps.insert(kind),
                Part::Text(_) | Part::Filler(_) => false,
            };
        }
    }
    Ok(contents)
}

/// Entities that slots may name.
pub fn entities() -> impl Iterator<Item = &'static str> {
    entities::names()
}

/// Kinds of keys and tokens that slots may name.
pub fn secret_kinds() -> impl Iterator<Item = &'static str> {
    secrets::kinds()
}

/// Kinds of traps that slots may name.
#[must_use]
pub fn trap_kinds() -> &'static [&'static str] {
    traps::KINDS
}

/// What a template is for.
enum Sort {
    Data,
    Traps,
    Secrets,
    World,
}

impl Sort {
    fn of(template: &Template) -> Self {
        let data = |part: &Part| matches!(part, Part::Data { .. });
        if template.name.starts_with("secret.") {
            Self::Secrets
        } else if template.name.starts_with("world.") {
            Self::World
        } else if template.parts.iter().any(data) {
            Self::Data
        } else {
            Self::Traps
        }
    }
}

fn generate(name: &str, seed: u64, texts: impl Fn(&Template) -> usize) -> Result<Dataset, Failure> {
    let mut cases = Vec::new();
    for template in template::read(&folder())? {
        for number in 0..texts(&template) {
            cases.push(fill(&template, seed, number)?);
        }
    }
    Ok(Dataset::new(name, cases))
}

fn fill(template: &Template, seed: u64, number: usize) -> Result<Case, Failure> {
    let mut chance = Chance::new(seed, &[&template.name], number);
    let chance = &mut chance;
    let language = template.language.as_str();
    let mut case = Case {
        name: format!("{}/{number}", template.name),
        ..Case::default()
    };
    for part in &template.parts {
        let unknown = |slot: &str| format!("{}: nothing is known of {slot}", template.name);
        let start = case.text.len();
        match part {
            Part::Text(text) => case.text.push_str(text),
            Part::Data { entity, wish } => {
                let (entity, text, form) = entities::write(entity, wish, language, chance)
                    .ok_or_else(|| unknown(&format!("{{{entity}:{wish}}}")))?;
                case.text.push_str(&text);
                case.spans.push(Span {
                    entity: entity.to_owned(),
                    range: start..case.text.len(),
                    form,
                });
            }
            Part::Trap(kind) => {
                let text = traps::write(kind, chance).ok_or_else(|| unknown(kind))?;
                case.text.push_str(&text);
                case.traps.push(Trap {
                    kind: kind.clone(),
                    range: start..case.text.len(),
                });
            }
            Part::Filler(name) => {
                let text = filler::write(name, language, chance).ok_or_else(|| unknown(name))?;
                case.text.push_str(&text);
            }
        }
    }
    Ok(case)
}

use std::collections::BTreeMap;
use std::ops::Range;

use bartizan_pii::Analyzer;

use crate::case::{Case, Dataset, Found, overlap, touch};

/// How much of a span and a finding must be shared for the one to be found by the other: the bytes in both, of those in either.
pub const OVERLAP: f64 = 0.7;

/// Counts of one entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Marked and found.
    pub hits: usize,
    /// Marked and not found.
    pub misses: usize,
    /// Found and not marked.
    pub alarms: usize,
}

impl Tally {
    /// The part of what was found that is right; 1 where nothing was found.
    #[must_use]
    pub fn precision(&self) -> f64 {
        part(self.hits, self.alarms)
    }

    /// The part of what is marked that was found; 1 where nothing is marked.
    #[must_use]
    pub fn recall(&self) -> f64 {
        part(self.hits, self.misses)
    }

    /// Both in one figure that weighs recall four times as much as precision.
    #[must_use]
    pub fn f2(&self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        let below = 4.0 * precision + recall;
        if below == 0.0 {
            0.0
        } else {
            5.0 * precision * recall / below
        }
    }

    /// How many are marked.
    #[must_use]
    pub fn marked(&self) -> usize {
        self.hits + self.misses
    }
}

fn part(right: usize, wrong: usize) -> f64 {
    if right + wrong == 0 {
        1.0
    } else {
        right as f64 / (right + wrong) as f64
    }
}

/// A span or a finding that has no counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Miss {
    /// The case's name.
    pub case: String,
    /// The entity that is marked, or was found.
    pub entity: String,
    /// The form of what is marked.
    pub form: &'static str,
    /// Where.
    pub range: Range<usize>,
    /// The text with a little around it.
    pub excerpt: String,
    /// What was found there, or is marked there, instead; or the trap that caught it.
    pub instead: Option<String>,
}

/// How findings compare with what is marked.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Score {
    /// Per entity.
    pub entities: BTreeMap<String, Tally>,
    /// Hits and misses per entity and form.
    pub forms: BTreeMap<(String, &'static str), Tally>,
    /// How often what is marked as the first was found as the second.
    pub confusion: BTreeMap<(String, String), usize>,
    /// How many traps there were of each kind.
    pub traps: BTreeMap<String, usize>,
    /// How often a trap of that kind was found as that entity.
    pub caught: BTreeMap<(String, String), usize>,
    /// What is marked and was not found.
    pub misses: Vec<Miss>,
    /// What was found and is not marked.
    pub alarms: Vec<Miss>,
    /// Findings of kinds that the data set doesn't mark.
    pub unmarked: BTreeMap<String, usize>,
}

impl Score {
    /// Compares; `findings` has an entry for each case.
    #[must_use]
    pub fn of(dataset: &Dataset, findings: &[Vec<Found>]) -> Self {
        let mut score = Self::default();
        for (case, found) in dataset.cases.iter().zip(findings) {
            score.add(dataset, case, found);
        }
        score
    }

    /// The counts of an entity.
    #[must_use]
    pub fn tally(&self, entity: &str) -> Tally {
        self.entities.get(entity).copied().unwrap_or_default()
    }

    /// Hits and misses of an entity in the usual forms, or in all others.
    #[must_use]
    pub fn forms(&self, entity: &str, usual: bool) -> Tally {
        let mut all = Tally::default();
        for ((_, form), tally) in self.forms.iter().filter(|((name, _), _)| name == entity) {
            if (*form == "usual") == usual {
                all.hits += tally.hits;
                all.misses += tally.misses;
            }
        }
        all
    }

    /// The part of the traps of a kind that was found as `entity`, or as anything.
    #[must_use]
    pub fn rate(&self, kind: &str, entity: Option<&str>) -> f64 {
        let caught: usize = self
            .caught
            .iter()
            .filter(|((trap, found), _)| trap == kind && entity.is_none_or(|name| name == found))
            .map(|(_, count)| count)
            .sum();
        let all = self.traps.get(kind).copied().unwrap_or_default();
        caught as f64 / all.max(1) as f64
    }

    fn add(&mut self, dataset: &Dataset, case: &Case, found: &[Found]) {
        let mut free: Vec<&Found> = found.iter().collect();
        let mut missed = Vec::new();
        for span in &case.spans {
            let hit = free.iter().position(|found| {
                same(&found.entity, &span.entity) && overlap(&found.range, &span.range) >= OVERLAP
            });
            let tally = self.entities.entry(span.entity.clone()).or_default();
            let form = self
                .forms
                .entry((span.entity.clone(), span.form))
                .or_default();
            if let Some(index) = hit {
                free.remove(index);
                tally.hits += 1;
                form.hits += 1;
            } else {
                tally.misses += 1;
                form.misses += 1;
                missed.push(span);
            }
        }
        for span in missed {
            let instead = free.iter().find(|found| touch(&found.range, &span.range));
            if let Some(instead) = instead {
                let pair = (span.entity.clone(), instead.entity.clone());
                *self.confusion.entry(pair).or_default() += 1;
            }
            let instead = instead
                .map(|found| format!("{} {:?}", found.entity, slice(&case.text, &found.range)));
            self.misses
                .push(miss(case, &span.entity, span.form, &span.range, instead));
        }
        for trap in &case.traps {
            *self.traps.entry(trap.kind.clone()).or_default() += 1;
        }
        for found in free {
            if !dataset.marks(&found.entity) {
                *self.unmarked.entry(found.entity.clone()).or_default() += 1;
                continue;
            }
            self.entities
                .entry(found.entity.clone())
                .or_default()
                .alarms += 1;
            let trap = case
                .traps
                .iter()
                .find(|trap| touch(&trap.range, &found.range));
            if let Some(trap) = trap {
                let pair = (trap.kind.clone(), found.entity.clone());
                *self.caught.entry(pair).or_default() += 1;
            }
            let span = case
                .spans
                .iter()
                .find(|span| touch(&span.range, &found.range));
            let instead = trap
                .map(|trap| trap.kind.clone())
                .or_else(|| span.map(|span| span.entity.clone()));
            self.alarms
                .push(miss(case, &found.entity, "", &found.range, instead));
        }
    }
}

/// Whether a finding may be of the kind that is marked. A day of birth is a date; sets that know no days of birth mark it as one.
fn same(found: &str, marked: &str) -> bool {
    found == marked || (marked == "DATE_TIME" && found == "DATE_OF_BIRTH")
}

fn miss(
    case: &Case,
    entity: &str,
    form: &'static str,
    range: &Range<usize>,
    instead: Option<String>,
) -> Miss {
    Miss {
        case: case.name.clone(),
        entity: entity.to_owned(),
        form,
        range: range.clone(),
        excerpt: excerpt(&case.text, range),
        instead,
    }
}

fn slice<'a>(text: &'a str, range: &Range<usize>) -> &'a str {
    text.get(range.clone()).unwrap_or_default()
}

/// The range in brackets, with up to 30 characters before and 20 after.
fn excerpt(text: &str, range: &Range<usize>) -> String {
    let before = text.get(..range.start).unwrap_or_default();
    let from = before.char_indices().rev().take(30).last();
    let before = from.map_or("", |(at, _)| before.get(at..).unwrap_or_default());
    let after = text.get(range.end..).unwrap_or_default();
    let after: String = after.chars().take(20).collect();
    // What can't be seen is written out.
    format!("{before}⟦{}⟧{after}", slice(text, range))
        .chars()
        .map(|letter| match letter {
            '\n' => "⏎".to_owned(),
            '\u{a0}'
            | '\u{ad}'
            | '\u{2000}'..='\u{200f}'
            | '\u{202f}'
            | '\u{2060}'
            | '\u{3000}'
            | '\u{feff}' => letter.escape_unicode().to_string(),
            _ => letter.to_string(),
        })
        .collect()
}

/// What our analyzer finds in each case.
#[must_use]
pub fn find(analyzer: &Analyzer, dataset: &Dataset) -> Vec<Vec<Found>> {
    let found = |case: &Case| {
        let findings = analyzer.analyze(&case.text).into_iter();
        findings
            .map(|found| Found::new(found.entity.as_str(), found.range, found.score))
            .collect()
    };
    dataset.cases.iter().map(found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Aadhaar 2341 2341 2346, order 998877665544.";

    fn score(findings: Vec<Found>) -> Score {
        let mut case = Case::new(TEXT).span("IN_AADHAAR", 8..22);
        case.traps.push(crate::Trap {
            kind: "order".to_owned(),
            range: 30..42,
        });
        let dataset = Dataset::new("test", vec![case]);
        Score::of(&dataset, &[findings])
    }

    #[test]
    fn a_finding_of_the_right_kind_and_most_of_the_place_is_a_hit() {
        for (range, hit) in [(8..22, 1), (8..18, 1), (8..17, 0), (0..22, 0), (30..42, 0)] {
            let score = score(vec![Found::new("IN_AADHAAR", range.clone(), 1.0)]);
            let tally = score.tally("IN_AADHAAR");
            assert_eq!(
                (tally.hits, tally.misses, tally.alarms),
                (hit, 1 - hit, 1 - hit),
                "{range:?}"
            );
        }
    }

    #[test]
    fn a_finding_of_another_kind_is_a_miss_of_the_one_and_a_false_alarm_of_the_other() {
        let score = score(vec![Found::new("PHONE_NUMBER", 8..22, 1.0)]);
        assert_eq!(score.tally("IN_AADHAAR").misses, 1);
        assert_eq!(score.tally("PHONE_NUMBER").alarms, 1);
        let pair = ("IN_AADHAAR".to_owned(), "PHONE_NUMBER".to_owned());
        assert_eq!(score.confusion.get(&pair), Some(&1));
    }

    #[test]
    fn a_trap_that_is_found_counts_for_its_kind() {
        let score = score(vec![
            Found::new("IN_AADHAAR", 8..22, 1.0),
            Found::new("IN_AADHAAR", 30..42, 1.0),
        ]);
        assert_eq!(score.rate("order", Some("IN_AADHAAR")), 1.0);
        assert_eq!(score.rate("order", Some("PHONE_NUMBER")), 0.0);
        assert_eq!(score.tally("IN_AADHAAR").precision(), 0.5);
    }

    #[test]
    fn a_kind_that_the_data_set_leaves_unmarked_is_no_false_alarm() {
        let score = score(vec![Found::new("DATE_TIME", 30..42, 1.0)]);
        assert!(score.alarms.is_empty());
        assert_eq!(score.unmarked.get("DATE_TIME"), Some(&1));
    }

    #[test]
    fn recall_weighs_four_times_as_much_as_precision() {
        let tally = Tally {
            hits: 8,
            misses: 2,
            alarms: 8,
        };
        assert!((tally.f2() - 0.714_285).abs() < 1e-5);
    }
}

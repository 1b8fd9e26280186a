//! What a model's labels mean.

use std::collections::BTreeMap;

use crate::Entity;

/// Which label stands for which kind, by default.
const KNOWN: &str = include_str!("../../../data/model_labels.txt");

/// One label of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// Labels of one sort of thing have the same number; [`OUTSIDE`] is what belongs to nothing.
    pub(super) sort: usize,
    /// Nothing before belongs to the same thing.
    pub(super) begins: bool,
    /// Nothing behind belongs to the same thing.
    pub(super) ends: bool,
    /// `None`: nothing that is to be found.
    pub(super) entity: Option<Entity>,
}

/// The [`sort`](Label::sort) of what belongs to nothing.
pub(super) const OUTSIDE: usize = 0;

/// A model's labels, in the order of its numbers.
#[derive(Clone, Debug)]
pub(super) struct Labels {
    labels: Vec<Label>,
    entities: Vec<Entity>,
    unmapped: Vec<String>,
}

impl Labels {
    /// `names` are the model's, `own` what the user says that they mean.
    ///
    /// # Errors
    ///
    /// What is wrong, and how to mend it.
    pub(super) fn new(names: &[String], own: &[(String, Option<Entity>)]) -> Result<Self, String> {
        let mut meant: BTreeMap<String, Option<Entity>> = BTreeMap::new();
        meant.extend(known().map(|(label, entity)| (label, Some(entity))));
        meant.extend(own.iter().map(|(label, entity)| (spelled(label), *entity)));
        let mut sorts: Vec<String> = Vec::new();
        let mut labels = Vec::with_capacity(names.len());
        let mut unmapped = Vec::new();
        let mut entities = Vec::new();
        for name in names {
            let (place, sort) = read(name, &meant);
            if sort == "O" {
                labels.push(Label {
                    sort: OUTSIDE,
                    begins: false,
                    ends: false,
                    entity: None,
                });
                continue;
            }
            let entity = match meant.get(&sort) {
                Some(entity) => *entity,
                None => sort.parse().ok(),
            };
            match entity {
                Some(entity) if !entities.contains(&entity) => entities.push(entity),
                None if !unmapped.contains(&sort) => unmapped.push(sort.clone()),
                _ => {}
            }
            let number = sorts
                .iter()
                .position(|known| *known == sort)
                .unwrap_or_else(|| {
                    sorts.push(sort);
                    sorts.len() - 1
                });
            labels.push(Label {
                sort: OUTSIDE + 1 + number,
                begins: matches!(place, Some('B' | 'S' | 'U')),
                ends: matches!(place, Some('E' | 'L' | 'S' | 'U')),
                entity,
            });
        }
        if let Some((label, _)) = own
            .iter()
            .find(|(label, _)| !sorts.contains(&spelled(label)))
        {
            return Err(format!(
                "the model has no label `{label}`: it has {}",
                sorts.join(", ")
            ));
        }
        if entities.is_empty() {
            return Err(format!(
                "none of the model's labels ({}) stands for personal data: say what they stand for with `label`",
                names.join(", ")
            ));
        }
        Ok(Self {
            labels,
            entities,
            unmapped,
        })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.labels.len()
    }

    pub(super) fn of(&self, number: usize) -> Option<&Label> {
        self.labels.get(number)
    }

    /// The kinds that they stand for.
    pub(super) fn entities(&self) -> &[Entity] {
        &self.entities
    }

    /// Those that stand for nothing.
    pub(super) fn unmapped(&self) -> &[String] {
        &self.unmapped
    }
}

/// The lines of [`KNOWN`].
fn known() -> impl Iterator<Item = (String, Entity)> {
    let lines = KNOWN.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .filter_map(|(entity, labels)| Some((entity.trim().parse::<Entity>().ok()?, labels)))
        .flat_map(|(entity, labels)| {
            let labels = labels.split_whitespace();
            labels.map(move |label| (label.to_owned(), entity))
        })
}

fn spelled(label: &str) -> String {
    label.trim().to_uppercase().replace(['-', ' ', '.'], "_")
}

/// The place within a thing that a label tells (`B`, `I`, `O`, `E`, `S`; or `U` and `L`), and what the thing is.
fn read(name: &str, meant: &BTreeMap<String, Option<Entity>>) -> (Option<char>, String) {
    let whole = spelled(name);
    // `E-MAIL` is no end of a `MAIL`.
    if meant.contains_key(&whole) {
        return (None, whole);
    }
    let mut characters = whole.chars();
    match (characters.next(), characters.next(), characters.as_str()) {
        (Some(place @ ('B' | 'I' | 'E' | 'S' | 'U' | 'L')), Some('_'), sort)
            if !sort.is_empty() =>
        {
            (Some(place), sort.to_owned())
        }
        _ => (None, whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn every_known_label_stands_for_one_kind_and_is_spelled_as_it_is_looked_up() {
        let lines = KNOWN
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        let written: usize = lines.map(|line| line.split_whitespace().count() - 2).sum();
        let all: BTreeMap<String, Entity> = known().collect();
        assert_eq!(
            all.len(),
            written,
            "an unknown kind, or a label that stands twice"
        );
        for label in all.keys() {
            assert_eq!(spelled(label), *label);
            assert!(
                label.parse::<Entity>().is_err() || matches!(label.as_str(), "ORG" | "GPE"),
                "{label} needs no line"
            );
        }
    }

    #[test]
    fn labels_are_read_in_every_scheme() {
        for (given, place, sort, entity) in [
            ("B-PER", Some('B'), "PER", Some(Entity::Person)),
            ("I-PER", Some('I'), "PER", Some(Entity::Person)),
            ("E-LOC", Some('E'), "LOC", Some(Entity::Location)),
            ("S-ORG", Some('S'), "ORG", Some(Entity::Organization)),
            ("U-GPE", Some('U'), "GPE", Some(Entity::Location)),
            ("L-NORP", Some('L'), "NORP", Some(Entity::Nrp)),
            (
                "b-first name",
                Some('B'),
                "FIRST_NAME",
                Some(Entity::Person),
            ),
            ("PERSON", None, "PERSON", Some(Entity::Person)),
            ("E-MAIL", None, "E_MAIL", Some(Entity::Email)),
            ("B-E-MAIL", Some('B'), "E_MAIL", Some(Entity::Email)),
            ("I-PHONE", Some('I'), "PHONE", Some(Entity::Phone)),
            (
                "B-IN_AADHAAR",
                Some('B'),
                "IN_AADHAAR",
                Some(Entity::InAadhaar),
            ),
            ("B-MISC", Some('B'), "MISC", None),
        ] {
            let meant = known()
                .map(|(label, entity)| (label, Some(entity)))
                .collect();
            assert_eq!(read(given, &meant), (place, sort.to_owned()), "{given}");
            let labels = Labels::new(&names(&["O", given, "PER"]), &[]).unwrap();
            let label = labels.of(1).unwrap();
            assert_eq!(label.entity, entity, "{given}");
            assert_eq!(label.begins, matches!(place, Some('B' | 'S' | 'U')));
            assert_eq!(label.ends, matches!(place, Some('E' | 'S' | 'U' | 'L')));
        }
    }

    #[test]
    fn what_the_user_says_goes_before_what_is_known() {
        let all = names(&["O", "B-PER", "I-PER", "B-MISC", "I-MISC", "B-LOC"]);
        let own = [
            ("misc".to_owned(), Some(Entity::Nrp)),
            ("LOC".to_owned(), None),
        ];
        let labels = Labels::new(&all, &own).unwrap();
        assert_eq!(labels.entities(), [Entity::Person, Entity::Nrp]);
        assert_eq!(labels.unmapped(), ["LOC"]);
        assert_eq!(labels.count(), 6);
        assert_eq!(labels.of(0).unwrap().sort, OUTSIDE);
        assert_eq!(labels.of(1).unwrap().sort, labels.of(2).unwrap().sort);
        assert_ne!(labels.of(1).unwrap().sort, labels.of(3).unwrap().sort);
    }

    #[test]
    fn labels_that_find_nothing_are_told() {
        let plain = names(&["LABEL_0", "LABEL_1"]);
        let error = Labels::new(&plain, &[]).unwrap_err();
        assert!(error.contains("LABEL_0, LABEL_1"), "{error}");
        let mapped = [("LABEL_1".to_owned(), Some(Entity::Person))];
        assert!(Labels::new(&plain, &mapped).is_ok());
        let wrong = [("PRE".to_owned(), Some(Entity::Person))];
        let error = Labels::new(&names(&["O", "B-PER"]), &wrong).unwrap_err();
        assert!(error.contains("`PRE`") && error.contains("PER"), "{error}");
    }
}

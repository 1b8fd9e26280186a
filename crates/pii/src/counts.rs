//! What was done, for records and metrics: kinds and numbers, never content.

use std::collections::BTreeMap;

use bartizan_core::Note;

use crate::{Entity, Operator};

/// How often what was done with which kind.
#[derive(Debug, Default)]
pub(crate) struct Counts(BTreeMap<What, BTreeMap<Entity, u64>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct What {
    done: &'static str,
    operator: &'static str,
    /// What would have been done, where nothing was.
    instead: Option<&'static str>,
}

impl Counts {
    pub(crate) fn add(&mut self, entity: Entity, operator: &Operator) {
        let what = What {
            done: operator.done(),
            operator: operator.as_str(),
            instead: match operator {
                Operator::Observe(instead) => Some(instead.as_str()),
                _ => None,
            },
        };
        *self.0.entry(what).or_default().entry(entity).or_default() += 1;
    }

    /// One note for each thing done. All is counted in metrics too.
    pub(crate) fn notes(&self, direction: &'static str, policy: Option<&str>) -> Vec<Note> {
        self.0
            .iter()
            .map(|(what, entities)| {
                tracing::debug!(
                    action = what.done,
                    direction,
                    kinds = entities.len(),
                    "personal data"
                );
                let mut note = Note::new("pii", what.done);
                for (entity, found) in entities {
                    metrics::counter!(
                        "bartizan.pii.findings",
                        "entity" => entity.as_str(),
                        "operator" => what.operator,
                        "direction" => direction,
                    )
                    .increment(*found);
                    note = note.count(entity.as_str(), *found);
                }
                if let Some(instead) = what.instead {
                    note = note.word("operator", instead);
                }
                note = note.word("direction", direction);
                match policy {
                    Some(policy) => note.word("policy", policy.to_owned()),
                    None => note,
                }
            })
            .collect()
    }
}

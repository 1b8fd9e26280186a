//! The figures that must be reached, read from `data/floors.txt`.
//!
//! | line | says |
//! |---|---|
//! | `india IN_PAN recall .99` | recall over all forms; `precision` likewise |
//! | `india IN_PAN/usual recall .99` | in the usual forms; `/altered` in all others |
//! | `negatives sku as IN_VOTER .02` | at most that part of the traps of a kind is found as that |
//! | `negatives sku as any .02` | … as anything |
//! | `presidio agree .97` | the part of Presidio's own cases that we agree with |
//! | `india IN_PAN recall .95 now .9: WHY` | .95 is promised and not reached yet; what is reached must not be lost |

use std::fmt;
use std::path::Path;

use crate::Failure;
use crate::score::Score;

/// A figure to reach.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Floor {
    /// Its data set.
    pub dataset: String,
    /// Of what: an entity, one with `/usual` or `/altered`, a kind of trap.
    pub subject: String,
    /// `precision`, `recall`, or what a trap is taken for.
    pub figure: Figure,
    /// What is promised; for a trap, what mustn't be passed.
    pub promised: f64,
    /// What must be held, where that is less, and why it is.
    pub now: Option<(f64, String)>,
}

/// What a floor is a floor of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Figure {
    /// Of what was found, the part that is right.
    Precision,
    /// Of what is marked, the part that was found.
    Recall,
    /// Of the traps, the part that was taken for an entity, or for anything.
    TakenFor(Option<String>),
    /// Of Presidio's own cases, the part that we agree with.
    Agree,
}

/// Reads the checked-in floors.
///
/// # Errors
///
/// The file can't be read, or has a line that says none of the above.
pub fn read() -> Result<Vec<Floor>, Failure> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/floors.txt");
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| floor(line).ok_or_else(|| format!("{}: {line:?} is no floor", path.display())))
        .collect()
}

fn floor(line: &str) -> Option<Floor> {
    let (line, now) = match line.split_once(" now ") {
        Some((line, now)) => {
            let (held, why) = now.split_once(": ")?;
            (line, Some((held.parse().ok()?, why.to_owned())))
        }
        None => (line, None),
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    let (subject, figure, bound) = match words.as_slice() {
        [_, "agree", bound] => ("", Figure::Agree, bound),
        [_, subject, "precision", bound] => (*subject, Figure::Precision, bound),
        [_, subject, "recall", bound] => (*subject, Figure::Recall, bound),
        [_, subject, "as", "any", bound] => (*subject, Figure::TakenFor(None), bound),
        [_, subject, "as", entity, bound] => (
            *subject,
            Figure::TakenFor(Some((*entity).to_owned())),
            bound,
        ),
        _ => return None,
    };
    Some(Floor {
        dataset: (*words.first()?).to_owned(),
        subject: subject.to_owned(),
        figure,
        promised: bound.parse().ok()?,
        now,
    })
}

impl Floor {
    /// What was reached; nothing where the data set holds nothing of the kind.
    #[must_use]
    pub fn reached(&self, score: &Score) -> Option<f64> {
        let (entity, form) = self.subject.split_once('/').unwrap_or((&self.subject, ""));
        let tally = match form {
            "" => score.tally(entity),
            form => score.forms(entity, form == "usual"),
        };
        match &self.figure {
            Figure::Precision | Figure::Recall if tally.marked() == 0 => None,
            Figure::Precision => Some(tally.precision()),
            Figure::Recall => Some(tally.recall()),
            Figure::TakenFor(entity) => score
                .traps
                .contains_key(&self.subject)
                .then(|| score.rate(&self.subject, entity.as_deref())),
            Figure::Agree => None,
        }
    }

    /// Whether a figure is as good as is promised.
    #[must_use]
    pub fn kept(&self, reached: f64) -> bool {
        self.as_good(reached, self.promised)
    }

    /// Whether a figure is as good as it must be for now.
    #[must_use]
    pub fn holds(&self, reached: f64) -> bool {
        self.as_good(
            reached,
            self.now.as_ref().map_or(self.promised, |(held, _)| *held),
        )
    }

    fn as_good(&self, reached: f64, bound: f64) -> bool {
        match self.figure {
            Figure::TakenFor(_) => reached <= bound,
            _ => reached >= bound,
        }
    }
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            dataset,
            subject,
            promised,
            ..
        } = self;
        match &self.figure {
            Figure::Precision => write!(f, "{dataset} {subject} precision {promised}"),
            Figure::Recall => write!(f, "{dataset} {subject} recall {promised}"),
            Figure::TakenFor(entity) => {
                let entity = entity.as_deref().unwrap_or("any");
                write!(f, "{dataset} {subject} as {entity} {promised}")
            }
            Figure::Agree => write!(f, "{dataset} agree {promised}"),
        }
    }
}

/// How a data set's score stands to its floors.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Standing {
    /// Floors that aren't held, in words; one of something that the data set doesn't hold is among them.
    pub broken: Vec<String>,
    /// Promises that aren't kept yet, where what must be held for now is.
    pub short: Vec<String>,
    /// How many promises are kept.
    pub kept: usize,
}

impl Standing {
    /// Compares.
    #[must_use]
    pub fn of(floors: &[Floor], dataset: &str, score: &Score) -> Self {
        let mut standing = Self::default();
        let ours = |floor: &&Floor| floor.dataset == dataset && floor.figure != Figure::Agree;
        for floor in floors.iter().filter(ours) {
            match (floor.reached(score), &floor.now) {
                (None, _) => standing
                    .broken
                    .push(format!("{floor}: nothing of that is in the set")),
                (Some(reached), _) if floor.kept(reached) => standing.kept += 1,
                (Some(reached), Some((_, why))) if floor.holds(reached) => standing
                    .short
                    .push(format!("{floor}: reached {reached:.4}; {why}")),
                (Some(reached), _) => standing
                    .broken
                    .push(format!("{floor}: reached {reached:.4}")),
            }
        }
        standing
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} promises kept", self.kept)?;
        for short in &self.short {
            writeln!(f, "not kept yet: {short}")?;
        }
        for broken in &self.broken {
            writeln!(f, "below the floor: {broken}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_says_of_what_and_how_much() {
        let of = |line| floor(line).map(|floor| (floor.to_string(), floor.now));
        let said = |text: &str, now| Some((text.to_owned(), now));
        assert_eq!(
            of("india IN_PAN/usual recall .99"),
            said("india IN_PAN/usual recall 0.99", None)
        );
        assert_eq!(
            of("negatives sku as IN_VOTER .02 now .1: no list of words"),
            said(
                "negatives sku as IN_VOTER 0.02",
                Some((0.1, "no list of words".to_owned()))
            )
        );
        assert_eq!(
            of("negatives sku as any .02"),
            said("negatives sku as any 0.02", None)
        );
        assert_eq!(of("presidio agree .97"), said("presidio agree 0.97", None));
        for wrong in [
            "india IN_PAN recall",
            "india IN_PAN recall many",
            "india",
            "",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_figure_below_its_floor_is_told_and_so_is_one_of_nothing() {
        let floors: Vec<Floor> = [
            "t IN_PAN recall .9",
            "t IN_PAN recall .9 now .7: why",
            "t IN_PAN precision .9",
            "t sku as any .1",
            "other IN_PAN recall 1",
            "t IN_TAN recall .1",
        ]
        .into_iter()
        .filter_map(floor)
        .collect();
        let mut score = Score::default();
        let tally = crate::Tally {
            hits: 8,
            misses: 2,
            alarms: 0,
        };
        score.entities.insert("IN_PAN".to_owned(), tally);
        score.traps.insert("sku".to_owned(), 10);
        score
            .caught
            .insert(("sku".to_owned(), "IN_VOTER".to_owned()), 2);
        let standing = Standing::of(&floors, "t", &score);
        assert_eq!(standing.broken.len(), 3, "{standing}");
        assert_eq!(standing.short.len(), 1, "{standing}");
        assert_eq!(standing.kept, 1, "{standing}");
    }
}

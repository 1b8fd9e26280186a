//! What is known better than the table of models knows it. Kept by hand in `data/corrections.csv`, and goes before the table.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::route::fits;
use crate::facts::{Effort, Model, Thinking};

const TABLE: &str = include_str!("../../data/corrections.csv");

/// The columns of the table; what is empty stays as it is.
const HEAD: &str = "model,max_output,thinking,efforts,sampling,json_schema";

/// What one line says of the models that its pattern fits.
struct Correction {
    pattern: &'static str,
    max_output: Option<u64>,
    thinking: Option<Thinking>,
    efforts: Option<Vec<Effort>>,
    sampling: Option<bool>,
    json_schema: Option<bool>,
}

static CORRECTIONS: LazyLock<Vec<Correction>> = LazyLock::new(|| {
    // The table is held to its form by a test.
    lines().skip(1).filter_map(|line| read(line).ok()).collect()
});

fn lines() -> impl Iterator<Item = &'static str> {
    TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Corrects what is said of the model `name`, whatever provider's decoration it carries.
pub(super) fn apply(name: &str, model: &mut Model) {
    let found = super::variants(name)
        .into_iter()
        .find_map(|name| CORRECTIONS.iter().find(|line| fits(line.pattern, name)));
    if let Some(correction) = found {
        correction.correct(model);
    }
}

/// The models that the table does not have, and of which a line of their own says all.
static ALONE: LazyLock<BTreeMap<&str, Model>> = LazyLock::new(|| {
    let named = CORRECTIONS
        .iter()
        .filter(|line| !line.pattern.contains('*'));
    named
        .filter_map(|line| {
            let mut model = Model::new(line.max_output?);
            line.correct(&mut model);
            Some((line.pattern, model))
        })
        .collect()
});

/// What is known of a model by its own line alone.
pub(super) fn alone(name: &str) -> Option<&'static Model> {
    ALONE.get(name)
}

impl Correction {
    fn correct(&self, model: &mut Model) {
        if let Some(max_output) = self.max_output {
            model.max_output = max_output;
        }
        if let Some(thinking) = self.thinking {
            model.thinking = thinking;
            model.efforts.clear();
        }
        if let Some(efforts) = &self.efforts {
            model.efforts.clone_from(efforts);
        }
        if let Some(sampling) = self.sampling {
            model.sampling = sampling;
        }
        if let Some(json_schema) = self.json_schema {
            model.json_schema = json_schema;
        }
    }
}

fn read(line: &'static str) -> Result<Correction, &'static str> {
    let fields: Vec<&str> = line.split(',').collect();
    let [
        pattern,
        max_output,
        thinking,
        efforts,
        sampling,
        json_schema,
    ] = fields.as_slice()
    else {
        return Err(HEAD);
    };
    let flag = |text: &str| match text {
        "" => Ok(None),
        "yes" => Ok(Some(true)),
        "no" => Ok(Some(false)),
        _ => Err("sampling and json_schema: yes or no"),
    };
    let thinking = match *thinking {
        "" => None,
        word => Some(Thinking::named(word).ok_or("thinking: none, budget or adaptive")?),
    };
    let efforts = efforts
        .split(';')
        .filter(|word| !word.is_empty())
        .map(|word| Effort::named(word).ok_or("efforts: minimal, low, medium, high, xhigh, max"))
        .collect::<Result<Vec<_>, _>>()?;
    if thinking.is_some_and(|thinking| (thinking == Thinking::Adaptive) == efforts.is_empty()) {
        return Err("efforts: at least one where thinking is adaptive, else none");
    }
    let max_output = match *max_output {
        "" => None,
        text => Some(
            text.parse()
                .map_err(|_| "max_output: a whole number of tokens")?,
        ),
    };
    Ok(Correction {
        pattern,
        max_output,
        thinking,
        efforts: (!efforts.is_empty()).then_some(efforts),
        sampling: flag(sampling)?,
        json_schema: flag(json_schema)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_whole_and_none_is_in_vain() {
        assert_eq!(lines().next(), Some(HEAD));
        let lines: Vec<&str> = lines().skip(1).collect();
        assert_eq!(CORRECTIONS.len(), lines.len());
        for (at, line) in lines.iter().enumerate() {
            let correction = read(line).unwrap_or_else(|fault| panic!("{line}: {fault}"));
            let earlier = &CORRECTIONS[..at];
            let shadow = earlier
                .iter()
                .find(|earlier| fits(earlier.pattern, correction.pattern));
            assert!(
                shadow.is_none(),
                "{line}: an earlier line fits all that it fits"
            );
        }
    }

    #[test]
    fn a_bad_line_is_refused() {
        for bad in [
            "a",
            "a,1,some,,yes,no",
            "a,1,none,low,yes,no",
            "a,1,adaptive,,yes,no",
            "a,1,adaptive,lots,yes,no",
            "a,many,none,,yes,no",
            "a,1,none,,maybe,no",
            "a,1,none,,yes",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

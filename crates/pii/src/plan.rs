//! What is done to one exchange: by one policy, or by the strictest words of several.

use std::ops::Range;
use std::sync::Arc;

use crate::fakes::stands_alone;
use crate::policy::Built;
use crate::redact::write_for_good;
use crate::{Entity, Finding, Operator, Redactor, Unsent, Vault, merge};

/// What was found, and what is done with it.
#[derive(Clone, Debug)]
pub(crate) struct Treated<'p> {
    pub(crate) operator: &'p Operator,
    pub(crate) entity: Entity,
    pub(crate) range: Range<usize>,
}

impl<'p> Treated<'p> {
    pub(crate) fn new(redactor: &'p Redactor, text: &str, finding: Finding) -> Self {
        let mut operator = redactor.treatment(finding.entity);
        // A fake in the middle of a word would not be found again.
        if *operator == Operator::Fake && !stands_alone(text, finding.range.clone()) {
            operator = &Operator::Mask;
        }
        Self {
            operator,
            entity: finding.entity,
            range: finding.range,
        }
    }
}

/// The policies of one exchange: one as a rule, and several where it isn't known yet where the call goes.
#[derive(Clone, Debug)]
pub(crate) struct Plan(Vec<Arc<Built>>);

impl Plan {
    pub(crate) fn new(policies: Vec<Arc<Built>>) -> Self {
        Self(policies)
    }

    pub(crate) fn policies(&self) -> &[Arc<Built>] {
        &self.0
    }

    /// What records call it, unless it is the only policy there is.
    pub(crate) fn name(&self) -> Option<String> {
        let names: Vec<&str> = self
            .0
            .iter()
            .filter_map(|policy| policy.name.as_deref())
            .collect();
        (!names.is_empty()).then(|| names.join("+"))
    }

    pub(crate) fn fakes(&self) -> bool {
        self.0
            .iter()
            .filter_map(|policy| policy.request.as_ref())
            .any(Redactor::fakes)
    }

    /// What `text` holds, in order and apart. `name` is what its member is called; `of_models` is what models found.
    pub(crate) fn find(
        &self,
        text: &str,
        name: Option<&str>,
        of_models: &[Finding],
    ) -> Vec<Treated<'_>> {
        let mut all = Vec::new();
        for redactor in self.0.iter().filter_map(|policy| policy.request.as_ref()) {
            let mut findings = redactor.analyze(text);
            if let Some(name) = name {
                findings.extend(called(name, text, |text| redactor.analyze(text)));
            }
            let looked_for = |finding: &&Finding| {
                redactor.operator(finding.entity).is_some()
                    && finding.score >= redactor.analyzer().threshold(finding.entity)
            };
            findings.extend(of_models.iter().filter(looked_for).cloned());
            if name.is_some() || !of_models.is_empty() {
                findings = merge(findings);
            }
            let treated = |finding| Treated::new(redactor, text, finding);
            all.extend(findings.into_iter().map(treated));
        }
        if self.0.len() > 1 {
            strictest(all)
        } else {
            all
        }
    }

    /// The strictest word on what the model itself writes of a kind.
    pub(crate) fn answer(&self, entity: Entity) -> &Operator {
        self.0
            .iter()
            .filter_map(|policy| policy.answer.as_ref()?.operator(entity))
            .max_by_key(|operator| operator.strictness())
            .unwrap_or(&Operator::Replace)
    }
}

/// Names longer than this say nothing, and texts longer than this have words of their own.
const LONGEST_NAME: usize = 64;
const LONGEST_CALLED: usize = 128;

/// What `text` holds as the value of a member that is called `name`, which tells what a number is as a word before it would.
fn called(name: &str, text: &str, analyze: impl Fn(&str) -> Vec<Finding>) -> Vec<Finding> {
    let Some(mut sentence) = sentence(name).filter(|_| text.len() <= LONGEST_CALLED) else {
        return Vec::new();
    };
    let start = sentence.len();
    sentence.push_str(text);
    let behind = |finding: &Finding| finding.range.start >= start;
    analyze(&sentence)
        .into_iter()
        .filter(behind)
        .map(|mut finding| {
            finding.range = finding.range.start - start..finding.range.end - start;
            finding
        })
        .collect()
}

/// How a sentence begins that says of what follows that it is called `name`.
pub(crate) fn sentence(name: &str) -> Option<String> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let mut sentence = String::with_capacity(2 * name.len() + 2);
    let mut was_lower = false;
    for character in name.chars() {
        if was_lower && character.is_uppercase() {
            sentence.push(' ');
        }
        was_lower = character.is_lowercase();
        let blank = matches!(character, '_' | '-' | '.');
        sentence.push(if blank { ' ' } else { character });
    }
    sentence.push_str(": ");
    Some(sentence)
}

/// Joins what overlaps: the strictest operator is applied to all of it.
fn strictest(mut all: Vec<Treated<'_>>) -> Vec<Treated<'_>> {
    all.sort_by_key(|one| one.range.start);
    let mut joined: Vec<Treated<'_>> = Vec::with_capacity(all.len());
    for one in all {
        match joined.last_mut() {
            Some(last) if one.range.start < last.range.end => {
                last.range.end = last.range.end.max(one.range.end);
                if one.operator.strictness() > last.operator.strictness() {
                    (last.operator, last.entity) = (one.operator, one.entity);
                }
            }
            _ => joined.push(one),
        }
    }
    joined
}

/// Puts `original` into `vault`, if it is to come back.
pub(crate) fn keep(found: &Treated<'_>, original: &str, vault: &mut Vault) -> Result<(), Unsent> {
    match found.operator {
        Operator::Mask | Operator::Fake => write(
            found.operator,
            found.entity,
            original,
            vault,
            &mut String::new(),
        ),
        _ => Ok(()),
    }
}

/// Writes what takes the place of `original` in a request.
pub(crate) fn write(
    operator: &Operator,
    entity: Entity,
    original: &str,
    vault: &mut Vault,
    out: &mut String,
) -> Result<(), Unsent> {
    match operator {
        Operator::Mask => out.push_str(&vault.placeholder(entity, original)?),
        Operator::Fake => match vault.fake(entity, original)? {
            Some(fake) => out.push_str(&fake),
            None => out.push_str(&vault.placeholder(entity, original)?),
        },
        Operator::Encrypt(key) => {
            out.push_str(&key.encrypt(entity, original, vault.tenant())?);
        }
        _ => write_for_good(operator, entity, original, vault.tenant(), out),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn treated(operator: &Operator, range: Range<usize>) -> Treated<'_> {
        Treated {
            operator,
            entity: Entity::Email,
            range,
        }
    }

    #[test]
    fn what_overlaps_is_treated_as_a_whole_by_the_strictest() {
        let (keep, mask, redact) = (Operator::Keep, Operator::Mask, Operator::Redact);
        let joined = strictest(vec![
            treated(&mask, 12..20),
            treated(&keep, 0..5),
            treated(&redact, 3..8),
            treated(&keep, 7..9),
            treated(&mask, 30..31),
            treated(&keep, 30..33),
        ]);
        let told: Vec<(&Operator, Range<usize>)> = joined
            .into_iter()
            .map(|one| (one.operator, one.range))
            .collect();
        assert_eq!(told, [(&redact, 0..9), (&mask, 12..20), (&mask, 30..33)]);
    }
}

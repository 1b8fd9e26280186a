//! What models found, together with what patterns did.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bartizan_core::{Document, Step, Trail};

use super::Models;
use crate::redact::name;
use crate::{Action, Entity, Finding, Redactor, Vault, merge};

/// What `redactor` and models find in `text`: the kinds that it looks for, from the score on that it takes.
pub(crate) fn together(redactor: &Redactor, text: &str, of_models: Vec<Finding>) -> Vec<Finding> {
    let mut findings = redactor.analyze(text);
    if of_models.is_empty() {
        return findings;
    }
    findings.extend(of_models.into_iter().filter(|finding| {
        redactor.action(finding.entity).is_some()
            && finding.score >= redactor.threshold(finding.entity)
    }));
    merge(findings)
}

/// One unstreamed answer that models are asked about.
#[derive(Debug)]
pub(crate) struct Reading {
    models: Arc<Models>,
    redactor: Redactor,
    found: Arc<Mutex<Vec<Vec<Finding>>>>,
}

impl Reading {
    pub(crate) fn new(models: Arc<Models>, redactor: Redactor) -> Self {
        Self {
            models,
            redactor,
            found: Arc::default(),
        }
    }

    /// Asks; what is found waits for [`take_out`](Self::take_out).
    pub(crate) fn ask(&self, reply: &Document, trail: Option<Trail>) -> Step {
        let texts: Vec<String> = reply.texts().map(|text| text.as_str().to_owned()).collect();
        let (models, found) = (Arc::clone(&self.models), Arc::clone(&self.found));
        Step::Hold(Box::pin(async move {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let say = |note: bartizan_core::Note| {
                if let Some(trail) = &trail {
                    trail.note(note.word("direction", "answer"));
                }
            };
            match models.ask(&texts, say).await {
                Ok(all) => {
                    *found.lock().unwrap_or_else(PoisonError::into_inner) = all;
                    Step::Go
                }
                Err(refusal) => Step::Stop(refusal),
            }
        }))
    }

    /// Takes out what was found, by patterns too, and leaves what stands for data of `vault`. `seen` hears of each finding.
    pub(crate) fn take_out(
        &self,
        reply: &mut Document,
        vault: Option<&Vault>,
        mut seen: impl FnMut(Entity, Option<Action>),
    ) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of_models = std::mem::take(&mut *found).into_iter();
        reply.rewrite(|text| {
            let text = text.as_str();
            let mut more = of_models.next().unwrap_or_default();
            let ours = vault
                .map(|vault| vault.standing_in(text))
                .unwrap_or_default();
            more.retain(|finding| !ours.iter().any(|our| overlap(our, &finding.range)));
            if more.is_empty() {
                // The stream's masker does the same without them.
                return None;
            }
            let findings = together(&self.redactor, text, more);
            let mut out = String::with_capacity(text.len());
            let mut done = 0;
            for finding in &findings {
                seen(finding.entity, self.redactor.action(finding.entity));
                out.push_str(text.get(done..finding.range.start).unwrap_or_default());
                out.push_str(&name(finding.entity));
                done = finding.range.end;
            }
            out.push_str(text.get(done..).unwrap_or_default());
            (done > 0).then_some(out)
        });
    }
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

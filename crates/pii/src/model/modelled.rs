//! What models found, together with what patterns did.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bartizan_core::{Document, Step, Trail};

use super::Models;
use crate::Finding;
use crate::answer::Outlook;
use crate::overlap::settle;

/// One unstreamed answer that models are asked about.
#[derive(Debug)]
pub(crate) struct Reading {
    models: Arc<Models>,
    outlook: Arc<Outlook>,
    found: Arc<Mutex<Vec<Vec<Finding>>>>,
}

impl Reading {
    pub(crate) fn new(models: Arc<Models>, outlook: Arc<Outlook>) -> Self {
        Self {
            models,
            outlook,
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

    /// Takes out what models found and patterns don't know better, and leaves what stands for data of the request.
    pub(crate) fn take_out(&self, reply: &mut Document) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of_models = std::mem::take(&mut *found).into_iter();
        let vault = self.outlook.vault.as_deref();
        reply.rewrite(|text| {
            let text = text.as_str();
            let mut findings = of_models.next().unwrap_or_default();
            let ours = vault
                .map(|vault| vault.standing_in(text))
                .unwrap_or_default();
            findings.retain(|finding| {
                !ours.iter().any(|our| overlap(our, &finding.range))
                    && self.outlook.redactors().any(|redactor| {
                        redactor.operator(finding.entity).is_some()
                            && finding.score >= redactor.analyzer().threshold(finding.entity)
                    })
            });
            if findings.is_empty() {
                // The stream's masker does the same without them.
                return None;
            }
            let of_models = findings.into_iter().map(|finding| (finding, true));
            let of_patterns = self.outlook.redactors().flat_map(|redactor| {
                let findings = redactor.analyze(text).into_iter();
                findings.map(|finding| (finding, false))
            });
            let standing = settle(of_models.chain(of_patterns).collect(), |(finding, _)| {
                (finding.range.clone(), finding.score, finding.entity)
            });
            let mut out = String::with_capacity(text.len());
            let mut done = 0;
            // The rest is left to the stream's masker.
            for (finding, _) in standing.iter().filter(|(_, of_model)| *of_model) {
                out.push_str(text.get(done..finding.range.start).unwrap_or_default());
                let original = text.get(finding.range.clone()).unwrap_or_default();
                self.outlook.write(finding.entity, original, &mut out);
                done = finding.range.end;
            }
            out.push_str(text.get(done..).unwrap_or_default());
            Some(out)
        });
    }
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

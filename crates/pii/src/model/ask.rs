//! Asking models: how many at a time, how long, and what a failure means.

use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Note, Refusal, RefusalKind};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Model, ModelError};
use crate::Finding;

/// The models of a layer, and how they are asked.
#[derive(Clone, Debug)]
pub(crate) struct ModelsBuilder {
    pub(crate) models: Vec<Arc<dyn Model>>,
    pub(crate) deadline: Duration,
    pub(crate) at_a_time: usize,
    pub(crate) open: bool,
    pub(crate) unmodelled_streams: bool,
}

impl Default for ModelsBuilder {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            deadline: Duration::from_secs(5),
            at_a_time: 16,
            open: false,
            unmodelled_streams: false,
        }
    }
}

impl ModelsBuilder {
    pub(crate) fn build(self) -> Option<Arc<Models>> {
        (!self.models.is_empty()).then(|| {
            Arc::new(Models {
                models: self.models,
                deadline: self.deadline,
                room: Semaphore::new(self.at_a_time),
                open: self.open,
            })
        })
    }
}

#[derive(Debug)]
pub(crate) struct Models {
    models: Vec<Arc<dyn Model>>,
    deadline: Duration,
    room: Semaphore,
    open: bool,
}

impl Models {
    #[cfg(feature = "presidio")]
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.models.iter().map(|model| model.name())
    }

    /// What the models find in `texts`, one list a text, overlaps and all. `note` hears of each that failed.
    ///
    /// # Errors
    ///
    /// 503 `pii_model_unavailable`, naming the model, unless failures are let through.
    pub(crate) async fn ask(
        &self,
        texts: &[&str],
        mut note: impl FnMut(Note),
    ) -> Result<Vec<Vec<Finding>>, Refusal> {
        let mut all = vec![Vec::new(); texts.len()];
        let worth: Vec<(usize, &str)> = texts
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, text)| !text.trim().is_empty())
            .collect();
        if worth.is_empty() {
            return Ok(all);
        }
        let asked: Vec<&str> = worth.iter().map(|(_, text)| *text).collect();
        for model in &self.models {
            let name = model.name();
            let answer = self.one(&**model, &asked).await;
            let outcome = answer
                .as_ref()
                .map_or_else(|error| error.as_str(), |_| "answered");
            metrics::counter!("bartizan.pii.models", "model" => name, "outcome" => outcome)
                .increment(1);
            match answer {
                Ok(found) => {
                    for ((at, _), more) in worth.iter().zip(found) {
                        if let Some(list) = all.get_mut(*at) {
                            list.extend(more.into_iter().map(|finding| Finding {
                                recognizer: name,
                                ..finding
                            }));
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(
                        model = name,
                        reason = error.as_str(),
                        open = self.open,
                        "a model failed"
                    );
                    note(
                        Note::new("pii", if self.open { "unmodelled" } else { "failed" })
                            .word("model", name)
                            .word("reason", error.as_str()),
                    );
                    if !self.open {
                        return Err(unavailable(name));
                    }
                }
            }
        }
        Ok(all)
    }

    async fn one(
        &self,
        model: &dyn Model,
        texts: &[&str],
    ) -> Result<Vec<Vec<Finding>>, ModelError> {
        let work = async {
            // Waiting for room is part of the time: a queue that only grows would answer nobody.
            let _room = self.room.acquire().await.map_err(|_| ModelError::Failed)?;
            model.analyze(texts).await
        };
        let found = timeout(self.deadline, work)
            .await
            .unwrap_or(Err(ModelError::TimedOut))?;
        let sound = found.len() == texts.len()
            && texts.iter().zip(&found).all(|(text, findings)| {
                findings.iter().all(|finding| {
                    text.get(finding.range.clone()).is_some()
                        && (0.0..=1.0).contains(&finding.score)
                })
            });
        if sound {
            Ok(found)
        } else {
            Err(ModelError::Unreadable)
        }
    }
}

fn unavailable(model: &'static str) -> Refusal {
    let message = format!(
        "the text can't be checked for personal data: `{model}` does not answer as it should"
    );
    Refusal::new(RefusalKind::Unavailable, "pii_model_unavailable", message)
        .retry_after(Duration::from_secs(1))
}

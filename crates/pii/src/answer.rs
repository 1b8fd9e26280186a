//! What is done with what the model itself writes.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::counts::Counts;
use crate::plan::Plan;
use crate::redact::{name, write_for_good};
use crate::{Entity, Operator, Redactor, StreamMasker, Tenant, Vault, fake};

/// How the answer of one exchange is looked at.
pub(crate) struct Outlook {
    plan: Plan,
    tenant: Tenant,
    pub(crate) vault: Option<Arc<Vault>>,
    /// What was restored so far.
    pub(crate) restored: Arc<AtomicU64>,
    found: Mutex<Found>,
    hasher: RandomState,
}

#[derive(Default)]
struct Found {
    counts: Counts,
    blocked: Option<Entity>,
}

impl Outlook {
    pub(crate) fn new(plan: Plan, tenant: Tenant, vault: Option<Arc<Vault>>) -> Self {
        Self {
            plan,
            tenant,
            vault,
            restored: Arc::default(),
            found: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    pub(crate) fn redactors(&self) -> impl Iterator<Item = &Redactor> {
        self.plan
            .policies()
            .iter()
            .filter_map(|policy| policy.answer.as_ref())
    }

    /// Whether what the model writes is looked at.
    pub(crate) fn looks(&self) -> bool {
        self.redactors().next().is_some()
    }

    /// One for each policy: what one has taken out the next doesn't find.
    pub(crate) fn maskers(self: &Arc<Self>) -> Vec<StreamMasker> {
        self.redactors()
            .map(|redactor| {
                let outlook = Arc::clone(self);
                StreamMasker::new(redactor.analyzer().clone(), move |entity, original, out| {
                    outlook.write(entity, original, out)
                })
            })
            .collect()
    }

    /// Writes what takes the place of `original`, and counts it.
    pub(crate) fn write(&self, entity: Entity, original: &str, out: &mut String) {
        // A fake of the request is found like any value, and is to come back.
        if let Some(vault) = &self.vault
            && !vault.standing_in(original).is_empty()
        {
            out.push_str(original);
            return;
        }
        let operator = self.plan.answer(entity);
        match operator {
            Operator::Fake => {
                let seed = self.hasher.hash_one((entity, original));
                out.push_str(&fake(entity, original, seed).unwrap_or_else(|| name(entity)));
            }
            _ => write_for_good(operator, entity, original, &self.tenant, out),
        }
        let mut found = self.found();
        match operator {
            Operator::Block => found.blocked = found.blocked.or(Some(entity)),
            // There is nothing that a placeholder could come back to.
            Operator::Mask => found.counts.add(entity, &Operator::Replace),
            _ => found.counts.add(entity, operator),
        }
    }

    /// The first kind that must not be answered.
    pub(crate) fn blocked(&self) -> Option<Entity> {
        self.found().blocked
    }

    /// What was done, for the record; nothing is left to tell then.
    pub(crate) fn notes(&self) -> Vec<bartizan_core::Note> {
        let mut found = std::mem::take(&mut *self.found());
        if let Some(entity) = found.blocked {
            found.counts.add(entity, &Operator::Block);
        }
        found.counts.notes("answer", self.plan.name().as_deref())
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        // A count or a kind is written whole.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Outlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlook")
            .field("plan", &self.plan.name())
            .finish_non_exhaustive()
    }
}

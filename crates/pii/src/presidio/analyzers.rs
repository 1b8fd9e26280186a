//! Analyzers for what requests ask for. Callers ask for the same again and again, so the last ones are kept.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::fault::Fault;
use crate::{Analyzer, AnalyzerBuilder, Entity};

/// How many are kept.
const KEPT: usize = 32;

/// Makes analyzers of one set-up.
pub(super) struct Analyzers {
    base: AnalyzerBuilder,
    /// The kinds that recognizers of the set-up find, beside the built-in ones.
    own: Vec<Entity>,
    kept: Mutex<Vec<(Key, Analyzer)>>,
}

/// Kinds in their order, a threshold's bits, and whether it is of the set-up.
type Key = (Vec<Entity>, u32, bool);

impl Analyzers {
    pub(super) fn new(base: AnalyzerBuilder, own: Vec<Entity>) -> Self {
        Self {
            base,
            own,
            kept: Mutex::default(),
        }
    }

    /// One for those of `entities` that are found here; none where that is none.
    ///
    /// # Errors
    ///
    /// 500: the set-up, which was tried when the service was built, fails.
    pub(super) fn get(
        &self,
        entities: &[Entity],
        threshold: f32,
    ) -> Result<Option<Analyzer>, Fault> {
        let here = |entity: &Entity| entity.is_built_in() || self.own.contains(entity);
        self.kept(&self.base, true, entities, threshold, here)
    }

    /// One for the built-in kinds of `entities` without the set-up, whose recognizers always look; none where all of their kinds are wanted.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub(super) fn plain(
        &self,
        entities: &[Entity],
        threshold: f32,
    ) -> Result<Option<Analyzer>, Fault> {
        if self.own.iter().all(|entity| entities.contains(entity)) {
            return Ok(None);
        }
        let base = Analyzer::builder();
        self.kept(&base, false, entities, threshold, |entity| {
            entity.is_built_in()
        })
    }

    fn kept(
        &self,
        base: &AnalyzerBuilder,
        set_up: bool,
        entities: &[Entity],
        threshold: f32,
        here: impl Fn(&Entity) -> bool,
    ) -> Result<Option<Analyzer>, Fault> {
        let mut wanted: Vec<Entity> = entities.iter().copied().filter(here).collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        wanted.sort_unstable();
        wanted.dedup();
        let key = (wanted, threshold.to_bits(), set_up);
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, analyzer)) = kept().iter().find(|(known, _)| *known == key) {
            return Ok(Some(analyzer.clone()));
        }
        let builder = base.clone().entities(key.0.iter().copied());
        let analyzer = builder
            .score_threshold(threshold)
            .build()
            .map_err(|_| Fault::internal())?;
        let mut kept = kept();
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((key, analyzer.clone()));
        Ok(Some(analyzer))
    }
}

impl fmt::Debug for Analyzers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analyzers").finish_non_exhaustive()
    }
}

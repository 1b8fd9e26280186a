//! Texts that an analyzer lets pass.

use crate::Entity;
use crate::recognize::Match;
use crate::window::Window;

/// Texts that are no finding.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed(pub(super) Vec<(Option<Entity>, String)>);

impl Allowed {
    pub(super) fn has(&self, window: &Window<'_>, entity: Entity, found: &Match) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let folded = window.folded();
        let range = folded.start(found.start)..folded.end(found.end);
        let text = folded.source().get(range).unwrap_or_default();
        self.0
            .iter()
            .filter(|(only, _)| only.is_none_or(|only| only == entity))
            .any(|(_, allowed)| match allowed.strip_prefix('*') {
                Some(end) => ends_with(text, end),
                None => text.eq_ignore_ascii_case(allowed),
            })
    }
}

fn ends_with(text: &str, end: &str) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|start| text.get(start..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

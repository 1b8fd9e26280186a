//! Keys, tokens, passwords and private keys, by the forms of `bartizan-forms`.

use bartizan_forms::Forms;

use super::{Match, Scene};
use crate::window::Window;

/// The next place from `from` on where a form may begin.
pub(crate) fn next(window: &Window<'_>, from: usize) -> Option<usize> {
    Forms::shipped().next_start(window.slice(0, window.len()), from)
}

/// Whether a form may begin anywhere in folded text.
pub(crate) fn may_begin(folded: &[u8]) -> bool {
    Forms::shipped().next_start(folded, 0).is_some()
}

/// From here on a form tells more than a name before it, such as `password`.
const TOLD: f32 = 0.6;
/// Surer than an address, as which `https://token@example.com` would pass.
const SURE: f32 = 0.97;

/// The secret of the form that begins at the scene's anchor.
pub(crate) fn find(scene: &Scene<'_>) -> Option<Match> {
    let found = Forms::shipped().at(scene.anchor, |place| scene.window.at(place))?;
    let score = if found.score >= TOLD {
        found.score.max(SURE)
    } else {
        found.score
    };
    Some(Match {
        validated: found.validated,
        by: Some(found.id),
        ..Match::new(found.secret.start, found.secret.end, score)
    })
}

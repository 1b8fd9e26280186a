//! Where a check stands, and what it does.

use std::sync::Arc;

use bartizan_core::{Note, TextRole, Trail};

use crate::{Check, Finding, Sample, StreamCheck, Watcher};

/// What happens when a check finds something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Action {
    /// The request or the answer is refused.
    #[default]
    Block,
    /// It goes on; the finding is noted and counted. For trying a check on real traffic.
    Observe,
}

/// A check at its place: on requests or on answers, for some roles of text, blocking or observing.
///
/// ```
/// use bartizan_core::TextRole;
/// use bartizan_guard::{GuardLayer, Injection, Post};
///
/// let documents_only = Post::input(Injection::default()).roles([TextRole::ToolResult]).observe();
/// let guard = GuardLayer::builder().post(documents_only).build();
/// ```
#[derive(Clone, Debug)]
pub struct Post {
    place: Place,
    action: Action,
    roles: Roles,
}

#[derive(Clone, Debug)]
enum Place {
    Input(Arc<dyn Check>),
    Output(Arc<dyn StreamCheck>),
}

#[derive(Clone, Debug)]
enum Roles {
    Only(Vec<TextRole>),
    AllBut(&'static [TextRole]),
}

/// On requests these are the application's own words, or the model's, or reach no model at all.
const NOT_BY_STRANGERS: &[TextRole] = &[
    TextRole::System,
    TextRole::Assistant,
    TextRole::Reasoning,
    TextRole::Refusal,
    TextRole::EndUser,
    TextRole::Metadata,
];

impl Post {
    /// Puts a check on requests, blocking, for what strangers write: users, tools and their results, files, inputs, and
    /// whatever no dialect names. System texts and what the model itself said before are left alone.
    pub fn input(check: impl Check) -> Self {
        Self {
            place: Place::Input(Arc::new(check)),
            action: Action::Block,
            roles: Roles::AllBut(NOT_BY_STRANGERS),
        }
    }

    /// Puts a check on answers, blocking, for every role. A streamed answer is held back as far as the check asks.
    pub fn output(check: impl StreamCheck) -> Self {
        Self {
            place: Place::Output(Arc::new(check)),
            action: Action::Block,
            roles: Roles::AllBut(&[]),
        }
    }

    /// Says what happens when the check finds something. [`Action::Block`] unless told.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        self.action = action;
        self
    }

    /// Lets what is found go on, noted and counted: short for [`Action::Observe`].
    #[must_use]
    pub fn observe(self) -> Self {
        self.action(Action::Observe)
    }

    /// Looks at texts of these roles, and no others.
    #[must_use]
    pub fn roles(mut self, roles: impl IntoIterator<Item = TextRole>) -> Self {
        self.roles = Roles::Only(roles.into_iter().collect());
        self
    }

    pub(crate) fn is_input(&self) -> bool {
        matches!(self.place, Place::Input(_))
    }

    pub(crate) fn blocks(&self) -> bool {
        self.action == Action::Block
    }

    pub(crate) fn reads(&self, role: TextRole) -> bool {
        match &self.roles {
            Roles::Only(roles) => roles.contains(&role),
            Roles::AllBut(roles) => !roles.contains(&role),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match &self.place {
            Place::Input(check) => check.name(),
            Place::Output(check) => check.name(),
        }
    }

    pub(crate) fn find(&self, sample: &Sample<'_>) -> Option<Finding> {
        match &self.place {
            Place::Input(check) => check.find(sample),
            Place::Output(check) => check.find(sample),
        }
    }

    /// Whether what the user wrote is no finding of its check in an answer.
    pub(crate) fn spares_own(&self) -> bool {
        match &self.place {
            Place::Input(_) => false,
            Place::Output(check) => check.spares_own(),
        }
    }

    pub(crate) fn watch(&self) -> Option<Box<dyn Watcher>> {
        match &self.place {
            Place::Input(_) => None,
            Place::Output(check) => Some(check.watch()),
        }
    }

    /// Writes the finding to the record and the metrics: names and counts, never content.
    pub(crate) fn report(&self, finding: &Finding, role: TextRole, trail: Option<&Trail>) {
        let action = if self.blocks() { "blocked" } else { "observed" };
        let direction = if self.is_input() { "input" } else { "output" };
        metrics::counter!("bartizan.guard.findings", "check" => self.name(), "rule" => finding.rule_id(), "direction" => direction, "action" => action)
            .increment(1);
        tracing::debug!(
            check = self.name(),
            rule = finding.rule(),
            direction,
            action,
            "found"
        );
        if let Some(trail) = trail {
            let mut note = Note::new("guard", action)
                .word("check", self.name())
                .word("rule", finding.rule_id())
                .word("risk", finding.risk().code())
                .word("direction", direction)
                .word("role", role.as_str());
            if let Some(disguise) = finding.disguise() {
                note = note.word("disguise", disguise);
            }
            trail.note(note);
        }
    }
}

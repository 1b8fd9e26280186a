//! What a caller is told.

use bartizan_core::{Refusal, RefusalKind, TextRole};

use crate::post::Post;
use crate::{Finding, Risk};

/// The refusal for a finding: names the check, the rule and the role of the text, never the text.
pub(crate) fn for_finding(post: &Post, finding: &Finding, role: TextRole) -> Refusal {
    let code = match finding.risk() {
        Risk::PromptInjection => "guard_prompt_injection",
        Risk::SensitiveInformation => "guard_sensitive_information",
        Risk::SystemPromptLeakage => "guard_system_prompt_leakage",
        Risk::Policy => "guard_policy",
    };
    let what = if post.is_input() { "request" } else { "answer" };
    let message = format!(
        "the {what} was blocked by the guard: check {}, rule {} ({}), in a text of role {}",
        post.name(),
        finding.rule(),
        finding.risk(),
        role.as_str(),
    );
    Refusal::new(RefusalKind::Blocked, code, message)
}

/// The refusal for a part that no check could read.
pub(crate) fn for_unseen_part(what: &'static str, place: &'static str) -> Refusal {
    let message = format!(
        "the {what} has a part in `{place}` that the guard can't read, so it was blocked: leave the part out"
    );
    Refusal::new(RefusalKind::Blocked, "guard_unseen_part", message).param(place)
}

/// The refusal for a body that no check could read.
pub(crate) fn for_unseen_body(what: &'static str) -> Refusal {
    let message =
        format!("the {what}'s body is in no form that the guard can read, so it was blocked");
    Refusal::new(RefusalKind::Blocked, "guard_unseen_body", message)
}

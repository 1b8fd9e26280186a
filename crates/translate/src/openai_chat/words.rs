//! Why an answer ended, in the words of OpenAI and of those that have its API with words of their own.

use bartizan_core::{Finish, Refusal, RefusalKind};

/// `None` for a failure that goes by no other name, and for what is unknown: it is no answer that came to its end.
pub(crate) fn finish(reason: &str) -> Option<Finish> {
    Some(match reason {
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" | "STOP" | "completed" => {
            Finish::Stop
        }
        "length" | "max_tokens" | "model_length" | "max_output_tokens" | "MAX_TOKENS" => {
            Finish::Length
        }
        "tool_calls" | "function_call" | "tool_use" | "TOOL_CALLS" => Finish::ToolCalls,
        "content_filter" | "refusal" | "safety" | "SAFETY" | "sensitive" | "guardrail" => {
            Finish::ContentFilter
        }
        "" | "error" | "network_error" | "insufficient_system_resource" => return None,
        _ => Finish::Other,
    })
}

/// Whether `reason` says that the provider failed.
pub(crate) fn is_failure(reason: &str) -> bool {
    matches!(
        reason,
        "error" | "network_error" | "insufficient_system_resource"
    )
}

/// Some servers say `stop` where calls wait for their results, and OpenAI does where a call was forced. A call of the hidden tool is an
/// answer: the caller has nothing to run.
pub(crate) fn settled(finish: Finish, called: bool, hidden_tool: bool) -> Finish {
    match finish {
        Finish::Stop if called => Finish::ToolCalls,
        Finish::ToolCalls if hidden_tool && !called => Finish::Stop,
        finish => finish,
    }
}

/// What a failure is told by that says no more of itself.
pub(crate) fn failed() -> Refusal {
    Refusal::new(
        RefusalKind::Upstream,
        "upstream_error",
        "the provider failed while it answered",
    )
}

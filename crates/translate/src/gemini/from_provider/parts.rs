//! Reading the parts of an answer.

use bartizan_core::json::Value;

use super::says;
use crate::losses::Losses;
use crate::neutral::{Maker, Signature, Str};
use crate::read::member;

/// What of a part any client can use.
pub(super) enum Part<'a> {
    Text {
        text: Str<'a>,
        signature: Option<Signature<'a>>,
    },
    Thought {
        text: Str<'a>,
        signature: Option<Signature<'a>>,
    },
    Call {
        id: Option<Str<'a>>,
        name: Str<'a>,
        args: Str<'a>,
        signature: Option<Signature<'a>>,
    },
}

impl<'a> Part<'a> {
    /// `None` for what is left out: what the provider ran itself, data, and what is new.
    pub(super) fn read(part: Value<'a>, losses: &mut Losses) -> Option<Self> {
        let signature = says(part, "thoughtSignature").map(|data| Signature {
            maker: Maker::Google,
            data,
        });
        if let Some(call) = member(part, "functionCall") {
            let Some(name) = says(call, "name") else {
                losses.dropped("content.other");
                return None;
            };
            if member(call, "partialArgs").is_some() {
                losses.dropped("content.other");
            }
            return Some(Self::Call {
                id: says(call, "id"),
                name,
                args: member(call, "args").map_or("{}", Value::raw).into(),
                signature,
            });
        }
        if let Some(text) = member(part, "text").and_then(Value::text) {
            let is_thought = member(part, "thought").and_then(Value::as_bool) == Some(true);
            return Some(if is_thought {
                Self::Thought { text, signature }
            } else {
                Self::Text { text, signature }
            });
        }
        if let Some(lost) = lost(part) {
            losses.dropped(lost);
        } else if signature.is_some() {
            let text = "".into();
            return Some(Self::Text { text, signature });
        }
        None
    }
}

/// The name under which a part that no client can use is reported; `None` where it says nothing.
fn lost(part: Value<'_>) -> Option<&'static str> {
    let mut lost = None;
    for (key, _) in part.members() {
        let name = match key.text().as_deref() {
            Some("executableCode" | "toolCall") => "content.server_tool_use",
            Some("codeExecutionResult" | "toolResponse") => "content.server_tool_result",
            Some("inlineData" | "fileData") => "content.data",
            Some("thought" | "thoughtSignature") => continue,
            _ => "content.other",
        };
        lost = lost.or(Some(name));
    }
    lost
}

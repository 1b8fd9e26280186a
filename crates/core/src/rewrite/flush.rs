//! The event in which a flow's rest leaves.

use super::{Flow, TextRewriter, whole};
use crate::dialect::{Channel, Dialect, TextRole};
use crate::document::Document;
use crate::event::Event;
use crate::json::{Kind, Value, quote};

/// One more event of the flow that says `rest`.
///
/// Where an event has the shape of a whole answer, or opens a block, a copy of it would call a tool or open the block again: there the
/// event is made anew.
pub(super) fn flush<R: TextRewriter>(
    flow: &Flow<R>,
    channel: Channel,
    rest: &str,
    make: &mut dyn FnMut(TextRole) -> Option<R>,
) -> Option<Event> {
    let mut mould = flow.last.clone();
    let root = mould.read_document(flow.dialect).ok()??.json().root();
    let by_model = matches!(channel.role, TextRole::Assistant | TextRole::Reasoning);
    let (name, data) = match flow.dialect {
        Dialect::Gemini if by_model => (None, gemini(root, channel, rest)),
        Dialect::OllamaChat if by_model => (None, ollama(root, channel, rest)),
        Dialect::CohereChat if channel.role == TextRole::ToolArguments => {
            let data = format!(
                r#"{{"type":"tool-call-delta","index":{},"delta":{{"message":{{"tool_calls":{{"function":{{"arguments":{}}}}}}}}}}}"#,
                channel.part,
                quote(rest),
            );
            (Some("tool-call-delta"), data)
        }
        Dialect::CohereChat
            if by_model
                && root
                    .get("type")
                    .is_some_and(|kind| kind.is("content-start")) =>
        {
            let member = if channel.role == TextRole::Reasoning {
                "thinking"
            } else {
                "text"
            };
            let data = format!(
                r#"{{"type":"content-delta","index":{},"delta":{{"message":{{"content":{{"{member}":{}}}}}}}}}"#,
                channel.part,
                quote(rest),
            );
            (Some("content-delta"), data)
        }
        _ => return cast(flow, channel, rest, make),
    };
    let mut event = Event::new(name, &data);
    event.read_document(flow.dialect).ok()??;
    Some(event)
}

fn gemini(mould: Value<'_>, channel: Channel, rest: &str) -> String {
    let mut data = format!(
        r#"{{"candidates":[{{"content":{{"parts":[{{"text":{}{}}}],"role":"model"}},"index":{}}}]"#,
        quote(rest),
        if channel.role == TextRole::Reasoning {
            r#","thought":true"#
        } else {
            ""
        },
        channel.group,
    );
    keep(mould, &["modelVersion", "responseId"], &mut data);
    data.push('}');
    data
}

fn ollama(mould: Value<'_>, channel: Channel, rest: &str) -> String {
    let (content, thinking) = if channel.role == TextRole::Reasoning {
        (
            String::from("\"\""),
            format!(r#","thinking":{}"#, quote(rest)),
        )
    } else {
        (quote(rest), String::new())
    };
    let mut data =
        format!(r#"{{"message":{{"role":"assistant","content":{content}{thinking}}},"done":false"#);
    keep(mould, &["model", "created_at"], &mut data);
    data.push('}');
    data
}

/// Appends the members `names` of `root`, as they are spelled there.
fn keep(root: Value<'_>, names: &[&str], data: &mut String) {
    for name in names {
        if let Some(value) = root.get(name) {
            data.push_str(&format!(",\"{name}\":{}", value.raw()));
        }
    }
}

/// A copy of the flow's last event with `rest` as its piece and no other. The mould is as the provider sent it, so what it says whole is
/// rewritten here too.
fn cast<R: TextRewriter>(
    flow: &Flow<R>,
    channel: Channel,
    rest: &str,
    make: &mut dyn FnMut(TextRole) -> Option<R>,
) -> Option<Event> {
    let mut event = flow.last.clone();
    let document = event.read_document(flow.dialect).ok()??;
    let mut rest = Some(rest.to_owned());
    document.rewrite(|text| {
        if !text.is_delta() {
            whole(make, text)
        } else if text.channel() == channel {
            // One flow may have two pieces in an event; what is left is said once.
            Some(rest.take().unwrap_or_default())
        } else {
            Some(String::new())
        }
    });
    unname(document);
    Some(event)
}

/// OpenAI's first piece of a tool call has its id and name, which clients append to what they have.
fn unname(document: &mut Document) {
    if document.dialect() != Dialect::OpenAiChat {
        return;
    }
    let root = document.json().root();
    let calls = root
        .get("choices")
        .into_iter()
        .flat_map(|choices| choices.items())
        .filter_map(|choice| choice.get("delta")?.get("tool_calls"))
        .flat_map(|calls| calls.items());
    let mut names: Vec<_> = calls
        .flat_map(|call| {
            [
                call.get("id"),
                call.get("function")
                    .and_then(|function| function.get("name")),
            ]
        })
        .flatten()
        .filter(|value| value.kind() == Kind::String)
        .map(|value| (value.id(), String::new()))
        .collect();
    names.sort_by_key(|(node, _)| *node);
    if !names.is_empty() {
        document.replace(&names);
    }
}

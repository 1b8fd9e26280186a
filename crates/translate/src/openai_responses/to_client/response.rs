//! The object that is a response: at the beginning, the middle and the end of a stream, or by itself.

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Finish, Usage};

use crate::losses::{DROPPED_MEMBER, Losses};
use crate::neutral::Ask;
use crate::openai_responses::namespace::Namespaces;
use crate::read::member;
use crate::write::Writer;

/// The members whose value is this where the request says nothing of them, in the order in which they stand.
const SAID_BACK: &[(&str, Option<&str>)] = &[
    ("background", Some("false")),
    ("instructions", Some("null")),
    ("max_output_tokens", Some("null")),
    ("max_tool_calls", Some("null")),
    ("metadata", Some("{}")),
    ("parallel_tool_calls", Some("true")),
    ("previous_response_id", Some("null")),
    ("prompt_cache_key", None),
    ("reasoning", Some(r#"{"effort":null,"summary":null}"#)),
    ("safety_identifier", None),
    // Nothing is, whatever was asked.
    ("store", Some("false")),
    ("temperature", Some("null")),
    ("text", Some(r#"{"format":{"type":"text"}}"#)),
    ("tool_choice", Some(r#""auto""#)),
    ("tools", Some("[]")),
    ("top_logprobs", None),
    ("top_p", Some("null")),
    ("truncation", Some(r#""disabled""#)),
    ("user", None),
];

/// What all responses of one request have in common.
#[derive(Debug, Default)]
pub(super) struct Head {
    created: u64,
    /// The members that say the request back.
    said_back: String,
    pub(super) namespaces: Namespaces,
    pub(super) id: String,
    model: String,
}

/// How far the answer came.
#[derive(Clone, Copy, Debug)]
pub(super) enum End<'e> {
    InProgress,
    Ended {
        finish: Option<Finish>,
        usage: &'e Usage,
        losses: &'e Losses,
    },
}

impl Head {
    pub(super) fn new(created: u64, ask: &Ask<'_>) -> Self {
        let mut out = Writer::default();
        for (name, unsaid) in SAID_BACK {
            let said = ask.echo.iter().find(|(echoed, _)| echoed == name);
            match (said, unsaid) {
                (Some((_, value)), _) if *name == "tools" => tools(*value, &mut out),
                (Some((_, value)), _) => out.raw_at(name, value.raw()),
                (None, Some(unsaid)) => out.raw_at(name, unsaid),
                (None, None) => {}
            }
        }
        let tools = ask.echo.iter().find(|(name, _)| *name == "tools");
        let tools = tools.map(|(_, tools)| *tools);
        Self {
            created,
            said_back: out.finish(),
            namespaces: tools.map(Namespaces::of).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// The head of the answer that its provider calls `id`.
    pub(super) fn begun(&self, id: &str, model: &str) -> Self {
        Self {
            created: self.created,
            said_back: self.said_back.clone(),
            namespaces: self.namespaces.clone(),
            id: Self::id(id, self.created),
            model: model.to_owned(),
        }
    }

    fn id(id: &str, created: u64) -> String {
        match id {
            "" => format!("resp_{created}"),
            id if id.starts_with("resp_") => id.to_owned(),
            id => format!("resp_{id}"),
        }
    }

    pub(super) fn write(&self, end: End<'_>, output: impl FnOnce(&mut Writer), out: &mut Writer) {
        out.open();
        out.text_at("id", &self.id);
        out.plain_at("object", "response");
        out.number_at("created_at", self.created);
        out.key("status");
        match end {
            End::InProgress => out.plain("in_progress"),
            End::Ended { finish, .. } if is_incomplete(finish) => out.plain("incomplete"),
            End::Ended { .. } => out.plain("completed"),
        }
        out.raw_at("error", "null");
        out.key("incomplete_details");
        match end {
            End::Ended {
                finish: Some(Finish::Length),
                ..
            } => out.raw(r#"{"reason":"max_output_tokens"}"#),
            End::Ended {
                finish: Some(Finish::ContentFilter),
                ..
            } => out.raw(r#"{"reason":"content_filter"}"#),
            _ => out.raw("null"),
        }
        out.text_at("model", &self.model);
        out.key("output");
        out.open_list();
        output(out);
        out.close_list();
        out.raw(&self.said_back);
        out.key("usage");
        match end {
            End::InProgress => out.raw("null"),
            End::Ended { usage, losses, .. } => {
                write_usage(usage, out);
                dropped(losses, out);
            }
        }
        out.close();
    }
}

/// Whether the answer is a part of what it was to be. One of which the provider says that it is whole and not why it ended is whole.
pub(super) const fn is_incomplete(finish: Option<Finish>) -> bool {
    matches!(finish, Some(Finish::Length | Finish::ContentFilter))
}

/// The tools, with what an answer says of each and a request need not.
fn tools(tools: Value<'_>, out: &mut Writer) {
    out.key("tools");
    out.open_list();
    for tool in tools.items() {
        let lacks = |key: &str| tool.get(key).is_none();
        let is_function = member(tool, "type").is_some_and(|kind| kind.is("function"));
        let (rest, closed) = match tool.raw().strip_suffix('}') {
            Some(rest) if is_function && tool.kind() == Kind::Object => (rest, "}"),
            _ => (tool.raw(), ""),
        };
        let mut said = rest.to_owned();
        if is_function {
            for key in ["parameters", "strict"] {
                if lacks(key) {
                    said.push_str(&format!(r#","{key}":null"#));
                }
            }
        }
        said.push_str(closed);
        out.raw(&said);
    }
    out.close_list();
}

/// What was read from and written to the cache lies within the input, reasoning within the output.
fn write_usage(usage: &Usage, out: &mut Writer) {
    if usage.total() == 0 {
        // The provider said none, and a count of 0 would be taken for one.
        return out.raw("null");
    }
    out.open();
    out.number_at("input_tokens", usage.total_input());
    out.key("input_tokens_details");
    out.open();
    out.number_at("cached_tokens", usage.cached_input);
    out.number_at("cache_write_tokens", usage.cache_write);
    out.close();
    out.number_at("output_tokens", usage.total_output());
    out.key("output_tokens_details");
    out.open();
    out.number_at("reasoning_tokens", usage.reasoning);
    out.close();
    out.number_at("total_tokens", usage.total());
    out.close();
}

fn dropped(losses: &Losses, out: &mut Writer) {
    if losses.is_empty() {
        return;
    }
    out.key(DROPPED_MEMBER);
    out.open_list();
    for field in losses.fields() {
        out.plain(field);
    }
    out.close_list();
}

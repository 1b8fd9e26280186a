//! Tools that take any text, for providers whose tools take JSON alone.
//!
//! Such a tool goes out as a function with one string, `input`, and its calls come back as calls of the tool. A grammar can't be kept to:
//! it is left out and reported.

use bartizan_core::json::Json;
use bartizan_core::{Dialect, Document, Framing};
use http::HeaderMap;

use crate::catalogue::Quirk;
use crate::dialects::{Reader, To};
use crate::losses::Losses;
use crate::neutral::{Answer, Ask, Block, Moment, Raw, Str, ToolKind};
use crate::read::member;
use crate::write::Writer;

/// The member that holds the text, and its schema.
const INPUT: &str = "input";
const SCHEMA: &str = r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}"#;

/// Whether a dialect has such tools itself.
const fn has_custom(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::OpenAiChat | Dialect::OpenAiResponses)
}

/// Makes functions of them, where `to` has none; gives their names.
pub(crate) fn wrap(ask: &mut Ask<'_>, to: &To<'_>, losses: &mut Losses) -> Vec<String> {
    let mut names = Vec::new();
    if has_custom(to.dialect) && !to.quirks.has(Quirk::OldWords) {
        return names;
    }
    for tool in &mut ask.tools {
        if let ToolKind::Custom { format } = &tool.kind {
            if format.is_some() {
                losses.dropped("tools.custom.format");
            }
            tool.kind = ToolKind::Function {
                schema: Some(Raw::Made(SCHEMA.to_owned())),
                strict: false,
            };
            names.push(tool.name.clone().into_owned());
        }
    }
    for block in ask.turns.iter_mut().flat_map(|turn| &mut turn.blocks) {
        match block {
            Block::ToolUse { input, custom, .. } if *custom => {
                let mut json = Writer::with_capacity(input.len() + 16);
                json.open();
                json.text_at(INPUT, input);
                json.close();
                *input = json.finish().into();
                *custom = false;
            }
            Block::ToolResult { custom, .. } => *custom = false,
            _ => {}
        }
    }
    names
}

/// Reads the answers to a request whose tools `names` were wrapped.
#[derive(Debug)]
pub(crate) struct Unwrapping {
    inner: Box<dyn Reader>,
    names: Vec<String>,
    /// The open calls of such tools, with what came of their arguments.
    calls: Vec<(u32, String)>,
}

impl Unwrapping {
    /// `inner` itself, where nothing was wrapped.
    pub(crate) fn around(inner: Box<dyn Reader>, names: Vec<String>) -> Box<dyn Reader> {
        if names.is_empty() {
            return inner;
        }
        Box::new(Self {
            inner,
            names,
            calls: Vec::new(),
        })
    }
}

impl Reader for Unwrapping {
    fn answer<'a>(&self, reply: &'a Document) -> Answer<'a> {
        let mut answer = self.inner.answer(reply);
        for block in &mut answer.blocks {
            if let Block::ToolUse {
                name,
                input,
                custom,
                ..
            } = block
                && self.names.iter().any(|wrapped| wrapped == name)
            {
                *input = unwrap(input).into();
                *custom = true;
            }
        }
        answer
    }

    fn hear<'a>(&mut self, event: &'a Document, say: &mut dyn FnMut(Moment<'a>)) {
        let Self {
            inner,
            names,
            calls,
        } = self;
        inner.hear(event, &mut |moment| pass(names, calls, moment, say));
    }

    fn done(&mut self, say: &mut dyn FnMut(Moment<'static>)) {
        let Self {
            inner,
            names,
            calls,
        } = self;
        inner.done(&mut |moment| pass(names, calls, moment, say));
    }

    fn over(&mut self, say: &mut dyn FnMut(Moment<'static>)) {
        let Self {
            inner,
            names,
            calls,
        } = self;
        inner.over(&mut |moment| pass(names, calls, moment, say));
    }

    fn head(&mut self, headers: &HeaderMap) {
        self.inner.head(headers);
    }

    fn framing(&self) -> Option<Box<dyn Framing>> {
        self.inner.framing()
    }
}

fn pass<'a>(
    names: &[String],
    calls: &mut Vec<(u32, String)>,
    mut moment: Moment<'a>,
    say: &mut dyn FnMut(Moment<'a>),
) {
    match &mut moment {
        Moment::Call {
            call, name, custom, ..
        } if names.iter().any(|wrapped| wrapped == name) => {
            *custom = true;
            calls.push((*call, String::new()));
        }
        Moment::Arguments { call, piece } => {
            if let Some((_, text)) = calls.iter_mut().find(|(open, _)| open == call) {
                text.push_str(piece);
                return;
            }
        }
        // The text is told when its JSON is whole: an escape may be cut anywhere.
        Moment::Finish { .. } => {
            for (call, text) in calls.drain(..) {
                let piece = Str::Owned(unwrap(&text));
                say(Moment::Arguments { call, piece });
            }
        }
        _ => {}
    }
    say(moment);
}

/// The text within; the whole of it where the model kept to no form.
fn unwrap(input: &str) -> String {
    Json::read(input)
        .ok()
        .and_then(|json| {
            let text = member(json.root(), INPUT)?.text()?;
            Some(text.into_owned())
        })
        .unwrap_or_else(|| input.to_owned())
}

//! A request.

use bartizan_core::json::Value;
use bartizan_core::{Refusal, RefusalKind};

use super::{Block, Raw, Str, Wishes};
use crate::facts::Effort;

/// What the caller's dialect calls a field, by our name for it; those that stand in no such table are called the same.
pub(crate) type Names = &'static [(&'static str, &'static str)];

#[derive(Debug, Default)]
pub(crate) struct Ask<'a> {
    /// The caller's words for fields: ours are OpenAI chat's.
    pub(crate) names: Names,
    pub(crate) model: Str<'a>,
    /// The conversation, instructions included, in its order.
    pub(crate) turns: Vec<Turn<'a>>,
    pub(crate) tools: Vec<Tool<'a>>,
    pub(crate) choice: Choice<'a>,
    /// Whether the model may call several tools at once.
    pub(crate) one_tool_at_a_time: bool,
    /// Whether the caller calls them functions, and reads one call, as OpenAI's first clients did.
    pub(crate) functions: bool,
    pub(crate) max_output: Option<u64>,
    pub(crate) stop: Vec<Str<'a>>,
    pub(crate) temperature: Option<Number<'a>>,
    pub(crate) top_p: Option<Number<'a>>,
    pub(crate) top_k: Option<Number<'a>>,
    pub(crate) reasoning: Option<Reasoning>,
    /// Whether the answer is to tell the thoughts, where the caller says it.
    pub(crate) show_thoughts: Option<bool>,
    pub(crate) format: Format<'a>,
    pub(crate) user: Option<Str<'a>>,
    /// Raw, in Anthropic's words: where the provider is to cache the whole prompt.
    pub(crate) cache: Option<Value<'a>>,
    pub(crate) wishes: Wishes<'a>,
    pub(crate) stream: bool,
    /// Whether a streamed answer is to say its usage, where that must be asked for.
    pub(crate) stream_usage: bool,
    /// Members that answers in the caller's dialect say back, as they were sent.
    pub(crate) echo: Vec<(&'static str, Value<'a>)>,
}

impl Ask<'_> {
    /// The tools that may be called, where the caller allows a part of them only: to offer no others says the same.
    pub(crate) fn offered(&self) -> impl Iterator<Item = &Tool<'_>> {
        self.tools.iter().filter(|tool| match &self.choice {
            Choice::Allowed { names, .. } => names.contains(&tool.name),
            _ => true,
        })
    }

    /// 400: the value of `field` is not what the API has there.
    pub(crate) fn invalid(&self, field: &'static str, says: &str) -> Refusal {
        self.refusal("invalid_value", field, says)
    }

    /// 400: the target has no way to say `field`, and leaving it out would change the meaning.
    pub(crate) fn unsupported(&self, field: &'static str, says: &str) -> Refusal {
        self.refusal("unsupported_parameter", field, says)
    }

    /// 400: the target has no way to say what is in `turn`.
    pub(crate) fn unsupported_in(&self, turn: &Turn<'_>, says: &str) -> Refusal {
        let place = format!("{}[{}]", told(self.names, "messages"), turn.at);
        let message = format!("{place}: {says}");
        Refusal::new(RefusalKind::BadRequest, "unsupported_parameter", message).param(place)
    }

    /// 400: the target must be told how much it may say at most, and nothing here tells.
    pub(crate) fn most_is_required(&self, why: &str) -> Refusal {
        let field = match told(self.names, "max_completion_tokens") {
            "max_completion_tokens" => told(self.names, "max_tokens"),
            theirs => theirs,
        };
        let says = format!("set {field}: {why}, and this model's own maximum is not known here");
        Refusal::new(RefusalKind::BadRequest, "max_tokens_required", says).param(field)
    }

    fn refusal(&self, code: &'static str, field: &'static str, says: &str) -> Refusal {
        let field = told(self.names, field);
        Refusal::new(RefusalKind::BadRequest, code, format!("{field}: {says}")).param(field)
    }
}

/// What the caller calls `field`.
pub(crate) fn told(names: Names, field: &str) -> &str {
    names
        .iter()
        .find(|(ours, _)| *ours == field)
        .map_or(field, |(_, theirs)| theirs)
}

/// A number with its spelling, which is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<'a> {
    pub(crate) raw: &'a str,
    pub(crate) value: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reasoning {
    Off,
    /// As the model finds fit.
    Auto,
    Effort(Effort),
    Budget(u64),
}

#[derive(Debug)]
pub(crate) struct Turn<'a> {
    /// Which message of the caller's it is, from 0.
    pub(crate) at: usize,
    pub(crate) role: Role,
    pub(crate) blocks: Vec<Block<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    System,
    User,
    Assistant,
    /// Results of tools, and nothing else.
    Tool,
}

#[derive(Debug)]
pub(crate) struct Tool<'a> {
    pub(crate) name: Str<'a>,
    pub(crate) description: Option<Str<'a>>,
    pub(crate) kind: ToolKind<'a>,
    pub(crate) cache: Option<Value<'a>>,
}

#[derive(Debug)]
pub(crate) enum ToolKind<'a> {
    Function {
        /// A JSON schema in its usual spelling; `None` where the tool takes nothing.
        schema: Option<Raw<'a>>,
        strict: bool,
    },
    /// Takes any text, perhaps of a grammar (OpenAI).
    Custom { format: Option<Raw<'a>> },
    /// The provider runs it itself. `kind` in our words: `web_search`, `code_execution`, `url_context`, or the caller's type.
    Server { kind: Str<'a>, raw: Value<'a> },
}

#[derive(Debug, Default)]
pub(crate) enum Choice<'a> {
    #[default]
    Auto,
    None,
    Required,
    Named(Str<'a>),
    /// One of these only; `required`: and one of them must be called.
    Allowed {
        names: Vec<Str<'a>>,
        required: bool,
    },
}

/// What form the answer has.
#[derive(Debug, Default)]
pub(crate) enum Format<'a> {
    #[default]
    Text,
    /// Any JSON object.
    Object,
    Schema {
        name: Option<Str<'a>>,
        description: Option<Str<'a>>,
        schema: Raw<'a>,
        strict: bool,
    },
}

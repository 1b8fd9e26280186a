//! What an answer says, whichever API says it, read from its JSON alone: nothing here knows how the crate under test reads.
//!
//! There is one reader an API. A stream is put together to the answer that its API gives unstreamed, as that API's own SDK does it,
//! and read by the same reader; what clients rely on underway is checked by [`protocol`](crate::protocol).

mod anthropic;
mod chat;
mod cohere;
mod completions;
mod converse;
mod gemini;
mod ollama;
mod responses;

use serde_json::{Value, json};

use crate::api::Api;
use crate::frames::Frame;

/// One answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// The texts, joined.
    pub text: String,
    /// The thinking that can be read, joined.
    pub reasoning: String,
    /// Why the model refused, in its own words.
    pub refusal: String,
    /// The tools that the caller is to run.
    pub calls: Vec<Called>,
    /// What only the provider reads, and must get back as it was: signatures, encrypted thinking.
    pub opaque: Vec<String>,
    /// Why it ended; `None` where it did not say.
    pub finish: Option<Finish>,
    /// What it cost.
    pub usage: Usage,
    /// Kinds of content beside these: tools that the provider ran itself, citations, pictures.
    pub beside: Vec<String>,
    /// The name that the answer bears.
    pub id: String,
    /// What the answer itself says that it leaves out.
    pub declared: Vec<String>,
}

/// A call of a tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Called {
    /// Empty where the API has none.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// As JSON; `{}` where nothing was said.
    pub arguments: Value,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It is whole.
    Stop,
    /// It reached a limit.
    Length,
    /// The caller is to run tools.
    ToolCalls,
    /// It was stopped by a policy.
    ContentFilter,
    /// It failed.
    Error,
}

impl Finish {
    /// The word for it in OpenAI's chat.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Error => "error",
        }
    }
}

/// Tokens. Input counts the cached ones, output the thinking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All of the prompt.
    pub input: u64,
    /// All that was written.
    pub output: u64,
    /// Of the input: read from the cache.
    pub cached: u64,
    /// Of the input: written to the cache.
    pub written: u64,
    /// Of the output: thinking.
    pub reasoning: u64,
}

impl Said {
    /// As the SDK tests read it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let calls: Vec<Value> = self
            .calls
            .iter()
            .map(|call| json!({"id": call.id, "name": call.name, "arguments": call.arguments}))
            .collect();
        json!({
            "text": self.text,
            "reasoning": self.reasoning,
            "refusal": self.refusal,
            "calls": calls,
            "opaque": self.opaque,
            "finish": self.finish.map(Finish::as_str),
            "usage": {
                "input": self.usage.input,
                "output": self.usage.output,
                "cached": self.usage.cached,
                "written": self.usage.written,
                "reasoning": self.usage.reasoning,
            },
            "beside": self.beside,
            "id": self.id,
            "declared": self.declared,
        })
    }

    /// Some APIs say `stop` where tools are to be run: the calls themselves say it.
    fn settled(mut self) -> Self {
        if self.finish == Some(Finish::Stop) && !self.calls.is_empty() {
            self.finish = Some(Finish::ToolCalls);
        }
        self.beside.sort();
        self.beside.dedup();
        self
    }
}

/// Reads an unstreamed answer.
#[must_use]
pub fn whole(api: Api, answer: &Value) -> Said {
    let mut said = match api {
        Api::Chat => chat::read(answer),
        Api::Responses => responses::read(answer),
        Api::Completions => completions::read(answer),
        Api::Anthropic => anthropic::read(answer),
        Api::Gemini => gemini::read(answer),
        Api::Converse => converse::read(answer),
        Api::Cohere => cohere::read(answer),
        Api::Ollama => ollama::read(answer),
    };
    for lost in answer["bartizan_dropped"].as_array().into_iter().flatten() {
        said.declared.push(text_of(lost));
    }
    said.settled()
}

/// Reads a stream.
#[must_use]
pub fn streamed(api: Api, frames: &[Frame]) -> Said {
    let events: Vec<(&str, Value)> = frames
        .iter()
        .filter_map(|frame| {
            let data = serde_json::from_str(&frame.data).ok()?;
            Some((frame.name.as_str(), data))
        })
        .collect();
    let answer = match api {
        Api::Chat => chat::assembled(&events),
        Api::Responses => responses::assembled(&events),
        Api::Completions => completions::assembled(&events),
        Api::Anthropic => anthropic::assembled(&events),
        Api::Gemini => gemini::assembled(&events),
        Api::Converse => converse::assembled(&events),
        Api::Cohere => cohere::assembled(&events),
        Api::Ollama => ollama::assembled(&events),
    };
    let mut said = whole(api, &answer);
    for (_, event) in &events {
        // In a stream it stands in the event with the finish reason, which is not part of what is put together.
        let places = [
            &event["bartizan_dropped"],
            &event["response"]["bartizan_dropped"],
            &event["delta"]["bartizan_dropped"],
        ];
        for lost in places.iter().filter_map(|place| place.as_array()).flatten() {
            let lost = text_of(lost);
            if !said.declared.contains(&lost) {
                said.declared.push(lost);
            }
        }
    }
    said
}

type Events<'a> = [(&'a str, Value)];

/// A string, or nothing.
fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Arguments that came as a text.
pub(crate) fn arguments(text: &str) -> Value {
    if text.trim().is_empty() {
        return json!({});
    }
    serde_json::from_str(text).unwrap_or_else(|_| json!({"not JSON": text}))
}

/// Appends a text to a member that holds one.
fn append(object: &mut Value, member: &str, piece: &Value) {
    if let Some(piece) = piece.as_str() {
        let whole = text_of(&object[member]) + piece;
        object[member] = Value::from(whole);
    }
}

//! What a request asks, whichever API asks it, read from its JSON alone: nothing here knows how the crate under test reads or writes.

mod anthropic;
mod chat;
mod cohere;
mod compare;
mod completions;
mod converse;
mod gemini;
mod ollama;
mod responses;

pub use compare::differences;

use serde_json::Value;

use crate::api::Api;
use crate::said::Called;

/// One request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// The instructions' texts.
    pub system: Vec<String>,
    /// The conversation without them.
    pub turns: Vec<Turn>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// `auto`, `none`, `required`, or a tool's name.
    pub choice: Option<String>,
    /// The most tokens of an answer.
    pub max_tokens: Option<u64>,
    /// How bold to be.
    pub temperature: Option<f64>,
    /// The nucleus.
    pub top_p: Option<f64>,
    /// The candidates.
    pub top_k: Option<f64>,
    /// Where to stop.
    pub stop: Vec<String>,
    /// The schema of the answer, or `true` for any JSON object.
    pub format: Option<Value>,
    /// The form of thinking, in the API's own words.
    pub thinking: Option<Value>,
    /// Whether only one tool may be called at a time.
    pub one_at_a_time: bool,
    /// Whether to stream.
    pub stream: bool,
}

/// One message, or a run of them with one role.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    /// `user`, `assistant`.
    pub role: &'static str,
    /// In their order.
    pub parts: Vec<Part>,
}

/// One thing in a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A text that is not empty.
    Text(String),
    /// A picture, document or sound: its base64, text or address.
    Media(String),
    /// Thinking that can be read.
    Reasoning(String),
    /// A signature or encrypted thinking.
    Opaque(String),
    /// A call of a tool.
    Call(Called),
    /// What a tool gave.
    Result {
        /// Of the call; the tool's name where the API has no ids.
        id: String,
        /// Its texts, joined, and its media.
        content: Vec<String>,
    },
    /// What has no equal elsewhere, by its kind.
    Other(String),
}

/// A tool that the caller runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tool {
    /// Its name, or its kind where the provider runs it.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What it takes.
    pub schema: Value,
}

/// Reads a request.
#[must_use]
pub fn read(api: Api, request: &Value) -> Asked {
    let mut asked = match api {
        Api::Chat => chat::read(request),
        Api::Responses => responses::read(request),
        Api::Completions => completions::read(request),
        Api::Anthropic => anthropic::read(request),
        Api::Gemini => gemini::read(request),
        Api::Converse => converse::read(request),
        Api::Cohere => cohere::read(request),
        Api::Ollama => ollama::read(request),
    };
    // Neither is told to think.
    asked.thinking = asked.thinking.filter(|thinking| !is_off(thinking));
    // Where the API has no word for the answer's form, a hidden tool has it.
    if let Some(at) = asked
        .tools
        .iter()
        .position(|tool| tool.name == "bartizan_json_answer")
    {
        asked.format = Some(asked.tools.remove(at).schema);
        asked.choice = None;
    }
    for tool in &mut asked.tools {
        // What a provider runs itself has another name in each API.
        let kinds = [
            ("web_search", "web_search"),
            ("google_search", "web_search"),
            ("googleSearch", "web_search"),
            ("code_execution", "code_execution"),
            ("codeExecution", "code_execution"),
        ];
        let kind = kinds
            .iter()
            .find(|(theirs, _)| tool.schema.is_null() && tool.name.contains(theirs));
        if let Some((_, ours)) = kind {
            (*ours).clone_into(&mut tool.name);
        }
    }
    asked.system.retain(|text| !text.is_empty());
    for turn in &mut asked.turns {
        turn.parts.retain(
            |part| !matches!(part, Part::Text(text) | Part::Reasoning(text) if text.is_empty()),
        );
    }
    let mut merged: Vec<Turn> = Vec::new();
    for turn in asked.turns {
        match merged.last_mut() {
            Some(last) if last.role == turn.role => last.parts.extend(turn.parts),
            _ if turn.parts.is_empty() => {}
            _ => merged.push(turn),
        }
    }
    asked.turns = merged;
    asked
}

impl Asked {
    fn user(&mut self, parts: Vec<Part>) {
        self.turns.push(Turn {
            role: "user",
            parts,
        });
    }

    fn assistant(&mut self, parts: Vec<Part>) {
        self.turns.push(Turn {
            role: "assistant",
            parts,
        });
    }

    /// All parts, in order.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.turns.iter().flat_map(|turn| &turn.parts)
    }
}

fn is_off(thinking: &Value) -> bool {
    *thinking == "none"
        || *thinking == false
        || thinking["type"] == "disabled"
        // As the model finds fit, which is what happens anyway.
        || thinking["type"] == "adaptive"
        || thinking["effort"] == "none"
        || thinking["enabled"] == false
        || thinking["thinkingBudget"] == 0
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A string, or a list of them.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        several => items(several).map(text_of).collect(),
    }
}

/// The base64 of a data URL, or the address as it is.
fn media(url: &str) -> Part {
    let data = url
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(','));
    Part::Media(data.map_or(url, |(_, data)| data).to_owned())
}

/// The texts of a tool's result, joined, and then its media.
fn result(id: String, parts: impl Iterator<Item = Part>) -> Part {
    let mut text = String::new();
    let mut rest = Vec::new();
    for part in parts {
        match part {
            Part::Text(piece) => text += &piece,
            Part::Media(data) => rest.push(data),
            Part::Other(kind) => rest.push(kind),
            _ => {}
        }
    }
    let mut content = vec![text];
    content.append(&mut rest);
    Part::Result { id, content }
}

//! What two readings of one request do not share.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Asked, Part, Tool};
use crate::api::Api;

/// One thing that `after` does not say as `before` does: the field, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The field, in a word that its report has in it.
    pub field: &'static str,
    /// For whoever reads a failure.
    pub what: String,
}

impl Difference {
    /// Whether one of these reported fields is about it.
    #[must_use]
    pub fn is_declared(&self, dropped: &[String]) -> bool {
        let words: &[&str] = match self.field {
            "reasoning" => &[
                "reasoning",
                "thinking",
                "thought",
                "signature",
                "encrypted",
                "include",
            ],
            "thinking" => &["reasoning", "thinking", "effort"],
            "media" => &[
                "image", "file", "document", "audio", "video", "input", "content", "media",
                "inline", "messages",
            ],
            "messages" => &["messages", "input", "contents"],
            "max_tokens" => &["max_", "maxOutput", "num_predict"],
            "stop" => &["stop"],
            "top_p" => &["top_p", "topP"],
            "top_k" => &["top_k", "topK"],
            "format" => &["format", "schema", "responseMimeType", "responseSchema"],
            "schema" => &["schema", "parameters", "tools"],
            "tools" => &["tools", "functions"],
            "parallel" => &["parallel_tool", "tool_choice"],
            "choice" => &["tool_choice", "toolConfig", "mode"],
            "system" => &["system", "instructions", "developer"],
            "results" => &[
                "tool_result",
                "is_error",
                "results",
                "output",
                "content",
                "functionResponse",
            ],
            "beside" => return !dropped.is_empty(),
            field => &[field][..],
        };
        dropped
            .iter()
            .any(|reported| words.iter().any(|word| reported.contains(word)))
    }
}

/// All differences between a request and what became of it in `to`'s words.
#[must_use]
pub fn differences(before: &Asked, after: &Asked, to: Api) -> Vec<Difference> {
    let mut found = Differences(Vec::new());
    found.texts("system", &before.system.concat(), &after.system.concat());
    for role in ["user", "assistant"] {
        let texts = |asked: &Asked| said(asked, role, |part| matches!(part, Part::Text(_)));
        found.texts("messages", &texts(before), &texts(after));
    }
    let thoughts = |asked: &Asked| {
        said(asked, "assistant", |part| {
            matches!(part, Part::Reasoning(_))
        })
    };
    found.texts("reasoning", &thoughts(before), &thoughts(after));
    found.same("reasoning", &opaque(before), &opaque(after));
    found.same("media", &media(before), &media(after));
    found.calls(before, after, to);
    found.results(&results(before), &results(after));
    for part in before.parts() {
        if let Part::Other(kind) = part {
            let kept = after.parts().any(|other| other == part);
            found.unless("beside", kept, || format!("{kind} is lost"));
        }
    }
    found.tools(before, after);
    found.parameters(before, after, to);
    found.0
}

struct Differences(Vec<Difference>);

impl Differences {
    fn unless(&mut self, field: &'static str, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Difference {
                field,
                what: what(),
            });
        }
    }

    fn same<T: PartialEq + std::fmt::Debug>(&mut self, field: &'static str, before: &T, after: &T) {
        self.unless(field, before == after, || {
            shortened(&format!("{before:?} became {after:?}"))
        });
    }

    /// Texts that are joined with other white space are the same texts.
    fn texts(&mut self, field: &'static str, before: &str, after: &str) {
        self.unless(field, bare(before) == bare(after), || {
            shortened(&format!("{before:?} became {after:?}"))
        });
    }

    /// A document may stand as its text or in base64, with its title or without: what it says is there.
    fn results(&mut self, before: &[(Option<usize>, String)], after: &[(Option<usize>, String)]) {
        let answered = |results: &[(Option<usize>, String)]| -> Vec<Option<usize>> {
            results.iter().map(|(call, _)| *call).collect()
        };
        self.same("results", &answered(before), &answered(after));
        for ((_, one), (_, other)) in before.iter().zip(after) {
            let kept = bare(other).contains(&bare(one)) || other.contains(&STANDARD.encode(one));
            self.unless("results", kept, || {
                shortened(&format!("{one:?} became {other:?}"))
            });
        }
    }

    fn calls(&mut self, before: &Asked, after: &Asked, to: Api) {
        let (before, after) = (calls(before), calls(after));
        let bare = |calls: &[(String, String, Value)]| -> Vec<(String, Value)> {
            calls
                .iter()
                .map(|call| (call.1.clone(), call.2.clone()))
                .collect()
        };
        self.same("messages", &bare(&before), &bare(&after));
        for (one, other) in before.iter().zip(&after) {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            // OpenAI takes 40 characters, Bedrock 64.
            let may_stay = !one.0.is_empty() && one.0.len() <= 40 && one.0.chars().all(plain);
            let nameless = matches!(to, Api::Gemini | Api::Ollama) && other.0.is_empty();
            if may_stay && !nameless {
                self.same("ids", &one.0, &other.0);
            } else if !nameless {
                self.unless("ids", !other.0.is_empty(), || "a call has no id".to_owned());
            }
        }
    }

    fn tools(&mut self, before: &Asked, after: &Asked) {
        if before.choice.as_deref() == Some("none") && after.tools.is_empty() {
            // Where there is no word for none, the tools are withheld.
            return;
        }
        let names = |asked: &Asked| -> Vec<String> {
            asked.tools.iter().map(|tool| tool.name.clone()).collect()
        };
        let (named, renamed) = (names(before), names(after));
        if before.tools.is_empty() {
            // Tools that the history alone names must be declared to some providers.
            let history: Vec<String> = calls(before).into_iter().map(|call| call.1).collect();
            self.unless(
                "tools",
                renamed.iter().all(|name| history.contains(name)),
                || format!("{renamed:?} came from nowhere"),
            );
            return;
        }
        let chosen: Vec<String> = before.choice.iter().cloned().collect();
        if renamed != chosen {
            self.same("tools", &named, &renamed);
        }
        for other in &after.tools {
            let Some(one) = before.tools.iter().find(|tool| tool.name == other.name) else {
                continue;
            };
            self.same("tools", &one.description, &other.description);
            self.unless("schema", same_schema(one, other), || {
                shortened(&format!(
                    "{}: {} became {}",
                    one.name, one.schema, other.schema
                ))
            });
        }
    }

    fn parameters(&mut self, before: &Asked, after: &Asked, to: Api) {
        if before.max_tokens.is_some() {
            self.same("max_tokens", &before.max_tokens, &after.max_tokens);
        }
        // What happens anyway need not be said.
        let bold = |value: Option<f64>| value.filter(|value| (*value - 1.0).abs() > 1e-9);
        self.same(
            "temperature",
            &bold(before.temperature),
            &bold(after.temperature),
        );
        self.same("top_p", &bold(before.top_p), &bold(after.top_p));
        self.same("top_k", &before.top_k, &after.top_k);
        self.same("stop", &before.stop, &after.stop);
        let said = |choice: &Option<String>| choice.clone().filter(|word| word != "auto");
        let withheld = before.choice.as_deref() == Some("none") && after.tools.is_empty();
        let declared_for_history =
            before.tools.is_empty() && after.choice.as_deref() == Some("none");
        // To demand the only tool that there is, is to demand it by name.
        let only = after
            .tools
            .first()
            .filter(|_| after.tools.len() == 1)
            .map(|tool| &tool.name);
        let named = after.choice.as_deref() == Some("required") && before.choice.as_ref() == only;
        if !withheld && !declared_for_history && !before.tools.is_empty() && !named {
            self.same("choice", &said(&before.choice), &said(&after.choice));
        }
        let several = !before.one_at_a_time || after.one_at_a_time || before.tools.is_empty();
        self.unless("parallel", several, || {
            "parallel calls are forbidden no more".to_owned()
        });
        if let Some(format) = &before.format {
            let kept = after
                .format
                .as_ref()
                .is_some_and(|after| *format == json!(true) || same_shape(format, after));
            self.unless("format", kept, || {
                shortened(&format!("{format} became {:?}", after.format))
            });
        }
        self.unless(
            "thinking",
            before.thinking.is_none() || after.thinking.is_some(),
            || format!("{:?} is lost", before.thinking),
        );
        if !matches!(to, Api::Gemini | Api::Converse) {
            self.same("stream", &before.stream, &after.stream);
        }
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 600 {
        return text.to_owned();
    }
    let head: String = text.chars().take(300).collect();
    let tail: Vec<char> = text.chars().rev().take(300).collect();
    let tail: String = tail.into_iter().rev().collect();
    format!("{head} … {tail}")
}

fn said(asked: &Asked, role: &str, which: impl Fn(&Part) -> bool) -> String {
    let turns = asked.turns.iter().filter(|turn| turn.role == role);
    let parts = turns.flat_map(|turn| &turn.parts);
    parts
        .filter(|part| which(part))
        .map(|part| match part {
            Part::Text(text) | Part::Reasoning(text) => text.as_str(),
            _ => "",
        })
        .collect()
}

fn opaque(asked: &Asked) -> Vec<&str> {
    asked
        .parts()
        .filter_map(|part| match part {
            Part::Opaque(text) => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn media(asked: &Asked) -> Vec<&str> {
    let mut media: Vec<&str> = asked
        .parts()
        .filter_map(|part| match part {
            Part::Media(data) => Some(data.as_str()),
            _ => None,
        })
        .collect();
    media.sort_unstable();
    media
}

fn calls(asked: &Asked) -> Vec<(String, String, Value)> {
    asked
        .parts()
        .filter_map(|part| match part {
            Part::Call(call) => Some((call.id.clone(), call.name.clone(), call.arguments.clone())),
            _ => None,
        })
        .collect()
}

/// Each result with the place of the call that it answers: ids may change, what belongs together may not.
fn results(asked: &Asked) -> Vec<(Option<usize>, String)> {
    let mut calls: Vec<(&str, &str, bool)> = Vec::new();
    let mut results = Vec::new();
    for part in asked.parts() {
        match part {
            Part::Call(call) => calls.push((&call.id, &call.name, false)),
            Part::Result { id, content } => {
                let open = |(theirs, name, done): &(&str, &str, bool)| {
                    !done && (*theirs == id.as_str() || *name == id.as_str())
                };
                let at = calls.iter().position(open);
                if let Some(call) = at.and_then(|at| calls.get_mut(at)) {
                    call.2 = true;
                }
                results.push((at, content.iter().map(|text| plain(text)).collect()));
            }
            _ => {}
        }
    }
    results
}

/// A result that is an object of JSON in one API is a text with it in another.
fn plain(text: &str) -> String {
    if let Ok(Value::Object(members)) = serde_json::from_str(text) {
        for name in ["content", "output", "result", "error"] {
            match members.get(name) {
                Some(Value::String(inner)) => return inner.clone(),
                Some(Value::Array(parts)) if parts.iter().all(|part| part["text"].is_string()) => {
                    return parts
                        .iter()
                        .filter_map(|part| part["text"].as_str())
                        .collect();
                }
                _ => {}
            }
        }
    } else if let Ok(Value::Array(parts)) = serde_json::from_str(text) {
        return joined(&parts);
    }
    text.to_owned()
}

fn joined(parts: &[Value]) -> String {
    let text = |part: &Value| {
        part.as_str()
            .or_else(|| part["text"].as_str())
            .map(str::to_owned)
    };
    parts
        .iter()
        .map(|part| text(part).unwrap_or_else(|| part.to_string()))
        .collect()
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn same_schema(one: &Tool, other: &Tool) -> bool {
    let nothing = |schema: &Value| {
        schema.is_null()
            || schema["type"]
                .as_str()
                .is_none_or(|kind| kind.eq_ignore_ascii_case("object"))
                && schema["properties"]
                    .as_object()
                    .is_none_or(serde_json::Map::is_empty)
    };
    nothing(&one.schema) && nothing(&other.schema) || same_shape(&one.schema, &other.schema)
}

fn same_shape(one: &Value, other: &Value) -> bool {
    usual(one) == usual(other)
}

/// Gemini writes types in capitals, and `nullable` for the type null.
fn usual(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut usual: serde_json::Map<String, Value> = members
                .iter()
                .map(|(key, value)| (key.clone(), self::usual(value)))
                .collect();
            if let Some(kind) = members.get("type").and_then(Value::as_str) {
                usual["type"] = json!(kind.to_lowercase());
            }
            if usual.remove("nullable") == Some(json!(true)) {
                let kind = usual.get("type").cloned().unwrap_or_default();
                usual.insert("type".to_owned(), json!([kind, "null"]));
                if let Some(words) = usual.get_mut("enum").and_then(Value::as_array_mut) {
                    words.push(Value::Null);
                }
            }
            Value::Object(usual)
        }
        Value::Array(items) => items.iter().map(usual).collect(),
        other => other.clone(),
    }
}

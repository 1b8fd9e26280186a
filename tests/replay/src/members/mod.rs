//! What a request says beside its conversation, member by member: whatever [`asked`](crate::asked) does not compare is compared here by
//! value, so that no member of a request is overlooked because nobody thought of it.

mod made;
mod places;

pub use made::{Made, made};

use serde_json::{Value, json};

use crate::api::Api;

/// One value of a request that is no object and no list, or a mark for the cache.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Where it stands, without the places in lists: `tools[].function.strict`.
    pub path: String,
    /// What it means, where several APIs have a word for it.
    meaning: Option<String>,
    /// What is said, in a spelling that all APIs share.
    pub value: Value,
}

impl Member {
    /// Whether one of these reported fields is about it.
    #[must_use]
    pub fn is_declared(&self, dropped: &[String]) -> bool {
        let path = self.path.replace("[]", "");
        let words = places::words(self.meaning.as_deref().unwrap_or_default());
        dropped.iter().any(|reported| {
            let field = reported.split(';').next().unwrap_or_default();
            let last = field.rsplit('.').next().unwrap_or_default();
            let own = path.split('.').any(|word| word == last);
            field == path
                || own && !places::HOLDERS.contains(&last)
                || words.iter().any(|word| word == field)
        })
    }

    /// Whether both say the same, wherever they stand.
    fn says_as(&self, other: &Self) -> bool {
        self.meaning.is_some()
            && self.meaning == other.meaning
            && places::is_same(&self.value, &other.value)
    }

    /// For whoever reads a failure.
    #[must_use]
    pub fn told(&self) -> String {
        let value = self.value.to_string();
        let value: String = value.chars().take(120).collect();
        format!("{}: {value} is lost in silence", self.path)
    }
}

/// All members of a request but those that [`asked`](crate::asked) reads, and those that say what happens anyway.
#[must_use]
pub fn of(api: Api, request: &Value) -> Vec<Member> {
    let mut walk = Walk {
        api,
        found: Vec::new(),
    };
    walk.value("", request, &Value::Null);
    // The same said twice, in two members for it, is said once.
    let mut once: Vec<Member> = Vec::new();
    for member in walk.found {
        let again = |other: &Member| other.says_as(&member) && other.path != member.path;
        if !once.iter().any(again) {
            once.push(member);
        }
    }
    once
}

/// What `before` says and `after` does not, in the same API, once it went to `by` and came back: each member as often as it is said.
#[must_use]
pub fn lost_there_and_back(api: Api, before: &Value, by: Api, after: &Value) -> Vec<Member> {
    let mut there = of(api, after);
    let mut lost = of(api, before);
    lost.retain(|member| take(&mut there, |other| member == other || member.says_as(other)));
    lost.retain(|member| !places::goes_unsaid(by, member));
    lost
}

/// What `before` says and `after` does not say in its API's words for it.
#[must_use]
pub fn lost(from: Api, before: &Value, to: Api, after: &Value) -> Vec<Member> {
    let mut there = of(to, after);
    let mut lost = of(from, before);
    lost.retain(|member| take(&mut there, |other| member.says_as(other)));
    lost.retain(|member| !places::goes_unsaid(to, member));
    lost
}

/// Takes one that is the same out of `members`; `true` where none was.
fn take(members: &mut Vec<Member>, same: impl Fn(&Member) -> bool) -> bool {
    match members.iter().position(same) {
        Some(at) => {
            members.swap_remove(at);
            false
        }
        None => true,
    }
}

struct Walk {
    api: Api,
    found: Vec<Member>,
}

impl Walk {
    /// `before` is what stands in front of it in a list.
    fn value(&mut self, path: &str, value: &Value, before: &Value) {
        if let Some(kind) = value.as_str().and_then(media_type) {
            self.found(path, "media type", json!(places::kind_of_media(kind)));
        }
        // What failed says so by where it says it.
        if path.ends_with("functionResponse.response") && !value["error"].is_null() {
            self.found(&join(path, "error"), "a failed result", json!(true));
        }
        if places::is_read_whole(self.api, path) {
            return;
        }
        match value {
            Value::Null => {}
            Value::Object(members) => {
                for (key, inside) in members {
                    if let Some(ttl) = mark(self.api, key, inside) {
                        let marked = if key == "cachePoint" { before } else { value };
                        self.found(&join(path, key), "cache", json!([marked_as(marked), ttl]));
                    } else {
                        self.value(&join(path, key), inside, &Value::Null);
                    }
                }
            }
            Value::Array(items) => {
                let path = format!("{path}[]");
                let mut before = &Value::Null;
                for item in items {
                    self.value(&path, item, before);
                    before = item;
                }
            }
            _ if places::is_read(self.api, path) || places::is_neutral(path, value) => {}
            _ => {
                let (meaning, value) = places::meaning(self.api, path, value);
                self.found.push(Member {
                    path: path.to_owned(),
                    meaning,
                    value,
                });
            }
        }
    }

    fn found(&mut self, path: &str, meaning: &str, value: Value) {
        self.found.push(Member {
            path: path.to_owned(),
            meaning: Some(meaning.to_owned()),
            value,
        });
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// How long what is marked for the cache is to be kept, where `key` is such a mark.
fn mark(api: Api, key: &str, value: &Value) -> Option<Value> {
    let is_mark = match api {
        Api::Converse => key == "cachePoint",
        Api::Chat => key == "cache_control" || key == "prompt_cache_breakpoint",
        Api::Responses => key == "prompt_cache_breakpoint",
        Api::Anthropic => key == "cache_control",
        Api::Completions | Api::Gemini | Api::Cohere | Api::Ollama => false,
    };
    // The shorter time is the one that is meant unsaid.
    is_mark.then(|| value.get("ttl").cloned().unwrap_or_else(|| json!("5m")))
}

/// What a mark marks, in a word that is the same in every API: its text, its data, its name.
fn marked_as(holder: &Value) -> String {
    let paths: [&[&str]; 18] = [
        &["text"],
        &["refusal"],
        &["image_url", "url"],
        &["image_url"],
        &["file", "file_data"],
        &["file_data"],
        &["input_audio", "data"],
        &["source", "data"],
        &["image", "source", "bytes"],
        &["document", "source", "bytes"],
        &["tool_use_id"],
        &["tool_call_id"],
        &["toolResult", "toolUseId"],
        &["toolUse", "toolUseId"],
        &["id"],
        &["function", "name"],
        &["toolSpec", "name"],
        &["name"],
    ];
    for path in paths {
        let found = path
            .iter()
            .try_fold(holder, |value, name| value.get(*name))
            .and_then(Value::as_str);
        if let Some(text) = found {
            return text.rsplit(',').next().unwrap_or_default().to_owned();
        }
    }
    // A whole request's mark stands at its last message, a message's at its last part.
    if let Some(messages) = holder["messages"].as_array() {
        return messages.last().map(marked_as).unwrap_or_default();
    }
    match &holder["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.last().map(marked_as).unwrap_or_default(),
        _ => holder["tool_calls"]
            .as_array()
            .and_then(|calls| calls.last())
            .map(marked_as)
            .unwrap_or_default(),
    }
}

/// The media type of a data URL.
fn media_type(text: &str) -> Option<&str> {
    let (kind, _) = text.strip_prefix("data:")?.split_once(";base64,")?;
    Some(kind)
}

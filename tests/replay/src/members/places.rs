//! Where each API says what.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Member;
use crate::api::Api;

/// Words that hold others: that one of them is reported says nothing of what stands inside.
pub(super) const HOLDERS: &[&str] = &[
    "messages",
    "input",
    "contents",
    "content",
    "parts",
    "tools",
    "function",
    "functionDeclarations",
    "generationConfig",
    "text",
    "options",
    "file",
    "image_url",
    "name",
    "type",
    "id",
    "prompt",
];

/// `means`: what means the same, with where it stands in each API and the names, beside these, under which it is reported. `compared`: what
/// [`asked`](crate::asked) reads and compares, a place by itself, or with `*` behind it all that is inside it too.
#[derive(Debug, Deserialize)]
struct Places {
    means: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    compared: BTreeMap<String, Vec<String>>,
}

#[allow(clippy::expect_used, reason = "a test that fails panics")]
static PLACES: LazyLock<Places> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../places.json")).expect("the table is JSON")
});

/// The names under which it is reported that what means this is lost: of all APIs, since a request that went there and back is reported in
/// the words of both.
pub(super) fn words(meaning: &str) -> Vec<String> {
    let rows = PLACES.means.iter();
    let rows = rows.filter(|(of, _)| inside(of, meaning).is_some());
    let places = rows.flat_map(|(_, row)| row.values().flatten());
    places.map(|place| place.replace("[]", "")).collect()
}

pub(super) fn is_read(api: Api, path: &str) -> bool {
    read(api).any(|place| place == path)
}

/// With all that is inside it.
pub(super) fn is_read_whole(api: Api, path: &str) -> bool {
    let mut starts = read(api).filter_map(|place| place.strip_suffix('*'));
    starts.any(|start| inside(start, path).is_some())
}

fn read(api: Api) -> impl Iterator<Item = &'static String> {
    PLACES.compared.get(api.name()).into_iter().flatten()
}

/// What of `path` stands inside `place`.
fn inside<'p>(place: &str, path: &'p str) -> Option<&'p str> {
    let rest = path.strip_prefix(place)?;
    (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
}

/// What is meant by it, and what is said in a spelling that all APIs share.
pub(super) fn meaning(api: Api, path: &str, value: &Value) -> (Option<String>, Value) {
    if (api, path) == (Api::Chat, "reasoning.exclude") {
        return (Some("thoughts shown".to_owned()), json!(*value != true));
    }
    for (meaning, row) in &PLACES.means {
        let places = row.get(api.name()).into_iter().flatten();
        for place in places {
            if let Some(rest) = inside(place, path) {
                return (Some(format!("{meaning}{rest}")), usual(meaning, value));
            }
        }
    }
    (None, value.clone())
}

fn usual(meaning: &str, value: &Value) -> Value {
    let word = value.as_str().unwrap_or_default().to_ascii_lowercase();
    match meaning {
        "service tier" if word == "standard_only" || word == "standard" => json!("default"),
        "service tier" => json!(word),
        "effort" => match value {
            Value::String(word) if word == "disabled" => json!("none"),
            Value::String(_) => json!(word),
            Value::Bool(on) => json!(if *on { "medium" } else { "none" }),
            _ if *value == 0 => json!("none"),
            tokens => tokens.clone(),
        },
        "detail" => json!(word.rsplit('_').next()),
        "thoughts shown" => json!(!matches!(word.as_str(), "omitted" | "none") && *value != false),
        "media type" => json!(kind_of_media(&word)),
        "a failed result" => json!(*value == json!(true) || word == "error"),
        _ => value.clone(),
    }
}

/// Whether both values say the same. How hard to think is said by a word or by a budget, which the documentation's table makes of it.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(word), Value::Number(tokens))
        | (Value::Number(tokens), Value::String(word)) => {
            match tokens.as_u64().unwrap_or_default() {
                0..=2_048 => word == "low" || word == "minimal",
                2_049..=8_192 => word == "medium",
                _ => word == "high" || word == "xhigh" || word == "max",
            }
        }
        _ => one == other,
    }
}

/// `png` of `image/png`; Converse knows no more.
pub(super) fn kind_of_media(name: &str) -> &str {
    match name.rsplit('/').next().unwrap_or_default() {
        "plain" => "txt",
        "mpeg" => "mp3",
        "x-wav" => "wav",
        "vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        kind => kind,
    }
}

/// Whether it says what happens anyway.
pub(super) fn is_neutral(path: &str, value: &Value) -> bool {
    match path {
        "store" => *value == false,
        "n" => *value == 1,
        "modalities[]" => *value == "text",
        // Encrypted thinking is what every translated answer has.
        "include[]" => *value == "reasoning.encrypted_content",
        // A thought at the model's own measure.
        "thinking.type" => *value == "adaptive" || *value == "enabled",
        "contents[].parts[].functionResponse.willContinue" => *value == false,
        "text.verbosity" => *value == "medium",
        // What an item is called, and that it is whole, says nothing to a model.
        "input[].id" => true,
        "input[].status" => *value == "completed",
        "messages[].content[].closed" => *value == true,
        "messages[].content[].caller.type" => *value == "direct",
        // The API knows no other.
        "tools[].user_location.type" | "web_search_options.user_location.type" => true,
        _ => false,
    }
}

/// What needs no word in `to`, since it is so there anyway.
pub(super) fn goes_unsaid(to: Api, member: &Member) -> bool {
    match member.meaning.as_deref().unwrap_or_default() {
        // Pictures say themselves what they are.
        "media type" => to == Api::Ollama,
        "strict tools" => member.value == false,
        // A schema binds there, or does not, by itself.
        "strict form" => !matches!(to, Api::Chat | Api::Responses),
        "thoughts shown" if member.value == true => {
            matches!(
                to,
                Api::Chat | Api::Cohere | Api::Ollama | Api::Converse | Api::Completions
            )
        }
        "thoughts shown" => matches!(to, Api::Gemini | Api::Responses | Api::Completions),
        // Whose models think only where they are told to, or not at all.
        "effort" => {
            member.value == "none"
                && matches!(
                    to,
                    Api::Anthropic | Api::Converse | Api::Cohere | Api::Completions
                )
        }
        _ => false,
    }
}

//! Members of a request that pass as they are to a target that has a word for them.

use bartizan_core::json::{Json, Kind, Value};
use bartizan_core::{Refusal, RefusalKind};

use super::Str;
use crate::losses::Losses;

/// What becomes of a wish that a target can't say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// It only nudges the model or the bill: left out, and reported.
    Nudge,
    /// It changes what the answer is: refused, saying this.
    Meaning(&'static str),
}

type Neutral = fn(Value<'_>) -> bool;

/// All wishes, by OpenAI's names where it has them, with the value that says what happens anyway.
const KNOWN: &[(&str, Weight, Neutral)] = &[
    ("seed", Weight::Nudge, |_| false),
    ("logprobs", Weight::Nudge, |value| {
        value.as_bool() == Some(false)
    }),
    ("top_logprobs", Weight::Nudge, |value| is_number(value, 0.0)),
    ("logit_bias", Weight::Nudge, is_empty),
    ("frequency_penalty", Weight::Nudge, |value| {
        is_number(value, 0.0)
    }),
    ("presence_penalty", Weight::Nudge, |value| {
        is_number(value, 0.0)
    }),
    ("repetition_penalty", Weight::Nudge, |value| {
        is_number(value, 1.0)
    }),
    ("min_p", Weight::Nudge, |value| is_number(value, 0.0)),
    ("top_a", Weight::Nudge, |value| is_number(value, 0.0)),
    ("store", Weight::Nudge, |value| {
        value.as_bool() == Some(false)
    }),
    ("metadata", Weight::Nudge, is_empty),
    ("prediction", Weight::Nudge, |_| false),
    ("prompt_cache_key", Weight::Nudge, |_| false),
    ("prompt_cache_options", Weight::Nudge, is_empty),
    ("prompt_cache_retention", Weight::Nudge, |_| false),
    ("verbosity", Weight::Nudge, |value| value.is("medium")),
    ("service_tier", Weight::Nudge, |value| value.is("auto")),
    ("safety_settings", Weight::Nudge, is_empty),
    ("best_of", Weight::Nudge, |value| is_number(value, 1.0)),
    (
        "suffix",
        Weight::Meaning("the provider can't write up to a text that is to follow"),
        |value| value.is(""),
    ),
    (
        "echo",
        Weight::Meaning("the provider does not say the prompt again"),
        |value| value.as_bool() == Some(false),
    ),
    ("safety_mode", Weight::Nudge, |value| value.is("CONTEXTUAL")),
    ("keep_alive", Weight::Nudge, |_| false),
    ("citation_options", Weight::Nudge, is_empty),
    (
        "documents",
        Weight::Meaning("the provider takes no documents beside the conversation: say them in it"),
        is_empty,
    ),
    (
        "guardrail_config",
        Weight::Meaning("this guardrail has no equivalent at the provider"),
        |_| false,
    ),
    (
        "n",
        Weight::Meaning("the provider gives one answer at a time: set it to 1"),
        |value| is_number(value, 1.0),
    ),
    (
        "audio",
        Weight::Meaning("spoken answers have no equivalent at the provider"),
        |_| false,
    ),
    (
        "web_search_options",
        Weight::Meaning("web search has no equivalent at the provider"),
        |_| false,
    ),
    (
        "moderation",
        Weight::Meaning("moderation has no equivalent at the provider"),
        |_| false,
    ),
];

/// One of them.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) name: &'static str,
    weight: Weight,
    /// The text of one JSON value.
    pub(crate) json: Str<'a>,
}

/// What a request says beyond what every dialect has a word for.
#[derive(Debug, Default)]
pub(crate) struct Wishes<'a>(Vec<Wish<'a>>);

impl<'a> Wishes<'a> {
    /// Takes in the member `name`, by OpenAI's name for it; `false` where no dialect knows it.
    pub(crate) fn add(&mut self, name: &str, value: Value<'a>) -> bool {
        let Some((name, weight, neutral)) = known(name) else {
            return false;
        };
        if !neutral(value) {
            self.put(name, weight, value.raw().into());
        }
        true
    }

    /// Takes in what another dialect says in other words. `json` is one JSON value.
    pub(crate) fn make(&mut self, name: &str, json: impl Into<Str<'a>>) {
        if let Some((name, weight, neutral)) = known(name) {
            let json = json.into();
            let is_neutral = Json::read(json.as_ref()).is_ok_and(|json| neutral(json.root()));
            if !is_neutral {
                self.put(name, weight, json);
            }
        }
    }

    fn put(&mut self, name: &'static str, weight: Weight, json: Str<'a>) {
        self.0.retain(|wish| wish.name != name);
        self.0.push(Wish { name, weight, json });
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Wish<'a>> {
        self.0.iter()
    }

    /// The JSON text of the wish `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let wish = self.0.iter().find(|wish| wish.name == name)?;
        Some(&wish.json)
    }

    /// Whether the wish `name` is the string `word`, which needs no escapes.
    pub(crate) fn is(&self, name: &str, word: &str) -> bool {
        self.get(name)
            .and_then(|json| json.strip_prefix('"')?.strip_suffix('"'))
            .is_some_and(|said| said == word)
    }

    /// Reports or refuses all but those that the target has said.
    pub(crate) fn leave(&self, said: &[&str], losses: &mut Losses) -> Result<(), Refusal> {
        for wish in self.iter().filter(|wish| !said.contains(&wish.name)) {
            match wish.weight {
                Weight::Nudge => losses.dropped(wish.name),
                Weight::Meaning(says) => {
                    let message = format!("{}: {says}", wish.name);
                    let code = "unsupported_parameter";
                    return Err(
                        Refusal::new(RefusalKind::BadRequest, code, message).param(wish.name)
                    );
                }
            }
        }
        Ok(())
    }
}

/// Whether the member `name` says what happens anyway.
pub(crate) fn says_nothing(name: &str, value: Value<'_>) -> bool {
    is_empty(value) || known(name).is_some_and(|(_, _, neutral)| neutral(value))
}

fn known(name: &str) -> Option<(&'static str, Weight, Neutral)> {
    KNOWN.iter().find(|(known, ..)| *known == name).copied()
}

fn is_number(value: Value<'_>, wanted: f64) -> bool {
    value.kind() == Kind::Number
        && value
            .raw()
            .parse()
            .is_ok_and(|number: f64| number == wanted)
}

pub(crate) fn is_empty(value: Value<'_>) -> bool {
    let inside = value.raw().as_bytes();
    matches!(value.kind(), Kind::Object | Kind::Array)
        && inside
            .iter()
            .filter(|byte| !byte.is_ascii_whitespace())
            .count()
            == 2
}

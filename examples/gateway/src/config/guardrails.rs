//! `guardrails`: which checks run, in LiteLLM's words.

use std::collections::BTreeSet;

use bartizan::egress::Origin;
use bartizan::guard::DenyList;
use bartizan::pii::{Entity, Key, Operator};

use super::analyzer::{self, AnalyzerSettings};
use super::field::Field;
use super::read::{Section, nearest};
use super::{known, pii};

/// What a check does with what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Block,
    Observe,
}

/// Masking of personal data.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PiiSettings {
    pub(crate) entities: Vec<(Entity, Operator)>,
    /// Whether what was masked comes back in the answer.
    pub(crate) restore: bool,
    /// Whether the model's own text is looked at too.
    pub(crate) output: bool,
    /// Who finds what only a model finds.
    pub(crate) analyzer: Option<AnalyzerSettings>,
}

/// The checks that run on every call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Guardrails {
    /// What they are called, as keys ask for them.
    pub(crate) names: BTreeSet<String>,
    pub(crate) pii: Option<PiiSettings>,
    pub(crate) injection: Option<Verdict>,
    pub(crate) invisible: Option<Verdict>,
    pub(crate) secrets: Option<SecretsSettings>,
    pub(crate) deny: Option<DenySettings>,
}

/// What becomes of an answer with a secret in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SecretsSettings {
    pub(crate) verdict: Verdict,
    /// Whether one counts too that the user wrote.
    pub(crate) even_own: bool,
}

/// Words that nobody may say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DenySettings {
    pub(crate) words: Vec<String>,
    pub(crate) verdict: Verdict,
    /// Whether requests are looked at, and whether answers are.
    pub(crate) input: bool,
    pub(crate) output: bool,
}

impl Default for Guardrails {
    /// What runs where the configuration has no `guardrails`: all but a deny-list, which has no words of its own.
    fn default() -> Self {
        Self {
            names: BTreeSet::new(),
            pii: Some(PiiSettings {
                entities: everything(),
                restore: true,
                output: false,
                analyzer: None,
            }),
            injection: Some(Verdict::Block),
            invisible: Some(Verdict::Block),
            secrets: Some(SecretsSettings {
                verdict: Verdict::Block,
                even_own: false,
            }),
            deny: None,
        }
    }
}

impl Guardrails {
    const fn none() -> Self {
        Self {
            names: BTreeSet::new(),
            pii: None,
            injection: None,
            invisible: None,
            secrets: None,
            deny: None,
        }
    }
}

fn everything() -> Vec<(Entity, Operator)> {
    Entity::usual()
        .map(|entity| (entity, Operator::Mask))
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pii,
    Injection,
    Invisible,
    Secrets,
    DenyList,
    /// LiteLLM's own, as far as it means injection and blocked words.
    ContentFilter,
}

const KINDS: &[(&str, Kind)] = &[
    ("presidio", Kind::Pii),
    ("bartizan_pii", Kind::Pii),
    ("litellm_content_filter", Kind::ContentFilter),
    ("bartizan_injection", Kind::Injection),
    ("bartizan_invisible_text", Kind::Invisible),
    ("bartizan_secrets", Kind::Secrets),
    ("bartizan_deny_list", Kind::DenyList),
];

/// `private`: origins that may lie on a private network. `key`: what makes hashes and encrypts.
pub(super) fn read(field: &Field<'_>, private: &[Origin], key: Option<&Key>) -> Guardrails {
    let mut all = Guardrails::none();
    for item in field.list() {
        let Some(mut section) = item.section() else {
            continue;
        };
        let name = section
            .need("guardrail_name")
            .and_then(|field| field.text());
        all.names.extend(name);
        let params = section
            .need("litellm_params")
            .and_then(|field| field.section());
        section.finish(known::GUARDRAIL);
        if let Some(params) = params {
            one(params, &item, (private, key), &mut all);
        }
    }
    all
}

fn one(
    mut params: Section<'_>,
    item: &Field<'_>,
    (private, key): (&[Origin], Option<&Key>),
    all: &mut Guardrails,
) {
    let kind = params.need("guardrail").and_then(|field| kind(&field));
    let modes = params
        .need("mode")
        .map(|field| modes(&field))
        .unwrap_or_default();
    match params
        .take("default_on")
        .map(|field| (field.boolean(), field))
    {
        Some((Some(true) | None, _)) => {}
        Some((Some(false), field)) => field.fail(ALWAYS),
        None => params.fail(ALWAYS),
    }
    let response = params
        .take("on_violation")
        .and_then(|field| field.one_of(&[("block", Verdict::Block), ("warn", Verdict::Observe)]))
        .unwrap_or(Verdict::Block);
    let Some(kind) = kind else {
        // What else belongs to an unknown kind can't be judged.
        params.rest();
        return;
    };
    let deny = |words: Vec<String>| {
        (!words.is_empty()).then_some(DenySettings {
            words,
            verdict: response,
            input: modes.pre,
            output: modes.post,
        })
    };
    let (pre, post, twice) = match kind {
        Kind::Pii => (
            Some(true),
            None,
            all.pii
                .replace(pii(&mut params, modes, private, key))
                .is_some(),
        ),
        Kind::Injection => (
            Some(true),
            Some(false),
            all.injection.replace(response).is_some(),
        ),
        Kind::Invisible => (
            Some(true),
            Some(false),
            all.invisible.replace(response).is_some(),
        ),
        Kind::Secrets => (
            Some(false),
            Some(true),
            all.secrets
                .replace(SecretsSettings {
                    verdict: response,
                    even_own: params
                        .take("even_own")
                        .and_then(|field| field.boolean())
                        .unwrap_or_default(),
                })
                .is_some(),
        ),
        Kind::DenyList => {
            let words = words(&mut params);
            if let Err(error) = DenyList::new("deny_list", &words) {
                params.fail(format!("`words`: {error}"));
            }
            let words = deny(words);
            (None, None, put(&mut all.deny, words))
        }
        Kind::ContentFilter => {
            let words = blocked_words(&mut params);
            if let Err(error) = DenyList::new("deny_list", &words) {
                params.fail(format!("`blocked_words`: {error}"));
            }
            let words = deny(words);
            let post = words.is_none().then_some(false);
            let twice = put(&mut all.deny, words);
            (
                Some(true),
                post,
                all.injection.replace(response).is_some() || twice,
            )
        }
    };
    if twice {
        item.fail("this guardrail stands here a second time: keep one of each kind");
    }
    if modes.pre || modes.post {
        for (word, wanted, is) in [
            ("pre_call", pre, modes.pre),
            ("post_call", post, modes.post),
        ] {
            if let Some(wanted) = wanted.filter(|wanted| *wanted != is) {
                let verb = if wanted { "must" } else { "can't" };
                params.fail(format!("`mode` {verb} hold {word} for this guardrail"));
            }
        }
    }
    params.finish(known::GUARDRAIL_PARAMS);
}

/// Puts one in, and tells whether there was one already.
fn put<T>(place: &mut Option<T>, one: Option<T>) -> bool {
    match one {
        Some(one) => place.replace(one).is_some(),
        None => false,
    }
}

const ALWAYS: &str = "set `default_on: true`: this version runs a guardrail on every call, and not by choice of a request";

fn kind(field: &Field<'_>) -> Option<Kind> {
    let text = field.text()?;
    if let Some((_, kind)) = KINDS.iter().find(|(word, _)| *word == text) {
        return Some(*kind);
    }
    let ours: Vec<&str> = KINDS.iter().map(|(word, _)| *word).collect();
    field.fail(if known::GUARDRAIL_KINDS.contains(&text.as_str()) {
        format!(
            "this is LiteLLM's, and this version does not implement it; built in are {}",
            ours.join(", ")
        )
    } else {
        match nearest(&text, &ours) {
            Some(near) => format!("this guardrail is not known; did you mean `{near}`?"),
            None => format!(
                "this guardrail is not known; built in are {}",
                ours.join(", ")
            ),
        }
    });
    None
}

#[derive(Clone, Copy, Default)]
struct Modes {
    pre: bool,
    post: bool,
}

fn modes(field: &Field<'_>) -> Modes {
    let mut modes = Modes::default();
    let mut fields = field.texts();
    for (item, text) in fields.drain(..) {
        match text.as_str() {
            "pre_call" => modes.pre = true,
            "post_call" => modes.post = true,
            "during_call"
            | "logging_only"
            | "pre_mcp_call"
            | "during_mcp_call"
            | "post_mcp_call"
            | "realtime_input_transcription" => {
                item.fail("this mode is LiteLLM's, and this version does not implement it; pre_call and post_call are");
            }
            _ => {
                item.one_of(&[("pre_call", ()), ("post_call", ())]);
            }
        }
    }
    modes
}

fn pii(
    params: &mut Section<'_>,
    modes: Modes,
    private: &[Origin],
    key: Option<&Key>,
) -> PiiSettings {
    let mut entities = params
        .take("pii_entities_config")
        .map(|field| pii::entities(&field, key))
        .unwrap_or_default();
    let all = entities.is_empty();
    if all {
        entities = everything();
    }
    let (analyzer, found) = analyzer::read(params, &entities, all, modes.post, private);
    entities.extend(found.into_iter().map(|entity| (entity, Operator::Mask)));
    PiiSettings {
        entities,
        // LiteLLM's default is false, and so is what its users rely on.
        restore: params
            .take("output_parse_pii")
            .and_then(|field| field.boolean())
            .unwrap_or(false),
        output: modes.post,
        analyzer,
    }
}

/// LiteLLM's `blocked_words`, each with a `keyword` and an `action`.
fn blocked_words(params: &mut Section<'_>) -> Vec<String> {
    let items = params
        .take("blocked_words")
        .map(|field| field.list())
        .unwrap_or_default();
    let words = items.iter().filter_map(|item| {
        let mut section = item.section()?;
        let word = section.need("keyword").and_then(|field| field.text());
        section.take("description");
        section
            .need("action")
            .and_then(|field| field.one_of(&[("BLOCK", ())]));
        section.finish(&[]);
        word.map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
    });
    words.collect()
}

fn words(params: &mut Section<'_>) -> Vec<String> {
    let words = params
        .need("words")
        .map(|field| field.texts())
        .unwrap_or_default();
    words
        .into_iter()
        .filter_map(|(field, word)| {
            let word = word.trim().to_owned();
            if word.is_empty() {
                field.fail("an empty word would match everything");
            }
            (!word.is_empty()).then_some(word)
        })
        .collect()
}

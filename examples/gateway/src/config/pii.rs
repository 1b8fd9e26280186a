//! What is done with personal data: the operators of a guardrail, and `bartizan.pii`.

use std::time::Duration;

use bartizan::pii::{Entity, Key, Operator, Partial, Policy, Rule, VaultBounds};

use super::detection::{self, Detection};
use super::field::Field;
use super::read::Section;

/// What LiteLLM has no word for.
#[derive(Clone, Debug, Default)]
pub(crate) struct PiiOwn {
    /// What makes hashes, encrypts values and keeps conversations.
    pub(crate) key: Option<Key>,
    /// How data is found, by all policies.
    pub(crate) detection: Detection,
    pub(crate) policies: Vec<(Rule, Policy)>,
    pub(crate) bounds: VaultBounds,
    /// Whether nothing is done, and only noted what would have been.
    pub(crate) observe: bool,
    pub(crate) conversations: Option<Conversations>,
}

/// How long placeholders stay the same over the calls of one conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conversations {
    /// The header that names the conversation.
    pub(crate) header: Option<http::HeaderName>,
    /// How long one is kept after its last call.
    pub(crate) keep: Duration,
    /// How many are kept at once, and how many bytes they have together.
    pub(crate) most: usize,
    pub(crate) bytes: usize,
}

impl PiiOwn {
    /// Whether it matters to which region a call goes.
    pub(crate) fn asks_for_region(&self) -> bool {
        self.policies.iter().any(|(rule, _)| rule.asks_for_region())
    }
}

pub(super) fn read(mut section: Section<'_>) -> PiiOwn {
    let key = section.take("key").and_then(|field| {
        let key = Key::new(&field.secret()?);
        key.map_err(|error| field.fail(error.to_string())).ok()
    });
    let mut own = PiiOwn {
        key,
        detection: Detection::read(&mut section),
        ..PiiOwn::default()
    };
    if let Some(observe) = section.take("observe").and_then(|field| field.boolean()) {
        own.observe = observe;
    }
    if let Some(mut vault) = section.take("vault").and_then(|field| field.section()) {
        if let Some(values) = vault
            .take("values")
            .and_then(|field| field.number(1..=1_000_000))
        {
            own.bounds.values = values;
        }
        if let Some(bytes) = vault
            .take("bytes")
            .and_then(|field| field.number(1_024..=256 * 1024 * 1024))
        {
            own.bounds.bytes = bytes;
        }
        vault.finish(&[]);
    }
    if let Some(field) = section.take("conversations") {
        own.conversations = field.section().and_then(conversations);
        if own.conversations.is_some() && own.key.is_none() {
            field.fail(NO_KEY);
        }
    }
    if let Some(field) = section.take("policies") {
        let mut names = Vec::new();
        for item in field.list() {
            let Some(section) = item.section() else {
                continue;
            };
            own.policies.extend(policy(
                section,
                &own.detection,
                own.key.as_ref(),
                &mut names,
            ));
        }
    }
    section.finish(&[]);
    own
}

const NO_KEY: &str =
    "this needs `bartizan.pii.key`: 32 random hex digits or more, as os.environ/NAME";

fn conversations(mut section: Section<'_>) -> Option<Conversations> {
    let header = section.take("header").map(|field| {
        let name = field.text()?.parse().ok();
        if name.is_none() {
            field.fail("a header's name belongs here, such as x-conversation-id");
        }
        name
    });
    let keep = section
        .take("keep")
        .map(|field| field.duration(Duration::from_secs(1)..=Duration::from_secs(7 * 24 * 3_600)));
    let most = section
        .take("most")
        .map(|field| field.number(1..=1_000_000));
    let bytes = section
        .take("bytes")
        .map(|field| field.number(1_024..=16 * 1024 * 1024 * 1024));
    section.finish(&[]);
    Some(Conversations {
        header: header.map_or(Some(None), |header| header.map(Some))?,
        keep: keep.unwrap_or(Some(Duration::from_secs(3_600)))?,
        most: most.unwrap_or(Some(10_000))?,
        bytes: bytes.unwrap_or(Some(64 * 1024 * 1024))?,
    })
}

fn policy(
    mut section: Section<'_>,
    for_all: &Detection,
    key: Option<&Key>,
    names: &mut Vec<String>,
) -> Option<(Rule, Policy)> {
    let name = section.need("name");
    let rule = section
        .need("when")
        .and_then(|field| field.section())
        .map(rule);
    let detection = Detection::read(&mut section);
    let entities = section.take("entities").map(|field| entities(&field, key));
    let answers = section
        .take("answer_entities")
        .map(|field| self::entities(&field, key));
    let output = section.take("output").and_then(|field| field.boolean());
    let observe = section.take("observe").and_then(|field| field.boolean());
    if entities.is_none() && answers.is_none() {
        section.fail("`entities` is missing: say what is done with which kind, `{EMAIL_ADDRESS: KEEP}` for nothing");
    }
    section.finish(&[]);
    let (name, field) = name.and_then(|field| Some((field.text()?, field)))?;
    if names.contains(&name) {
        field.fail("another policy has this name: give each its own");
    }
    names.push(name.clone());
    let mut policy = Policy::new(name)
        .output(output.unwrap_or(false))
        .observe(observe.unwrap_or(false))
        .mask(for_all.own())
        .mask(detection.own());
    for (entity, operator) in entities.unwrap_or_default() {
        policy = policy.operator(entity, operator);
    }
    for (entity, operator) in answers.unwrap_or_default() {
        policy = policy.answer_operator(entity, operator);
    }
    let policy = policy.analyzer(|analyzer| detection.set_up(for_all.set_up(analyzer)));
    Some((rule?, policy))
}

/// How a condition of some name is added to a rule.
type Condition = fn(Rule, String) -> Rule;

const CONDITIONS: [(&str, Condition); 7] = [
    ("keys", |rule, text| rule.key(text)),
    ("teams", |rule, text| rule.team(text)),
    ("tags", |rule, text| rule.tag(text)),
    ("paths", |rule, text| rule.path(text)),
    ("models", |rule, text| rule.model(text)),
    ("inside", |rule, text| rule.inside(text)),
    ("outside", |rule, text| rule.outside(text)),
];

fn rule(mut section: Section<'_>) -> Rule {
    let mut rule = Rule::new();
    for (name, add) in CONDITIONS {
        let Some(field) = section.take(name) else {
            continue;
        };
        let texts = field.texts();
        if texts.is_empty() {
            field.fail("nothing is named here: remove it, and the rule holds for all");
        }
        for (field, text) in texts {
            if text.is_empty() || text.trim_end_matches('*').contains('*') {
                field.fail("a name belongs here, with at most one `*` and that at its end");
            }
            rule = add(rule, text);
        }
    }
    if let Some(mut pairs) = section.take("metadata").and_then(|field| field.section()) {
        for (name, field) in pairs.rest() {
            for (_, value) in field.texts() {
                rule = rule.metadata(name.clone(), value);
            }
        }
    }
    section.finish(&[]);
    rule
}

/// Kinds with what is done with each.
pub(super) fn entities(field: &Field<'_>, key: Option<&Key>) -> Vec<(Entity, Operator)> {
    let mut found = Vec::new();
    for (name, field) in field
        .section()
        .map(|mut section| section.rest())
        .unwrap_or_default()
    {
        let entity = detection::known(&field, &name);
        let operator = operator(&field, key);
        found.extend(entity.zip(operator));
    }
    found
}

#[derive(Clone, Copy)]
enum Word {
    Plain(fn() -> Operator),
    Partial,
    Replace,
    Hash,
    Encrypt,
}

const WORDS: [(&str, Word); 10] = [
    ("MASK", Word::Plain(|| Operator::Mask)),
    ("BLOCK", Word::Plain(|| Operator::Block)),
    ("REPLACE", Word::Replace),
    ("REDACT", Word::Plain(|| Operator::Redact)),
    ("PARTIAL", Word::Partial),
    ("HASH", Word::Hash),
    ("FAKE", Word::Plain(|| Operator::Fake)),
    ("ENCRYPT", Word::Encrypt),
    ("KEEP", Word::Plain(|| Operator::Keep)),
    ("OBSERVE", Word::Plain(|| Operator::Mask.observed())),
];

/// A word alone, or a mapping with `operator` and what it needs.
fn operator(field: &Field<'_>, key: Option<&Key>) -> Option<Operator> {
    if field.pairs().is_none() {
        return made(field.one_of(&WORDS)?, None, field, key);
    }
    let mut section = field.section()?;
    let word = section
        .need("operator")
        .and_then(|field| field.one_of(&WORDS));
    let observe = section.take("observe").and_then(|field| field.boolean());
    let found = word.and_then(|word| made(word, Some(&mut section), field, key));
    section.finish(&[]);
    found.map(|operator| match observe {
        Some(true) => operator.observed(),
        _ => operator,
    })
}

fn made(
    word: Word,
    section: Option<&mut Section<'_>>,
    field: &Field<'_>,
    key: Option<&Key>,
) -> Option<Operator> {
    let with_key = |operator: fn(Key) -> Operator| {
        if key.is_none() {
            field.fail(NO_KEY);
        }
        key.cloned().map(operator)
    };
    match word {
        Word::Plain(operator) => Some(operator()),
        Word::Hash => with_key(Operator::Hash),
        Word::Encrypt => with_key(Operator::Encrypt),
        Word::Replace => {
            let text = section.and_then(|section| section.take("text"));
            Some(match text.and_then(|field| field.text()) {
                Some(text) => Operator::ReplaceWith(text),
                None => Operator::Replace,
            })
        }
        Word::Partial => Some(Operator::Partial(
            section.map_or_else(Partial::default, partial),
        )),
    }
}

fn partial(section: &mut Section<'_>) -> Partial {
    let mut count = |name| {
        let field = section.take(name)?;
        field.number(0..=1_000)
    };
    let (first, last) = (count("keep_first"), count("keep_last"));
    let partial = match (first, last) {
        (Some(_), Some(_)) => {
            section.fail("`keep_first` and `keep_last` don't go together: write one");
            Partial::default()
        }
        (Some(first), None) => Partial::keep_first(first),
        (None, Some(last)) => Partial::keep_last(last),
        (None, None) => Partial::default(),
    };
    let Some(field) = section.take("with") else {
        return partial;
    };
    let text = field.text().unwrap_or_default();
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => partial.with(character),
        _ => {
            field.fail("one character belongs here, such as `*`");
            partial
        }
    }
}

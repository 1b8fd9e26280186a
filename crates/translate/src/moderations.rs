//! Moderations, in OpenAI's shape. What becomes what: [`guide::others`](crate::guide::others).

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Dialect, Document, Refusal};

use crate::dialects::{To, unsupported};
use crate::losses::Losses;
use crate::neutral::Str;
use crate::read::{Place, Unknown, member, members, unknown};
use crate::whole::{Question, Retell, Retold};
use crate::write::Writer;

/// Mistral's categories by OpenAI's names.
const CATEGORIES: [(&str, &str); 7] = [
    ("sexual", "sexual"),
    ("hate_and_discrimination", "hate"),
    ("violence_and_threats", "violence"),
    ("dangerous_and_criminal_content", "illicit"),
    ("dangerous", "illicit"),
    ("criminal", "illicit"),
    ("selfharm", "self-harm"),
];

pub(crate) fn question(
    document: &Document,
    policy: Unknown,
    to: To<'_>,
    losses: &mut Losses,
) -> Result<Question, Refusal> {
    if to.dialect != Dialect::MistralModerations {
        return Err(unsupported(to.dialect));
    }
    let mut texts = Vec::new();
    let mut model = None;
    for (key, value) in members(document.json().root()) {
        let here = Place::In(&Place::Root, &key);
        match key.as_ref() {
            "model" => model = Some(here.text(value)?),
            "input" => texts = inputs(&here, value)?,
            name => unknown(&Place::Root, policy, losses, name)?,
        }
    }
    if texts.is_empty() {
        return Err(Place::In(&Place::Root, "input").invalid("at least one text"));
    }
    let mut out = Writer::with_capacity(512);
    out.open();
    out.text_at("model", to.model);
    out.key("input");
    out.open_list();
    for text in &texts {
        out.text(text);
    }
    out.close_list();
    out.close();
    Ok(Question {
        text: out.finish(),
        names: &[],
        retell: Box::new(Judgements {
            wanted: texts.len(),
            model: model.unwrap_or_default().into_owned(),
        }),
    })
}

fn inputs<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Vec<Str<'a>>, Refusal> {
    if value.kind() == Kind::String {
        return Ok(vec![here.text(value)?]);
    }
    let items = here.items(value)?;
    if items.iter().all(|item| item.kind() == Kind::String) {
        let items = items.into_iter().enumerate();
        return items
            .map(|(index, item)| Place::At(here, index).text(item))
            .collect();
    }
    // Parts are judged together.
    let [part] = items.as_slice() else {
        return Err(here.unsupported("the provider judges texts one by one, and no images"));
    };
    let there = Place::At(here, 0);
    if !member(there.object(*part)?, "type").is_some_and(|kind| kind.is("text")) {
        return Err(Place::In(&there, "type").unsupported("the provider judges text alone"));
    }
    let there = Place::In(&there, "text");
    let text = member(*part, "text").ok_or_else(|| there.invalid("needed"))?;
    Ok(vec![there.text(text)?])
}

#[derive(Debug)]
struct Judgements {
    wanted: usize,
    /// What the caller calls the model.
    model: String,
}

impl Retell for Judgements {
    fn retell(&self, reply: &Document) -> Option<Retold> {
        let root = reply.json().root();
        let results: Vec<Value<'_>> = member(root, "results")?.items().collect();
        if results.len() != self.wanted {
            return None;
        }
        let mut out = Writer::with_capacity(1_024);
        let text = |key| member(root, key).and_then(Value::text);
        out.open();
        out.text_at("id", &text("id").unwrap_or_default());
        out.text_at("model", text("model").as_deref().unwrap_or(&self.model));
        out.key("results");
        out.open_list();
        for result in results {
            judgement(result, &mut out)?;
        }
        out.close_list();
        out.close();
        Some(Retold {
            text: out.finish(),
            losses: Losses::default(),
        })
    }
}

fn judgement(result: Value<'_>, out: &mut Writer) -> Option<()> {
    let categories = told(member(result, "categories")?, |one, other| {
        if one.raw() == "true" { one } else { other }
    });
    let scores = told(member(result, "category_scores")?, |one, other| {
        let number = |value: Value<'_>| value.raw().parse::<f64>().unwrap_or(0.0);
        if number(one) > number(other) {
            one
        } else {
            other
        }
    });
    let ours = |name: &str| CATEGORIES.iter().any(|(_, ours)| *ours == name);
    let flagged = categories
        .iter()
        .any(|(name, value)| ours(name) && value.as_bool() == Some(true));
    out.open();
    out.raw_at("flagged", if flagged { "true" } else { "false" });
    for (key, members) in [("categories", &categories), ("category_scores", &scores)] {
        out.key(key);
        out.open();
        for (name, value) in members {
            out.key_text(name);
            out.raw(value.raw());
        }
        out.close();
    }
    out.close();
    Some(())
}

/// The members by OpenAI's names, in their order; where two become one, `choose` says which.
fn told<'a>(
    object: Value<'a>,
    choose: impl Fn(Value<'a>, Value<'a>) -> Value<'a>,
) -> Vec<(Str<'a>, Value<'a>)> {
    let mut told: Vec<(Str<'a>, Value<'a>)> = Vec::new();
    for (name, value) in members(object) {
        let ours = CATEGORIES.iter().find(|(theirs, _)| *theirs == name);
        let name = ours.map_or(name, |(_, ours)| Str::from(*ours));
        match told.iter_mut().find(|(known, _)| *known == name) {
            Some((_, before)) => *before = choose(value, *before),
            None => told.push((name, value)),
        }
    }
    told
}

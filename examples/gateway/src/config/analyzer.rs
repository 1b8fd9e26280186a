//! `presidio_analyzer_api_base`, `onnx` and their fellows: who finds the personal data that only a model finds.

use std::time::Duration;

use bartizan::egress::Origin;
use bartizan::pii::{Entity, Operator};

use super::field::Field;
use super::onnx::{self, Loaded};
use super::read::Section;
use super::target::is_here;

/// Who is asked for names and places.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AnalyzerSettings {
    pub(crate) by: Finder,
    pub(crate) timeout: Duration,
    /// Whether calls pass when it fails.
    pub(crate) fail_open: bool,
    /// Whether streams may be looked at without it.
    pub(crate) unmodelled_streams: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Finder {
    Presidio(Elsewhere),
    /// A model in this process.
    Onnx(Loaded),
}

/// A Presidio.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Elsewhere {
    /// Without `/analyze`.
    pub(crate) base: String,
    pub(crate) origin: Origin,
    pub(crate) private: bool,
    pub(crate) entities: Vec<Entity>,
    pub(crate) language: String,
}

/// What Presidio finds that is not found here.
const MODELLED: [Entity; 4] = [
    Entity::Person,
    Entity::Location,
    Entity::Organization,
    Entity::Nrp,
];

/// Also gives the kinds that are to be masked because a model is there and nothing chooses among kinds (`all`).
pub(super) fn read(
    params: &mut Section<'_>,
    entities: &[(Entity, Operator)],
    all: bool,
    output: bool,
    private: &[Origin],
) -> (Option<AnalyzerSettings>, Vec<Entity>) {
    if let Some(field) = params.take("presidio_anonymizer_api_base") {
        field.fail("no service is needed for masking, which is done here: leave it out");
    }
    let language = params.take("presidio_language");
    let fallback = params.take("unreachable_fallback");
    let timeout = params.take("timeout");
    let streams = params.take("allow_unmodelled_streams");
    let base = params.take("presidio_analyzer_api_base");
    let onnx = params.take("onnx");
    if base.is_none()
        && let Some(field) = &language
        && field.text().is_some_and(|language| language != "en")
    {
        field.fail("no rule here depends on a language, and only Presidio's analyzer would take it: set `presidio_analyzer_api_base`, or leave it out");
    }
    let modelled = entities.iter().map(|(entity, _)| *entity);
    let modelled: Vec<Entity> = modelled.filter(|entity| !entity.is_built_in()).collect();
    let (field, finder, found) = match (base, onnx) {
        (None, None) => {
            if let Some(entity) = modelled.iter().find(|entity| MODELLED.contains(entity)) {
                params.fail(format!(
                    "{entity} is found by a model alone: set `presidio_analyzer_api_base` to where Presidio's analyzer is, or `onnx` to a model, or leave it out"
                ));
            }
            for field in [fallback, timeout, streams].into_iter().flatten() {
                field.fail("this is for `presidio_analyzer_api_base` and `onnx`: set one, or leave this out");
            }
            return (None, Vec::new());
        }
        (Some(_), Some(onnx)) => {
            onnx.fail("`onnx` and `presidio_analyzer_api_base` don't go together: keep one");
            return (None, Vec::new());
        }
        (Some(base), None) => {
            let language = language.and_then(|field| field.text());
            let (finder, found) = presidio(&base, language, &modelled, all, private);
            (base, finder, found)
        }
        (None, Some(field)) => match onnx::read(&field) {
            Some(model) => {
                let found = model.entities().to_vec();
                (field, Some(Finder::Onnx(model)), found)
            }
            // What is wrong with it was said.
            None => return (None, Vec::new()),
        },
    };
    if let Some(entity) = modelled
        .iter()
        .find(|entity| MODELLED.contains(entity) && !found.contains(entity))
    {
        field.fail(format!(
            "{entity} is found by a model alone, and this one finds {}: leave it out, or map one of the model's `labels` to it",
            list(&found)
        ));
    }
    let wanted = |entity: &Entity| all || entities.iter().any(|(known, _)| known == entity);
    if !found.iter().any(wanted) {
        field.fail(format!(
            "all kinds in `pii_entities_config` are found here, without a model: leave this out, or add one of {}",
            list(&found)
        ));
    }
    let told = |field: Option<Field<'_>>| field.and_then(|field| field.boolean()).unwrap_or(false);
    let unmodelled_streams = told(streams);
    if output && !unmodelled_streams {
        params.fail(
            "with `post_call`, a model can't look at streamed answers: set `allow_unmodelled_streams: true`, by which rules alone look at them, or leave `post_call` out",
        );
    }
    let settings = finder.map(|by| AnalyzerSettings {
        by,
        timeout: timeout
            .and_then(|field| field.duration(Duration::from_millis(10)..=Duration::from_secs(300)))
            .unwrap_or(Duration::from_secs(5)),
        fail_open: fallback
            .and_then(|field| field.one_of(&[("fail_closed", false), ("fail_open", true)]))
            .unwrap_or(false),
        unmodelled_streams,
    });
    let more = if all { found } else { Vec::new() };
    let more = more.into_iter().filter(|entity| !entity.is_built_in());
    (settings, more.collect())
}

fn list(entities: &[Entity]) -> String {
    let names: Vec<&str> = entities.iter().map(|entity| entity.as_str()).collect();
    names.join(", ")
}

/// A Presidio that is asked for what it alone finds of `wanted`, and what it could be asked for.
fn presidio(
    base: &Field<'_>,
    language: Option<String>,
    wanted: &[Entity],
    all: bool,
    private: &[Origin],
) -> (Option<Finder>, Vec<Entity>) {
    let asked = MODELLED
        .into_iter()
        .filter(|entity| all || wanted.contains(entity));
    let finder = place(base, private).map(|(base, origin, private)| {
        Finder::Presidio(Elsewhere {
            base,
            origin,
            private,
            entities: asked.collect(),
            language: language.unwrap_or_else(|| "en".to_owned()),
        })
    });
    (finder, MODELLED.to_vec())
}

/// Where it is. As LiteLLM reads it, what has no scheme is `http`.
fn place(field: &Field<'_>, private: &[Origin]) -> Option<(String, Origin, bool)> {
    let text = field.text()?;
    let base = if text.contains("://") {
        text
    } else {
        format!("http://{text}")
    };
    let base = base.trim_end_matches('/').to_owned();
    let (scheme, rest) = base.split_once("://")?;
    let host = rest.split('/').next().unwrap_or_default();
    let Ok(origin) = format!("{scheme}://{host}").parse::<Origin>() else {
        field.fail("an address belongs here, such as http://localhost:5002");
        return None;
    };
    let named = private.contains(&origin);
    if !origin.is_https() && !is_here(&origin) && !named {
        field.fail(format!(
            "prompts would travel there in plain text: use https, or name {origin} in `bartizan.allow_private_upstreams`"
        ));
    }
    Some((base, origin, named))
}

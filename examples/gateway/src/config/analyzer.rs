//! `presidio_analyzer_api_base` and its fellows: who finds the personal data that only a model finds.

use std::time::Duration;

use bartizan::egress::Origin;
use bartizan::pii::{Entity, Operator};

use super::field::Field;
use super::read::Section;
use super::target::is_here;

/// A Presidio that is asked for names and places.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AnalyzerSettings {
    /// Without `/analyze`.
    pub(crate) base: String,
    pub(crate) origin: Origin,
    pub(crate) private: bool,
    pub(crate) entities: Vec<Entity>,
    pub(crate) language: String,
    pub(crate) timeout: Duration,
    /// Whether calls pass when it fails.
    pub(crate) fail_open: bool,
    /// Whether streams may be looked at without it.
    pub(crate) unmodelled_streams: bool,
}

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
    let mut wanted = entities
        .iter()
        .map(|(entity, _)| *entity)
        .filter(|entity| MODELLED.contains(entity));
    let Some(base) = params.take("presidio_analyzer_api_base") else {
        if let Some(entity) = wanted.next() {
            params.fail(format!(
                "{entity} is found by a model alone: set `presidio_analyzer_api_base` to where Presidio's analyzer is, or leave it out"
            ));
        }
        if let Some(field) = language
            && field.text().is_some_and(|language| language != "en")
        {
            field.fail("no rule here depends on a language, and only Presidio's analyzer would take it: set `presidio_analyzer_api_base`, or leave it out");
        }
        for field in [fallback, timeout, streams].into_iter().flatten() {
            field.fail("this is for `presidio_analyzer_api_base`: set that, or leave this out");
        }
        return (None, Vec::new());
    };
    let mut found = Vec::new();
    let wanted: Vec<Entity> = if all {
        found.extend(MODELLED);
        MODELLED.to_vec()
    } else {
        wanted.collect()
    };
    if wanted.is_empty() {
        base.fail("all kinds in `pii_entities_config` are found here, without Presidio: leave this out, or add PERSON, LOCATION, ORGANIZATION or NRP");
    }
    let told = |field: Option<Field<'_>>| field.and_then(|field| field.boolean()).unwrap_or(false);
    let unmodelled_streams = told(streams);
    if output && !unmodelled_streams {
        params.fail(
            "with `post_call`, a model can't look at streamed answers: set `allow_unmodelled_streams: true`, by which rules alone look at them, or leave `post_call` out",
        );
    }
    let settings = place(&base, private).map(|(base, origin, private)| AnalyzerSettings {
        base,
        origin,
        private,
        entities: wanted,
        language: language
            .and_then(|field| field.text())
            .unwrap_or_else(|| "en".to_owned()),
        timeout: timeout
            .and_then(|field| field.duration(Duration::from_millis(10)..=Duration::from_secs(300)))
            .unwrap_or(Duration::from_secs(5)),
        fail_open: fallback
            .and_then(|field| field.one_of(&[("fail_closed", false), ("fail_open", true)]))
            .unwrap_or(false),
        unmodelled_streams,
    });
    (settings, found)
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

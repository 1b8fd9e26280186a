//! Which operators apply to whom.

use std::sync::Arc;

use bartizan_core::{Principal, Regions};

use crate::{AnalyzerBuilder, ConfigError, Entity, Operator, Redactor, RedactorBuilder};

/// What is looked for, and what is done with it, under one name.
///
/// ```
/// use bartizan_pii::{Entity, Operator, Partial, PiiLayer, Policy, Rule};
///
/// let abroad = Policy::new("abroad")
///     .operator(Entity::InAadhaar, Operator::Block)
///     .operator(Entity::Email, Operator::Mask)
///     .answer_operator(Entity::Card, Operator::Partial(Partial::keep_last(4)));
/// let layer = PiiLayer::builder()
///     .policy(Rule::new().outside("india"), abroad)
///     .mask([Entity::InAadhaar])
///     .build()?;
/// # Ok::<(), bartizan_pii::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Policy {
    name: Option<String>,
    analyzer: RedactorBuilder,
    request: Vec<(Entity, Operator)>,
    answer: Vec<(Entity, Operator)>,
    output: bool,
    observe: bool,
}

/// A policy that is ready to be applied.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) name: Option<String>,
    pub(crate) request: Option<Redactor>,
    pub(crate) answer: Option<Redactor>,
}

impl Policy {
    /// Creates a policy that does nothing yet. `name` is what records call it.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::unnamed()
        }
    }

    pub(crate) fn unnamed() -> Self {
        Self {
            name: None,
            analyzer: RedactorBuilder::default(),
            request: Vec::new(),
            answer: Vec::new(),
            output: false,
            observe: false,
        }
    }

    /// Looks for `entity` in requests and does `operator` with it; in answers too, where [`output`](Self::output) says so.
    pub fn operator(mut self, entity: Entity, operator: Operator) -> Self {
        self.request.push((entity, operator));
        self
    }

    /// Looks for `entity` in what the model itself writes and does `operator` with it.
    pub fn answer_operator(mut self, entity: Entity, operator: Operator) -> Self {
        self.answer.push((entity, operator));
        self
    }

    /// Looks for all of `entities` in requests and masks them.
    pub fn mask(self, entities: impl IntoIterator<Item = Entity>) -> Self {
        entities.into_iter().fold(self, |policy, entity| {
            policy.operator(entity, Operator::Mask)
        })
    }

    /// Looks for all of `entities` in requests and refuses those that hold one.
    pub fn block(self, entities: impl IntoIterator<Item = Entity>) -> Self {
        entities.into_iter().fold(self, |policy, entity| {
            policy.operator(entity, Operator::Block)
        })
    }

    /// Whether the operators for requests apply to what the model itself writes, too: `false` by default.
    pub fn output(mut self, output: bool) -> Self {
        self.output = output;
        self
    }

    /// Whether nothing is done, and only noted what would have been: `false` by default.
    pub fn observe(mut self, observe: bool) -> Self {
        self.observe = observe;
        self
    }

    /// Sets up how data is found: thresholds, context words, lists, recognizers of one's own.
    pub fn analyzer(mut self, set_up: impl FnOnce(AnalyzerBuilder) -> AnalyzerBuilder) -> Self {
        self.analyzer = self.analyzer.analyzer(set_up);
        self
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(crate) fn looks_at_answers(&self) -> bool {
        self.output || !self.answer.is_empty()
    }

    pub(crate) fn build(self, modelled: &[Entity]) -> Result<Arc<Built>, ConfigError> {
        let name = self.name.clone();
        self.build_unnamed(modelled)
            .map(Arc::new)
            .map_err(|error| match name {
                Some(name) => ConfigError::InPolicy(name, Box::new(error)),
                None => error,
            })
    }

    fn build_unnamed(self, modelled: &[Entity]) -> Result<Built, ConfigError> {
        let told = |operators: Vec<(Entity, Operator)>| {
            operators.into_iter().map(|(entity, operator)| {
                let operator = if self.observe {
                    operator.observed()
                } else {
                    operator
                };
                (entity, operator)
            })
        };
        let base = self.analyzer.modelled(modelled.iter().copied());
        let mut answers = if self.output {
            self.request.clone()
        } else {
            Vec::new()
        };
        answers.extend(self.answer);
        let build = |operators: Vec<(Entity, Operator)>| {
            (!operators.is_empty())
                .then(|| base.clone().operators(told(operators)).build())
                .transpose()
        };
        let (request, answer) = (build(self.request)?, build(answers)?);
        if request.is_none() && answer.is_none() {
            return Err(ConfigError::NothingToFind);
        }
        Ok(Built {
            name: self.name,
            request,
            answer,
        })
    }
}

/// When a [`Policy`] applies. Of each sort of condition one must hold, and of those that were not given nothing is asked: a new rule holds for every
/// call. `*` at the end of a text stands for any rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Rule {
    keys: Vec<String>,
    teams: Vec<String>,
    tags: Vec<String>,
    metadata: Vec<(String, String)>,
    paths: Vec<String>,
    models: Vec<String>,
    inside: Vec<String>,
    outside: Vec<String>,
}

/// What rules look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'c> {
    pub(crate) principal: Option<&'c Principal>,
    pub(crate) path: &'c str,
    pub(crate) model: Option<&'c str>,
    pub(crate) region: Option<&'c str>,
}

impl Rule {
    /// Creates a rule that holds for every call.
    pub fn new() -> Self {
        Self::default()
    }

    /// Holds for a key, by its id or by the name that people gave it.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.keys.push(key.into());
        self
    }

    /// Holds for the keys of a team.
    pub fn team(mut self, team: impl Into<String>) -> Self {
        self.teams.push(team.into());
        self
    }

    /// Holds for the keys with a tag.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Holds for the keys with a pair of metadata.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.push((name.into(), value.into()));
        self
    }

    /// Holds for requests to a path.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Holds for requests that ask for a model.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.models.push(model.into());
        self
    }

    /// Holds for calls that go to a place, as [`Regions::lies_in`] names it: `ap-south-1`, `eu-*`, `india`.
    pub fn inside(mut self, place: impl Into<String>) -> Self {
        self.inside.push(place.into());
        self
    }

    /// Holds for calls that may go elsewhere than to any of the places named so. What is unknown is elsewhere.
    pub fn outside(mut self, place: impl Into<String>) -> Self {
        self.outside.push(place.into());
        self
    }

    /// Whether it asks where a call goes.
    #[must_use]
    pub fn asks_for_region(&self) -> bool {
        !(self.inside.is_empty() && self.outside.is_empty())
    }

    pub(crate) fn holds(&self, facts: &Facts<'_>) -> bool {
        let principal = facts.principal;
        let ids = [
            principal.map(Principal::key_id),
            principal.and_then(Principal::key_alias),
        ];
        one_of(&self.keys, ids.into_iter().flatten())
            && one_of(&self.teams, principal.and_then(Principal::team_id))
            && one_of(
                &self.tags,
                principal
                    .into_iter()
                    .flat_map(Principal::tags)
                    .map(String::as_str),
            )
            && (self.metadata.is_empty()
                || self.metadata.iter().any(|(name, value)| {
                    let told = principal.and_then(|principal| principal.metadata().get(name));
                    told.is_some_and(|told| alike(value, told))
                }))
            && one_of(&self.paths, Some(facts.path))
            && one_of(&self.models, facts.model)
            && (self.inside.is_empty() || lies_in(&self.inside, facts.region))
            && (self.outside.is_empty() || !lies_in(&self.outside, facts.region))
    }
}

fn lies_in(places: &[String], region: Option<&str>) -> bool {
    places.iter().any(|place| Regions::lies_in(region, place))
}

fn one_of<'t>(wanted: &[String], told: impl IntoIterator<Item = &'t str>) -> bool {
    wanted.is_empty()
        || told
            .into_iter()
            .any(|told| wanted.iter().any(|wanted| alike(wanted, told)))
}

fn alike(wanted: &str, told: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => told.starts_with(start),
        None => wanted == told,
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::Identity;

    use super::*;

    #[test]
    fn each_sort_of_condition_must_hold_and_one_of_each_is_enough() {
        let principal = Principal::assume_verified(
            Identity::new("k-7")
                .key_alias("chat")
                .team_id("payments")
                .tag("kyc")
                .metadata("country", "in"),
        );
        let rule = Rule::new;
        for (rule, holds) in [
            (rule(), true),
            (rule().key("k-7"), true),
            (rule().key("chat"), true),
            (rule().key("k-8").key("ch*"), true),
            (rule().key("k-"), false),
            (rule().team("payments").team("sales"), true),
            (rule().team("sales"), false),
            (rule().tag("kyc"), true),
            (rule().tag("k"), false),
            (rule().metadata("country", "in"), true),
            (rule().metadata("country", "us"), false),
            (rule().metadata("city", "*"), false),
            (rule().path("/v1/chat/*"), true),
            (rule().path("/v1/messages"), false),
            (rule().model("gpt-4o").model("claude-*"), true),
            (rule().model("claude"), false),
            (rule().inside("india"), true),
            (rule().inside("eu-*"), false),
            (rule().outside("india"), false),
            (rule().outside("eu-*").outside("us-*"), true),
            (rule().outside("eu-*").outside("ap-*"), false),
            (rule().team("payments").inside("eu-*"), false),
            (
                rule()
                    .team("payments")
                    .model("claude-*")
                    .inside("ap-south-1"),
                true,
            ),
        ] {
            let facts = Facts {
                principal: Some(&principal),
                path: "/v1/chat/completions",
                model: Some("claude-haiku-4-5"),
                region: Some("ap-south-1"),
            };
            assert_eq!(rule.holds(&facts), holds, "{rule:?}");
        }
    }

    #[test]
    fn what_is_unknown_fulfils_no_condition_and_lies_outside() {
        let facts = Facts {
            principal: None,
            path: "/",
            model: None,
            region: None,
        };
        for (rule, holds) in [
            (Rule::new(), true),
            (Rule::new().key("*"), false),
            (Rule::new().team("*"), false),
            (Rule::new().model("*"), false),
            (Rule::new().inside("*"), false),
            (Rule::new().outside("india"), true),
        ] {
            assert_eq!(rule.holds(&facts), holds, "{rule:?}");
        }
    }
}

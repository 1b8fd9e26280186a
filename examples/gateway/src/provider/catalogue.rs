//! Which deployment serves a name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bartizan::core::{Dialect, Regions};

use crate::config::{Deployment, Way};

/// All names that are served, each with its deployments.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    exact: BTreeMap<String, Group>,
    /// By what stands before the `*`, the longest first.
    prefixes: Vec<(String, Group)>,
}

#[derive(Debug, Default)]
struct Group {
    deployments: Vec<Arc<Served>>,
    next: AtomicUsize,
}

/// Who answers.
#[derive(Debug)]
pub(crate) enum Served {
    /// A provider.
    By(Box<Deployment>, Ways),
    /// This program itself, for a first look.
    Demo,
}

/// For each API that a caller may speak, the way to the provider. Made once where the model's name is fixed.
type Ways = Vec<(Dialect, Way)>;

/// The APIs that callers may speak.
const SPOKEN: [Dialect; 11] = [
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::OpenAiCompletions,
    Dialect::OpenAiEmbeddings,
    Dialect::OpenAiModerations,
    Dialect::AnthropicMessages,
    Dialect::AnthropicCountTokens,
    Dialect::Gemini,
    Dialect::GeminiCountTokens,
    Dialect::GeminiEmbeddings,
    Dialect::CohereRerank,
];

/// A deployment that was chosen for a call, and what the provider calls the model.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    pub(super) served: &'a Arc<Served>,
    upstream: Cow<'a, str>,
}

impl Catalogue {
    pub(crate) fn new(deployments: Vec<Deployment>) -> Self {
        let mut catalogue = Self::default();
        for deployment in deployments {
            let name = deployment.name.clone();
            let place = &deployment.place;
            let model = place.name().model();
            let ways = if model.ends_with('*') {
                Vec::new()
            } else {
                let way = |from| Some((from, place.way(from, model)?));
                SPOKEN.into_iter().filter_map(way).collect()
            };
            catalogue.add(&name, Served::By(Box::new(deployment), ways));
        }
        catalogue
    }

    /// Adds the model `demo`, which this program plays itself.
    pub(crate) fn with_demo(mut self) -> Self {
        self.add("demo", Served::Demo);
        self
    }

    fn add(&mut self, name: &str, served: Served) {
        let group = match name.strip_suffix('*') {
            None => self.exact.entry(name.to_owned()).or_default(),
            Some(prefix) => {
                let at = match self.prefixes.iter().position(|(known, _)| known == prefix) {
                    Some(at) => at,
                    None => {
                        let at = self
                            .prefixes
                            .partition_point(|(known, _)| known.len() >= prefix.len());
                        self.prefixes
                            .insert(at, (prefix.to_owned(), Group::default()));
                        at
                    }
                };
                match self.prefixes.get_mut(at) {
                    Some((_, group)) => group,
                    None => return,
                }
            }
        };
        group.deployments.push(Arc::new(served));
    }

    /// Chooses who serves `model`: the exact name first, then the longest prefix; the deployments of one name in turn.
    pub(super) fn choose<'a>(&'a self, model: &'a str) -> Option<Choice<'a>> {
        let (group, rest) = self.group(model)?;
        let turn = group.next.fetch_add(1, Ordering::Relaxed);
        let served = group
            .deployments
            .get(turn % group.deployments.len().max(1))?;
        let upstream = served.upstream(model, rest);
        Some(Choice { served, upstream })
    }

    fn group<'a>(&'a self, model: &'a str) -> Option<(&'a Group, &'a str)> {
        if let Some(group) = self.exact.get(model) {
            return Some((group, ""));
        }
        let found = self
            .prefixes
            .iter()
            .find_map(|(prefix, group)| Some((group, model.strip_prefix(prefix.as_str())?)));
        found.filter(|(_, rest)| !rest.is_empty())
    }

    /// Who may answer `model`, each with what it calls the model.
    pub(super) fn places<'a>(
        &'a self,
        model: &'a str,
    ) -> impl Iterator<Item = (&'a Served, Cow<'a, str>)> {
        let found = self.group(model);
        found.into_iter().flat_map(move |(group, rest)| {
            let named = move |served: &'a Arc<Served>| (&**served, served.upstream(model, rest));
            group.deployments.iter().map(named)
        })
    }

    /// Where `model` may be answered: by any of its deployments.
    pub(crate) fn regions(&self, model: &str) -> Regions {
        let deployments = self.group(model).map(|(group, _)| &group.deployments);
        Regions::new(
            deployments
                .into_iter()
                .flatten()
                .map(|served| match &**served {
                    Served::By(deployment, _) => deployment.place.region(),
                    Served::Demo => None,
                }),
        )
    }

    /// The names, as they are configured, with who owns the model.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let exact = self
            .exact
            .iter()
            .map(|(name, group)| (name.as_str(), group));
        let wild =
            self.prefixes
                .iter()
                .filter_map(|(_, group)| match &**group.deployments.first()? {
                    Served::By(deployment, _) => Some((deployment.name.as_str(), group)),
                    Served::Demo => None,
                });
        exact.chain(wild).map(|(name, group)| (name, group.owner()))
    }

    /// Who owns the model that `name` stands for, if it is served.
    pub(crate) fn owner<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.group(name).map(|(group, _)| group.owner())
    }
}

impl Group {
    fn owner(&self) -> &str {
        self.deployments
            .first()
            .map_or("bartizan", |served| served.provider())
    }
}

impl Served {
    /// What it calls the `model` that a caller named, of which `rest` stands for a `*`.
    fn upstream<'a>(&'a self, model: &'a str, rest: &str) -> Cow<'a, str> {
        match self {
            Self::Demo => Cow::Borrowed(model),
            Self::By(deployment, _) => {
                let model = deployment.place.name().model();
                match model.strip_suffix('*') {
                    Some(before) => format!("{before}{rest}").into(),
                    None => Cow::Borrowed(model),
                }
            }
        }
    }

    /// The provider's name in records.
    pub(super) fn provider(&self) -> &str {
        match self {
            Self::Demo => "bartizan",
            Self::By(deployment, _) => deployment.place.provider(),
        }
    }
}

impl Choice<'_> {
    /// What the provider calls the model.
    pub(super) fn upstream(&self) -> &str {
        &self.upstream
    }

    /// The way to the provider when the caller speaks `from`; `None` where there is none.
    pub(super) fn way(&self, from: Dialect) -> Option<Cow<'_, Way>> {
        let Served::By(deployment, known) = &**self.served else {
            return None;
        };
        if deployment.place.name().model().ends_with('*') {
            return deployment.place.way(from, &self.upstream).map(Cow::Owned);
        }
        let found = known.iter().find(|(spoken, _)| *spoken == from);
        found.map(|(_, way)| Cow::Borrowed(way))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use secrecy::SecretString;

    use super::*;
    use crate::config::Settings;

    /// A catalogue as a configuration tells it: what callers name, and what that is.
    fn catalogue(models: &[(&str, &str)]) -> Catalogue {
        let mut file = "model_list:\n".to_owned();
        for (name, params) in models {
            let _ = writeln!(
                file,
                "- {{model_name: '{name}', litellm_params: {{{params}}}}}"
            );
        }
        let env = |name: &str| {
            let value = match name {
                "BARTIZAN_MASTER_KEY" => "sk-9f1c6bd2a07e43f58b3d6e2c914a7f05",
                "AWS_REGION" => "eu-central-1",
                "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "key",
                _ if name.ends_with("_API_KEY") => "key",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let settings = Settings::read(&SecretString::from(file), &env);
        Catalogue::new(settings.unwrap().deployments)
    }

    fn chosen(catalogue: &Catalogue, model: &str) -> Option<String> {
        catalogue
            .choose(model)
            .map(|choice| choice.upstream.into_owned())
    }

    #[test]
    fn the_exact_name_goes_before_the_longest_prefix() {
        let served = catalogue(&[
            ("*", "model: openai/any-*"),
            ("openai/*", "model: openai/*"),
            ("openai/gpt-4*", "model: openai/four-*"),
            ("openai/gpt-4o", "model: openai/exact"),
        ]);
        for (model, upstream) in [
            ("openai/gpt-4o", Some("exact")),
            ("openai/gpt-4o-mini", Some("four-o-mini")),
            ("openai/o3", Some("o3")),
            ("claude", Some("any-claude")),
            ("", None),
        ] {
            assert_eq!(chosen(&served, model).as_deref(), upstream, "{model}");
        }
        assert_eq!(
            chosen(&catalogue(&[("a/*", "model: openai/*")]), "a/"),
            None
        );
        let names: Vec<&str> = served.names().map(|(name, _)| name).collect();
        assert_eq!(names, ["openai/gpt-4o", "openai/gpt-4*", "openai/*", "*"]);
    }

    #[test]
    fn a_call_may_be_answered_where_any_of_its_deployments_is() {
        let bedrock = "model: bedrock/amazon.nova-pro-v1:0, aws_region_name: ap-south-1";
        let vertex = "model: vertex_ai/gemini-2.5-flash, vertex_project: p, vertex_location: asia-south1, api_key: k";
        let served = catalogue(&[
            ("inside", bedrock),
            ("both", bedrock),
            ("both", "model: openai/x"),
            ("told", "model: openai/x, region_name: centralindia"),
            ("vertex", vertex),
        ]);
        for (model, regions) in [
            ("inside", vec![Some("ap-south-1")]),
            ("both", vec![None, Some("ap-south-1")]),
            ("told", vec![Some("centralindia")]),
            ("vertex", vec![Some("asia-south1")]),
            ("nothing", vec![None]),
        ] {
            let found = served.regions(model);
            assert_eq!(found.iter().collect::<Vec<_>>(), regions, "{model}");
        }
    }

    #[test]
    fn deployments_of_one_name_take_turns() {
        let served = catalogue(&[("m", "model: openai/a"), ("m", "model: anthropic/b")]);
        let turns: Vec<_> = (0..4).filter_map(|_| chosen(&served, "m")).collect();
        assert_eq!(turns, ["a", "b", "a", "b"]);
        assert_eq!(served.owner("m"), Some("openai"));
    }

    #[test]
    fn what_is_spoken_to_whom() {
        use Dialect::{
            AnthropicCountTokens as Count, AnthropicMessages as Messages,
            BedrockConverse as Converse, CohereRerank as Rerank, Gemini, GeminiCountTokens,
            GeminiEmbeddings, OpenAiChat as Chat, OpenAiCompletions as Completions,
            OpenAiEmbeddings as Embeddings, OpenAiModerations as Moderations,
            OpenAiResponses as Responses,
        };
        for (params, caller, spoken) in [
            ("model: openai/x", Chat, Some(Chat)),
            ("model: openai/x", Responses, Some(Responses)),
            ("model: openai/x", Completions, Some(Completions)),
            ("model: openai/x", Embeddings, Some(Embeddings)),
            ("model: openai/x", Moderations, Some(Moderations)),
            ("model: openai/x", Messages, Some(Chat)),
            ("model: openai/x", Gemini, Some(Chat)),
            ("model: openai/x", Count, Some(Chat)),
            ("model: openai/x", GeminiCountTokens, Some(Chat)),
            ("model: openai/x", GeminiEmbeddings, Some(Embeddings)),
            ("model: openai/x", Rerank, Some(Rerank)),
            (
                "model: azure/x, api_base: 'https://x.example'",
                Messages,
                Some(Chat),
            ),
            (
                "model: azure/x, api_base: 'https://x.example', api_version: '2024-10-21'",
                Chat,
                Some(Chat),
            ),
            ("model: anthropic/x", Messages, Some(Messages)),
            ("model: anthropic/x", Chat, Some(Messages)),
            ("model: anthropic/x", Responses, Some(Messages)),
            ("model: anthropic/x", Gemini, Some(Messages)),
            ("model: anthropic/x", Count, Some(Count)),
            ("model: anthropic/x", GeminiCountTokens, Some(Count)),
            ("model: anthropic/x", Embeddings, None),
            ("model: anthropic/x", Rerank, None),
            ("model: anthropic/x", Moderations, None),
            ("model: bedrock/amazon.nova-pro-v1:0", Chat, Some(Converse)),
            ("model: cohere/rerank-v3.5", Rerank, Some(Rerank)),
            ("model: gemini/gemini-2.5-flash", Chat, Some(Gemini)),
            ("model: groq/llama, api_key: k", Messages, Some(Chat)),
        ] {
            let served = catalogue(&[("m", params)]);
            let choice = served.choose("m").unwrap();
            let way = choice.way(caller);
            assert_eq!(
                way.map(|way| way.lane.dialect()),
                spoken,
                "{params} {caller:?}"
            );
        }
        let azure = "model: azure/*, api_base: 'https://x.example', api_version: '2024-10-21'";
        let served = catalogue(&[("m/*", azure)]);
        for name in ["..", "."] {
            let model = format!("m/{name}");
            assert!(served.choose(&model).unwrap().way(Chat).is_none());
        }
    }
}

//! Which deployment serves a name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bartizan::core::Dialect;
use bartizan::translate::Target as Lane;

use crate::config::{Deployment, Provider};

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
    By(Box<Deployment>, Lanes),
    /// This program itself, for a first look.
    Demo,
}

/// For each API that a caller may speak, the one that is spoken to the provider, and its path. Made once where the model's name is
/// fixed.
type Lanes = Vec<(Dialect, Lane)>;

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
            let fixed = !deployment.upstream.ends_with('*');
            let lanes = if fixed {
                lanes(deployment.provider, &deployment.upstream)
            } else {
                Vec::new()
            };
            catalogue.add(&name, Served::By(Box::new(deployment), lanes));
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
        let upstream = match &**served {
            Served::Demo => Cow::Borrowed(model),
            Served::By(deployment, _) => match deployment.upstream.strip_suffix('*') {
                Some(before) => format!("{before}{rest}").into(),
                None => Cow::Borrowed(deployment.upstream.as_str()),
            },
        };
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

    /// The names, as they are configured, with who owns the model.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, &'static str)> {
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
    pub(crate) fn owner(&self, name: &str) -> Option<&'static str> {
        self.group(name).map(|(group, _)| group.owner())
    }
}

impl Group {
    fn owner(&self) -> &'static str {
        self.deployments
            .first()
            .map_or("bartizan", |served| served.provider())
    }
}

impl Served {
    /// The provider's name in records.
    pub(super) const fn provider(&self) -> &'static str {
        match self {
            Self::Demo => "bartizan",
            Self::By(deployment, _) => match deployment.provider {
                Provider::OpenAi => "openai",
                Provider::AzureDeployments | Provider::AzureV1 => "azure",
                Provider::Anthropic => "anthropic",
            },
        }
    }
}

impl Choice<'_> {
    /// What is spoken to the provider when the caller speaks `dialect`; `None` where that can't be translated.
    pub(super) fn lane(&self, dialect: Dialect) -> Option<Lane> {
        match &**self.served {
            Served::Demo => Some(Lane::new(dialect, "demo")),
            Served::By(deployment, known) => {
                let find = |lanes: &Lanes| {
                    lanes
                        .iter()
                        .find(|(spoken, _)| *spoken == dialect)
                        .map(|(_, lane)| lane.clone())
                };
                if known.is_empty() {
                    find(&lanes(deployment.provider, &self.upstream))
                } else {
                    find(known)
                }
            }
        }
    }
}

fn lanes(provider: Provider, model: &str) -> Lanes {
    use Dialect::{
        AnthropicCountTokens, AnthropicMessages, CohereRerank, Gemini, GeminiCountTokens,
        GeminiEmbeddings, OpenAiChat, OpenAiCompletions, OpenAiEmbeddings, OpenAiModerations,
        OpenAiResponses,
    };
    let paths: &[(Dialect, Dialect, &str)] = match provider {
        Provider::OpenAi | Provider::AzureV1 => &[
            (OpenAiChat, OpenAiChat, "/chat/completions"),
            (AnthropicMessages, OpenAiChat, "/chat/completions"),
            (Gemini, OpenAiChat, "/chat/completions"),
            (AnthropicCountTokens, OpenAiChat, "/chat/completions"),
            (GeminiCountTokens, OpenAiChat, "/chat/completions"),
            (OpenAiResponses, OpenAiResponses, "/responses"),
            (OpenAiCompletions, OpenAiCompletions, "/completions"),
            (OpenAiModerations, OpenAiModerations, "/moderations"),
            (OpenAiEmbeddings, OpenAiEmbeddings, "/embeddings"),
            (GeminiEmbeddings, OpenAiEmbeddings, "/embeddings"),
            // Not OpenAI's own; servers compatible with it have it.
            (CohereRerank, CohereRerank, "/rerank"),
        ],
        Provider::AzureDeployments => &[
            (
                OpenAiChat,
                OpenAiChat,
                "/deployments/{model}/chat/completions",
            ),
            (
                AnthropicMessages,
                OpenAiChat,
                "/deployments/{model}/chat/completions",
            ),
            (Gemini, OpenAiChat, "/deployments/{model}/chat/completions"),
            (OpenAiResponses, OpenAiResponses, "/responses"),
            (
                OpenAiCompletions,
                OpenAiCompletions,
                "/deployments/{model}/completions",
            ),
            (
                OpenAiEmbeddings,
                OpenAiEmbeddings,
                "/deployments/{model}/embeddings",
            ),
            (
                GeminiEmbeddings,
                OpenAiEmbeddings,
                "/deployments/{model}/embeddings",
            ),
        ],
        Provider::Anthropic => &[
            (AnthropicMessages, AnthropicMessages, "/messages"),
            (OpenAiChat, AnthropicMessages, "/messages"),
            (OpenAiCompletions, AnthropicMessages, "/messages"),
            (Gemini, AnthropicMessages, "/messages"),
            // Counts go to the path beside, or are estimated where the provider has none.
            (AnthropicCountTokens, AnthropicMessages, "/messages"),
            (GeminiCountTokens, AnthropicMessages, "/messages"),
        ],
    };
    let lane = |(caller, spoken, path): &(Dialect, Dialect, &str)| {
        // A name that can't stand in a path serves nobody.
        let lane = Lane::new(*spoken, model).path(path).ok()?;
        Some((*caller, lane))
    };
    paths.iter().filter_map(lane).collect()
}

#[cfg(test)]
mod tests {
    use bartizan::egress::Target;

    use super::*;

    fn deployment(name: &str, upstream: &str, provider: Provider) -> Deployment {
        let target = Target::new("https://provider.example/v1").unwrap();
        Deployment {
            name: name.into(),
            upstream: upstream.into(),
            provider,
            stream_target: target.clone(),
            target,
            max_tokens: None,
        }
    }

    fn chosen(catalogue: &Catalogue, model: &str) -> Option<String> {
        catalogue
            .choose(model)
            .map(|choice| choice.upstream.into_owned())
    }

    #[test]
    fn the_exact_name_goes_before_the_longest_prefix() {
        let catalogue = Catalogue::new(vec![
            deployment("*", "any-*", Provider::OpenAi),
            deployment("openai/*", "*", Provider::OpenAi),
            deployment("openai/gpt-4*", "four-*", Provider::OpenAi),
            deployment("openai/gpt-4o", "exact", Provider::OpenAi),
        ]);
        for (model, upstream) in [
            ("openai/gpt-4o", Some("exact")),
            ("openai/gpt-4o-mini", Some("four-o-mini")),
            ("openai/o3", Some("o3")),
            ("claude", Some("any-claude")),
            ("", None),
        ] {
            assert_eq!(chosen(&catalogue, model).as_deref(), upstream, "{model}");
        }
        assert_eq!(
            chosen(
                &Catalogue::new(vec![deployment("a/*", "*", Provider::OpenAi)]),
                "a/"
            ),
            None
        );
        let names: Vec<&str> = catalogue.names().map(|(name, _)| name).collect();
        assert_eq!(names, ["openai/gpt-4o", "openai/gpt-4*", "openai/*", "*"]);
    }

    #[test]
    fn deployments_of_one_name_take_turns() {
        let catalogue = Catalogue::new(vec![
            deployment("m", "a", Provider::OpenAi),
            deployment("m", "b", Provider::Anthropic),
        ]);
        let turns: Vec<_> = (0..4).filter_map(|_| chosen(&catalogue, "m")).collect();
        assert_eq!(turns, ["a", "b", "a", "b"]);
    }

    #[test]
    fn what_can_be_spoken_to_whom() {
        use Dialect::{
            AnthropicMessages as Messages, OpenAiChat as Chat, OpenAiEmbeddings as Embeddings,
            OpenAiResponses as Responses,
        };
        for (provider, caller, spoken) in [
            (Provider::OpenAi, Chat, Some(Chat)),
            (Provider::OpenAi, Responses, Some(Responses)),
            (Provider::OpenAi, Embeddings, Some(Embeddings)),
            (Provider::OpenAi, Messages, Some(Chat)),
            (Provider::AzureV1, Messages, Some(Chat)),
            (
                Provider::OpenAi,
                Dialect::OpenAiCompletions,
                Some(Dialect::OpenAiCompletions),
            ),
            (
                Provider::OpenAi,
                Dialect::OpenAiModerations,
                Some(Dialect::OpenAiModerations),
            ),
            (
                Provider::OpenAi,
                Dialect::CohereRerank,
                Some(Dialect::CohereRerank),
            ),
            (Provider::OpenAi, Dialect::Gemini, Some(Chat)),
            (
                Provider::OpenAi,
                Dialect::GeminiEmbeddings,
                Some(Embeddings),
            ),
            (Provider::OpenAi, Dialect::GeminiCountTokens, Some(Chat)),
            (Provider::OpenAi, Dialect::AnthropicCountTokens, Some(Chat)),
            (Provider::Anthropic, Dialect::Gemini, Some(Messages)),
            (
                Provider::Anthropic,
                Dialect::AnthropicCountTokens,
                Some(Messages),
            ),
            (
                Provider::Anthropic,
                Dialect::GeminiCountTokens,
                Some(Messages),
            ),
            (Provider::Anthropic, Dialect::OpenAiModerations, None),
            (Provider::AzureDeployments, Chat, Some(Chat)),
            (Provider::Anthropic, Messages, Some(Messages)),
            (Provider::Anthropic, Chat, Some(Messages)),
            (Provider::Anthropic, Responses, None),
            (Provider::Anthropic, Embeddings, None),
        ] {
            let catalogue = Catalogue::new(vec![deployment("m", "x", provider)]);
            let lane = catalogue.choose("m").unwrap().lane(caller);
            assert_eq!(
                lane.map(|lane| lane.dialect()),
                spoken,
                "{provider:?} {caller:?}"
            );
        }
        for name in ["..", "."] {
            let catalogue =
                Catalogue::new(vec![deployment("m/*", "*", Provider::AzureDeployments)]);
            let model = format!("m/{name}");
            assert!(catalogue.choose(&model).unwrap().lane(Chat).is_none());
        }
    }
}

//! `provider/model`, as LiteLLM's users write it.

use super::models;
use super::provider::Provider;
use super::providers::Providers;
use super::route::fits;
use crate::error::Error;

/// A model's name taken apart: who serves it, what it is called there, and by which way it is asked for.
///
/// ```
/// use bartizan_translate::catalogue::ModelName;
///
/// let name = ModelName::parse("bedrock/invoke/us-west-2/us.anthropic.claude-haiku-4-5-20251001-v1:0")?;
/// assert_eq!(name.provider(), "bedrock");
/// assert_eq!(name.model(), "us.anthropic.claude-haiku-4-5-20251001-v1:0");
/// assert_eq!((name.way(), name.region()), (Some("invoke"), Some("us-west-2")));
/// assert_eq!(ModelName::parse("gpt-4o")?.provider(), "openai");
/// # Ok::<(), bartizan_translate::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName {
    provider: Box<str>,
    model: Box<str>,
    way: Option<Box<str>>,
    region: Option<Box<str>>,
}

/// Words of LiteLLM's in front of a model, for what is no model.
const NOT_SPOKEN: [(&str, &str); 6] = [
    ("bedrock", "agent"),
    ("bedrock", "agentcore"),
    ("bedrock", "async_invoke"),
    ("bedrock", "claude_platform"),
    ("bedrock", "converse_like"),
    ("vertex_ai", "agent_engine"),
];

impl ModelName {
    /// Takes a name apart by the crate's table of providers; see [`Providers::model`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn parse(name: &str) -> Result<Self, Error> {
        Providers::builtin().model(name)
    }

    /// Creates the name of a model of a provider, of which nothing is taken apart.
    #[must_use]
    pub fn new(provider: &str, model: &str) -> Self {
        Self {
            provider: provider.into(),
            model: model.into(),
            way: None,
            region: None,
        }
    }

    /// The provider's slug.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// What the provider calls the model.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The way in that the name asks for, such as `invoke`.
    #[must_use]
    pub fn way(&self) -> Option<&str> {
        self.way.as_deref()
    }

    /// The region that the name says, as a segment or in an ARN.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The same with another model: for names that stand for many.
    #[must_use]
    pub fn with_model(mut self, model: &str) -> Self {
        self.model = model.into();
        self
    }

    fn rest(provider: &Provider, way: Option<&str>, rest: &str) -> Result<Self, Error> {
        let mut rest = rest;
        let mut name = Self::new(provider.slug(), "");
        name.way = way.map(Into::into);
        let regional = provider.settings().any(|(setting, _)| setting == "region");
        while let Some((head, tail)) = rest.split_once('/') {
            if NOT_SPOKEN.contains(&(provider.slug(), head)) {
                return Err(Error::Name {
                    mend: format!(
                        "`{}/{head}/…` is no model's API, and can't be served",
                        provider.slug()
                    ),
                });
            }
            if name.way.is_none() && provider.has_way(head) {
                name.way = Some(head.into());
            } else if name.region.is_none() && regional && is_region(head) {
                name.region = Some(head.into());
            } else if !provider.strip.iter().any(|word| &**word == head) {
                break;
            }
            rest = tail;
        }
        if regional && let Some(arn) = rest.strip_prefix("arn:") {
            // arn:partition:service:region:…
            name.region = arn
                .split(':')
                .nth(2)
                .filter(|region| is_region(region))
                .map(Into::into)
                .or(name.region);
        }
        if rest.is_empty() {
            return Err(Error::Name {
                mend: format!("a model's name belongs behind `{}/`", provider.slug()),
            });
        }
        name.model = rest.into();
        Ok(name)
    }
}

impl Providers {
    /// Takes a model's name apart as LiteLLM does.
    ///
    /// | name | means |
    /// |---|---|
    /// | `groq/openai/gpt-oss-120b` | the provider's slug, or another of its names, and what it calls the model |
    /// | `bedrock/us-west-2/…`, `bedrock/arn:aws:bedrock:us-west-2:…` | the region, where the provider has regions |
    /// | `bedrock/converse/…`, `bedrock/invoke/…`, `azure/responses/…` | a way in, where the provider has one of that name |
    /// | `openrouter/auto` | OpenRouter's own models keep its name |
    /// | `huggingface/together/org/model` | `org/model:together` |
    /// | `gpt-4o`, `claude-…`, `gemini-…`, `command-…`, `mistral-…` | without a provider: as the table of models has it, else by how it begins |
    ///
    /// # Errors
    ///
    /// [`Error::Name`] for a name that leads to no provider.
    pub fn model(&self, name: &str) -> Result<ModelName, Error> {
        if let Some((slug, rest)) = name.split_once('/')
            && let Some((provider, way)) = self.find(slug)
        {
            return match (provider.slug(), rest.split('/').count()) {
                ("bedrock", _) if rest.starts_with("mantle/") => {
                    self.model(&format!("bedrock_{rest}"))
                }
                ("openrouter", 1) if !rest.ends_with('*') => Ok(ModelName::new("openrouter", name)),
                ("huggingface", 3) => {
                    let (served_by, model) = rest.split_once('/').unwrap_or((rest, ""));
                    Ok(ModelName::new(
                        "huggingface",
                        &format!("{model}:{served_by}"),
                    ))
                }
                _ => ModelName::rest(provider, way, rest),
            };
        }
        let bare = models::bare(name).and_then(|slug| self.get(slug));
        let bare = bare.or_else(|| {
            self.iter()
                .find(|provider| provider.bare.iter().any(|pattern| fits(pattern, name)))
        });
        match (bare, name.split_once('/')) {
            (Some(provider), _) => ModelName::rest(provider, None, name),
            (None, Some((slug, _))) => Err(Error::Name {
                mend: format!("there is no provider `{slug}`: docs/providers.md lists them, and how to add one"),
            }),
            (None, None) => Err(Error::Name {
                mend: "put the provider in front, as in `groq/…`; a server that speaks OpenAI's API is `openai/…` with an address of its own".to_owned(),
            }),
        }
    }
}

/// Whether it is a region as AWS names them: `us-west-2`, `us-gov-east-1`, `ap-southeast-2`.
fn is_region(text: &str) -> bool {
    let mut words = text.split('-');
    let place = words.next().is_some_and(|word| {
        (2..=3).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase())
    });
    let mut words = words.rev();
    let number = words.next().is_some_and(|word| {
        (1..=2).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
    });
    let mut middle = words.peekable();
    place
        && number
        && middle.peek().is_some()
        && middle.all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_told_from_a_name() {
        for (text, region) in [
            ("us-west-2", true),
            ("us-gov-east-1", true),
            ("mx-central-1", true),
            ("eu", false),
            ("gpt-4", false),
            ("claude-opus-4", false),
            ("nova-2", false),
            ("us--1", false),
            ("", false),
        ] {
            assert_eq!(is_region(text), region, "{text}");
        }
    }
}

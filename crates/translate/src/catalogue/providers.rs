//! All providers that are known: those of the crate's table, and the user's own.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::builder::ProviderBuilder;
use super::fault::Fault;
use super::provider::Provider;
use crate::error::Error;

const TABLE: &str = include_str!("../../data/providers.ini");

static BUILTIN: LazyLock<Providers> = LazyLock::new(|| {
    // The table is held to its form by a test.
    Providers::none()
        .read(TABLE)
        .unwrap_or_else(|_| Providers::none())
});

/// A table of providers. The default is the crate's own.
///
/// A user's own are added in code, or from text in the form of the crate's table:
///
/// ```
/// use bartizan_translate::catalogue::Providers;
///
/// let providers = Providers::builtin().read("
///     [house]
///     base = https://llm.house.example/v1
///     speaks = openai_chat, openai_embeddings
///     drop = logit_bias
///
///     [groq-eu]
///     like = groq
///     base = https://groq.eu.example/openai/v1
/// ")?;
/// assert!(providers.get("house").unwrap().quirks().drops("logit_bias"));
/// assert_eq!(providers.model("house/llama")?.model(), "llama");
/// # Ok::<(), bartizan_translate::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Providers {
    by_slug: Arc<BTreeMap<Box<str>, Arc<Provider>>>,
}

impl Default for Providers {
    fn default() -> Self {
        Self::builtin()
    }
}

impl Providers {
    /// The crate's table.
    #[must_use]
    pub fn builtin() -> Self {
        BUILTIN.clone()
    }

    /// Creates a table of no provider.
    #[must_use]
    pub fn none() -> Self {
        Self {
            by_slug: Arc::default(),
        }
    }

    /// Adds a provider, or replaces the one of its name.
    #[must_use]
    pub fn with(mut self, provider: Provider) -> Self {
        Arc::make_mut(&mut self.by_slug).insert(provider.slug.clone(), Arc::new(provider));
        self
    }

    /// Adds those of a table: a line `[slug]` begins one, and lines `field = value` follow, with the fields of [`ProviderBuilder::set`] and
    /// `like`, first, for one that is as another in the rest. `#` begins a comment.
    ///
    /// # Errors
    ///
    /// [`Error::Provider`] with the first provider that is wrong, the field, and how to mend it.
    pub fn read(mut self, table: &str) -> Result<Self, Error> {
        let mut open: Option<(String, ProviderBuilder)> = None;
        for (at, line) in table.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let misread =
                |mend: &'static str| Fault::new(format!("line {}", at + 1), mend).of("providers");
            if let Some(slug) = line.strip_prefix('[') {
                let slug = slug
                    .strip_suffix(']')
                    .ok_or_else(|| misread("close the bracket"))?;
                if let Some((_, done)) = open.take() {
                    self = self.with(done.build()?);
                }
                open = Some((slug.to_owned(), Provider::builder(slug)));
                continue;
            }
            let (field, value) = line
                .split_once('=')
                .ok_or_else(|| misread("write `field = value`"))?;
            let (slug, building) = open
                .take()
                .ok_or_else(|| misread("begin a provider with `[name]`"))?;
            let building = match field.trim() {
                "like" => self.like(&slug, value.trim())?,
                field => building.set(field, value),
            };
            open = Some((slug, building));
        }
        if let Some((_, done)) = open {
            self = self.with(done.build()?);
        }
        Ok(self)
    }

    /// Starts the provider `slug`, as the one that is named `model` in all but its names.
    ///
    /// # Errors
    ///
    /// [`Error::Provider`] where there is none of that name.
    pub fn like(&self, slug: &str, model: &str) -> Result<ProviderBuilder, Error> {
        let found = self.get(model).ok_or_else(|| {
            Fault::new("like", format!("there is no provider `{model}`")).of(slug)
        })?;
        Ok(found.like(slug))
    }

    /// The provider of that name, or of another of its names.
    #[must_use]
    pub fn get(&self, slug: &str) -> Option<&Arc<Provider>> {
        self.find(slug).map(|(provider, _)| provider)
    }

    /// All of them, by their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.by_slug.values()
    }

    /// The provider of a name, and the way that this name of it asks for.
    pub(super) fn find(&self, slug: &str) -> Option<(&Arc<Provider>, Option<&str>)> {
        if let Some(provider) = self.by_slug.get(slug) {
            return Some((provider, None));
        }
        self.by_slug.values().find_map(|provider| {
            let (_, way) = provider.also.iter().find(|(name, _)| &**name == slug)?;
            Some((provider, way.as_deref()))
        })
    }
}

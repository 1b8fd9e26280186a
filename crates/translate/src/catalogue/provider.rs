//! One provider: where it is, how it wants to be spoken to, and in what it differs.

use std::sync::Arc;

use bartizan_core::Dialect;

use super::auth::Auth;
use super::builder::ProviderBuilder;
use super::quirks::Quirks;
use super::route::{Route, Use, fits};
use super::template::{self, Place, Settings};
use crate::error::Error;

/// A provider, as the catalogue or a configuration tells of it.
///
/// ```
/// use bartizan_core::Dialect;
/// use bartizan_translate::catalogue::{Auth, Provider};
///
/// let provider = Provider::builder("house")
///     .base_url("https://llm.house.example/v1")
///     .speaks(Dialect::OpenAiChat)
///     .set("rename", "max_completion_tokens > max_tokens")
///     .set("region", "de")
///     .build()?;
/// assert_eq!(provider.auth(), &Auth::Bearer);
/// assert_eq!(provider.key_variables(), ["HOUSE_API_KEY"]);
/// # Ok::<(), bartizan_translate::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    pub(super) slug: Box<str>,
    pub(super) name: Box<str>,
    /// Other names, each perhaps with the way that it asks for.
    pub(super) also: Vec<(Box<str>, Option<Box<str>>)>,
    pub(super) base: Option<Box<str>>,
    /// Other bases: a setting, a pattern for its value, the base.
    pub(super) bases: Vec<(Box<str>, Box<str>, Box<str>)>,
    pub(super) auth: Auth,
    pub(super) key_env: Vec<Box<str>>,
    pub(super) base_env: Box<str>,
    pub(super) settings: Vec<(Box<str>, Vec<Box<str>>)>,
    pub(super) routes: Vec<Route>,
    pub(super) strip: Vec<Box<str>>,
    /// Patterns of the models that are known to be its without its name in front.
    pub(super) bare: Vec<Box<str>>,
    pub(super) quirks: Arc<Quirks>,
    pub(super) region: Option<Box<str>>,
    pub(super) seat: Option<Box<str>>,
    pub(super) source: Option<Box<str>>,
}

impl Provider {
    /// Starts a provider of that name: small letters, digits, `-`, `_` and `.`.
    ///
    /// Unless told otherwise its credential is a bearer token, and lies in `SLUG_API_KEY`.
    pub fn builder(slug: &str) -> ProviderBuilder {
        let variable: String = slug
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect::<String>()
            .to_ascii_uppercase();
        ProviderBuilder::new(Self {
            slug: slug.into(),
            name: slug.into(),
            also: Vec::new(),
            base: None,
            bases: Vec::new(),
            auth: Auth::Bearer,
            key_env: vec![format!("{variable}_API_KEY").into()],
            base_env: format!("{variable}_API_BASE").into(),
            settings: Vec::new(),
            routes: Vec::new(),
            strip: Vec::new(),
            bare: Vec::new(),
            quirks: Arc::default(),
            region: None,
            seat: None,
            source: None,
        })
    }

    /// Starts a provider that is as this one in all but its names.
    pub fn like(&self, slug: &str) -> ProviderBuilder {
        let new = Self::builder(slug).provider;
        ProviderBuilder::new(Self {
            slug: new.slug,
            name: new.name,
            also: Vec::new(),
            bare: Vec::new(),
            key_env: new.key_env,
            base_env: new.base_env,
            ..self.clone()
        })
    }

    /// The name in front of its models, as in `groq/…`.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its API begins: a URL, perhaps with names in braces that [`settings`](Self::settings) lists; none where only the user knows.
    #[must_use]
    pub fn base_url(&self) -> Option<&str> {
        self.base.as_deref()
    }

    /// Where it wants its credential.
    #[must_use]
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// The environment variables in which its key usually lies; the first that is set counts.
    #[must_use]
    pub fn key_variables(&self) -> Vec<&str> {
        self.key_env.iter().map(|name| &**name).collect()
    }

    /// The environment variable that names another base URL.
    #[must_use]
    pub fn base_variable(&self) -> &str {
        &self.base_env
    }

    /// What its URLs leave open, each with the environment variables in which it usually lies.
    pub fn settings(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        let told = self.settings.iter();
        told.map(|(name, env)| (&**name, env.iter().map(|name| &**name).collect()))
    }

    /// The APIs that it speaks.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// In what it differs from OpenAI where it speaks OpenAI's API.
    #[must_use]
    pub fn quirks(&self) -> &Arc<Quirks> {
        &self.quirks
    }

    /// Where it says that requests are processed: countries by their two letters, or `eu`; none where it promises nothing, or where
    /// the caller chooses it by a setting.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The country whose law whoever runs it is under, by its two letters.
    #[must_use]
    pub fn seat(&self) -> Option<&str> {
        self.seat.as_deref()
    }

    /// Where these facts come from.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// The base URL with these settings in it; the one in `base`, where the user has one of their own.
    pub(super) fn base(&self, own: Option<&str>, settings: &Settings) -> Result<String, Error> {
        if let Some(own) = own {
            return Ok(own.to_owned());
        }
        let special = self.bases.iter().find(|(setting, pattern, _)| {
            settings
                .get(setting)
                .is_some_and(|value| fits(pattern, value))
        });
        let base = match special {
            Some((_, _, base)) => base,
            None => self.base.as_ref().ok_or(Error::Base {
                mend: "this provider has no address of its own: name one",
            })?,
        };
        template::fill(base, Place::Base, "", settings)
    }

    /// The way in for a caller that speaks `from`: the one that speaks the same, else the first that is of the same use. Where nobody
    /// completes or counts, a chat can.
    pub(super) fn route(
        &self,
        from: Dialect,
        model: &str,
        way: Option<&str>,
        settings: &Settings,
    ) -> Option<&Route> {
        let wanted = Use::of(from)?;
        let there: Vec<&Route> = self
            .routes
            .iter()
            .filter(|route| route.takes(model, way))
            .collect();
        // Where one is for just such models, those for all the others are not.
        let fit = |wanted: Use| {
            let of_use = |route: &&&Route| Use::of(route.dialect) == Some(wanted);
            let special = there.iter().filter(of_use).any(|route| route.is_for_some());
            let fit = there.iter().filter(of_use);
            fit.filter(move |route| route.is_for_some() == special)
                .copied()
                .collect::<Vec<_>>()
        };
        let mut found = fit(wanted);
        if found.is_empty() && matches!(wanted, Use::Completion | Use::Count) {
            found = fit(Use::Chat);
        }
        let spoken = if found.iter().any(|route| route.dialect == from) {
            from
        } else {
            found.first()?.dialect
        };
        found.retain(|route| route.dialect == spoken);
        let ready = found
            .iter()
            .find(|route| template::names(&route.path).all(|name| settings.get(name).is_some()));
        // Of those that want a setting the last wants least, and its lack is worth telling.
        ready.or(found.last()).copied()
    }

    pub(super) fn has_way(&self, way: &str) -> bool {
        self.routes
            .iter()
            .any(|route| route.name.as_deref() == Some(way))
    }
}

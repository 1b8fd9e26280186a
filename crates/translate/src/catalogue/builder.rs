//! Builds providers from the fields of a table or a configuration. What is wrong with one is found here and nowhere else.

use std::sync::Arc;

use bartizan_core::Dialect;

use super::auth::Auth;
use super::fault::Fault;
use super::provider::Provider;
use super::quirks::{Quirk, Quirks};
use super::route::Route;
use super::template::{self, Place};
use crate::error::Error;

/// Builds a [`Provider`]. What is wrong is told by [`build`](Self::build).
#[derive(Debug)]
#[must_use]
pub struct ProviderBuilder {
    pub(super) provider: Provider,
    /// The settings that were set here, and not taken over from another.
    set: Vec<Box<str>>,
    fault: Option<Fault>,
}

impl ProviderBuilder {
    /// The fields that [`set`](Self::set) knows.
    pub const FIELDS: [&str; 21] = [
        "also",
        "auth",
        "bare",
        "base",
        "base_env",
        "base_when",
        "drop",
        "key_env",
        "max_temperature",
        "name",
        "quirks",
        "refuse",
        "region",
        "rename",
        "route",
        "seat",
        "setting",
        "source",
        "speaks",
        "strip",
        "take",
    ];

    pub(super) fn new(provider: Provider) -> Self {
        Self {
            provider,
            set: Vec::new(),
            fault: None,
        }
    }

    /// Sets where its API begins.
    pub fn base_url(self, url: &str) -> Self {
        self.set("base", url)
    }

    /// Adds an API that it speaks, at its usual path.
    pub fn speaks(self, dialect: Dialect) -> Self {
        self.set("route", dialect.as_str())
    }

    /// Sets where it wants its credential.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.provider.auth = auth;
        self
    }

    /// Sets in what it differs from OpenAI.
    pub fn quirks(mut self, quirks: Quirks) -> Self {
        self.provider.quirks = Arc::new(quirks);
        self
    }

    /// Sets one field from its text, as a table has it; lists have commas.
    ///
    /// | field | what belongs there |
    /// |---|---|
    /// | `name` | its name for people |
    /// | `also` | other names of it; `NAME > WAY` where that name asks for one way |
    /// | `base` | where its API begins |
    /// | `base_when` | `SETTING=PATTERN URL`: another base for some settings; again for another |
    /// | `auth` | `bearer`, `optional`, `header NAME`, `azure`, `sigv4 SERVICE`, `google`, `none` |
    /// | `key_env`, `base_env` | the environment's names for its key and for another base |
    /// | `setting` | `NAME` or `NAME from VARIABLE, …`: what its URLs leave open; again for another |
    /// | `speaks` | the dialects that it speaks at their usual paths |
    /// | `route` | a way in, see [`Route`]; again for another |
    /// | `strip` | words in front of a model's name that are not part of it |
    /// | `bare` | patterns of the models that are its without its name in front |
    /// | `rename` | `MEMBER > NAME-THERE`, … |
    /// | `drop`, `refuse` | members of requests that are left out and reported, that are refused |
    /// | `take` | members that OpenAI has not, see [`Quirks::take`] |
    /// | `quirks` | see [`Quirk`] |
    /// | `max_temperature` | the highest that it takes |
    /// | `region`, `seat` | where it computes, where it is at home |
    /// | `source` | where these facts come from |
    pub fn set(mut self, field: &str, text: &str) -> Self {
        if self.fault.is_none() {
            self.fault = self.field(field, text.trim()).err();
        }
        self
    }

    fn field(&mut self, field: &str, text: &str) -> Result<(), Fault> {
        let provider = &mut self.provider;
        let quirks = Arc::make_mut(&mut provider.quirks);
        match field {
            "name" => provider.name = some(text, "name")?,
            "also" => {
                for (name, way) in list(text).map(renamed) {
                    slug(name, "also")?;
                    provider.also.push((name.into(), way.map(Into::into)));
                }
            }
            "base" => {
                base(text, "base")?;
                provider.base = Some(text.into());
            }
            "base_when" => {
                let parts = text.split_once(' ').and_then(|(when, url)| {
                    let (setting, pattern) = when.split_once('=')?;
                    Some((setting, pattern, url.trim()))
                });
                let (setting, pattern, url) = parts.ok_or_else(|| {
                    Fault::new("base_when", "SETTING=PATTERN and a URL belong here")
                })?;
                base(url, "base_when")?;
                provider
                    .bases
                    .push((setting.into(), pattern.into(), url.into()));
            }
            "auth" => provider.auth = Auth::read(text)?,
            "key_env" => provider.key_env = list(text).map(Into::into).collect(),
            "base_env" => provider.base_env = some(text, "base_env")?,
            "setting" => {
                let (name, env) = text.split_once(" from ").unwrap_or((text, ""));
                let env = list(env).map(Into::into).collect();
                let name = some(name.trim(), "setting")?;
                self.set.push(name.clone());
                provider.settings.retain(|(known, _)| *known != name);
                provider.settings.push((name, env));
            }
            "speaks" => {
                for dialect in list(text) {
                    let route = Route::read(dialect).map_err(|fault| fault.at("speaks"))?;
                    provider.routes.push(route);
                }
            }
            "route" => provider.routes.push(Route::read(text)?),
            "strip" => provider.strip.extend(list(text).map(Into::into)),
            "bare" => provider.bare.extend(list(text).map(Into::into)),
            "rename" => {
                for (from, to) in list(text).map(renamed) {
                    let to = to.ok_or_else(|| Fault::new("rename", "write MEMBER > NAME-THERE"))?;
                    quirks.renames_to(from, to)?;
                }
            }
            "drop" => list(text).try_for_each(|member| quirks.leaves_out(member))?,
            "refuse" => list(text).try_for_each(|member| quirks.turns_down(member))?,
            "take" => list(text).try_for_each(|member| quirks.takes_in(member))?,
            "quirks" => {
                for name in list(text) {
                    let quirk = Quirk::named(name).ok_or_else(|| {
                        let known: Vec<_> = Quirk::ALL.iter().map(|quirk| quirk.as_str()).collect();
                        Fault::new(
                            "quirks",
                            format!("`{name}` is none of {}", known.join(", ")),
                        )
                    })?;
                    *quirks = std::mem::take(quirks).with(quirk);
                }
            }
            "max_temperature" => {
                let most = text.parse().ok().filter(|most| (0.0..=2.0).contains(most));
                let most = most.ok_or_else(|| {
                    Fault::new("max_temperature", "a number from 0 to 2 belongs here")
                })?;
                *quirks = std::mem::take(quirks).max_temperature(most);
            }
            "region" => provider.region = Some(place(text, "region")?),
            "seat" => provider.seat = Some(place(text, "seat")?),
            "source" => provider.source = Some(some(text, "source")?),
            other => {
                return Err(Fault::new(
                    other.to_owned(),
                    format!(
                        "this field is not known; known are {}",
                        Self::FIELDS.join(", ")
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Finishes it.
    ///
    /// # Errors
    ///
    /// [`Error::Provider`] with the first field that is wrong, and how to mend it.
    pub fn build(self) -> Result<Provider, Error> {
        let slug_text = self.provider.slug.clone();
        self.whole().map_err(|fault| fault.of(&slug_text))
    }

    fn whole(mut self) -> Result<Provider, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let provider = &mut self.provider;
        slug(&provider.slug, "slug")?;
        if provider.routes.is_empty() {
            return Err(Fault::new(
                "speaks",
                "name at least one dialect, such as openai_chat",
            ));
        }
        let urls = provider.routes.iter().flat_map(|route| {
            [Some(&route.path), route.stream.as_ref()]
                .into_iter()
                .flatten()
        });
        let bases = provider
            .base
            .iter()
            .chain(provider.bases.iter().map(|(_, _, base)| base));
        let mut open: Vec<Box<str>> = Vec::new();
        for url in urls.chain(bases) {
            open.extend(template::names(url).map(Into::into));
        }
        open.extend(provider.bases.iter().map(|(setting, ..)| setting.clone()));
        if let Some(vain) = self.set.iter().find(|name| !open.contains(name)) {
            return Err(Fault::new(
                "setting",
                format!("no URL has {{{vain}}}: remove it"),
            ));
        }
        provider.settings.retain(|(name, _)| open.contains(name));
        for name in open {
            if provider.settings.iter().all(|(known, _)| *known != name) {
                provider.settings.push((name, Vec::new()));
            }
        }
        Ok(self.provider)
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

fn renamed(item: &str) -> (&str, Option<&str>) {
    match item.split_once('>') {
        Some((from, to)) => (from.trim(), Some(to.trim())),
        None => (item, None),
    }
}

fn some(text: &str, field: &'static str) -> Result<Box<str>, Fault> {
    if text.is_empty() {
        return Err(Fault::new(field, "nothing stands there"));
    }
    Ok(text.into())
}

fn slug(text: &str, field: &'static str) -> Result<(), Fault> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    if text.is_empty() || !text.bytes().all(fits) {
        return Err(Fault::new(
            field,
            "a name of small letters, digits, `-`, `_` and `.` belongs here",
        ));
    }
    Ok(())
}

fn base(text: &str, field: &'static str) -> Result<(), Fault> {
    template::check(text, Place::Base, field)?;
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    match host {
        Some(host) if !host.is_empty() && !host.contains('@') => Ok(()),
        _ => Err(Fault::new(
            field,
            "a URL belongs here, such as https://api.example.com/v1",
        )),
    }
}

/// Two small letters, several of them apart by spaces.
fn place(text: &str, field: &'static str) -> Result<Box<str>, Fault> {
    let fits = |word: &str| word.len() == 2 && word.bytes().all(|b| b.is_ascii_lowercase());
    if text.is_empty() || !text.split(' ').all(fits) {
        return Err(Fault::new(
            field,
            "countries by two small letters, or eu, belong here",
        ));
    }
    Ok(text.into())
}

//! Reads where a deployment is, and how it is spoken to.

use bartizan::egress::{Origin, Target, Timeouts};
use bartizan::translate::Error;
use bartizan::translate::catalogue::{Endpoint, ModelName, Provider, Providers, Settings};
use http::Uri;
use secrecy::ExposeSecret as _;

use super::credential::{Told, project};
use super::field::Field;
use super::place::Place;
use super::providers::no_provider;
use super::read::Section;

/// The parameters of a deployment that say where it is.
pub(super) struct Address<'a> {
    model: Option<Field<'a>>,
    provider: Option<Field<'a>>,
    base: Option<Field<'a>>,
    version: Option<Field<'a>>,
    region: Option<Field<'a>>,
    project: Option<Field<'a>>,
    location: Option<Field<'a>>,
    settings: Option<Field<'a>>,
    drop_params: Option<Field<'a>>,
    /// Where the owner says that it is.
    region_name: Option<Field<'a>>,
    key: Told<'a>,
    /// The service account's key, which says its project.
    account: Option<Field<'a>>,
}

/// What the place of a deployment hangs on beside its own words.
pub(super) struct Around<'a> {
    pub(super) providers: &'a Providers,
    pub(super) private: &'a [Origin],
    pub(super) times: (Timeouts, Timeouts),
}

impl<'a> Address<'a> {
    pub(super) fn take(params: &mut Section<'a>) -> Self {
        let model = params.need("model");
        let base = ["api_base", "base_url", "aws_bedrock_runtime_endpoint"]
            .into_iter()
            .filter_map(|name| params.take(name))
            .next();
        let key = Told::take(params);
        Self {
            model,
            provider: params.take("custom_llm_provider"),
            base,
            version: params.take("api_version"),
            region: params.take("aws_region_name"),
            project: params.take("vertex_project"),
            location: params.take("vertex_location"),
            settings: params.take("settings"),
            drop_params: params.take("drop_params"),
            region_name: params.take("region_name"),
            account: key.account(),
            key,
        }
    }

    pub(super) fn place(self, params: &Section<'_>, around: &Around<'_>) -> Option<Place> {
        let model = self.model.as_ref()?;
        let name = name(model, self.provider.as_ref(), around.providers)?;
        let provider = around.providers.get(name.provider())?.clone();
        let settings = self.settings(&provider, &name, params)?;
        let (base, own_address) = self.base(&provider, params)?;
        let endpoint = self.endpoint(&provider, &name, base.as_deref(), &settings, params)?;
        let origin = self.checked(&endpoint, around.private, params)?;
        let region = name.region().or(settings.get("region"));
        let credential = self
            .key
            .credential(&provider, region, own_address, params)?;
        let target = Target::new(endpoint.origin());
        let fits = target.and_then(|target| credential.onto(target, endpoint.auth()));
        if let Err(error) = fits {
            params.fail(format!("`api_key`: {error}"));
            return None;
        }
        let told = self.region_name.and_then(|field| field.text());
        let region = told.or_else(|| {
            let known = region.or(settings.get("location"));
            known.map(str::to_owned)
        });
        Some(Place {
            provider,
            region,
            name,
            base,
            settings,
            credential,
            origin,
            whole_times: around.times.0,
            stream_times: around.times.1,
            facts: None,
            drop_params: self.drop_params.and_then(|field| field.boolean()),
        })
    }

    /// What the provider's URLs leave open: of the file, else of the environment.
    fn settings(
        &self,
        provider: &Provider,
        name: &ModelName,
        params: &Section<'_>,
    ) -> Option<Settings> {
        let mut settings = Settings::default();
        let mut left: Vec<(String, Field<'_>)> = match &self.settings {
            Some(field) => field.section()?.rest(),
            None => Vec::new(),
        };
        for (setting, variables) in provider.settings() {
            let told = match setting {
                "region" => self.region.as_ref(),
                "project" => self.project.as_ref(),
                "location" => self.location.as_ref(),
                _ => None,
            };
            let at = left.iter().position(|(name, _)| name == setting);
            let told = told.cloned().or_else(|| at.map(|at| left.remove(at).1));
            let value = match told {
                Some(field) => Some(field.text()?),
                None if setting == "region" && name.region().is_some() => None,
                None if setting == "api_version" && self.version.is_some() => None,
                None => variables
                    .iter()
                    .find_map(|name| params.env(name))
                    .map(|value| value.expose_secret().to_owned())
                    .or_else(|| match (setting, &self.account) {
                        ("project", Some(field)) => project(&field.secret()?),
                        _ => None,
                    }),
            };
            settings = match value {
                Some(value) if setting == "api_version" => settings.api_version(&value),
                Some(value) => settings.with(setting, &value),
                None => settings,
            };
        }
        for (_, field) in &left {
            let known: Vec<&str> = provider.settings().map(|(name, _)| name).collect();
            field.fail(match known.as_slice() {
                [] => format!("`{}` has no settings: remove it", provider.slug()),
                known => format!(
                    "`{}` has no such setting; it has {}",
                    provider.slug(),
                    known.join(", ")
                ),
            });
        }
        let strangers = [
            ("region", &self.region),
            ("project", &self.project),
            ("location", &self.location),
        ];
        for (setting, field) in strangers {
            if let Some(field) = field
                && provider.settings().all(|(known, _)| known != setting)
            {
                field.fail(format!(
                    "the address of `{}` has none: remove it",
                    provider.slug()
                ));
            }
        }
        match &self.version {
            Some(field) if provider.settings().any(|(name, _)| name == "api_version") => {
                Some(settings.api_version(&field.text()?))
            }
            Some(field) => {
                field.fail(format!("`{}` has no versions: remove it", provider.slug()));
                None
            }
            None => Some(settings),
        }
    }

    /// The user's own address, if there is one, and whether calls go to the provider's own all the same.
    fn base(&self, provider: &Provider, params: &Section<'_>) -> Option<(Option<String>, bool)> {
        // An address that has the caller's account in it is the caller's to say.
        let fixed = provider.base_url().is_some_and(|base| !base.contains('{'));
        if let Some(field) = &self.base {
            return Some((Some(field.text()?), !fixed));
        }
        if let Some(base) = params.env(provider.base_variable()) {
            return Some((Some(base.expose_secret().to_owned()), true));
        }
        if provider.base_url().is_none() {
            params.fail(format!(
                "`api_base` is missing, and {} is not set: `{}` has no address of its own",
                provider.base_variable(),
                provider.slug()
            ));
            return None;
        }
        Some((None, true))
    }

    /// Where the first of its APIs is, as a sample of all.
    fn endpoint(
        &self,
        provider: &Provider,
        name: &ModelName,
        base: Option<&str>,
        settings: &Settings,
        params: &Section<'_>,
    ) -> Option<Endpoint> {
        let sample = match name.model().strip_suffix('*') {
            Some(start) => name.clone().with_model(&format!("{start}x")),
            None => name.clone(),
        };
        let dialects = provider.routes().iter().map(|route| route.dialect());
        let mut found = Err(Error::Path);
        for dialect in dialects {
            found = provider.endpoint(dialect, &sample, base, settings);
            if !matches!(found, Err(Error::Unspoken { .. })) {
                break;
            }
        }
        let complain = |message: String| match (&self.base, &self.model) {
            (Some(base), _) if matches!(found, Err(Error::Base { .. })) => base.fail(message),
            (_, Some(model)) if matches!(found, Err(Error::Unspoken { .. } | Error::Climbs)) => {
                model.fail(message);
            }
            _ => params.fail(message),
        };
        match &found {
            Ok(_) => {}
            Err(Error::Setting { name, mend }) => complain(missing(provider, name, mend)),
            Err(error) => complain(error.to_string()),
        }
        found.ok()
    }

    /// The origin, if it may be called in the way that it says.
    fn checked(
        &self,
        endpoint: &Endpoint,
        private: &[Origin],
        params: &Section<'_>,
    ) -> Option<Origin> {
        let complain = |message: String| match &self.base {
            Some(field) => field.fail(message),
            None => params.fail(message),
        };
        let target = Target::new(endpoint.origin())
            .map_err(|error| complain(error.to_string()))
            .ok()?;
        let origin = target.origin();
        if !origin.is_https() && !is_here(origin) && !private.contains(origin) {
            complain(format!(
                "http would carry key and prompts in plain text: use https, or name {origin} in `bartizan.allow_private_upstreams`"
            ));
            return None;
        }
        Some(origin.clone())
    }
}

/// What to write where a provider's address lacks something.
fn missing(provider: &Provider, setting: &str, mend: &str) -> String {
    let word = match setting {
        "region" => "aws_region_name".to_owned(),
        "project" => "vertex_project".to_owned(),
        "location" => "vertex_location".to_owned(),
        setting => format!("settings.{setting}"),
    };
    let variables = provider
        .settings()
        .find(|(name, _)| *name == setting)
        .map(|(_, variables)| variables.join(" or "))
        .filter(|variables| !variables.is_empty() && mend == "is missing")
        .map(|variables| format!(", and {variables} is not set"))
        .unwrap_or_default();
    let between = if mend == "is missing" { " " } else { ": " };
    format!("`{word}`{between}{mend}{variables}")
}

/// Whom `model` names.
fn name(
    model: &Field<'_>,
    provider: Option<&Field<'_>>,
    providers: &Providers,
) -> Option<ModelName> {
    let text = model.text()?;
    let (field, whole) = match provider {
        Some(field) => {
            let slug = field.text()?;
            if providers.get(&slug).is_none() {
                field.fail(no_provider(&slug, providers));
                return None;
            }
            let rest = text.strip_prefix(&format!("{slug}/")).unwrap_or(&text);
            (field, format!("{slug}/{rest}"))
        }
        None => (model, text),
    };
    if whole.trim_end_matches('*').contains('*') || whole.ends_with("**") {
        model.fail("at most one `*` belongs here, and that at its end");
        return None;
    }
    match providers.model(&whole) {
        Ok(name) => Some(name),
        Err(Error::Name { mend }) => {
            let slug = whole.split_once('/').map(|(slug, _)| slug);
            field.fail(match slug {
                Some(slug) if providers.get(slug).is_none() => no_provider(slug, providers),
                _ => mend,
            });
            None
        }
        Err(error) => {
            field.fail(error.to_string());
            None
        }
    }
}

/// Whether it is this very machine.
pub(super) fn is_here(origin: &Origin) -> bool {
    let host = origin.host();
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether `text` is a URL, for a message that would rather not repeat it.
pub(super) fn origin(field: &Field<'_>) -> Option<Origin> {
    let uri = field.text()?.parse::<Uri>().ok();
    let origin = uri.and_then(|uri| Origin::of(&uri).ok());
    if origin.is_none() {
        field.fail("an origin belongs here, such as http://vllm.internal:8000");
    }
    origin
}

//! Tokens of identity providers: `general_settings.enable_jwt_auth` in LiteLLM's words, and `bartizan.jwt.issuers`.

mod claims;

use std::fs;
use std::time::Duration;

use bartizan::auth::ConfigError;
use bartizan::auth::jwt::{Algorithm, ClaimMap, Fetch, FetchError, Fetched, Issuer, Jwt};
use bartizan::egress::{Client, Origin, Policy};
use http::Uri;
use secrecy::ExposeSecret as _;

use super::field::Field;
use super::known;
use super::read::Section;
use super::target::is_here;

/// An issuer whose tokens are accepted.
#[derive(Clone, Debug)]
pub(crate) struct IssuerSettings {
    pub(crate) issuer: Issuer,
    /// Where its keys are, or the document that says where.
    pub(crate) origin: Origin,
    /// Whether a document of its own says where the keys are.
    pub(crate) discovers: bool,
    /// The authorities of its host, in PEM, where those of the web are not meant.
    pub(crate) ca: Option<Vec<u8>>,
    name: String,
}

/// Reads `bartizan.jwt`.
pub(super) fn read(mut section: Section<'_>, private: &[Origin]) -> Vec<IssuerSettings> {
    let mut issuers = Vec::new();
    if let Some(field) = section.need("issuers") {
        let items = field.list();
        if items.is_empty() {
            field.fail("name one issuer at least, or leave `jwt` out");
        }
        for item in items {
            if let Some(issuer) = item
                .section()
                .and_then(|section| one(&item, section, private))
            {
                add(&mut issuers, issuer, &item);
            }
        }
    }
    section.finish(&[]);
    issuers
}

/// Adds an issuer, if there is none of its name.
fn add(issuers: &mut Vec<IssuerSettings>, issuer: IssuerSettings, field: &Field<'_>) {
    if issuers.iter().any(|other| other.name == issuer.name) {
        field.fail("this issuer is named twice: name it once, with all its audiences");
    } else {
        issuers.push(issuer);
    }
}

fn one(item: &Field<'_>, mut section: Section<'_>, private: &[Origin]) -> Option<IssuerSettings> {
    let name = section.need("issuer").and_then(|field| field.text());
    let audiences = section.need("audience").map(|field| field.texts());
    let algorithms = section.take("algorithms").map(|field| algorithms(&field));
    let keys = section.take("jwks_uri").and_then(|field| field.text());
    let told_ca = section.take("ca");
    let ca = match &told_ca {
        Some(field) => Some(authorities(field)?),
        None => None,
    };
    let days = Duration::from_secs(30 * 86_400);
    let leeway = section
        .take("leeway")
        .and_then(|field| field.duration(Duration::ZERO..=Duration::from_secs(300)));
    let most = section
        .take("max_age")
        .and_then(|field| field.duration(Duration::from_secs(1)..=days));
    let times = Lives::take(&mut section);
    let claims = match section.take("claims") {
        Some(field) => claims::read(field.section()?, &[]),
        None => ClaimMap::default(),
    };
    section.finish(&[]);
    let audiences = audiences?.into_iter().map(|(_, audience)| audience);
    let told = Told {
        name: name?,
        audiences: audiences.collect(),
        keys,
    };
    let told = told.issuer(item, private, |mut issuer| {
        if let Some(algorithms) = algorithms {
            issuer = issuer.algorithms(algorithms);
        }
        if let Some(leeway) = leeway {
            issuer = issuer.leeway(leeway);
        }
        if most.is_some() {
            issuer = issuer.max_age(most);
        }
        times.onto(issuer).claims(claims)
    })?;
    if let Some(field) = told_ca
        && !told.origin.is_https()
    {
        field.fail("over http nobody is asked who they are: remove it, or use https");
    }
    Some(IssuerSettings { ca, ..told })
}

/// A file of certificates, which is read now so that what is wrong with it is told now.
fn authorities(field: &Field<'_>) -> Option<Vec<u8>> {
    let path = field.text()?;
    let read = fs::read(&path).map_err(|error| format!("{path} can't be read: {error}"));
    let sound = read.and_then(|pem| {
        let client = Client::builder(Policy::closed()).only_roots(&pem);
        client.map(|_| pem).map_err(|error| error.to_string())
    });
    sound.map_err(|message| field.fail(message)).ok()
}

/// Reads `enable_jwt_auth`, `litellm_jwtauth` and LiteLLM's variables.
pub(super) fn litellm(
    section: &mut Section<'_>,
    private: &[Origin],
    issuers: &mut Vec<IssuerSettings>,
) {
    let enable = section.take("enable_jwt_auth");
    if let Some(issuer) = of_environment(enable.as_ref(), section, private)
        && let Some(field) = &enable
    {
        add(issuers, issuer, field);
    }
}

fn of_environment(
    enable: Option<&Field<'_>>,
    section: &mut Section<'_>,
    private: &[Origin],
) -> Option<IssuerSettings> {
    let words = section.take("litellm_jwtauth");
    let enabled = enable.and_then(|field| field.boolean()) == Some(true);
    if !enabled {
        if let Some(field) = words {
            field.fail("these do nothing without `enable_jwt_auth: true`: set it, or remove them");
        }
        return None;
    }
    let field = enable?;
    let (times, claims) = match words {
        Some(words) => {
            let mut section = words.section()?;
            let times = Lives::take(&mut section);
            (times, claims::read(section, known::LITELLM_JWTAUTH))
        }
        None => (Lives::default(), ClaimMap::default()),
    };
    let env = |name: &str| {
        section
            .env(name)
            .map(|text| text.expose_secret().to_owned())
    };
    let need = |name: &str, what: &str| {
        let value = env(name);
        if value.is_none() {
            field.fail(format!("{name} is not set: {what}"));
        }
        value
    };
    let issuer = need("JWT_ISSUER", "the issuer, as the tokens have it in `iss`");
    let audience = need(
        "JWT_AUDIENCE",
        "what the tokens that are made for this service have in `aud`; without it, a token that was made for another would do here",
    );
    let keys = env("JWT_PUBLIC_KEY_URL");
    if keys.as_ref().is_some_and(|keys| keys.contains(',')) {
        field.fail("JWT_PUBLIC_KEY_URL names several: each issuer has keys of its own, so write issuers into `bartizan.jwt.issuers`");
        return None;
    }
    let told = Told {
        name: issuer?,
        audiences: vec![audience?],
        keys,
    };
    told.issuer(field, private, |issuer| {
        // Any that only the issuer can sign with, as LiteLLM takes them.
        times.onto(issuer).algorithms(Algorithm::ALL).claims(claims)
    })
}

/// How long an issuer's keys are believed.
#[derive(Clone, Copy, Default)]
struct Lives {
    fresh: Option<Duration>,
    stale: Option<Duration>,
}

impl Lives {
    fn take(section: &mut Section<'_>) -> Self {
        let day = Duration::from_secs(86_400);
        let mut time = |name, least| {
            let field = section.take(name);
            field.and_then(|field| field.duration(least..=day))
        };
        Self {
            fresh: time("public_key_ttl", Duration::from_secs(30)),
            stale: time("public_key_stale_ttl", Duration::ZERO),
        }
    }

    fn onto(self, mut issuer: Issuer) -> Issuer {
        if let Some(fresh) = self.fresh {
            issuer = issuer.public_key_ttl(fresh);
        }
        if let Some(stale) = self.stale {
            issuer = issuer.public_key_stale_ttl(stale);
        }
        issuer
    }
}

struct Told {
    name: String,
    audiences: Vec<String>,
    keys: Option<String>,
}

impl Told {
    fn issuer(
        self,
        field: &Field<'_>,
        private: &[Origin],
        rest: impl FnOnce(Issuer) -> Issuer,
    ) -> Option<IssuerSettings> {
        let wrong = |error: ConfigError| field.fail(error.to_string());
        let place = self.keys.as_ref().unwrap_or(&self.name);
        let origin = place
            .parse()
            .ok()
            .and_then(|uri: Uri| Origin::of(&uri).ok());
        let Some(origin) = origin else {
            field.fail(match self.keys {
                Some(_) => "where the issuer's keys are can't be read: write an address that begins with `https://`",
                None => "the issuer is no address at which its keys could be discovered: say where they are, by `jwks_uri` or JWT_PUBLIC_KEY_URL",
            });
            return None;
        };
        let mut issuer = Issuer::new(self.name.clone(), self.audiences)
            .map_err(wrong)
            .ok()?;
        if let Some(keys) = &self.keys {
            issuer = issuer.jwks_uri(keys).map_err(wrong).ok()?;
        }
        if !origin.is_https() {
            if !is_here(&origin) && !private.contains(&origin) {
                field.fail(format!(
                    "over http, whoever is between can sign tokens: use https, or name {origin} in `bartizan.allow_private_upstreams`"
                ));
                return None;
            }
            issuer = issuer.dangerously_allow_http();
        }
        let issuer = rest(issuer);
        // What else can be wrong is told by whoever uses it.
        let sound = Jwt::builder(Nothing).issuer(issuer.clone()).build();
        sound.map_err(wrong).ok()?;
        Some(IssuerSettings {
            issuer,
            origin,
            discovers: self.keys.is_none(),
            ca: None,
            name: self.name,
        })
    }
}

fn algorithms(field: &Field<'_>) -> Vec<Algorithm> {
    let words = Algorithm::ALL.map(|algorithm| (algorithm.as_str(), algorithm));
    let texts = field.texts();
    if texts.is_empty() {
        field.fail(
            "name the algorithms that the issuer signs with, or leave `algorithms` out for RS256",
        );
    }
    texts
        .into_iter()
        .filter_map(|(field, _)| field.one_of(&words))
        .collect()
}

/// Fetches nothing: what is only looked at asks nobody.
struct Nothing;

impl Fetch for Nothing {
    async fn get(&self, _: &Uri, _: usize) -> Result<Fetched, FetchError> {
        Err(FetchError::new("nobody is asked"))
    }
}

//! The configuration file: one YAML file in LiteLLM's words, with ours under `bartizan`.
//!
//! Whatever is wrong with it is said at once, each with its line, its path and the mend. `docs/configuration.md` lists every key.

mod access_groups;
mod analyzer;
mod credential;
mod database;
mod detection;
mod fetch;
mod field;
mod general;
mod guardrails;
mod identity;
mod info;
mod jwt;
mod known;
mod limits;
mod models;
mod network;
mod onnx;
mod own;
mod pii;
mod place;
mod presidio;
mod providers;
mod read;
mod rotation;
mod spend;
mod target;
mod tls;
mod tree;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use bartizan::auth::MasterKey;
use bartizan::egress::Origin;
use secrecy::{ExposeSecret, SecretString};

pub(crate) use access_groups::AccessGroups;
pub(crate) use analyzer::{AnalyzerSettings, Finder};
pub(crate) use database::{Database, Feed};
pub(crate) use fetch::FetchSettings;
pub(crate) use general::MasterSettings;
pub(crate) use guardrails::{Guardrails, Verdict};
pub(crate) use identity::IdentitySettings;
pub(crate) use jwt::IssuerSettings;
pub(crate) use limits::LimitSettings;
pub(crate) use models::{Deployment, ModelLimits};
pub(crate) use network::NetworkSettings;
pub(crate) use own::{AuditSettings, ServerSettings, Times};
pub(crate) use pii::PiiOwn;
pub(crate) use place::{Leg, Way};
pub(crate) use presidio::PresidioSettings;
pub(crate) use read::Problem;
pub(crate) use rotation::RotationSettings;
pub(crate) use spend::SpendSettings;
pub(crate) use tls::{ClientTls, TlsFiles};
pub(crate) use watch::{WatchSettings, WebhookSettings};

use field::Field;
use read::Source;

/// All that a gateway is told.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) deployments: Vec<Deployment>,
    pub(crate) model_limits: ModelLimits,
    /// Names that keys may be given in the place of models.
    pub(crate) access_groups: AccessGroups,
    pub(crate) master: MasterSettings,
    /// Where not given, a file in `data_dir` holds it.
    pub(crate) pepper: Option<SecretString>,
    /// The pepper of before, where keys are still known by it.
    pub(crate) previous_pepper: Option<SecretString>,
    pub(crate) data_dir: PathBuf,
    pub(crate) database: Database,
    /// Through what processes tell each other of changes, where not through the database.
    pub(crate) changes: Option<Feed>,
    pub(crate) guardrails: Guardrails,
    pub(crate) pii: PiiOwn,
    pub(crate) limits: LimitSettings,
    /// How it is kept what was spent.
    pub(crate) spend: SpendSettings,
    pub(crate) server: ServerSettings,
    /// From where callers come.
    pub(crate) network: NetworkSettings,
    /// Who calls besides the bearers of keys.
    pub(crate) identity: IdentitySettings,
    /// How long a looked-up key serves without the database being asked, where it is said.
    pub(crate) key_ttl: Option<Duration>,
    /// Whether keys get another text by themselves.
    pub(crate) rotation: Option<RotationSettings>,
    /// Whose tokens are accepted.
    pub(crate) issuers: Vec<IssuerSettings>,
    pub(crate) audit: AuditSettings,
    /// Origins that may lie on a private network.
    pub(crate) private_upstreams: Vec<Origin>,
    /// Whether files are fetched that requests name by their addresses, and from where.
    pub(crate) fetch_urls: Option<FetchSettings>,
    /// Whether Presidio's API is served, and how.
    pub(crate) presidio: Option<PresidioSettings>,
    /// Whether it is watched from where keys are used, and how.
    pub(crate) watch: Option<WatchSettings>,
    pub(crate) json_logs: bool,
    /// Whether what a provider's API does not know is left out and told, rather than refused.
    pub(crate) drop_params: bool,
}

type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How long a provider may take over an answer, where nothing says otherwise.
const TIMEOUT: Duration = Duration::from_secs(600);

impl Settings {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn read(text: &SecretString, env: Env<'_>) -> Result<Self, Vec<Problem>> {
        let root = tree::read(text.expose_secret()).map_err(|fault| {
            vec![Problem {
                line: fault.line,
                path: String::new(),
                message: fault.message,
            }]
        })?;
        let source = Source::new(env);
        let settings = whole(&source, &root);
        let problems = source.into_problems();
        match settings {
            Some(settings) if problems.is_empty() => Ok(settings),
            _ => Err(problems),
        }
    }

    /// What is served where there is no configuration: the providers whose keys lie in the environment, with `master_key`.
    ///
    /// # Errors
    /// What is wrong with the environment.
    pub(crate) fn without_file(master_key: MasterKey, env: Env<'_>) -> Result<Self, Vec<Problem>> {
        let source = Source::new(env);
        let root = tree::Node {
            line: 0,
            value: tree::Value::Map(Vec::new()),
        };
        let own = Field::root(&source, &root)
            .section()
            .map(own::read)
            .unwrap_or_default();
        let pepper = general::pepper(&source);
        let previous_pepper = general::previous_pepper(&source);
        let deployments = models::from_environment(&source, &own.providers, TIMEOUT);
        let problems = source.into_problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            deployments,
            model_limits: ModelLimits::new(),
            access_groups: AccessGroups::new(),
            master: MasterSettings::managing(master_key),
            pepper,
            previous_pepper,
            database: Database::beside(&own.data_dir),
            changes: own.changes,
            data_dir: own.data_dir,
            guardrails: Guardrails::default(),
            pii: own.pii,
            limits: own.limits,
            spend: own.spend,
            server: own.server,
            network: NetworkSettings::default(),
            identity: own.identity,
            key_ttl: None,
            rotation: own.rotation,
            issuers: own.issuers,
            audit: own.audit,
            private_upstreams: own.private_upstreams,
            fetch_urls: own.fetch_urls,
            presidio: own.presidio,
            watch: own.watch,
            json_logs: false,
            drop_params: false,
        })
    }
}

fn whole(source: &Source<'_>, root: &tree::Node) -> Option<Settings> {
    let mut top = Field::root(source, root).section()?;
    // Ours first: the others lean on it.
    let mut own = top
        .take("bartizan")
        .and_then(|field| field.section())
        .map(own::read)
        .unwrap_or_default();
    let litellm = top
        .take("litellm_settings")
        .and_then(|field| field.section())
        .map(general::litellm)
        .unwrap_or_default();
    if let Some(section) = top
        .take("router_settings")
        .and_then(|field| field.section())
    {
        general::router(section);
    }
    let general = match top.take("general_settings") {
        Some(field) => field
            .section()
            .map(|section| general::read(section, source, &mut own)),
        None => Some(general::absent(source, &own.data_dir)),
    };
    own.limits.global = own.limits.global.and(&litellm.budget);
    let shared = models::Shared {
        timeout: litellm.request_timeout.unwrap_or(TIMEOUT),
        private: &own.private_upstreams,
        providers: &own.providers,
    };
    let (deployments, model_limits, access_groups) = match top.take("model_list") {
        Some(field) => models::read(&field, &shared),
        None => {
            top.fail("`model_list` is missing: name at least one model to serve");
            Default::default()
        }
    };
    let guardrails = top
        .take("guardrails")
        .map(|field| guardrails::read(&field, &own.private_upstreams, own.pii.key.as_ref()))
        .unwrap_or_default();
    if guardrails.pii.is_none() && !own.pii.policies.is_empty() {
        top.fail("`bartizan.pii.policies` do nothing without the guardrail `bartizan_pii`: add it to `guardrails`");
    }
    top.finish(known::TOP);
    let general = general?;
    Some(Settings {
        deployments,
        model_limits,
        access_groups,
        master: general.master?,
        pepper: general.pepper,
        previous_pepper: general.previous_pepper,
        database: general.database,
        changes: own.changes,
        data_dir: own.data_dir,
        guardrails,
        pii: own.pii,
        limits: own.limits,
        spend: own.spend,
        server: own.server,
        network: general.network,
        identity: own.identity,
        key_ttl: general.key_ttl,
        rotation: own.rotation,
        issuers: own.issuers,
        audit: own.audit,
        private_upstreams: own.private_upstreams,
        fetch_urls: own.fetch_urls,
        presidio: own.presidio,
        watch: own.watch,
        json_logs: litellm.json_logs,
        drop_params: litellm.drop_params,
    })
}

#[cfg(test)]
mod tests;

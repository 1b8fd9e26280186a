//! `general_settings`, `litellm_settings` and `router_settings`, as far as they mean something here.

use std::path::Path;
use std::time::Duration;

use bartizan::auth::{MasterKey, Pepper};
use bartizan::limit::Allowance;
use secrecy::SecretString;

use super::database::{self, Database};
use super::network::{self, NetworkSettings};
use super::own::Own;
use super::read::{Section, Source};
use super::{jwt, known, limits};

pub(super) struct General {
    pub(super) master: Option<MasterSettings>,
    pub(super) pepper: Option<SecretString>,
    pub(super) previous_pepper: Option<SecretString>,
    pub(super) database: Database,
    pub(super) network: NetworkSettings,
    pub(super) key_ttl: Option<Duration>,
}

/// Whether there is a master key, and what it is for.
#[derive(Clone, Debug)]
pub(crate) struct MasterSettings {
    /// None where it is switched off.
    pub(crate) key: Option<MasterKey>,
    /// Whether it calls models too.
    pub(crate) calls_models: bool,
}

impl MasterSettings {
    /// One that manages, and calls no models.
    pub(super) fn managing(key: MasterKey) -> Self {
        Self {
            key: Some(key),
            calls_models: false,
        }
    }
}

const MEND: &str = "make one with `bartizan-gateway keygen`";

/// What is under `general_settings`. `own` is what is under `bartizan`, to which it adds issuers.
pub(super) fn read(mut section: Section<'_>, source: &Source<'_>, own: &mut Own) -> General {
    let master = master_settings(&mut section, source);
    let database = database::read(&mut section, &own.data_dir);
    let network = network::read(&mut section);
    // No longer than keys are let in unasked by default: what is changed elsewhere may be heard of no sooner.
    let key_ttl = section
        .take("user_api_key_cache_ttl")
        .and_then(|field| field.duration(Duration::ZERO..=Duration::from_secs(30)));
    jwt::litellm(&mut section, &own.private_upstreams, &mut own.issuers);
    if let Some(most) = section
        .take("global_max_parallel_requests")
        .and_then(|field| field.number(1..=u64::from(u32::MAX)))
    {
        let global = std::mem::take(&mut own.limits.global);
        own.limits.global = global.parallel_requests(most);
    }
    if let Some(field) = section.take("token_rate_limit_type") {
        own.limits.token_kind = limits::token_kind(&field).or(own.limits.token_kind);
    }
    section.finish(known::GENERAL);
    General {
        master,
        pepper: pepper(source),
        previous_pepper: previous_pepper(source),
        database,
        network,
        key_ttl,
    }
}

pub(super) fn absent(source: &Source<'_>, data_dir: &Path) -> General {
    General {
        master: from_environment(source).map(MasterSettings::managing),
        pepper: pepper(source),
        previous_pepper: previous_pepper(source),
        database: Database::beside(data_dir),
        network: NetworkSettings::default(),
        key_ttl: None,
    }
}

fn master_settings(section: &mut Section<'_>, source: &Source<'_>) -> Option<MasterSettings> {
    let told = section.take("master_key");
    let disabled = section
        .take("disable_master_key")
        .and_then(|field| field.boolean())
        .unwrap_or(false);
    let calls = section.take("master_key_calls_models");
    let calls_models = calls.as_ref().and_then(|field| field.boolean());
    if disabled {
        // One that is still in the file is not looked at: it opens nothing.
        if let (Some(field), Some(true)) = (calls, calls_models) {
            field.fail(
                "the master key is switched off by `disable_master_key`: remove one of the two",
            );
        }
        return Some(MasterSettings {
            key: None,
            calls_models: false,
        });
    }
    let key = match told {
        Some(field) => field
            .secret()
            .and_then(|secret| master(secret, |message| field.fail(message))),
        None => from_environment(source),
    };
    Some(MasterSettings {
        key: Some(key?),
        calls_models: calls_models.unwrap_or(false),
    })
}

fn from_environment(source: &Source<'_>) -> Option<MasterKey> {
    let Some(secret) = ["BARTIZAN_MASTER_KEY", "LITELLM_MASTER_KEY"]
        .iter()
        .find_map(|name| source.env(name))
    else {
        source.fail(
            0,
            "general_settings.master_key",
            format!("the master key is missing: set it here, to os.environ/NAME, or in BARTIZAN_MASTER_KEY; {MEND}"),
        );
        return None;
    };
    master(secret, |message| {
        source.fail(
            0,
            "general_settings.master_key",
            format!("{message} (from the environment)"),
        )
    })
}

fn master(secret: SecretString, fail: impl Fn(String)) -> Option<MasterKey> {
    MasterKey::new(secret)
        .map_err(|error| fail(format!("{error}; {MEND}")))
        .ok()
}

/// The pepper from the environment, where it is there.
pub(super) fn pepper(source: &Source<'_>) -> Option<SecretString> {
    let name = ["BARTIZAN_PEPPER", "LITELLM_SALT_KEY"];
    let (name, secret) = name
        .iter()
        .find_map(|name| Some((name, source.env(name)?)))?;
    strong(source, name, secret)
}

/// The pepper of before, while there are keys that only it finds.
pub(super) fn previous_pepper(source: &Source<'_>) -> Option<SecretString> {
    let name = "BARTIZAN_PREVIOUS_PEPPER";
    strong(source, name, source.env(name)?)
}

fn strong(source: &Source<'_>, name: &str, secret: SecretString) -> Option<SecretString> {
    if let Err(error) = Pepper::new(&secret) {
        source.fail(0, name, format!("{error}; {MEND}"));
    }
    Some(secret)
}

#[derive(Default)]
pub(super) struct LiteLlm {
    pub(super) request_timeout: Option<Duration>,
    pub(super) json_logs: bool,
    pub(super) drop_params: bool,
    /// Of all calls together.
    pub(super) budget: Allowance,
}

pub(super) fn litellm(mut section: Section<'_>) -> LiteLlm {
    let request_timeout = section.take("request_timeout").and_then(|field| {
        field.duration(Duration::from_millis(1)..=Duration::from_secs(24 * 3_600))
    });
    let json_logs = section
        .take("json_logs")
        .and_then(|field| field.boolean())
        .unwrap_or(false);
    let drop_params = section
        .take("drop_params")
        .and_then(|field| field.boolean())
        .unwrap_or(false);
    // What holds here anyway may be asked for, and what never happens here may be declined.
    only(
        &mut section,
        "turn_off_message_logging",
        true,
        "content is never logged here",
    );
    only(&mut section, "set_verbose", false, "use --log or RUST_LOG");
    let budget = limits::litellm(&mut section);
    section.finish(known::LITELLM_SETTINGS);
    LiteLlm {
        budget,
        request_timeout,
        json_logs,
        drop_params,
    }
}

fn only(section: &mut Section<'_>, name: &'static str, value: bool, why: &str) {
    if let Some(field) = section.take(name)
        && field.boolean() == Some(!value)
    {
        field.fail(format!("only {value} is possible: {why}"));
    }
}

pub(super) fn router(mut section: Section<'_>) {
    if let Some(field) = section.take("routing_strategy")
        && field
            .text()
            .is_some_and(|strategy| strategy != "simple-shuffle")
    {
        field.fail("this version takes deployments of one name in turn, which `simple-shuffle` stands for; others are not implemented");
    }
    only(&mut section, "set_verbose", false, "use --log or RUST_LOG");
    section.finish(known::ROUTER_SETTINGS);
}

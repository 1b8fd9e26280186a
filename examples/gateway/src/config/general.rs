//! `general_settings`, `litellm_settings` and `router_settings`, as far as they mean something here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bartizan::auth::{MasterKey, Pepper};
use secrecy::SecretString;

use super::field::Field;
use super::known;
use super::read::{Section, Source};

pub(super) struct General {
    pub(super) master_key: Option<MasterKey>,
    pub(super) pepper: Option<SecretString>,
    pub(super) database: PathBuf,
}

const MEND: &str = "make one with `bartizan-gateway keygen`";

pub(super) fn read(mut section: Section<'_>, source: &Source<'_>, data_dir: &Path) -> General {
    let master_key = match section.take("master_key") {
        Some(field) => field
            .secret()
            .and_then(|secret| master(secret, |message| field.fail(message))),
        None => from_environment(source),
    };
    let database = section
        .take("database_url")
        .and_then(|field| database(&field))
        .unwrap_or_else(|| data_dir.join("bartizan.db"));
    section.finish(known::GENERAL);
    General {
        master_key,
        pepper: pepper(source),
        database,
    }
}

pub(super) fn absent(source: &Source<'_>, data_dir: &Path) -> General {
    General {
        master_key: from_environment(source),
        pepper: pepper(source),
        database: data_dir.join("bartizan.db"),
    }
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
    if let Err(error) = Pepper::new(&secret) {
        source.fail(0, name, format!("{error}; {MEND}"));
    }
    Some(secret)
}

fn database(field: &Field<'_>) -> Option<PathBuf> {
    let url = field.text()?;
    let path = url
        .strip_prefix("sqlite:")
        .map(|path| path.strip_prefix("//").unwrap_or(path));
    match path {
        Some(path) if !path.is_empty() => return Some(PathBuf::from(path)),
        _ if url.starts_with("postgres") => {
            field.fail("PostgreSQL is not implemented in this version: leave it out, or name a file, `sqlite:path/to/keys.db`");
        }
        _ => field.fail("a SQLite file belongs here, such as `sqlite:path/to/keys.db`"),
    }
    None
}

#[derive(Default)]
pub(super) struct LiteLlm {
    pub(super) request_timeout: Option<Duration>,
    pub(super) json_logs: bool,
    pub(super) drop_params: bool,
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
    section.finish(known::LITELLM_SETTINGS);
    LiteLlm {
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

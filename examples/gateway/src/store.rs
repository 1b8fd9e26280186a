//! Opens the store of keys.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

use bartizan::auth::{
    ConfigError, Keys, Pepper, PostgresChanges, PostgresStore, SqliteStore, StoreError,
};

use crate::config::{Database, Settings};
use crate::rotation::NOBODY_DELIVERS;

/// Why keys can't be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("{path} can't be opened: {}", chain(source))]
    File { path: PathBuf, source: StoreError },
    #[error("general_settings.database_url: the database can't be used: {}", chain(.0))]
    Server(StoreError),
    #[error("{0}")]
    Settings(#[from] ConfigError),
    #[error("{0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Opens the store, brings its tables to this version, and serves keys from it.
pub(crate) async fn open(settings: &Settings, pepper: Pepper) -> Result<Keys, OpenError> {
    let builder = match &settings.database {
        Database::Sqlite(path) => {
            let file = path.clone();
            let store = tokio::task::spawn_blocking(move || SqliteStore::open(&file)).await?;
            let path = path.clone();
            let store = store.map_err(|source| OpenError::File { path, source })?;
            Keys::builder(store, pepper)
        }
        Database::Postgres(server) => {
            let store = PostgresStore::connect(server.clone()).await;
            let builder = Keys::builder(store.map_err(OpenError::Server)?, pepper);
            if settings.changes.is_none() {
                builder.changes(PostgresChanges::new(server.clone()))
            } else {
                builder
            }
        }
    };
    let builder = match &settings.changes {
        Some(redis) => builder.changes(redis.follow()?),
        None => builder,
    };
    let mut builder = builder
        .guardrails(settings.guardrails.names.iter().cloned())
        .access_groups(settings.access_groups.clone());
    if let Some(ttl) = settings.key_ttl {
        builder = builder.cache_ttl(ttl);
    }
    let builder = match &settings.rotation {
        Some(rotation) => builder.rotation_grace(rotation.grace),
        None => builder.without_rotation(NOBODY_DELIVERS),
    };
    Ok(match &settings.previous_pepper {
        Some(previous) => builder.previous_pepper(Pepper::new(previous)?).build(),
        None => builder.build(),
    })
}

/// An error with all that it rests on: what PostgreSQL says of a password is beneath what the store says.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut beneath = error.source();
    while let Some(error) = beneath {
        // Into a text, which takes all.
        let _ = write!(text, ": {error}");
        beneath = error.source();
    }
    text
}

//! Opens the ledger of what was spent.

use std::path::{Path, PathBuf};

use bartizan::limit::spend::{PostgresSpend, Spend, SpendError, SqliteSpend};

use crate::config::{Database, Settings};
use crate::store::chain;

/// Why nothing can be written down.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("{path} can't be opened: {}", chain(source))]
    File { path: PathBuf, source: SpendError },
    #[error("general_settings.database_url: the database can't be used for what is spent: {}", chain(.0))]
    Server(SpendError),
    #[error("bartizan.spend.journal: {path}: {}", chain(source))]
    Journal { path: PathBuf, source: SpendError },
    #[error("{0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Opens it on the database that keys are in; for a file, on another beside it.
pub(crate) async fn open(settings: &Settings) -> Result<Spend, OpenError> {
    let path = settings.spend.journal(&settings.data_dir);
    let builder = settings.spend.builder.clone();
    let opened = match &settings.database {
        Database::Sqlite(keys) => {
            let file = beside(keys);
            let opening = file.clone();
            let store = tokio::task::spawn_blocking(move || SqliteSpend::open(&opening)).await?;
            let store = store.map_err(|source| OpenError::File { path: file, source })?;
            builder.open(&path, store)
        }
        Database::Postgres(server) => {
            let store = PostgresSpend::connect(server.clone()).await;
            builder.open(&path, store.map_err(OpenError::Server)?)
        }
    };
    opened.map_err(|source| OpenError::Journal { path, source })
}

/// `bartizan-spend.db` for `bartizan.db`.
fn beside(keys: &Path) -> PathBuf {
    let mut name = keys.file_stem().unwrap_or_default().to_owned();
    name.push("-spend.db");
    keys.with_file_name(name)
}

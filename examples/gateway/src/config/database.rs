//! `general_settings.database_url` and `bartizan.changes`: where keys are, and how processes hear of each other's changes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bartizan::auth::{ConfigError, PostgresSettings, RedisChanges};
use secrecy::{ExposeSecret as _, SecretString};

use super::field::Field;
use super::read::Section;

/// Where keys and accounts are kept.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    /// A file, for one machine.
    Sqlite(PathBuf),
    /// A server, for many.
    Postgres(PostgresSettings),
}

/// A Redis through which processes tell each other of changes.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    redis: SecretString,
    channel: String,
}

impl Feed {
    /// Sets it up. It has been read, and so has its address.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub(crate) fn follow(&self) -> Result<RedisChanges, ConfigError> {
        RedisChanges::from_url(self.redis.clone(), self.channel.clone())
    }
}

impl Database {
    /// The file in the folder of data.
    pub(super) fn beside(data_dir: &Path) -> Self {
        Self::Sqlite(data_dir.join("bartizan.db"))
    }
}

/// Reads `database_url` and what belongs to it.
pub(super) fn read(section: &mut Section<'_>, data_dir: &Path) -> Database {
    let url = section.take("database_url");
    let pool = section.take("database_connection_pool_limit");
    let wait = section.take("database_connection_timeout");
    let most = pool.as_ref().and_then(|field| field.number(1..=1_000_u32));
    let times = Duration::from_millis(100)..=Duration::from_secs(300);
    let patience = wait.as_ref().and_then(|field| field.duration(times));
    match url.and_then(|field| database(&field)) {
        Some(Database::Postgres(mut settings)) => {
            if let Some(most) = most {
                settings = settings.connections(most);
            }
            if let Some(patience) = patience {
                settings = settings.acquire_timeout(patience).connect_timeout(patience);
            }
            Database::Postgres(settings)
        }
        file => {
            for field in [pool, wait].into_iter().flatten() {
                field.fail(
                    "this is for PostgreSQL, and `database_url` names none: remove it, or name one",
                );
            }
            file.unwrap_or_else(|| Database::beside(data_dir))
        }
    }
}

fn database(field: &Field<'_>) -> Option<Database> {
    let url = field.secret()?;
    let text = url.expose_secret();
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return match PostgresSettings::from_url(url) {
            Ok(settings) => Some(Database::Postgres(settings)),
            Err(error) => {
                field.fail(error.to_string());
                None
            }
        };
    }
    let path = text
        .strip_prefix("sqlite:")
        .map(|path| path.strip_prefix("//").unwrap_or(path));
    match path {
        Some(path) if !path.is_empty() => Some(Database::Sqlite(PathBuf::from(path))),
        _ => {
            field.fail(
                "`sqlite:path/to/keys.db` or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE` belongs here, best as os.environ/DATABASE_URL",
            );
            None
        }
    }
}

/// Reads `bartizan.changes`: a Redis through which processes tell each other.
pub(super) fn changes(mut section: Section<'_>) -> Option<Feed> {
    let channel = section
        .take("channel")
        .and_then(|field| field.text())
        .unwrap_or_else(|| "bartizan:changes".to_owned());
    let field = section.need("redis");
    section.finish(&[]);
    let field = field?;
    let feed = Feed {
        redis: field.secret()?,
        channel,
    };
    feed.follow()
        .map_err(|error| field.fail(error.to_string()))
        .ok()?;
    Some(feed)
}

//! What can go wrong with a database.

/// Why a database could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It can't be reached, did not answer in time, or broke.
    #[error("the database does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row is there already that this one must differ from: the constraint that says so, or what SQLite says of it.
    #[error("the database has such a row already")]
    Conflict(String),
    /// Its tables can't be brought to the version that this program reads. Nothing was changed.
    #[error("the database's tables can't be used: {0}")]
    Migration(String),
    /// Its disk is full.
    #[error("the database's disk is full: make room")]
    Full,
}

impl Error {
    /// Wraps what went wrong beneath.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}

#[cfg(feature = "sqlite")]
impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match &error {
            rusqlite::Error::SqliteFailure(failure, message)
                if failure.code == ErrorCode::ConstraintViolation =>
            {
                Self::Conflict(message.clone().unwrap_or_default())
            }
            rusqlite::Error::SqliteFailure(failure, _) if failure.code == ErrorCode::DiskFull => {
                Self::Full
            }
            _ => Self::unavailable(error),
        }
    }
}

#[cfg(feature = "postgres")]
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(said) = &error {
            match said.code().as_deref() {
                Some("23505") => {
                    return Self::Conflict(said.constraint().unwrap_or_default().to_owned());
                }
                Some("53100") => return Self::Full,
                // A statement of that name is there already, or gone: the connection is not ours alone.
                Some("42P05" | "26000") => return Self::unavailable(Pooled(error)),
                _ => {}
            }
        }
        Self::unavailable(error)
    }
}

/// What goes wrong behind a pooler that is not known to be there.
#[cfg(feature = "postgres")]
#[derive(Debug, thiserror::Error)]
#[error(
    "a pooler is between that gives each transaction another connection: add statement-cache-capacity=0 to the URL's parameters ({0})"
)]
struct Pooled(#[source] sqlx::Error);

/// What is no address of a database: what is wrong with it, and the mend. It never holds the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database's URL is not valid: {0}")]
pub struct UrlError(pub &'static str);

//! The values of a statement.

use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use crate::Error;

/// The values of a statement, in order.
#[derive(Debug, Default)]
pub struct Values(PgArguments);

impl Values {
    /// Binds the next one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] for what can't be written as PostgreSQL reads it.
    pub fn with<T>(mut self, value: T) -> Result<Self, Error>
    where
        T: sqlx::Type<sqlx::Postgres> + for<'q> sqlx::Encode<'q, sqlx::Postgres>,
    {
        self.0.add(value).map_err(Error::Unavailable)?;
        Ok(self)
    }

    /// All of them.
    #[must_use]
    pub fn done(self) -> PgArguments {
        self.0
    }
}

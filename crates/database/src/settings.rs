//! Where the database is, and who asks for it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use crate::{Error, UrlError};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Password = Pin<Box<dyn Future<Output = Result<SecretString, BoxError>> + Send>>;

/// What a database's URL may say. What is not known is refused: a misspelt `sslmode` must not pass for none.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// Says where a PostgreSQL database is, and how it is asked.
///
/// ```
/// use std::time::Duration;
///
/// use bartizan_database::PostgresSettings;
/// use secrecy::SecretString;
///
/// let url = SecretString::from("postgresql://bartizan:a-password@db.example.com/bartizan?sslmode=verify-full");
/// let settings = PostgresSettings::from_url(url)?.connections(20).statement_timeout(Duration::from_secs(2));
/// assert!(!format!("{settings:?}").contains("a-password"));
///
/// // A new password for each new connection, as clouds give them to a machine's own identity.
/// let url = SecretString::from("postgresql://bartizan@db.example.com/bartizan?sslmode=verify-full");
/// let settings = PostgresSettings::from_url(url)?.password_from(|| async { Ok(SecretString::from("a token of fifteen minutes")) });
/// # Ok::<(), bartizan_database::UrlError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct PostgresSettings {
    url: SecretString,
    /// Behind a pooler that gives each transaction another connection: nothing is left on one for the next.
    pub(crate) shared: bool,
    password: Option<Arc<dyn Fn() -> Password + Send + Sync>>,
    pub(crate) connections: u32,
    pub(crate) acquire: Duration,
    pub(crate) connect: Duration,
    pub(crate) statement: Duration,
}

impl PostgresSettings {
    /// Reads `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…` (or `postgres://…`). What it leaves out is taken from the environment
    /// (`PGHOST`, `PGUSER`, `PGPASSWORD`, …) and from `.pgpass`, as `psql` does it.
    ///
    /// `sslmode` is `disable`, `allow`, `prefer` (the default, which trusts any certificate), `require` (the same, and never in clear),
    /// `verify-ca` or `verify-full`, which trust Mozilla's roots or those of `sslrootcert`. Over a network that isn't your own, give
    /// `verify-full`.
    ///
    /// With `statement-cache-capacity=0` a pooler may give each transaction another connection (PgBouncer's `transaction` mode): statements have no
    /// names then, and each is asked in a transaction of its own, which takes two round trips more.
    ///
    /// # Errors
    /// [`UrlError`] when it is none, or says something that is not known.
    pub fn from_url(url: SecretString) -> Result<Self, UrlError> {
        let wrong = UrlError;
        let text = url.expose_secret();
        let rest = text
            .strip_prefix("postgresql://")
            .or_else(|| text.strip_prefix("postgres://"))
            .ok_or_else(|| wrong("begin it with postgresql:// or postgres://"))?;
        if rest.contains(|letter: char| letter.is_whitespace() || letter == '#') {
            return Err(wrong(
                "it holds a space or a `#`: write them percent-encoded (%20, %23)",
            ));
        }
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split_once('=').map_or(pair, |(name, _)| name);
            if !PARAMETERS.contains(&name) && !name.starts_with("options[") {
                return Err(wrong(
                    "it has a parameter that is not known: give sslmode, sslrootcert, sslcert, sslkey, application_name, options, host, port, \
                     user, password, dbname or statement-cache-capacity, and percent-encode a `?` in a password (%3F)",
                ));
            }
        }
        if let Err(error) = text.parse::<PgConnectOptions>() {
            tracing::trace!("a database's URL was refused");
            let problem = match error.to_string() {
                text if text.contains("ssl_mode") || text.contains("ssl mode") => {
                    "its sslmode is not known: give disable, allow, prefer, require, verify-ca or verify-full"
                }
                _ => {
                    "it can't be read: percent-encode what is no letter and no digit in its user and its password"
                }
            };
            return Err(wrong(problem));
        }
        Ok(Self {
            shared: query
                .split('&')
                .any(|pair| pair == "statement-cache-capacity=0"),
            url,
            password: None,
            connections: 10,
            acquire: Duration::from_secs(1),
            connect: Duration::from_secs(5),
            statement: Duration::from_secs(5),
        })
    }

    /// The most connections that are open at once, beside the one of a feed. 10 by default.
    pub fn connections(mut self, most: u32) -> Self {
        self.connections = most.max(1);
        self
    }

    /// How long a question waits for a connection to be free. One second by default.
    pub fn acquire_timeout(mut self, patience: Duration) -> Self {
        self.acquire = patience;
        self
    }

    /// How long opening a connection may take, its password included. Five seconds by default.
    pub fn connect_timeout(mut self, patience: Duration) -> Self {
        self.connect = patience;
        self
    }

    /// How long the database may work on one statement before it gives up. Five seconds by default.
    pub fn statement_timeout(mut self, patience: Duration) -> Self {
        self.statement = patience;
        self
    }

    /// Asks `password` for the password of each new connection, instead of taking the URL's: for tokens that are good for minutes, and for
    /// passwords that are changed while the service runs. Connections that are open stay so, as PostgreSQL lets them, for half an hour.
    pub fn password_from<F, R>(mut self, password: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<SecretString, BoxError>> + Send + 'static,
    {
        self.password = Some(Arc::new(move || Box::pin(password())));
        self
    }

    /// How to connect. Read at every connection, so that the password lies nowhere but in its secret.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no password is given.
    pub async fn options(&self) -> Result<PgConnectOptions, Error> {
        let mut options = self
            .url
            .expose_secret()
            .parse::<PgConnectOptions>()
            .map_err(Error::unavailable)?
            .disable_statement_logging();
        if let Some(password) = &self.password {
            let password = password().await.map_err(Error::unavailable)?;
            options = options.password(password.expose_secret());
        }
        if options.get_application_name().is_none() {
            options = options.application_name("bartizan");
        }
        Ok(options)
    }

    /// Opens a connection whose statements take `longest` at most.
    pub(crate) async fn open(&self, longest: Duration) -> Result<PgConnection, Error> {
        let open = async {
            let mut connection = self.options().await?.connect().await?;
            // A setting would stay on a connection that is somebody else's next.
            if !self.shared {
                sqlx::query("SELECT set_config('statement_timeout', $1, false)")
                    .persistent(false)
                    .bind(longest.as_millis().to_string())
                    .execute(&mut connection)
                    .await?;
            }
            Ok(connection)
        };
        tokio::time::timeout(self.connect, open)
            .await
            .map_err(|_| Error::unavailable("the database did not let us in in time"))?
    }
}

/// Shows neither where the database is nor by whom it is asked.
impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSettings")
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_url_is_told_by_its_mend_and_never_quoted() {
        for (url, mend) in [
            ("", "postgresql://"),
            ("mysql://u:canary@h/d", "postgresql://"),
            ("u:canary@h/d", "postgresql://"),
            ("postgres://u:canary#1@h/d", "%23"),
            ("postgres://u:canary 1@h/d", "%20"),
            ("postgres://u:canary?1@h/d", "parameter"),
            ("postgres://u:canary@h/d?sslmod=verify-full", "sslmode"),
            ("postgres://u:canary@h/d?sslmode=canary", "verify-full"),
            ("postgres://u:canary@h:port/d", "percent-encode"),
            ("postgres://u:canary@h/d?port=canary", "percent-encode"),
        ] {
            let error = PostgresSettings::from_url(SecretString::from(url)).unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(told.contains(mend), "{url}: {told}");
            assert!(!told.contains("canary"), "{told}");
        }
    }

    #[test]
    fn every_way_to_write_a_url_is_read() {
        for url in [
            "postgres://bartizan@localhost/keys",
            "postgresql://bartizan:p%40ss%23@[::1]:5433/keys?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            "postgres:///keys?host=/var/run/postgresql&user=bartizan",
            "postgres://h/d?options=-c%20search_path%3Dbartizan&application_name=gateway&statement-cache-capacity=0",
            "postgres://h/d?options[search_path]=bartizan",
        ] {
            assert!(
                PostgresSettings::from_url(SecretString::from(url)).is_ok(),
                "{url}"
            );
        }
    }
}

//! Changes as processes tell them over Redis.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream as _;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo as _, TlsCertificates};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{KEEP_ALIVE, PATIENCE, name, read};
use crate::ConfigError;
use crate::store::{Change, Changes, StoreError};

/// Tells changes to every process, and hears theirs, on one channel of a Redis server (`PUBLISH`, `SUBSCRIBE`).
///
/// Redis keeps nothing of it. Whoever may publish on the channel can make processes ask their store again, and nothing else. A change that
/// is made past this process, by hand in the database, isn't told.
///
/// ```no_run
/// use bartizan_auth::{Keys, MemoryStore, Pepper, RedisChanges};
/// use secrecy::SecretString;
///
/// # fn start(store: MemoryStore, pepper: Pepper) -> Result<(), Box<dyn std::error::Error>> {
/// let changes = RedisChanges::from_url(SecretString::from("rediss://:a-password@redis.example.com"), "bartizan:changes")?;
/// let keys = Keys::builder(store, pepper).changes(changes).build();
/// let following = keys.clone();
/// tokio::spawn(async move { following.follow().await });
/// # Ok(())
/// # }
/// ```
pub struct RedisChanges {
    server: Arc<Server>,
    keep_alive: Duration,
}

/// Without it a list of certificates is empty, and nobody is vouched for.
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// How long whoever made a change waits for it to be told: a Redis that hangs must not make a change look like one that wasn't made.
const TELLING: Duration = Duration::from_millis(250);

struct Server {
    url: SecretString,
    /// What vouches for the server, where that is not the usual.
    roots: Option<Vec<u8>>,
    channel: String,
    /// Kept from one announcement to the next.
    telling: Mutex<Option<MultiplexedConnection>>,
}

impl RedisChanges {
    /// Reads `redis://USER:PASSWORD@HOST:PORT/DATABASE`; `rediss://` is the same over TLS, with a certificate that Mozilla's or the machine's
    /// roots vouch for, or those of [`root_certificates`](Self::root_certificates). `channel` is the same for all processes on one store, and another for each store.
    ///
    /// # Errors
    /// [`ConfigError::Url`] when it is none; [`ConfigError::Missing`] without a channel.
    pub fn from_url(url: SecretString, channel: impl Into<String>) -> Result<Self, ConfigError> {
        let wrong = |problem| ConfigError::Url {
            what: "the URL of Redis",
            problem,
        };
        let text = url.expose_secret();
        if !text.starts_with("redis://") && !text.starts_with("rediss://") {
            return Err(wrong("begin it with redis:// or rediss://"));
        }
        if text.contains("#insecure") {
            return Err(wrong(
                "it asks for TLS that trusts any certificate: leave out #insecure, and have the server's certificate vouched for",
            ));
        }
        if text.into_connection_info().is_err() {
            return Err(wrong(
                "it can't be read: percent-encode what is no letter and no digit in its user and its password, and give the database as a number",
            ));
        }
        let channel = channel.into();
        if channel.is_empty() {
            return Err(ConfigError::Missing {
                what: "the channel of changes",
            });
        }
        Ok(Self {
            server: Arc::new(Server {
                url,
                roots: None,
                channel,
                telling: Mutex::default(),
            }),
            keep_alive: KEEP_ALIVE,
        })
    }

    /// Trusts these certificates, in PEM, and no others, to vouch for a server over TLS: an authority of one's own.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] when they are none, or the URL does not begin with `rediss://`.
    pub fn root_certificates(self, pem: impl Into<Vec<u8>>) -> Result<Self, ConfigError> {
        let server = Server {
            url: self.server.url.clone(),
            roots: Some(pem.into()),
            channel: self.server.channel.clone(),
            telling: Mutex::default(),
        };
        let told = server.roots.as_ref();
        let any = told.is_some_and(|pem| pem.windows(BEGIN.len()).any(|part| part == BEGIN));
        if !any || server.client().is_err() {
            return Err(ConfigError::Invalid {
                what: "the root certificates of Redis",
                mend: "give certificates in PEM, and a URL that begins with rediss://",
            });
        }
        Ok(Self {
            server: Arc::new(server),
            keep_alive: self.keep_alive,
        })
    }

    /// How long Redis may be silent before it is asked whether it is still there. Five seconds by default.
    #[must_use]
    pub fn keep_alive(mut self, silence: Duration) -> Self {
        self.keep_alive = silence;
        self
    }

    async fn hear(&self, on: &(dyn Fn(Change) + Send + Sync)) -> Result<(), StoreError> {
        let client = self.server.client()?;
        let subscribe = async {
            let mut told = client.get_async_pubsub().await?;
            told.subscribe(&self.server.channel).await?;
            Ok::<_, redis::RedisError>(told)
        };
        let told = timeout(PATIENCE, subscribe).await;
        let told = told.map_err(StoreError::unavailable)?;
        let (mut asking, mut told) = told.map_err(StoreError::unavailable)?.split();
        on(Change::Anything);
        loop {
            let next = poll_fn(|context| Pin::new(&mut told).poll_next(context));
            match timeout(self.keep_alive, next).await {
                Ok(Some(message)) => {
                    let name: Result<String, _> = message.get_payload();
                    on(name.map_or(Change::Anything, |name| read(&name)));
                }
                Ok(None) => return Ok(()),
                Err(_silence) => {
                    let alive = asking.ping::<redis::Value>();
                    let alive = timeout(PATIENCE.min(self.keep_alive), alive).await;
                    alive
                        .map_err(StoreError::unavailable)?
                        .map_err(StoreError::unavailable)?;
                }
            }
        }
    }
}

impl Server {
    fn client(&self) -> Result<Client, StoreError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // The redis crate takes the process's own, and panics where several could be meant and none is. Another thread may be first.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let url = self.url.expose_secret();
        let client = match &self.roots {
            None => Client::open(url),
            Some(roots) => Client::build_with_tls(
                url,
                TlsCertificates {
                    client_tls: None,
                    root_cert: Some(roots.clone()),
                },
            ),
        };
        client.map_err(StoreError::unavailable)
    }

    async fn connect(&self) -> Result<MultiplexedConnection, StoreError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        self.client()?
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(StoreError::unavailable)
    }

    async fn publish(
        &self,
        connection: &mut MultiplexedConnection,
        change: &Change,
    ) -> Result<(), StoreError> {
        redis::cmd("PUBLISH")
            .arg(&self.channel)
            .arg(name(change))
            .exec_async(connection)
            .await
            .map_err(StoreError::unavailable)
    }

    async fn tell(&self, change: &Change) -> Result<(), StoreError> {
        let kept = self.telling.lock().await.clone();
        if let Some(mut connection) = kept
            && self.publish(&mut connection, change).await.is_ok()
        {
            return Ok(());
        }
        // To tell a change twice does no harm.
        *self.telling.lock().await = None;
        let mut connection = self.connect().await?;
        self.publish(&mut connection, change).await?;
        *self.telling.lock().await = Some(connection);
        Ok(())
    }
}

impl Changes for RedisChanges {
    async fn announce(&self, change: &Change) -> Result<(), StoreError> {
        let (server, change) = (Arc::clone(&self.server), change.clone());
        // On a task of its own: what is late is told all the same.
        let telling = tokio::spawn(async move { server.tell(&change).await });
        timeout(TELLING, telling)
            .await
            .map_err(StoreError::unavailable)?
            .map_err(StoreError::unavailable)?
    }

    async fn follow(&self, on: &(dyn Fn(Change) + Send + Sync)) -> StoreError {
        match self.hear(on).await {
            Ok(()) => StoreError::unavailable("the connection that changes are told on was lost"),
            Err(error) => error,
        }
    }
}

impl fmt::Debug for RedisChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisChanges")
            .field("channel", &self.server.channel)
            .field("keep_alive", &self.keep_alive)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_url_is_told_by_its_mend_and_never_quoted() {
        for (url, mend) in [
            ("", "redis://"),
            ("http://u:canary@h", "redis://"),
            ("redis://u:canary@h:port", "percent-encode"),
            ("redis://u:canary@h/first", "number"),
            ("rediss://u:canary@h/#insecure", "#insecure"),
        ] {
            let error = RedisChanges::from_url(SecretString::from(url), "channel").unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(told.contains(mend), "{url}: {told}");
            assert!(!told.contains("canary"), "{told}");
        }
        for url in ["redis://u:canary@h", "rediss://u:canary@h"] {
            let feed = RedisChanges::from_url(SecretString::from(url), "channel").unwrap();
            let error = feed.root_certificates("canary").unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(
                told.contains("rediss://") && !told.contains("canary"),
                "{told}"
            );
        }
        let url = SecretString::from("redis://u:canary@h");
        assert!(RedisChanges::from_url(url.clone(), "").is_err());
        let feed = RedisChanges::from_url(url, "channel").unwrap();
        assert!(!format!("{feed:?}").contains("canary"));
    }
}

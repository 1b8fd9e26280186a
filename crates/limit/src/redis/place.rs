//! Where the one server is that keeps the counts: alone, behind sentinels, or in a cluster.

use std::fmt;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _,
    RedisError, TlsCertificates, Value,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::CONNECTING;

/// Why a store can't be made of what was given. No secret is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedisConfigError {
    /// A URL that can't be read as one.
    #[error("the URL of Redis is not valid: {0}")]
    Url(&'static str),
    /// Something else that doesn't go.
    #[error("the store of limits in Redis can't be made: {0}")]
    Setting(&'static str),
}

/// Why no server was found, or an answer can't be had. Neither addresses nor credentials are told.
#[derive(Debug)]
pub(super) enum Trouble {
    Redis(RedisError),
    /// An answer that isn't one.
    Answer,
    Late,
    /// The sentinels know no such master, or the cluster serves the slot nowhere.
    Nowhere,
    /// It is a replica.
    Replica,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redis(error) => match error.code() {
                Some(code) => write!(f, "it answered {code}"),
                None => f.write_str(error.category()),
            },
            Self::Answer => f.write_str("it answered what is no answer"),
            Self::Late => f.write_str("it was too slow"),
            Self::Nowhere => f.write_str("nobody knows where it is"),
            Self::Replica => f.write_str("it is a replica"),
        }
    }
}

impl From<RedisError> for Trouble {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

/// How the server is found.
pub(super) enum Place {
    One(ConnectionInfo),
    /// The servers' credentials, the master's name, and the sentinels.
    Sentinels(ConnectionInfo, String, Vec<ConnectionInfo>),
    /// Nodes to begin with.
    Cluster(Vec<ConnectionInfo>),
}

pub(super) struct Places {
    pub(super) place: Place,
    pub(super) root: Option<Vec<u8>>,
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.place {
            Place::One(_) => "One",
            Place::Sentinels(..) => "Sentinels",
            Place::Cluster(_) => "Cluster",
        })
    }
}

pub(super) fn read(url: &SecretString) -> Result<ConnectionInfo, RedisConfigError> {
    let text = url.expose_secret();
    if !text.starts_with("redis://") && !text.starts_with("rediss://") {
        return Err(RedisConfigError::Url("begin it with redis:// or rediss://"));
    }
    if text.contains("#insecure") {
        return Err(RedisConfigError::Url(
            "it asks for TLS that trusts any certificate: leave out #insecure, and have the server's certificate vouched for",
        ));
    }
    text.into_connection_info().map_err(|_| {
        RedisConfigError::Url(
            "it can't be read: percent-encode what is no letter and no digit in its user and its password, and give the database as a number",
        )
    })
}

pub(super) fn host(info: &ConnectionInfo) -> Option<&str> {
    match info.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => Some(host),
        _ => None,
    }
}

/// The same credentials, at another address.
fn at(info: &ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
    let address = match info.addr() {
        ConnectionAddr::TcpTls { insecure, .. } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: *insecure,
            tls_params: None,
        },
        _ => ConnectionAddr::Tcp(host, port),
    };
    info.clone().set_addr(address)
}

impl Places {
    /// Connections to the server that keeps `key`.
    pub(super) async fn connect(
        &self,
        key: &str,
        count: usize,
    ) -> Result<Vec<MultiplexedConnection>, Trouble> {
        let client = match &self.place {
            Place::One(info) => self.client(info.clone())?,
            Place::Sentinels(info, name, sentinels) => {
                let (host, port) = self.master(name, sentinels).await?;
                self.client(at(info, host, port))?
            }
            Place::Cluster(nodes) => self.node(key, nodes).await?,
        };
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            connections.push(open(&client).await?);
        }
        if matches!(self.place, Place::Sentinels(..))
            && let Some(connection) = connections.first_mut()
        {
            // What sentinels say may be older than the failover.
            let role = redis::cmd("ROLE")
                .query_async::<Vec<Value>>(connection)
                .await?;
            if !matches!(role.first(), Some(Value::BulkString(role)) if role == b"master") {
                return Err(Trouble::Replica);
            }
        }
        Ok(connections)
    }

    fn client(&self, info: ConnectionInfo) -> Result<Client, Trouble> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // The redis crate takes the process's own, and panics where several could be meant and none is. Another thread may be first.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let secure = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        let client = match &self.root {
            Some(root) if secure => Client::build_with_tls(
                info,
                TlsCertificates {
                    client_tls: None,
                    root_cert: Some(root.clone()),
                },
            ),
            _ => Client::open(info),
        };
        Ok(client?)
    }

    async fn master(
        &self,
        name: &str,
        sentinels: &[ConnectionInfo],
    ) -> Result<(String, u16), Trouble> {
        let mut last = Trouble::Nowhere;
        for sentinel in sentinels {
            let asked = async {
                let mut connection = open(&self.client(sentinel.clone())?).await?;
                let told = redis::cmd("SENTINEL")
                    .arg("GET-MASTER-ADDR-BY-NAME")
                    .arg(name)
                    .query_async::<Option<(String, u16)>>(&mut connection)
                    .await?;
                told.ok_or(Trouble::Nowhere)
            };
            match within_share(asked, sentinels.len()).await {
                Ok(found) => return Ok(found),
                Err(trouble) => last = trouble,
            }
        }
        Err(last)
    }

    /// The cluster's node that serves the slot of `key`. All keys have one hash tag, so that there is one.
    async fn node(&self, key: &str, nodes: &[ConnectionInfo]) -> Result<Client, Trouble> {
        let mut last = Trouble::Nowhere;
        for node in nodes {
            let asked = async {
                let mut connection = open(&self.client(node.clone())?).await?;
                let slot = redis::cmd("CLUSTER")
                    .arg("KEYSLOT")
                    .arg(key)
                    .query_async::<i64>(&mut connection)
                    .await?;
                let slots = redis::cmd("CLUSTER")
                    .arg("SLOTS")
                    .query_async::<Vec<Value>>(&mut connection)
                    .await?;
                let (host, port) = served(&slots, slot).ok_or(Trouble::Nowhere)?;
                // A cluster that doesn't know its own name is where it was asked.
                let host = host.or_else(|| self::host(node).map(str::to_owned));
                let host = host.ok_or(Trouble::Nowhere)?;
                self.client(at(node, host, port))
            };
            match within_share(asked, nodes.len()).await {
                Ok(found) => return Ok(found),
                Err(trouble) => last = trouble,
            }
        }
        Err(last)
    }
}

/// One that hangs must leave time to ask the others.
async fn within_share<T>(
    asked: impl Future<Output = Result<T, Trouble>>,
    of: usize,
) -> Result<T, Trouble> {
    let share = CONNECTING / u32::try_from(of.clamp(1, 4)).unwrap_or(4);
    tokio::time::timeout(share, asked)
        .await
        .unwrap_or(Err(Trouble::Late))
}

async fn open(client: &Client) -> Result<MultiplexedConnection, Trouble> {
    // Deadlines are the callers': a command whose caller has gone is still heard to its end.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECTING))
        .set_response_timeout(None)
        .set_pipeline_buffer_size(1024)
        .set_write_backpressure_boundary(64 * 1024);
    Ok(client
        .get_multiplexed_async_connection_with_config(&config)
        .await?)
}

/// Who serves `slot`, of what `CLUSTER SLOTS` says: each range's first and last slot, then its master's address and port.
fn served(ranges: &[Value], slot: i64) -> Option<(Option<String>, u16)> {
    ranges.iter().find_map(|range| {
        let Value::Array(range) = range else {
            return None;
        };
        let [
            Value::Int(first),
            Value::Int(last),
            Value::Array(master),
            ..,
        ] = range.as_slice()
        else {
            return None;
        };
        if !(*first..=*last).contains(&slot) {
            return None;
        }
        let [host, Value::Int(port), ..] = master.as_slice() else {
            return None;
        };
        let host = match host {
            Value::BulkString(host) => String::from_utf8(host.clone()).ok(),
            Value::SimpleString(host) => Some(host.clone()),
            _ => None,
        };
        Some((
            host.filter(|host| !host.is_empty()),
            u16::try_from(*port).ok()?,
        ))
    })
}

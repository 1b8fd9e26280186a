//! Several Redis servers that know each other.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use super::{Folder, PrivateRedis, STEP, STEPS, Server, find, free_port};
use crate::Error;

/// A cluster of three masters without replicas, each of which serves a third of the slots.
#[derive(Debug)]
pub struct PrivateCluster {
    nodes: Vec<PrivateRedis>,
}

/// One sentinel, which watches over a server named `main` and replaces it within a second or two.
#[derive(Debug)]
pub struct PrivateSentinel {
    _server: Server,
    port: u16,
}

impl PrivateCluster {
    /// Starts the nodes and waits until each knows of all slots who serves them.
    ///
    /// # Errors
    /// As [`PrivateRedis::start`].
    pub fn start() -> Result<Self, Error> {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for _ in 0..3 {
            let bus = free_port()?.to_string();
            nodes.push(PrivateRedis::start_with(&[
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
                "--cluster-node-timeout",
                "2000",
            ])?);
            buses.push(bus);
        }
        for (node, slots) in nodes.iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
            ask(node.address(), &format!("CLUSTER ADDSLOTSRANGE {slots}"))?;
            for (other, bus) in nodes.iter().zip(&buses) {
                let port = other.address().port();
                ask(
                    node.address(),
                    &format!("CLUSTER MEET 127.0.0.1 {port} {bus}"),
                )?;
            }
        }
        until("the cluster agrees", || {
            nodes.iter().all(|node| {
                ask(node.address(), "CLUSTER INFO").is_ok_and(|told| {
                    told.contains("cluster_state:ok") && told.contains("cluster_size:3")
                })
            })
        })?;
        Ok(Self { nodes })
    }

    /// The nodes; slots are served by them in their order.
    #[must_use]
    pub fn nodes(&self) -> &[PrivateRedis] {
        &self.nodes
    }
}

impl PrivateSentinel {
    /// Starts a sentinel that watches over `redis`, which may have replicas (`--replicaof`), and waits until it knows `replicas` of them.
    ///
    /// # Errors
    /// As [`PrivateRedis::start`].
    pub fn start(redis: &PrivateRedis, replicas: usize) -> Result<Self, Error> {
        let program = find("redis-server", "redis-server", &[])?;
        let (folder, port) = (Folder::make()?, free_port()?);
        let own = folder.path().to_string_lossy().into_owned();
        let watched = redis.address().port();
        let config = folder.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {own}\nsentinel monitor main 127.0.0.1 {watched} 1\n\
             sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n"
        );
        fs::write(&config, text).map_err(|source| Error::Unread {
            path: config.clone(),
            source,
        })?;
        let command = [
            program.as_os_str(),
            config.as_os_str(),
            OsStr::new("--sentinel"),
        ];
        let server = Server::start(&command, "TERM", folder)?;
        let sentinel = Self {
            _server: server,
            port,
        };
        let known = format!(
            "num-slaves\r\n${}\r\n{replicas}",
            replicas.to_string().len()
        );
        until("the sentinel knows the replicas", || {
            ask(sentinel.address(), "SENTINEL MASTER main").is_ok_and(|told| told.contains(&known))
        })?;
        Ok(sentinel)
    }

    /// `redis://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }
}

/// The beginning of the answer.
fn ask(address: SocketAddr, command: &str) -> Result<String, Error> {
    let asked = TcpStream::connect(address).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut answer = [0_u8; 8_192];
        let count = stream.read(&mut answer)?;
        let answer = answer.get(..count).unwrap_or_default();
        Ok(String::from_utf8_lossy(answer).into_owned())
    });
    match asked {
        Ok(answer) if answer.starts_with('-') => Err(Error::Server(answer)),
        Ok(answer) => Ok(answer),
        Err(error) => Err(Error::Server(error.to_string())),
    }
}

fn until(what: &str, ready: impl Fn() -> bool) -> Result<(), Error> {
    for _ in 0..STEPS {
        if ready() {
            return Ok(());
        }
        thread::sleep(STEP);
    }
    Err(Error::Server(format!("in vain it was waited until {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_sends_those_who_ask_to_the_node_of_the_slot() {
        let cluster = PrivateCluster::start().unwrap();
        let [first, second, third] = cluster.nodes() else {
            panic!("three nodes");
        };
        // The slot of `foo` is 12182.
        assert_eq!(ask(third.address(), "SET foo 1").unwrap(), "+OK\r\n");
        for other in [first, second] {
            let told = ask(other.address(), "GET foo").unwrap_err().to_string();
            assert!(
                told.contains(&format!("MOVED 12182 {}", third.address())),
                "{told}"
            );
        }
    }

    #[test]
    fn a_sentinel_puts_a_replica_in_the_place_of_a_server_that_is_gone() {
        let redis = PrivateRedis::start().unwrap();
        let of = redis.address().port().to_string();
        let replica = PrivateRedis::start_with(&["--replicaof", "127.0.0.1", &of]).unwrap();
        let sentinel = PrivateSentinel::start(&redis, 1).unwrap();
        redis.stop().unwrap();
        let port = replica.address().port().to_string();
        until("the replica is the master", || {
            ask(sentinel.address(), "SENTINEL GET-MASTER-ADDR-BY-NAME main")
                .is_ok_and(|told| told.contains(&port))
        })
        .unwrap();
        assert_eq!(ask(replica.address(), "SET key 1").unwrap(), "+OK\r\n");
    }
}

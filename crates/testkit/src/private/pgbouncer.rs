use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;

use super::postgres::User;
use super::{Folder, PrivatePostgres, Server, find, free_port};
use crate::Error;

const TRIES: usize = 5;

/// A PgBouncer of a test's own before a [`PrivatePostgres`]: it gives each transaction another of two connections (`pool_mode = transaction`).
/// Gone when dropped.
///
/// ```
/// use bartizan_testkit::{PrivatePgbouncer, PrivatePostgres};
///
/// let postgres = PrivatePostgres::start()?;
/// let pooler = PrivatePgbouncer::start(&postgres)?;
/// assert_ne!(pooler.url(), postgres.url());
/// # Ok::<(), bartizan_testkit::Error>(())
/// ```
#[derive(Debug)]
pub struct PrivatePgbouncer {
    _server: Server,
    port: u16,
}

impl PrivatePgbouncer {
    /// Starts one and waits until it answers.
    ///
    /// # Errors
    /// [`Error::Missing`] when PgBouncer is not installed; [`Error::Server`] when it does not start.
    pub fn start(before: &PrivatePostgres) -> Result<Self, Error> {
        let program = find("pgbouncer", "pgbouncer", &[PathBuf::from("/usr/sbin")])?;
        let mut tries = 1;
        loop {
            let port = free_port()?;
            let folder = Folder::make()?;
            let settings = folder.path().join("pgbouncer.ini");
            let upstream = before.address().port();
            let text = format!(
                "[databases]\n* = host=127.0.0.1 port={upstream} user=bartizan\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
                 unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 2\nserver_round_robin = 1\n\
                 ignore_startup_parameters = extra_float_digits\n"
            );
            fs::write(&settings, text).map_err(|error| Error::Server(error.to_string()))?;
            // It runs as root no more than PostgreSQL does.
            let user = User::find(&folder)?;
            let mut command = user.command(&program);
            command.push(OsStr::new(settings.as_os_str()));
            let server = Server::start(&command, "TERM", folder)?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            match server.wait(|| TcpStream::connect(address).is_ok()) {
                Ok(()) => {
                    return Ok(Self {
                        _server: server,
                        port,
                    });
                }
                Err(error) if tries == TRIES => return Err(error),
                Err(_) => tries += 1,
            }
        }
    }

    /// `postgres://bartizan@127.0.0.1:PORT/postgres`
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://bartizan@127.0.0.1:{}/postgres", self.port)
    }
}

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Folder, Server, find, free_port};
use crate::Error;

/// Another process may take the port between the look and the start.
const TRIES: usize = 5;

/// A Redis server of a test's own: empty, on a loopback port, gone when dropped.
///
/// ```
/// use bartizan_testkit::PrivateRedis;
///
/// let redis = PrivateRedis::start()?;
/// assert!(redis.url().starts_with("redis://127.0.0.1:"));
/// # Ok::<(), bartizan_testkit::Error>(())
/// ```
#[derive(Debug)]
pub struct PrivateRedis {
    server: Server,
    program: PathBuf,
    port: u16,
}

impl PrivateRedis {
    /// Starts a server and waits until it answers.
    ///
    /// # Errors
    /// [`Error::Missing`] when `redis-server` is not installed; [`Error::Server`] when it does not start.
    pub fn start() -> Result<Self, Error> {
        let program = find("redis-server", "redis-server", &[])?;
        let mut tries = 1;
        loop {
            let port = free_port()?;
            match run(&program, port) {
                Ok(server) => {
                    return Ok(Self {
                        server,
                        program,
                        port,
                    });
                }
                Err(error) if tries == TRIES => return Err(error),
                Err(_) => tries += 1,
            }
        }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// `redis://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Stops the process where it is: connections stay open, and nothing is answered.
    ///
    /// # Errors
    /// When it is not running.
    pub fn freeze(&self) -> Result<(), Error> {
        self.server.signal("STOP")
    }

    /// Lets a frozen process go on.
    ///
    /// # Errors
    /// When it is not running.
    pub fn thaw(&self) -> Result<(), Error> {
        self.server.signal("CONT")
    }

    /// Kills the process: connections break, and new ones are refused.
    ///
    /// # Errors
    /// When it is not running.
    pub fn stop(&self) -> Result<(), Error> {
        self.server.kill()
    }

    /// Starts an empty server on the same port, after [`PrivateRedis::stop`].
    ///
    /// # Errors
    /// [`Error::Server`] when it does not start, as when another process has taken the port.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.server = run(&self.program, self.port)?;
        Ok(())
    }
}

fn run(program: &Path, port: u16) -> Result<Server, Error> {
    let folder = Folder::make()?;
    let own = folder.path().to_owned();
    let (port, socket) = (port.to_string(), own.join("socket"));
    let options = [
        "--port",
        &port,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
    ];
    let mut command = vec![program.as_os_str()];
    command.extend(options.map(OsStr::new));
    command.extend([
        OsStr::new("--dir"),
        own.as_os_str(),
        OsStr::new("--unixsocket"),
        socket.as_os_str(),
    ]);
    let server = Server::start(&command, "TERM", folder)?;
    server.wait(|| answers(&socket))?;
    Ok(server)
}

/// The socket in its own folder shows that it is this server that answers, and not another on the port.
fn answers(socket: &Path) -> bool {
    let asked = UnixStream::connect(socket).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0_u8; 7];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    });
    asked.is_ok_and(|answer| &answer == b"+PONG\r\n")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::TcpStream;

    use super::*;

    fn ask(redis: &PrivateRedis, command: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(redis.address())?;
        stream.set_read_timeout(Some(Duration::from_millis(200)))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut answer = [0_u8; 64];
        let count = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..count]).into_owned())
    }

    #[test]
    fn two_servers_know_nothing_of_each_other() {
        let (one, two) = (
            PrivateRedis::start().unwrap(),
            PrivateRedis::start().unwrap(),
        );
        assert_eq!(ask(&one, "SET key 1").unwrap(), "+OK\r\n");
        assert_eq!(ask(&two, "EXISTS key").unwrap(), ":0\r\n");
    }

    #[test]
    fn it_can_be_frozen_stopped_and_started_again() {
        let mut redis = PrivateRedis::start().unwrap();
        redis.freeze().unwrap();
        assert!(ask(&redis, "PING").is_err());
        redis.thaw().unwrap();
        assert_eq!(ask(&redis, "PING").unwrap(), "+PONG\r\n");
        redis.stop().unwrap();
        assert_eq!(
            ask(&redis, "PING").unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
        redis.restart().unwrap();
        assert_eq!(ask(&redis, "PING").unwrap(), "+PONG\r\n");
    }

    #[test]
    fn dropping_it_leaves_nothing() {
        let redis = PrivateRedis::start().unwrap();
        let (address, path) = (redis.address(), redis.server.folder.path().to_owned());
        drop(redis);
        assert!(TcpStream::connect(address).is_err());
        assert!(!path.exists());
    }
}

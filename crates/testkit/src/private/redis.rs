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
    options: Vec<String>,
    /// What outlives the server's process.
    _data: Option<Folder>,
}

impl PrivateRedis {
    /// Starts a server and waits until it answers.
    ///
    /// # Errors
    /// [`Error::Missing`] when `redis-server` is not installed; [`Error::Server`] when it does not start.
    pub fn start() -> Result<Self, Error> {
        Self::start_with(&[])
    }

    /// The same with further options, as its command line takes them: `&["--requirepass", "secret"]`.
    ///
    /// # Errors
    /// As [`PrivateRedis::start`].
    pub fn start_with(options: &[&str]) -> Result<Self, Error> {
        Self::launch(options, None)
    }

    /// The same, and what it was told is there after [`PrivateRedis::stop`] and [`PrivateRedis::restart`]: every command is written to a file, and
    /// synced, before it is answered.
    ///
    /// # Errors
    /// As [`PrivateRedis::start`].
    pub fn durable() -> Result<Self, Error> {
        let data = Folder::make()?;
        let folder = data.path().to_string_lossy().into_owned();
        let options = [
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--dir",
            &folder,
        ];
        Self::launch(&options, Some(data))
    }

    fn launch(options: &[&str], data: Option<Folder>) -> Result<Self, Error> {
        let program = find("redis-server", "redis-server", &[])?;
        let options: Vec<String> = options.iter().copied().map(str::to_owned).collect();
        let mut tries = 1;
        loop {
            let port = free_port()?;
            match run(&program, port, &options) {
                Ok(server) => {
                    return Ok(Self {
                        server,
                        program,
                        port,
                        options,
                        _data: data,
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

    /// Starts a server on the same port, after [`PrivateRedis::stop`]: an empty one, unless it is [`PrivateRedis::durable`].
    ///
    /// # Errors
    /// [`Error::Server`] when it does not start, as when another process has taken the port.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.server = run(&self.program, self.port, &self.options)?;
        Ok(())
    }
}

fn run(program: &Path, port: u16, options: &[String]) -> Result<Server, Error> {
    let folder = Folder::make()?;
    let own = folder.path().to_owned();
    let (port, socket) = (port.to_string(), own.join("socket"));
    let usual = [
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
    command.extend(usual.map(OsStr::new));
    command.extend([
        OsStr::new("--dir"),
        own.as_os_str(),
        OsStr::new("--unixsocket"),
        socket.as_os_str(),
    ]);
    // The last word on an option is the one that counts.
    command.extend(options.iter().map(OsStr::new));
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
    fn a_durable_one_is_what_it_was_after_it_was_killed() {
        let mut redis = PrivateRedis::durable().unwrap();
        assert_eq!(ask(&redis, "SET key 1").unwrap(), "+OK\r\n");
        redis.stop().unwrap();
        redis.restart().unwrap();
        assert_eq!(ask(&redis, "GET key").unwrap(), "$1\r\n1\r\n");
        let data = redis._data.as_ref().unwrap().path().to_owned();
        assert!(data.exists());
        drop(redis);
        assert!(!data.exists());
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

use std::ffi::{OsStr, OsString};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Folder, Server, find, free_port};
use crate::Error;

const PACKAGE: &str = "postgresql";
const TRIES: usize = 5;

/// A PostgreSQL server of a test's own: an empty database `postgres` whose user `bartizan` needs no password, on a loopback port, gone
/// when dropped.
///
/// PostgreSQL refuses to run as root; there it runs as the user `postgres`, whom its package makes. It does not wait for the disk, so a
/// test of what survives a power cut needs another.
///
/// ```
/// use bartizan_testkit::PrivatePostgres;
///
/// let postgres = PrivatePostgres::start()?;
/// assert!(postgres.url().starts_with("postgres://bartizan@127.0.0.1:"));
/// # Ok::<(), bartizan_testkit::Error>(())
/// ```
#[derive(Debug)]
pub struct PrivatePostgres {
    server: Server,
    programs: Programs,
    port: u16,
    /// The server that made the data, when another runs on it now: its folder goes with it.
    first: Option<Server>,
}

#[derive(Debug)]
struct Programs {
    initdb: PathBuf,
    postgres: PathBuf,
}

impl PrivatePostgres {
    /// Starts a server and waits until it answers: about two seconds.
    ///
    /// # Errors
    /// [`Error::Missing`] when PostgreSQL is not installed; [`Error::Server`] when it does not start.
    pub fn start() -> Result<Self, Error> {
        let folders = programs();
        let programs = Programs {
            initdb: find("initdb", PACKAGE, &folders)?,
            postgres: find("postgres", PACKAGE, &folders)?,
        };
        let mut tries = 1;
        loop {
            let port = free_port()?;
            match run(&programs, None, port) {
                Ok(server) => {
                    return Ok(Self {
                        server,
                        programs,
                        port,
                        first: None,
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

    /// `postgres://bartizan@127.0.0.1:PORT/postgres`
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://bartizan@{}/postgres", self.address())
    }

    /// Stops the process that accepts connections where it is; those that are open go on.
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

    /// Ends the server at once, as a crash does: connections break, and new ones are refused.
    ///
    /// # Errors
    /// When it is not running.
    pub fn stop(&self) -> Result<(), Error> {
        self.server.end("QUIT")
    }

    /// Starts a server on the same port and the same data, after [`PrivatePostgres::stop`].
    ///
    /// # Errors
    /// [`Error::Server`] when it does not start, as when another process has taken the port.
    pub fn restart(&mut self) -> Result<(), Error> {
        let made = self.first.as_ref().unwrap_or(&self.server);
        let data = made.folder.path().join("data");
        let server = run(&self.programs, Some(&data), self.port)?;
        let last = std::mem::replace(&mut self.server, server);
        self.first.get_or_insert(last);
        Ok(())
    }
}

/// Whom PostgreSQL runs as.
pub(super) struct User {
    switch: Vec<OsString>,
}

impl User {
    /// Root gives the folder to the user `postgres` and becomes that user; anyone else stays.
    pub(super) fn find(folder: &Folder) -> Result<Self, Error> {
        let id = Command::new("id")
            .arg("-u")
            .output()
            .map_err(|error| Error::Server(format!("id: {error}")))?;
        if id.stdout.trim_ascii() != b"0" {
            return Ok(Self { switch: Vec::new() });
        }
        let mut chown = Command::new("chown");
        said(chown.arg("postgres").arg(folder.path()))?;
        let setpriv = find("setpriv", "util-linux", &[])?;
        let options = [
            "--reuid=postgres",
            "--regid=postgres",
            "--init-groups",
            "--",
        ]
        .map(OsString::from);
        Ok(Self {
            switch: [setpriv.into_os_string()]
                .into_iter()
                .chain(options)
                .collect(),
        })
    }

    pub(super) fn command<'a>(&'a self, program: &'a Path) -> Vec<&'a OsStr> {
        self.switch
            .iter()
            .map(OsString::as_os_str)
            .chain([program.as_os_str()])
            .collect()
    }
}

fn init(user: &User, initdb: &Path, data: &Path) -> Result<(), Error> {
    let command = user.command(initdb);
    let (first, rest) = command
        .split_first()
        .ok_or_else(|| Error::Server("no command".to_owned()))?;
    let mut command = Command::new(first);
    command
        .args(rest)
        .args([
            "-U",
            "bartizan",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
        ])
        .arg(data);
    // The folder that the test stands in may be closed to that user.
    said(command.current_dir("/"))
}

/// On `data`, or on what it makes itself.
fn run(programs: &Programs, data: Option<&Path>, port: u16) -> Result<Server, Error> {
    let folder = Folder::make()?;
    let own = folder.path().to_owned();
    let user = User::find(&folder)?;
    let data = match data {
        Some(data) => data.to_owned(),
        None => {
            let data = own.join("data");
            init(&user, &programs.initdb, &data)?;
            data
        }
    };
    let port = port.to_string();
    let mut command = user.command(&programs.postgres);
    command.extend([
        OsStr::new("-D"),
        data.as_os_str(),
        OsStr::new("-k"),
        own.as_os_str(),
    ]);
    let options = [
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "-c",
        "fsync=off",
        "-c",
        "full_page_writes=off",
    ];
    command.extend(options.map(OsStr::new));
    let server = Server::start(&command, "QUIT", folder)?;
    server.wait(|| ready(&data, &server.process))?;
    Ok(server)
}

/// The server says so itself, in the last line of its own file; one that crashed may have left its own there.
fn ready(data: &Path, process: &str) -> bool {
    let file = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let line = |number| file.lines().nth(number).map(str::trim);
    line(0) == Some(process) && line(7) == Some("ready")
}

fn said(command: &mut Command) -> Result<(), Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| Error::Server(format!("{program}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Server(format!(
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    )))
}

/// Debian keeps the server's programs out of `PATH`, by version.
fn programs() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    folders
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;

    /// Logs in and asks one question, by the protocol's own bytes.
    fn ask(postgres: &PrivatePostgres, query: &str) -> String {
        let mut stream = TcpStream::connect(postgres.address()).unwrap();
        let start = b"\0\x03\0\0user\0bartizan\0database\0postgres\0\0";
        stream
            .write_all(&(start.len() as u32 + 4).to_be_bytes())
            .unwrap();
        stream.write_all(start).unwrap();
        stream.write_all(b"Q").unwrap();
        stream
            .write_all(&(query.len() as u32 + 5).to_be_bytes())
            .unwrap();
        stream.write_all(format!("{query}\0").as_bytes()).unwrap();
        stream.write_all(b"X\0\0\0\x04").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn it_is_stopped_and_started_again_with_what_it_held() {
        let mut postgres = PrivatePostgres::start().unwrap();
        ask(&postgres, "create table kept as select 'forty' || '-two'");
        let path = postgres.server.folder.path().to_owned();
        for _ in 0..2 {
            postgres.stop().unwrap();
            assert!(TcpStream::connect(postgres.address()).is_err());
            postgres.restart().unwrap();
            let answer = ask(&postgres, "select * from kept");
            assert!(answer.contains("forty-two"), "{answer}");
        }
        drop(postgres);
        assert!(!path.exists());
    }

    #[test]
    fn it_answers_queries_and_leaves_nothing() {
        let postgres = PrivatePostgres::start().unwrap();
        let answer = ask(&postgres, "select 'for' || 'ty-two'");
        assert!(answer.contains("forty-two"), "{answer}");
        let (address, path) = (postgres.address(), postgres.server.folder.path().to_owned());
        drop(postgres);
        assert!(TcpStream::connect(address).is_err());
        assert!(!path.exists());
    }
}

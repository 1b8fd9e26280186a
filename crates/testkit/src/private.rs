//! What real servers of a test's own have in common.
//!
//! A server's parent is a shell that waits on a pipe from the test's process. However that process ends, the pipe closes, and the shell
//! kills the server and removes its folder: nothing is left running.

mod pgbouncer;
mod postgres;
mod redis;
mod redises;

pub use pgbouncer::PrivatePgbouncer;
pub use postgres::PrivatePostgres;
pub use redis::PrivateRedis;
pub use redises::{PrivateCluster, PrivateSentinel};

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Error;

const STEP: Duration = Duration::from_millis(10);
const STEPS: u32 = 3_000;

/// After so many steps a server that was asked to end is killed.
const STUBBORN: u32 = 500;

/// Starts `"$@"`, says its process id, and ends it (by the signal in `$end`) when the pipe closes.
const KEEPER: &str = r#"
end=$1; folder=$2; shift 2
"$@" >"$folder/out" 2>&1 </dev/null &
server=$!
echo "$server"
read -r closed
kill -CONT "$server" 2>/dev/null
kill "-$end" "$server" 2>/dev/null
wait "$server"
rm -rf "$folder"
"#;

/// A folder of its own, removed when dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn make() -> Result<Self, Error> {
        let mut bytes = [0_u8; 8];
        getrandom::fill(&mut bytes).map_err(|error| Error::Server(error.to_string()))?;
        let name: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        // Short: the path of a Unix socket has at most 107 bytes.
        let path = std::env::temp_dir().join(format!("bz-{name}"));
        fs::create_dir(&path).map_err(|source| Error::Unread {
            path: path.clone(),
            source,
        })?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The keeper may have been first.
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// A server's process with its keeper.
#[derive(Debug)]
struct Server {
    keeper: Child,
    process: String,
    folder: Folder,
}

impl Server {
    /// Starts `command`, which is ended by `end` (`TERM`, `QUIT`).
    fn start(command: &[&OsStr], end: &str, folder: Folder) -> Result<Self, Error> {
        let mut keeper = Command::new("sh");
        keeper
            .args(["-c", KEEPER, "keeper", end])
            .arg(folder.path())
            .args(command);
        let mut keeper = keeper
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Error::Server(format!("sh does not start: {error}")))?;
        let mut process = String::new();
        if let Some(out) = keeper.stdout.take() {
            BufReader::new(out)
                .read_line(&mut process)
                .map_err(|error| Error::Server(error.to_string()))?;
        }
        Ok(Self {
            keeper,
            process: process.trim().to_owned(),
            folder,
        })
    }

    fn signal(&self, name: &str) -> Result<(), Error> {
        // The shell's own: the program `kill` is not on every machine.
        let done = Command::new("sh")
            .args(["-c", r#"kill "-$1" "$2""#, "kill", name])
            .arg(&self.process)
            .stderr(Stdio::null())
            .status();
        match done {
            Ok(status) if status.success() => Ok(()),
            _ => Err(Error::Server(format!(
                "process {} takes no {name}",
                self.process
            ))),
        }
    }

    /// The first thread may be gone while another still holds the sockets open.
    fn lives(&self) -> bool {
        let process = Path::new("/proc").join(&self.process);
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        let threads = fs::read_dir(process.join("task")).map_or(0, Iterator::count);
        threads > 1
            || stat
                .rsplit_once(')')
                .is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
    }

    /// Waits until `ready`, and fails at once when the server has ended.
    fn wait(&self, ready: impl Fn() -> bool) -> Result<(), Error> {
        for _ in 0..STEPS {
            if ready() {
                return Ok(());
            }
            if !self.lives() {
                break;
            }
            thread::sleep(STEP);
        }
        let out = fs::read_to_string(self.folder.path().join("out")).unwrap_or_default();
        Err(Error::Server(format!(
            "the server did not start; it said:\n{out}"
        )))
    }

    /// Kills it at once, with no time to save anything; the keeper stays.
    fn kill(&self) -> Result<(), Error> {
        self.end("KILL")
    }

    /// Ends it by a signal, and waits until it is gone; the keeper stays.
    fn end(&self, signal: &str) -> Result<(), Error> {
        self.signal(signal)?;
        for _ in 0..STEPS {
            if !self.lives() {
                return Ok(());
            }
            thread::sleep(STEP);
        }
        Err(Error::Server(format!(
            "process {} does not die",
            self.process
        )))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        for step in 0..STEPS {
            if !matches!(self.keeper.try_wait(), Ok(None)) {
                return;
            }
            if step == STUBBORN {
                // Fails where it has ended by now, which is what is wanted.
                let _ended = self.signal("KILL");
            }
            thread::sleep(STEP);
        }
    }
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16, Error> {
    let free =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    free.map(|address| address.port())
        .map_err(|error| Error::Server(format!("no free port: {error}")))
}

/// The path of a program, from `PATH` and `more` folders.
fn find(program: &'static str, package: &'static str, more: &[PathBuf]) -> Result<PathBuf, Error> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(more.iter().cloned());
    let found = folders
        .map(|folder| folder.join(program))
        .find(|file| file.is_file());
    found.ok_or(Error::Missing { program, package })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_an_error_that_names_its_package() {
        let error = find("no-such-program", "no-such-package", &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no-such-program is not installed: install the Debian package no-such-package, as `cargo xtask test` does when it is root"
        );
    }

    #[test]
    fn a_server_that_ends_at_once_is_an_error_with_its_last_words() {
        let folder = Folder::make().unwrap();
        let command = ["sh", "-c", "echo no room; exit 1"].map(OsStr::new);
        let server = Server::start(&command, "TERM", folder).unwrap();
        let error = server.wait(|| false).unwrap_err();
        assert!(error.to_string().contains("no room"), "{error}");
    }

    #[test]
    fn dropping_a_server_ends_it_though_it_is_frozen_and_removes_its_folder() {
        let folder = Folder::make().unwrap();
        let path = folder.path().to_owned();
        let server = Server::start(&["sleep", "600"].map(OsStr::new), "TERM", folder).unwrap();
        server.signal("STOP").unwrap();
        let stat = format!("/proc/{}", server.process);
        assert!(fs::exists(&stat).unwrap());
        drop(server);
        assert!(!fs::exists(&stat).unwrap());
        assert!(!fs::exists(&path).unwrap());
    }
}

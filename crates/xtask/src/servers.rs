//! The mock provider and the gateway, as the SDK tests meet them: programs on loopback ports.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Failure;
use crate::tree;

const LOG: &str = "gateway.log";
const STEP: Duration = Duration::from_millis(50);
const STEPS: u32 = 400;

/// The gateway with the mock behind it. Both end when this is dropped.
#[derive(Debug)]
pub(crate) struct Servers {
    mock: Child,
    gateway: Child,
    pub(crate) mock_url: String,
    pub(crate) url: String,
    pub(crate) master_key: String,
    pub(crate) mock_key: String,
    /// A virtual key without limits.
    pub(crate) key: String,
    /// Where the gateway ran: what it printed and stored.
    pub(crate) folder: PathBuf,
}

impl Servers {
    /// Starts both from `programs`, in an empty `folder`.
    pub(crate) fn start(programs: &Path, folder: &Path) -> Result<Self, Failure> {
        // What a run before this one left would be found by it.
        let _none = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut mock = spawn(Command::new(programs.join("bartizan-mock")).stdout(Stdio::piped()))?;
        let mock_url = first_line(&mut mock)?;
        let port = free_port()?;
        let (master_key, mock_key, pepper) = (secret()?, secret()?, secret()?);
        let log = folder.join(LOG);
        let out = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let err = out.try_clone().map_err(|error| error.to_string())?;
        let mut gateway = Command::new(programs.join("bartizan-gateway"));
        gateway
            .arg("--config")
            .arg(tree::root().join("tests/sdk/gateway.yaml"))
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .current_dir(folder)
            .env("LITELLM_MASTER_KEY", &master_key)
            .env("LITELLM_SALT_KEY", &pepper)
            .env("MOCK_KEY", &mock_key)
            .env("MOCK_OPENAI_BASE", format!("{mock_url}/v1"))
            .env("MOCK_ANTHROPIC_BASE", &mock_url)
            .env("RUST_LOG", "trace")
            .stdout(out)
            .stderr(err);
        let gateway = match spawn(&mut gateway) {
            Ok(gateway) => gateway,
            Err(failure) => {
                end(&mut mock);
                return Err(failure);
            }
        };
        let url = format!("http://127.0.0.1:{port}");
        let mut servers = Self {
            mock,
            gateway,
            mock_url,
            url,
            master_key,
            mock_key,
            key: String::new(),
            folder: folder.to_owned(),
        };
        servers.wait(port)?;
        servers.key = servers.mint(port)?;
        Ok(servers)
    }

    fn wait(&mut self, port: u16) -> Result<(), Failure> {
        for _ in 0..STEPS {
            if matches!(self.gateway.try_wait(), Ok(Some(_))) {
                break;
            }
            if ask(port, "GET", "/health/liveliness", &self.master_key, "")
                .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
            {
                return Ok(());
            }
            thread::sleep(STEP);
        }
        let said = fs::read_to_string(self.folder.join(LOG)).unwrap_or_default();
        let last: Vec<&str> = said.lines().rev().take(20).collect();
        Err(format!(
            "the gateway did not start; its last lines, newest first:\n{}",
            last.join("\n")
        ))
    }

    fn mint(&self, port: u16) -> Result<String, Failure> {
        let answer = ask(
            port,
            "POST",
            "/key/generate",
            &self.master_key,
            r#"{"key_alias":"sdk-tests"}"#,
        )?;
        let key = answer
            .split_once("\"key\":")
            .and_then(|(_, rest)| rest.split('"').nth(1));
        key.map(str::to_owned).ok_or_else(|| {
            let head: Vec<&str> = answer.lines().take(1).collect();
            format!("/key/generate gave no key: {}", head.concat())
        })
    }

    /// The file in which the tests write, a line each, the texts that no log may hold either.
    pub(crate) fn planted(&self) -> PathBuf {
        self.folder.join("planted")
    }

    /// The secrets that no log may hold.
    pub(crate) fn secrets(&self) -> [(&'static str, &str); 3] {
        [
            ("the master key", &self.master_key),
            ("the provider's key", &self.mock_key),
            ("a virtual key", &self.key),
        ]
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        end(&mut self.gateway);
        end(&mut self.mock);
    }
}

/// The replay server, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Replay {
    server: Child,
    pub(crate) url: String,
}

impl Replay {
    pub(crate) fn start() -> Result<Self, Failure> {
        let program = tree::target().join("debug/bartizan-replay");
        let mut server = spawn(Command::new(program).stdout(Stdio::piped()))?;
        let url = first_line(&mut server)?;
        Ok(Self { server, url })
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        end(&mut self.server);
    }
}

/// The gateway as a Presidio, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Presidio {
    gateway: Child,
    pub(crate) url: String,
}

impl Presidio {
    /// Starts it in an empty `folder`.
    pub(crate) fn start(folder: &Path) -> Result<Self, Failure> {
        let _none = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let port = free_port()?;
        let mut gateway = Command::new(tree::target().join("debug/bartizan-gateway"));
        gateway
            .arg("--config")
            .arg(tree::root().join("tests/sdk/presidio/gateway.yaml"))
            .current_dir(folder)
            .env("BARTIZAN_MASTER_KEY", secret()?)
            .env("LISTEN", format!("127.0.0.1:{}", free_port()?))
            .env("PRESIDIO_LISTEN", format!("127.0.0.1:{port}"))
            .stdout(Stdio::null());
        let mut presidio = Self {
            gateway: spawn(&mut gateway)?,
            url: format!("http://127.0.0.1:{port}"),
        };
        for _ in 0..STEPS {
            if matches!(presidio.gateway.try_wait(), Ok(Some(_))) {
                break;
            }
            if ask(port, "GET", "/health", "", "")
                .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
            {
                return Ok(presidio);
            }
            thread::sleep(STEP);
        }
        Err("the gateway did not start as a Presidio".to_owned())
    }
}

impl Drop for Presidio {
    fn drop(&mut self) {
        end(&mut self.gateway);
    }
}

fn spawn(command: &mut Command) -> Result<Child, Failure> {
    command
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("{:?}: {error}", command.get_program()))
}

fn end(child: &mut Child) {
    // Either fails only where the child has ended.
    let _killed = child.kill();
    let _ended = child.wait();
}

fn first_line(child: &mut Child) -> Result<String, Failure> {
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out)
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
    }
    let line = line.trim();
    if line.is_empty() {
        Err("the server did not start".to_owned())
    } else {
        Ok(line.to_owned())
    }
}

fn free_port() -> Result<u16, Failure> {
    let free =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    free.map(|address| address.port())
        .map_err(|error| format!("no free port: {error}"))
}

/// A key that is new in each run, so that what is found of it is from this run.
fn secret() -> Result<String, Failure> {
    let mut bytes = [0_u8; 24];
    let read = File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes));
    read.map_err(|error| format!("/dev/urandom: {error}"))?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("sk-{hex}"))
}

/// One request, and all of its answer.
fn ask(port: u16, method: &str, path: &str, key: &str, body: &str) -> Result<String, Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut answer = Vec::new();
    let asked = TcpStream::connect(address).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )?;
        stream.read_to_end(&mut answer)
    });
    asked.map_err(|error| format!("{method} {path}: {error}"))?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

//! Who is measured, and how each is started.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::Process;

const MASTER: &str = "sk-6f0d2b9c4e8a71f3d5b60c9e82a4f71d";

/// A server under load.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) process: Process,
    pub(crate) address: String,
    pub(crate) key: String,
    pub(crate) folder: PathBuf,
}

/// Builds what is started, as it is released.
pub(crate) fn build() -> Result<(), Box<dyn Error>> {
    let built = Command::new("cargo")
        .args([
            "build",
            "--quiet",
            "--release",
            "-p",
            "bartizan-gateway",
            "-p",
            "bartizan-testkit",
            "-p",
            "bartizan-benches",
            "--bins",
        ])
        .status()?;
    if built.success() {
        Ok(())
    } else {
        Err("the build failed".into())
    }
}

/// The mock provider: 634 bytes, or 53 events written one by one.
pub(crate) fn mock(_: &Path) -> Result<(Process, String), Box<dyn Error>> {
    let (process, said) = Process::start_and_hear(Command::new(binary("bartizan-mock")?).args([
        "--bench",
        "--threads",
        "1",
    ]))?;
    Ok((process, said.trim_start_matches("http://").to_owned()))
}

impl Peer {
    /// The mock itself.
    pub(crate) fn direct(process: Process, address: &str) -> Self {
        Self::new(
            "direct (the mock itself)",
            process,
            address.to_owned(),
            "none",
            &std::env::temp_dir(),
        )
    }

    /// nginx, passing on with kept-alive connections.
    pub(crate) fn nginx(folder: &Path, upstream: &str) -> Result<Self, Box<dyn Error>> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let configuration = folder.join("nginx.conf");
        let here = folder.display();
        std::fs::write(
            &configuration,
            format!(
                "daemon off; worker_processes 1; pid {here}/nginx.pid; error_log {here}/nginx.log;\n\
                 events {{ worker_connections 1024; }}\n\
                 http {{ access_log off; client_body_temp_path {here}/body; proxy_temp_path {here}/proxy; fastcgi_temp_path {here}/fastcgi;\n\
                 uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;\n\
                 upstream mock {{ server {upstream}; keepalive 64; keepalive_requests 100000000; }}\n\
                 server {{ listen {address}; keepalive_requests 100000000; client_body_buffer_size 64k;\n\
                 location / {{ proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_buffering off; }} }} }}\n"
            ),
        )?;
        let process = Process::start(
            Command::new("nginx")
                .arg("-c")
                .arg(&configuration)
                .arg("-p")
                .arg(folder),
        )?;
        listening(&address)?;
        Ok(Self::new("nginx", process, address, "none", folder))
    }

    /// The raw hyper proxy.
    pub(crate) fn raw(upstream: &str) -> Result<Self, Box<dyn Error>> {
        let (process, address) = Process::start_and_hear(
            Command::new(binary("raw-proxy")?).args(["127.0.0.1:0", upstream]),
        )?;
        Ok(Self::new(
            "raw hyper proxy",
            process,
            address,
            "none",
            &std::env::temp_dir(),
        ))
    }

    /// The gateway with its default stack: audit (strict), auth, limit, guard, pii.
    pub(crate) fn gateway(folder: &Path, upstream: &str) -> Result<Self, Box<dyn Error>> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let configuration = folder.join("gateway.yaml");
        std::fs::write(
            &configuration,
            format!(
                "model_list:\n  - model_name: mock-bench\n    litellm_params:\n      model: openai/mock-bench\n      api_base: http://{upstream}/v1\n      api_key: not-a-secret\n\
                 general_settings:\n  master_key: {MASTER}\nbartizan:\n  listen: {address}\n  data_dir: {}\n",
                folder.join("data").display()
            ),
        )?;
        let process = Process::start(
            Command::new(binary("bartizan-gateway")?)
                .arg("--config")
                .arg(&configuration)
                .stdout(Stdio::null()),
        )?;
        listening(&address)?;
        let key = mint(&address)?;
        Ok(Self::new(
            "bartizan-gateway",
            process,
            address,
            &key,
            folder,
        ))
    }

    fn new(
        name: &'static str,
        process: Process,
        address: String,
        key: &str,
        folder: &Path,
    ) -> Self {
        Self {
            name,
            process,
            address,
            key: key.to_owned(),
            folder: folder.to_owned(),
        }
    }
}

/// Makes a virtual key without limits of its own.
fn mint(address: &str) -> Result<String, Box<dyn Error>> {
    let mut socket = TcpStream::connect(address)?;
    let body = r#"{"models":["mock-bench"]}"#;
    write!(
        socket,
        "POST /key/generate HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {MASTER}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let key = answer
        .split("\"sk-bz-")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    Ok(format!(
        "sk-bz-{}",
        key.ok_or_else(|| format!("no key was made: {answer}"))?
    ))
}

fn binary(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let folder = std::env::current_exe()?;
    Ok(folder.parent().ok_or("no folder")?.join(name))
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn listening(address: &str) -> Result<(), Box<dyn Error>> {
    for _ in 0..100 {
        if TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(format!("nothing listens on {address}").into())
}

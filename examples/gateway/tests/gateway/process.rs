//! Runs the gateway in a folder of its own.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use bartizan_testkit::MockProvider;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::http::{Answer, ask};

pub(crate) const MASTER: &str = "sk-9f1c6bd2a07e43f58b3d6e2c914a7f05";
pub(crate) const PEPPER: &str = "0c4e8f5a6b1d4e2f9a735d8c2b7f1e60";
pub(crate) const PROVIDER_KEY: &str = "sk-provider-5a0d83f7c2164be9";

/// A gateway under test. It ends when this is dropped.
pub(crate) struct Gateway {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) folder: TempDir,
    caller: OnceCell<String>,
}

/// How to start one.
pub(crate) struct Start {
    config: Option<String>,
    arguments: Vec<String>,
    env: Vec<(String, String)>,
    scheme: &'static str,
}

impl Start {
    /// With `config`, and a port of its own.
    pub(crate) fn with(config: impl Into<String>) -> Self {
        Self {
            config: Some(config.into()),
            ..Self::bare()
        }
    }

    /// Without a configuration.
    pub(crate) fn bare() -> Self {
        Self {
            config: None,
            arguments: vec!["--port".into(), "0".into()],
            env: Vec::new(),
            scheme: "http",
        }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn https(mut self) -> Self {
        self.scheme = "https";
        self
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bartizan-gateway"));
        command
            .current_dir(folder)
            .env_clear()
            .args(&self.arguments)
            .stdin(Stdio::null());
        if let Some(config) = &self.config {
            let path = folder.join("config.yaml");
            fs::write(&path, config).unwrap();
            command.arg("--config").arg(path);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it, and waits until it listens.
    pub(crate) fn run(self) -> Gateway {
        self.run_in(tempfile::tempdir().unwrap())
    }

    pub(crate) fn run_in(self, folder: TempDir) -> Gateway {
        let (out, err) = (folder.path().join("stdout"), folder.path().join("stderr"));
        let mut command = self.command(folder.path());
        command
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap());
        let mut child = command.spawn().unwrap();
        let began = Instant::now();
        loop {
            let said = fs::read_to_string(&out).unwrap();
            let marker = format!("listens on {}://", self.scheme);
            if let Some((_, rest)) = said.split_once(&marker)
                && let Some((address, _)) = rest.split_once('\n')
            {
                let address = address.parse().unwrap();
                return Gateway {
                    child,
                    address,
                    folder,
                    caller: OnceCell::new(),
                };
            }
            if let Some(status) = child.try_wait().unwrap() {
                panic!(
                    "the gateway ended with {status}: {}",
                    fs::read_to_string(&err).unwrap()
                );
            }
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "the gateway does not listen"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Runs it to its end, which must come by itself.
    pub(crate) fn fails(self) -> (i32, String) {
        let folder = tempfile::tempdir().unwrap();
        let mut child = self
            .command(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if began.elapsed() > Duration::from_secs(20) {
                child.kill().unwrap();
                panic!("it serves");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = child.wait_with_output().unwrap();
        (
            output.status.code().unwrap_or(-1),
            String::from_utf8(output.stderr).unwrap(),
        )
    }
}

/// The configuration of most tests: three models with the mock behind them, no guardrails, and what `more` adds.
pub(crate) fn config(mock: &MockProvider, more: &str) -> String {
    guarded(mock, &format!("guardrails: []\n{more}"))
}

/// The same with the guardrails that run where none are configured.
pub(crate) fn guarded(mock: &MockProvider, more: &str) -> String {
    let url = mock.url();
    format!(
        "model_list:\n\
         - {{model_name: gpt, litellm_params: {{model: openai/some-model, api_base: '{url}/v1', api_key: {PROVIDER_KEY}}}}}\n\
         - {{model_name: other, litellm_params: {{model: openai/some-model, api_base: '{url}/v1', api_key: {PROVIDER_KEY}}}}}\n\
         - {{model_name: claude, litellm_params: {{model: anthropic/some-model, api_base: '{url}', api_key: {PROVIDER_KEY}, max_tokens: 100}}}}\n\
         general_settings: {{master_key: {MASTER}}}\n\
         {more}\n"
    )
}

impl Gateway {
    /// One request with the key that is for it: the master key, which manages, or a caller's, which calls models.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let manages = path.starts_with("/key/") && !path.starts_with("/key/info");
        let key = if manages { MASTER } else { self.caller().await };
        self.ask_as(key, method, path, body).await
    }

    /// A virtual key that calls every model.
    pub(crate) async fn caller(&self) -> &str {
        self.caller.get_or_init(|| self.key("{}")).await
    }

    /// The header in which the caller's key goes.
    pub(crate) async fn bearer(&self) -> String {
        format!("Bearer {}", self.caller().await)
    }

    pub(crate) async fn ask_as(&self, key: &str, method: &str, path: &str, body: &str) -> Answer {
        let authorization = format!("Bearer {key}");
        ask(
            self.address,
            method,
            path,
            &[
                ("authorization", &authorization),
                ("content-type", "application/json"),
            ],
            body,
        )
        .await
    }

    pub(crate) async fn chat(&self, model: &str, text: &str) -> Answer {
        self.ask("POST", "/v1/chat/completions", &chat(model, text, ""))
            .await
    }

    /// A virtual key with these fields.
    pub(crate) async fn key(&self, fields: &str) -> String {
        let answer = self.ask_as(MASTER, "POST", "/key/generate", fields).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["key"].as_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// All that it printed so far.
    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(self.path("stdout")).unwrap()
    }

    /// All that it logged so far.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.path("stderr")).unwrap()
    }

    /// What of it lies in memory, in KB.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "it does not end");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends it in the middle of whatever it does, and gives its folder.
    pub(crate) async fn kill(mut self) -> TempDir {
        self.signal("KILL");
        self.ended().await;
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// Asks it to end, and gives its folder.
    pub(crate) async fn stop(mut self) -> TempDir {
        self.signal("TERM");
        assert!(self.ended().await.success(), "{}", self.stderr());
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A chat request; `more` comes before its end, with a comma in front.
pub(crate) fn chat(model: &str, text: &str, more: &str) -> String {
    let text = serde_json::to_string(text).unwrap();
    format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":{text}}}]{more}}}"#)
}

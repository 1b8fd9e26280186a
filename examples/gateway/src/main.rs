//! An LLM gateway built from Bartizan's layers: one binary, one YAML file in LiteLLM's words.
//!
//! [`stack`] is what to read first: the layers in their order. [`config`] reads the file, [`server`] holds the sockets, [`routes`] and
//! [`provider`] are the two ends of a call.

mod administrators;
mod cli;
mod config;
mod demo;
mod fetch;
mod identity;
mod jwt;
mod limits;
mod presidio;
mod provider;
mod rotation;
mod routes;
mod serve;
mod server;
mod spend;
mod stack;
mod state;
mod store;
mod watch;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use secrecy::{ExposeSecret as _, SecretString};

use cli::{Command, HELP};
use config::{Problem, Settings};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Something is wrong with what the gateway was told, and not with the machine.
const BAD_CONFIGURATION: u8 = 2;

fn main() -> ExitCode {
    let command = match cli::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(error) => return complain(&error.to_string(), BAD_CONFIGURATION),
    };
    let done = match command {
        Command::Help => say(HELP),
        Command::Version => say(concat!(
            "bartizan-gateway ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        )),
        Command::Keygen { pepper } => match if pepper {
            state::random()
        } else {
            state::master_key()
        } {
            Ok(key) => say(&format!("{}\n", key.expose_secret())),
            Err(error) => return complain(&error.to_string(), 1),
        },
        Command::Check { config } => return check(config),
        Command::Serve(options) => return serve::run(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn check(named: Option<PathBuf>) -> ExitCode {
    let Some(path) = find(named) else {
        return complain(
            "no configuration is here: name one with --config",
            BAD_CONFIGURATION,
        );
    };
    match load(&path) {
        Ok(settings) => {
            if let Some(Err(error)) = settings.server.tls.as_ref().map(server::Tls::open) {
                return complain(&error.to_string(), BAD_CONFIGURATION);
            }
            let text = format!(
                "{}: sound; {} deployments\n",
                path.display(),
                settings.deployments.len()
            );
            say(&text).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        Err(problems) => complain(&problems, BAD_CONFIGURATION),
    }
}

/// The configuration's path: the one that is named, else the environment's, else the one that lies here.
fn find(named: Option<PathBuf>) -> Option<PathBuf> {
    let here = || Some(PathBuf::from("bartizan.yaml")).filter(|path| path.exists());
    named
        .or_else(|| {
            std::env::var_os("BARTIZAN_CONFIG")
                .filter(|path| !path.is_empty())
                .map(Into::into)
        })
        .or_else(here)
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads a configuration, or says all that is wrong with it.
fn load(path: &Path) -> Result<Settings, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    Settings::read(&SecretString::from(text), &env)
        .map_err(|problems| list(&path.display().to_string(), &problems))
}

fn list(of: &str, problems: &[Problem]) -> String {
    let count = problems.len();
    let mut text = format!(
        "{of}: {count} {}",
        if count == 1 {
            "thing is wrong"
        } else {
            "things are wrong"
        }
    );
    for problem in problems {
        text.push_str("\n  ");
        text.push_str(&problem.to_string());
    }
    text
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn complain(text: &str, code: u8) -> ExitCode {
    // Where even that can't be said, the exit code has to do.
    let _ = writeln!(io::stderr(), "bartizan-gateway: {text}");
    ExitCode::from(code)
}

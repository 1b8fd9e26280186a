//! What the tests need beside a Rust toolchain.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Failure;
use crate::tree;

/// A program that some tests need.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Need {
    Redis,
    Postgres,
    Pgbouncer,
    Python,
    Kill,
}

const ALL: [Need; 5] = [
    Need::Redis,
    Need::Postgres,
    Need::Pgbouncer,
    Need::Python,
    Need::Kill,
];

impl Need {
    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Postgres => "postgresql",
            Self::Pgbouncer => "pgbouncer",
            Self::Python => "python3-venv",
            Self::Kill => "procps",
        }
    }

    fn is_there(self) -> bool {
        match self {
            Self::Redis => succeeds("redis-server", &["--version"]),
            Self::Postgres => {
                succeeds("postgres", &["--version"]) || Path::new("/usr/lib/postgresql").is_dir()
            }
            Self::Pgbouncer => {
                succeeds("pgbouncer", &["--version"]) || Path::new("/usr/sbin/pgbouncer").is_file()
            }
            Self::Python => succeeds("python3", &["-c", "import ensurepip, venv"]),
            Self::Kill => succeeds("kill", &["-l"]),
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tests = match self {
            Self::Redis => "tests with redis in their names",
            Self::Postgres => "tests with postgres in their names",
            Self::Pgbouncer => "tests with pgbouncer in their names",
            Self::Python => {
                "the SDK tests, Presidio, the management API by its document and the ONNX runtime"
            }
            Self::Kill => "tests that signal a process",
        };
        write!(
            f,
            "{tests} need the Debian package {0}: as root, apt-get install {0}",
            self.package()
        )
    }
}

/// Installs what is missing where it may, and gives what is missing still.
pub(crate) fn setup() -> Result<Vec<Need>, Failure> {
    let missing = missing();
    let may = succeeds("sh", &["-c", "[ \"$(id -u)\" = 0 ] && command -v apt-get"]);
    if missing.is_empty() || !may {
        return Ok(missing);
    }
    let apt = |arguments: &[&str]| {
        tree::run(
            Command::new("apt-get")
                .args(["-q", "-y"])
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )
    };
    apt(&["update"])?;
    let packages: Vec<&str> = missing.iter().map(|need| need.package()).collect();
    apt(&[&["install", "--no-install-recommends"], packages.as_slice()].concat())?;
    Ok(self::missing())
}

fn missing() -> Vec<Need> {
    ALL.into_iter().filter(|need| !need.is_there()).collect()
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

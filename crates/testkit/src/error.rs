use std::io;
use std::path::PathBuf;

/// What a test's own means could not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program that the test needs is not there.
    #[error(
        "{program} is not installed: install the Debian package {package}, as `cargo xtask test` does when it is root"
    )]
    Missing {
        /// The program.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// A private server did not do as told.
    #[error("{0}")]
    Server(String),
    /// A path could not be read or made.
    #[error("{path}: {source}")]
    Unread {
        /// The path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Canaries could not be made or searched for.
    #[error("canaries: {0}")]
    Canaries(String),
}

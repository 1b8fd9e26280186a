//! The replay server as a program, for the SDKs' tests: says where it listens in its first line, and serves until it is killed.

use std::io::Write as _;

use bartizan_replay::server;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (listener, url) = server::listen().await?;
    let mut out = std::io::stdout();
    writeln!(out, "{url}")?;
    out.flush()?;
    server::serve(listener).await
}

//! One peer under one load.

use std::error::Error;
use std::process::Command;
use std::time::Duration;

use crate::peers::Peer;

/// A load.
pub(crate) struct Shape<'a> {
    pub(crate) name: &'static str,
    pub(crate) body: &'a str,
    pub(crate) connections: u32,
}

/// What came of it.
pub(crate) struct Cell {
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    pub(crate) p50: String,
    pub(crate) p99: String,
    pub(crate) cpu: Duration,
}

/// Loads the peer for a second that is not counted.
pub(crate) fn warm(peer: &Peer, shape: &Shape<'_>) -> Result<(), Box<dyn Error>> {
    wrk(peer, shape, 1).map(drop)
}

/// Loads the peer for `seconds`.
pub(crate) fn measure(
    peer: &Peer,
    shape: &Shape<'_>,
    seconds: u32,
) -> Result<Cell, Box<dyn Error>> {
    let before = peer.process.cpu()?;
    let said = wrk(peer, shape, seconds)?;
    let cpu = peer.process.cpu()?.saturating_sub(before);
    let after = |word: &str| {
        said.lines()
            .find_map(|line| line.trim().strip_prefix(word))
            .map(|rest| rest.trim().to_owned())
            .unwrap_or_default()
    };
    let requests = said
        .lines()
        .find_map(|line| line.trim().split_once(" requests in "))
        .and_then(|(count, _)| count.parse().ok())
        .ok_or_else(|| format!("wrk said nothing of requests:\n{said}"))?;
    let failed = after("Non-2xx or 3xx responses:").parse().unwrap_or(0);
    Ok(Cell {
        requests,
        failed,
        p50: after("50%"),
        p99: after("99%"),
        cpu,
    })
}

fn wrk(peer: &Peer, shape: &Shape<'_>, seconds: u32) -> Result<String, Box<dyn Error>> {
    let script = peer.folder.join("post.lua");
    std::fs::write(
        &script,
        format!(
            "wrk.method = 'POST'\nwrk.body = [==[{}]==]\nwrk.headers['content-type'] = 'application/json'\nwrk.headers['authorization'] = 'Bearer {}'\n",
            shape.body.replace("gpt-4o-mini", "mock-bench"),
            peer.key,
        ),
    )?;
    let said = Command::new("wrk")
        .args([
            "-t1",
            &format!("-c{}", shape.connections),
            &format!("-d{seconds}s"),
            "--latency",
            "--timeout",
            "10s",
            "-s",
        ])
        .arg(&script)
        .arg(format!("http://{}/v1/chat/completions", peer.address))
        .output()?;
    if !said.status.success() {
        return Err(format!("wrk failed: {}", String::from_utf8_lossy(&said.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&said.stdout).into_owned())
}

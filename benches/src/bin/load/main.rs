//! Measures the gateway from outside, beside nginx and a raw hyper proxy, in one run.
//!
//! `cargo run --release -p bartizan-benches --bin load [-- SECONDS]` builds the gateway and the mock provider, starts everything on loopback,
//! loads each in turn with wrk, and prints a table. What is robust is the CPU a request: user and system time of the process over
//! the cell, divided by the requests answered. Requests a second depend on what the load generator and the mock leave.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "prints its result"
)]

mod cell;
mod peers;
mod process;

use std::error::Error;
use std::process::Command;

use bartizan_benches::chat_request;

use cell::{Cell, Shape};
use peers::Peer;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds: u32 = match std::env::args().nth(1) {
        Some(seconds) => seconds.parse().map_err(|_| "usage: load [SECONDS]")?,
        None => 10,
    };
    for tool in ["wrk", "nginx"] {
        if Command::new(tool).arg("-v").output().is_err() {
            return Err(format!(
                "{tool} is not installed: as root, `apt-get install -y wrk nginx-light`"
            )
            .into());
        }
    }
    let folder = tempfile::tempdir()?;
    peers::build()?;
    let (mock, address) = peers::mock(folder.path())?;
    let small = chat_request(276, 1);
    let four = chat_request(4_096, 4);
    let streamed = small.replace("\"stream\":false", "\"stream\":true");
    let shapes = [
        Shape {
            name: "4 KB, 32 at once",
            body: &four,
            connections: 32,
        },
        Shape {
            name: "4 KB, 1 at once",
            body: &four,
            connections: 1,
        },
        Shape {
            name: "276 B, stream of 53 events, 1 at once",
            body: &streamed,
            connections: 1,
        },
    ];
    let peers = [
        Peer::direct(mock, &address),
        Peer::nginx(folder.path(), &address)?,
        Peer::raw(&address)?,
        Peer::gateway(folder.path(), &address)?,
    ];
    println!(
        "| peer | cell | CPU µs a request | requests/s | p50 ms | p99 ms | failed | RSS MiB after (peak) |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for shape in &shapes {
        for peer in &peers {
            cell::warm(peer, shape)?;
            let Cell {
                requests,
                failed,
                p50,
                p99,
                cpu,
            } = cell::measure(peer, shape, seconds)?;
            let (rss, peak) = peer.process.memory()?;
            println!(
                "| {} | {} | {:.0} | {:.0} | {p50} | {p99} | {failed} | {:.0} ({:.0}) |",
                peer.name,
                shape.name,
                cpu.as_secs_f64() * 1e6 / requests.max(1) as f64,
                requests as f64 / f64::from(seconds),
                rss as f64 / 1024.0,
                peak as f64 / 1024.0,
            );
        }
    }
    Ok(())
}

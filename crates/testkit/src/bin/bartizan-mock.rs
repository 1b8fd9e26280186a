//! The mock provider as a program, for load tests and for tests in other languages.
//!
//! `bartizan-mock [--port N] [--script WORDS] [--bench] [--threads N]` listens on 127.0.0.1, says where in its first line
//! (`http://127.0.0.1:PORT`), and serves until it is killed. The vocabulary stands in `bartizan_testkit::mock`. With `--bench` each
//! answer is 634 bytes, or 53 events written one by one; nothing is recorded.

use std::error::Error;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use bartizan_testkit::{MockProvider, Script};

#[derive(Debug)]
struct Arguments {
    port: u16,
    script: Script,
    bench: bool,
    threads: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = arguments(std::env::args().skip(1))?;
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.threads)
        .enable_all()
        .build()?
        .block_on(serve(arguments))
}

async fn serve(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let provider = if arguments.bench {
        MockProvider::start_fast(address).await?
    } else {
        MockProvider::start_at(address, arguments.script).await?
    };
    let mut out = std::io::stdout();
    writeln!(out, "{}", provider.url())?;
    out.flush()?;
    std::future::pending().await
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, Box<dyn Error>> {
    let mut arguments = Arguments {
        port: 0,
        script: Script::echo(),
        bench: false,
        threads: 1,
    };
    while let Some(name) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--port" => arguments.port = value()?.parse()?,
            "--script" => arguments.script = arguments.script.with_words(&value()?)?,
            "--threads" => arguments.threads = value()?.parse::<usize>()?.max(1),
            "--bench" => arguments.bench = true,
            _ => {
                return Err(format!(
                    "{name:?} is none of --port N, --script WORDS, --bench, --threads N"
                )
                .into());
            }
        }
    }
    Ok(arguments)
}

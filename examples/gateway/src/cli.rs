//! The command line.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use lexopt::prelude::{Long, Short, Value};

pub(crate) const HELP: &str = "\
bartizan-gateway: an LLM gateway that masks, guards, limits and records

usage:
  bartizan-gateway [serve] [--config FILE] [--host ADDRESS] [--port PORT] [--log FILTER]
  bartizan-gateway check [--config FILE]     says all that is wrong with a configuration
  bartizan-gateway keygen [--pepper]         makes a master key, or a pepper

options:
  -c, --config FILE    the configuration; else BARTIZAN_CONFIG, else ./bartizan.yaml if it is there
      --host ADDRESS   the address to listen on, in place of the configuration's
      --port PORT      the port likewise
      --log FILTER     what to log, such as info or bartizan_gateway=debug; else RUST_LOG, else info
  -h, --help           this text
  -V, --version        the version

Without a configuration it serves the providers whose keys it finds in OPENAI_API_KEY and ANTHROPIC_API_KEY; without
those, a model `demo` that it plays itself.
";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Serve(Serve),
    Check { config: Option<PathBuf> },
    Keygen { pepper: bool },
    Help,
    Version,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Serve {
    pub(crate) config: Option<PathBuf>,
    pub(crate) host: Option<IpAddr>,
    pub(crate) port: Option<u16>,
    pub(crate) log: Option<String>,
}

/// Reads the command line.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Command, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut verb: Option<String> = None;
    let (mut serve, mut pepper) = (Serve::default(), false);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Short('V') | Long("version") => return Ok(Command::Version),
            Short('c') | Long("config") => serve.config = Some(parser.value()?.into()),
            Long("host") => {
                let host = parser.value()?;
                serve.host = Some(if host == "localhost" {
                    IpAddr::from([127, 0, 0, 1])
                } else {
                    lexopt::ValueExt::parse(&host)?
                });
            }
            Long("port") => serve.port = Some(lexopt::ValueExt::parse(&parser.value()?)?),
            Long("log") => serve.log = Some(lexopt::ValueExt::string(parser.value()?)?),
            Long("pepper") => pepper = true,
            Value(word) if verb.is_none() => verb = Some(lexopt::ValueExt::string(word)?),
            other => return Err(other.unexpected()),
        }
    }
    let command = match verb.as_deref() {
        None | Some("serve") if !pepper => Command::Serve(serve),
        Some("check") if only_config(&serve) && !pepper => Command::Check {
            config: serve.config,
        },
        Some("keygen") if serve == Serve::default() => Command::Keygen { pepper },
        Some("serve" | "check" | "keygen") | None => {
            return Err("these options don't belong together; see --help".into());
        }
        Some(word) => {
            return Err(format!("{word:?} is no command; serve, check and keygen are").into());
        }
    };
    Ok(command)
}

fn only_config(serve: &Serve) -> bool {
    serve.host.is_none() && serve.port.is_none() && serve.log.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(Into::into)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_reads_as_help_says() {
        let serve = |config: Option<&str>, host: Option<&str>, port| {
            Command::Serve(Serve {
                config: config.map(Into::into),
                host: host.map(|host| host.parse().unwrap()),
                port,
                log: None,
            })
        };
        for (line, command) in [
            ("", serve(None, None, None)),
            ("serve", serve(None, None, None)),
            ("-c a.yaml", serve(Some("a.yaml"), None, None)),
            (
                "--config=a.yaml serve --port 0",
                serve(Some("a.yaml"), None, Some(0)),
            ),
            (
                "--host localhost --port 4001",
                serve(None, Some("127.0.0.1"), Some(4001)),
            ),
            ("--host ::1", serve(None, Some("::1"), None)),
            (
                "check -c a.yaml",
                Command::Check {
                    config: Some("a.yaml".into()),
                },
            ),
            ("keygen", Command::Keygen { pepper: false }),
            ("keygen --pepper", Command::Keygen { pepper: true }),
            ("keygen --help", Command::Help),
            ("-V", Command::Version),
        ] {
            assert_eq!(parse_line(line).as_ref(), Ok(&command), "{line}");
        }
        for line in [
            "sevre",
            "serve check",
            "--port 65536",
            "--host here",
            "--prot 1",
            "check --port 1",
            "keygen -c x",
            "--pepper",
            "-c",
        ] {
            assert!(parse_line(line).is_err(), "{line}");
        }
    }
}

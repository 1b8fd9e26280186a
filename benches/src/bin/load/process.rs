//! A process of the run, ended with it, and what the kernel says of it.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A started process; killed when dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts `command`.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Box<dyn Error>> {
        Ok(Self(command.stdin(Stdio::null()).spawn()?))
    }

    /// Starts `command` and waits for its first line.
    pub(crate) fn start_and_hear(command: &mut Command) -> Result<(Self, String), Box<dyn Error>> {
        let mut process = Self::start(command.stdout(Stdio::piped()))?;
        let out = process.0.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        Ok((process, line.trim().to_owned()))
    }

    /// User and system time so far, children that it has included, at the kernel's 100 ticks a second.
    pub(crate) fn cpu(&self) -> Result<Duration, Box<dyn Error>> {
        let mut ticks = 0;
        for id in self.tree()? {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
            let fields = stat.rsplit_once(") ").ok_or("an odd /proc")?.1;
            let field = |at: usize| {
                fields
                    .split(' ')
                    .nth(at)
                    .and_then(|field| field.parse::<u64>().ok())
                    .unwrap_or(0)
            };
            ticks += field(11) + field(12);
        }
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Resident memory now, and at its highest, in KiB.
    pub(crate) fn memory(&self) -> Result<(u64, u64), Box<dyn Error>> {
        let (mut now, mut peak) = (0, 0);
        for id in self.tree()? {
            let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
            let field = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name));
                line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok())
                    .unwrap_or(0)
            };
            now += field("VmRSS:");
            peak += field("VmHWM:");
        }
        Ok((now, peak))
    }

    /// The process and its children: nginx has workers.
    fn tree(&self) -> Result<Vec<u32>, Box<dyn Error>> {
        let id = self.0.id();
        let children =
            std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        Ok(std::iter::once(id)
            .chain(
                children
                    .split_whitespace()
                    .filter_map(|child| child.parse().ok()),
            )
            .collect())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGTERM through the shell's kill: nginx then ends its workers too.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        std::thread::sleep(Duration::from_millis(300));
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

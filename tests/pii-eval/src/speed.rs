//! What finding personal data takes, beside Presidio in the same run, on the texts of the benches.

use std::fmt;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use bartizan_pii::Analyzer;

use crate::presidio::Session;
use crate::prose::{ENGLISH, HINDI, Prose};
use crate::{Dataset, Failure, clock};

/// All are measured one after the other, so many times: what slows a machine down then slows them all down.
const ROUNDS: usize = 5;
/// How long a text is analyzed again and again in each round.
const OURS: Duration = Duration::from_millis(10);
const THEIRS: Duration = Duration::from_millis(50);
/// Calls whose times are ranked, each by itself.
const CALLS: usize = 20_000;
/// Bytes in one run over a data set.
const TIMED_BYTES: usize = 4 << 20;

/// One text, and what it took each.
#[derive(Clone, Debug)]
struct Row {
    prose: Prose,
    findings: usize,
    size: usize,
    ours: Took,
    /// Presidio as the evaluation runs it, and with the recognisers of all states.
    theirs: Option<[Took; 2]>,
}

/// The median of all rounds.
#[derive(Clone, Copy, Debug, Default)]
struct Took {
    call: Duration,
    found: usize,
}

/// Single calls by rank.
#[derive(Clone, Debug)]
struct Ranks {
    prose: Prose,
    size: usize,
    on_a_core: Vec<Duration>,
    on_the_wall: Vec<Duration>,
}

/// Everything that was measured, as a table.
#[derive(Clone, Debug)]
pub struct Speed {
    rows: Vec<Row>,
    ranks: Vec<Ranks>,
    /// Presidio's version, and how many recognisers each of its two sets has.
    presidio: Option<(String, [u64; 2])>,
}

impl Speed {
    /// Measures all kinds on each text, beside Presidio where `python` is an interpreter that has it.
    ///
    /// # Errors
    ///
    /// Presidio can't be started, or answers something else than times.
    pub fn measure(python: Option<&Path>) -> Result<Self, Failure> {
        let analyzer = Analyzer::all();
        let mut session = python.map(Session::start).transpose()?;
        let mut rows = Vec::new();
        for prose in [ENGLISH, HINDI] {
            for findings in [0, 1, 10] {
                for size in [256, 4 << 10, 32 << 10] {
                    let text = prose.text(size, findings);
                    let (mut ours, mut theirs) = (Vec::new(), [Vec::new(), Vec::new()]);
                    for _ in 0..ROUNDS {
                        ours.push(again_and_again(&analyzer, &text));
                        if let Some(session) = &mut session {
                            for (every, theirs) in [false, true].into_iter().zip(&mut theirs) {
                                let (call, found) = session.time(&text, every, THEIRS)?;
                                theirs.push(Took { call, found });
                            }
                        }
                    }
                    rows.push(Row {
                        prose,
                        findings,
                        size: text.len(),
                        ours: median(ours),
                        theirs: session.is_some().then(|| theirs.map(median)),
                    });
                }
            }
        }
        let ranks = [ENGLISH, HINDI].map(|prose| Ranks::of(&analyzer, prose));
        Ok(Self {
            rows,
            ranks: ranks.into(),
            presidio: session.map(|session| (session.version.clone(), session.recognizers)),
        })
    }
}

/// What all texts of `dataset` take, without what is written down of them: the least of five runs. Nothing where it would be the time of a build
/// that isn't optimised.
#[must_use]
pub fn fastest(analyzer: &Analyzer, dataset: &Dataset) -> Duration {
    if cfg!(debug_assertions) {
        return Duration::ZERO;
    }
    let passes = (TIMED_BYTES / dataset.len().max(1)).max(1) as u32;
    let once = || {
        let start = clock::on_a_core();
        for case in (0..passes).flat_map(|_| &dataset.cases) {
            black_box(analyzer.analyze(black_box(&case.text)));
        }
        clock::on_a_core().saturating_sub(start) / passes
    };
    (0..ROUNDS).map(|_| once()).min().unwrap_or_default()
}

fn again_and_again(analyzer: &Analyzer, text: &str) -> Took {
    let (mut calls, start) = (0, clock::on_a_core());
    loop {
        // The clock is asked seldom: it takes as long as a short text.
        for _ in 0..16 {
            black_box(analyzer.analyze(black_box(text)));
        }
        calls += 16;
        let took = clock::on_a_core().saturating_sub(start);
        if took >= OURS {
            return Took {
                call: took / calls,
                found: analyzer.analyze(text).len(),
            };
        }
    }
}

fn median(mut rounds: Vec<Took>) -> Took {
    rounds.sort_unstable_by_key(|took| took.call);
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}

impl Ranks {
    /// 4 KB with ten findings in each.
    fn of(analyzer: &Analyzer, prose: Prose) -> Self {
        let text = prose.text(4 << 10, 10);
        let (mut on_a_core, mut on_the_wall) = (Vec::new(), Vec::new());
        for _ in 0..CALLS {
            let (wall, core) = (clock::on_the_wall(), clock::on_a_core());
            black_box(analyzer.analyze(black_box(&text)));
            on_a_core.push(clock::on_a_core().saturating_sub(core));
            on_the_wall.push(clock::on_the_wall().saturating_sub(wall));
        }
        on_a_core.sort_unstable();
        on_the_wall.sort_unstable();
        Self {
            prose,
            size: text.len(),
            on_a_core,
            on_the_wall,
        }
    }
}

/// Microseconds a KB.
fn a_kb(took: Duration, size: usize) -> f64 {
    took.as_secs_f64() * 1e6 / (size.max(1) as f64 / 1024.0)
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "µs a KB, the median of {ROUNDS} rounds; `found` in the whole text"
        )?;
        if let Some((version, [some, all])) = &self.presidio {
            writeln!(
                f,
                "Presidio {version}: {some} pattern recognizers, {all} with those of all states"
            )?;
        }
        write!(
            f,
            "\n{:8} {:>8} {:>7} {:>8} {:>6}",
            "text", "a KB", "bytes", "ours", "found"
        )?;
        if self.presidio.is_some() {
            for which in ["Presidio", "all on"] {
                write!(f, " {which:>10} {:>6} {:>8}", "found", "times")?;
            }
        }
        writeln!(f)?;
        for row in &self.rows {
            let ours = a_kb(row.ours.call, row.size);
            write!(
                f,
                "{:8} {:>8} {:>7} {ours:>8.2} {:>6}",
                row.prose.language, row.findings, row.size, row.ours.found
            )?;
            for theirs in row.theirs.iter().flatten() {
                let call = a_kb(theirs.call, row.size);
                write!(f, " {call:>10.0} {:>6} {:>8.0}", theirs.found, call / ours)?;
            }
            writeln!(f)?;
        }
        writeln!(
            f,
            "\nµs a KB of {CALLS} single calls, 4 KB with ten findings in each\n"
        )?;
        writeln!(f, "{:8} {:24} {:>8} {:>8}", "text", "", "p50", "p99")?;
        for ranks in &self.ranks {
            for (name, calls) in [
                ("while it had a core", &ranks.on_a_core),
                ("by the clock on the wall", &ranks.on_the_wall),
            ] {
                let rank = |part: usize| {
                    let call = calls.get(calls.len() * part / 100).copied();
                    a_kb(call.unwrap_or_default(), ranks.size)
                };
                let (half, most) = (rank(50), rank(99));
                writeln!(
                    f,
                    "{:8} {name:24} {half:>8.2} {most:>8.2}",
                    ranks.prose.language
                )?;
            }
        }
        Ok(())
    }
}

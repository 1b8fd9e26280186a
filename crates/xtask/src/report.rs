use std::time::{Duration, SystemTime};

/// What each step came to, for the last lines.
#[derive(Debug, Default)]
pub(crate) struct Report {
    steps: Vec<Step>,
    /// What could not be run on this machine, and what would mend it.
    unrun: Vec<String>,
    strict: bool,
}

#[derive(Debug)]
struct Step {
    name: String,
    passed: bool,
    took: Duration,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Makes it a failure that something could not be run.
    pub(crate) fn strict(&mut self) {
        self.strict = true;
    }

    /// Runs a step and remembers how it went and how long it took.
    pub(crate) fn step(&mut self, name: &str, run: impl FnOnce() -> Result<(), crate::Failure>) {
        println!("\n==> {name}");
        let start = SystemTime::now();
        let done = run();
        if let Err(failure) = &done {
            println!("{failure}");
        }
        let took = start.elapsed().unwrap_or_default();
        self.steps.push(Step {
            name: name.to_owned(),
            passed: done.is_ok(),
            took,
        });
    }

    pub(crate) fn unrun(&mut self, what: String) {
        self.unrun.push(what);
    }

    pub(crate) fn passed(&self) -> bool {
        self.steps.iter().all(|step| step.passed) && (self.unrun.is_empty() || !self.strict)
    }

    pub(crate) fn print(&self) {
        if self.steps.is_empty() && self.unrun.is_empty() {
            return;
        }
        println!();
        for step in &self.steps {
            let word = if step.passed { "passed" } else { "FAILED" };
            println!(
                "{word} in {:>6.1} s: {}",
                step.took.as_secs_f64(),
                step.name
            );
        }
        for what in &self.unrun {
            println!("could not run here: {what}");
        }
        let passed = self.steps.iter().filter(|step| step.passed).count();
        let failed = self.steps.len() - passed;
        println!(
            "steps: {passed} passed, {failed} failed, {} skipped",
            self.unrun.len()
        );
    }
}

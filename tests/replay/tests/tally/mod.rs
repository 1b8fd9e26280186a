//! Counts cases by pair, and says what is wrong with which.

#![allow(
    dead_code,
    clippy::print_stdout,
    reason = "each test file uses a part, and a tally is told"
)]

use std::collections::BTreeMap;

use bartizan_replay::api::Api;
use bartizan_replay::exchanges::Exchange;

#[derive(Debug, Default)]
struct Pair {
    cases: usize,
    unsupported: usize,
    wrong: Vec<String>,
}

/// The cases of one test.
#[derive(Debug)]
pub(crate) struct Tally {
    what: &'static str,
    pairs: BTreeMap<(&'static str, &'static str), Pair>,
}

/// One case.
#[derive(Debug)]
pub(crate) struct Case<'t> {
    pair: &'t mut Pair,
    name: String,
}

impl Tally {
    pub(crate) fn new(what: &'static str) -> Self {
        Self {
            what,
            pairs: BTreeMap::new(),
        }
    }

    pub(crate) fn case(&mut self, exchange: &Exchange, client: Api) -> Case<'_> {
        self.pair(client, exchange.api, exchange.name())
    }

    pub(crate) fn pair(&mut self, client: Api, provider: Api, name: String) -> Case<'_> {
        let pair = self
            .pairs
            .entry((client.name(), provider.name()))
            .or_default();
        pair.cases += 1;
        Case { pair, name }
    }

    /// Says all, and fails where something is wrong.
    pub(crate) fn settle(self) {
        let (mut cases, mut wrong, mut unsupported) = (0, 0, 0);
        for ((client, provider), pair) in &self.pairs {
            println!(
                "{client:>20} from {provider:<20} {:>4} {}, {} wrong, {} unsupported",
                pair.cases,
                self.what,
                pair.wrong.len(),
                pair.unsupported
            );
            cases += pair.cases;
            wrong += pair.wrong.len();
            unsupported += pair.unsupported;
        }
        for ((client, provider), pair) in &self.pairs {
            let chosen = std::env::var("BARTIZAN_SHOW")
                .ok()
                .and_then(|most| most.parse().ok());
            for one in pair.wrong.iter().take(chosen.unwrap_or(5)) {
                println!("{client} from {provider}: {one}");
            }
        }
        println!(
            "{cases} {}: {wrong} wrong, {unsupported} without translation",
            self.what
        );
        assert_eq!((wrong, unsupported), (0, 0), "{}", self.what);
    }
}

impl Case<'_> {
    pub(crate) fn unsupported(self) {
        self.pair.unsupported += 1;
    }

    pub(crate) fn found(self, wrong: Vec<String>) {
        if !wrong.is_empty() {
            self.pair
                .wrong
                .push(format!("{}: {}", self.name, wrong.join("; ")));
        }
    }
}

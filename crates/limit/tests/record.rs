//! What is told of calls that have ended, and what was spent before.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::{
    Bounds, BoxError, Budget, Cost, Identity, Level, Prices, Principal, Refusal, Scope,
};
use bartizan_limit::store::{Away, Charge, Claim, Counter, Decision, LimitStore};
use bartizan_limit::{EndUsers, Local, Outcome, Payer, Record, Settled, Spent};
use http_body_util::BodyExt;
use support::{Answer, Setup, Then, chat, request, setup, stream, told};

#[derive(Clone, Debug, Default)]
struct Book {
    settled: Arc<Mutex<Vec<Settled>>>,
    full: Arc<AtomicBool>,
}

impl Record for Book {
    fn settled(&self, settled: Settled) {
        self.settled.lock().unwrap().push(settled);
    }

    fn takes(&self) -> bool {
        !self.full.load(Ordering::SeqCst)
    }
}

fn prices() -> BTreeMap<String, Prices> {
    let prices = Prices {
        input: Some("0.001".parse().unwrap()),
        output: Some("0.01".parse().unwrap()),
        ..Prices::default()
    };
    BTreeMap::from([("m".to_owned(), prices)])
}

#[tokio::test]
async fn every_call_that_was_let_pass_is_told_once_with_what_it_used() {
    let book = Book::default();
    let users = EndUsers::new("0123456789abcdef0123456789abcdef".into()).unwrap();
    let setup = setup(|layer| layer.record(book.clone()).prices(prices()).end_users(users));
    setup.clock.advance(Duration::from_secs(77));
    let key = Principal::assume_verified(Identity::new("k").team_id("t"));
    let cut = Answer::Events(stream(true)[..2].to_vec(), Then::Hang);
    for (answer, reads, outcome, cost, estimated) in [
        (Answer::usage(200, 3), 9, Outcome::Complete, "0.23", false),
        (
            Answer::Events(stream(true), Then::End),
            99,
            Outcome::Complete,
            "0.111",
            false,
        ),
        (cut, 2, Outcome::Aborted, "0.3", true),
        (
            Answer::Json(500, "{}".into()),
            9,
            Outcome::Failed,
            "0",
            false,
        ),
        (Answer::Refused, 9, Outcome::Failed, "0", false),
        (Answer::Opaque("abc"), 9, Outcome::Complete, "0.6", true),
    ] {
        let sent = chat(r#","max_tokens":50,"user":"ada""#);
        let mut body = setup.call(&key, &sent, &answer).await.into_body();
        for _ in 0..reads {
            if body.frame().await.is_none() {
                break;
            }
        }
        drop(body);
        let told = std::mem::take(&mut *book.settled.lock().unwrap());
        assert_eq!(told.len(), 1);
        let told = &told[0];
        assert_eq!(
            (told.outcome, told.estimated, told.priced),
            (outcome, estimated, true)
        );
        assert_eq!(told.cost.to_string(), cost, "{outcome:?}");
        assert_eq!(told.at, Duration::from_secs(77));
        assert_eq!(told.model.as_deref(), Some("m"));
        assert_eq!(told.principal.as_ref().unwrap().team_id(), Some("t"));
        assert!(
            told.end_user
                .as_ref()
                .is_some_and(|user| user.len() == 32 && !user.contains("ada"))
        );
    }
    // What asks for nothing is no call that could use something.
    let mut look = request(Some(&key), "");
    (*look.method_mut(), *look.uri_mut()) = (http::Method::GET, "/v1/models".parse().unwrap());
    setup
        .send(look, &Answer::Json(200, "{}".into()))
        .await
        .unwrap();
    assert!(book.settled.lock().unwrap().is_empty());
}

/// S9: a caller may write anything in the place of a model's name.
#[tokio::test]
async fn a_name_that_no_model_has_answered_to_is_not_told() {
    let book = Book::default();
    let setup = setup(|layer| layer.record(book.clone()).prices(prices()));
    let key = Principal::assume_verified(Identity::new("k"));
    for (answer, model) in [
        (Answer::Json(404, "{}".into()), None),
        (Answer::Refused, None),
        (Answer::usage(1, 1), Some("my secret")),
    ] {
        let sent = chat("").replacen(r#""m""#, r#""my secret""#, 1);
        drop(
            setup
                .call(&key, &sent, &answer)
                .await
                .into_body()
                .collect()
                .await,
        );
        let told = std::mem::take(&mut *book.settled.lock().unwrap());
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].model.as_deref(), model);
    }
}

#[tokio::test]
async fn calls_that_cannot_be_recorded_are_refused() {
    let book = Book::default();
    let setup = setup(|layer| layer.record(book.clone()));
    let key = Principal::assume_verified(Identity::new("k"));
    assert_eq!(
        setup
            .call(&key, &chat(""), &Answer::usage(1, 1))
            .await
            .status(),
        200
    );
    book.full.store(true, Ordering::SeqCst);
    let response = setup.call(&key, &chat(""), &Answer::Never).await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
}

/// Ninety cents were spent in each period, unless the ledger is away.
#[derive(Clone, Debug, Default)]
struct Before {
    asked: Arc<AtomicU64>,
    away: Arc<AtomicBool>,
}

impl Spent for Before {
    async fn spent(&self, payer: &Payer, since: Duration) -> Result<Cost, BoxError> {
        assert_eq!(
            (payer.level, &*payer.id, payer.model.as_deref()),
            ("team", "t", None)
        );
        assert_eq!(since, Duration::ZERO);
        tokio::task::yield_now().await;
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) {
            return Err("away".into());
        }
        Ok(Cost::from_dollars("0.9".parse().unwrap()).unwrap())
    }
}

fn spender(dollars: &str) -> Principal {
    let budget = Budget {
        max_budget: Some(dollars.parse().unwrap()),
        budget_duration: Some("1mo".parse().unwrap()),
        ..Budget::default()
    };
    Principal::assume_verified(Identity::new("k").scope(Scope {
        level: Level::Team,
        id: "t".to_owned(),
        tier: None,
        bounds: Bounds {
            budget,
            ..Bounds::default()
        },
        model_bounds: BTreeMap::new(),
    }))
}

#[tokio::test]
async fn what_was_spent_before_counts_and_is_asked_for_once() {
    let before = Before::default();
    let setup = setup(|layer| layer.spent(before.clone()).prices(prices()));
    let key = spender("1.4");
    let wants = |output: u64| format!(r#"{{"model":"m","messages":[],"max_tokens":{output}}}"#);
    let status = async |setup: &Setup, output| {
        setup
            .call(&key, &wants(output), &Answer::usage(0, 10))
            .await
            .status()
            .as_u16()
    };
    assert_eq!(
        status(&setup, 50).await,
        429,
        "0.9 and 0.501 are more than 1.4"
    );
    assert_eq!(status(&setup, 49).await, 200);
    assert_eq!(before.asked.load(Ordering::SeqCst), 1);

    before.away.store(true, Ordering::SeqCst);
    let setup = support::setup(|layer| layer.spent(before.clone()).prices(prices()));
    assert_eq!(
        status(&setup, 1).await,
        503,
        "a budget that nobody knows lets nobody pass"
    );
    before.away.store(false, Ordering::SeqCst);
    assert_eq!(status(&setup, 1).await, 200);
}

/// A store that decides alone at the moment, or not at all.
#[derive(Debug)]
struct Alone {
    local: Local,
    away: bool,
}

impl LimitStore for Alone {
    async fn decide(&self, claims: &[Claim]) -> Result<Decision, Away> {
        tokio::task::yield_now().await;
        if self.away {
            return Err(Away::Unreachable);
        }
        self.local.decide(claims).await
    }

    fn settle(&self, claims: &[Claim], charge: Charge, used: &[u64]) {
        self.local.settle(claims, charge, used);
    }

    async fn seed(&self, counter: &Counter, spent: u64) -> Result<(), Away> {
        self.local.seed(counter, spent).await
    }

    fn degraded(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_store_that_decides_alone_is_told_on_every_answer() {
    let key = Principal::assume_verified(Identity::new("k"));
    for (away, statuses) in [(false, [200, 429]), (true, [503, 503])] {
        let setup = setup(|layer| {
            let local = Local::new();
            layer.store(Alone { local, away }).default_rpm(1)
        });
        for status in statuses {
            let response = setup.call(&key, &chat(""), &Answer::usage(1, 1)).await;
            assert_eq!(response.status(), status);
            assert_eq!(
                told(response.headers(), "x-bartizan-limits"),
                Some("degraded")
            );
            if away {
                let refusal = response.extensions().get::<Refusal>().unwrap();
                assert_eq!(refusal.code(), "limits_unavailable");
            }
        }
    }
}

//! A client that leaves at any await leaves nothing behind.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bartizan_core::{Body, BoxError, Budget, Cost, Level, Prices};
use bartizan_limit::store::{Away, Charge, Claim, Counter, Decision, LimitStore};
use bartizan_limit::{Allowance, LimitLayer, Local, Payer, Spent};
use http::Request;
use http_body_util::BodyExt;
use support::{Answer, Then, chat, key, request, stream};
use tower::{Layer, ServiceExt, service_fn};

/// A store that takes its time over everything.
#[derive(Clone, Debug)]
struct Slow(Local);

impl LimitStore for Slow {
    async fn decide(&self, claims: &[Claim]) -> Result<Decision, Away> {
        tokio::task::yield_now().await;
        self.0.decide(claims).await
    }

    fn settle(&self, claims: &[Claim], charge: Charge, used: &[u64]) {
        self.0.settle(claims, charge, used);
    }

    async fn seed(&self, counter: &Counter, spent: u64) -> Result<(), Away> {
        tokio::task::yield_now().await;
        self.0.seed(counter, spent).await
    }
}

#[derive(Debug)]
struct Nothing;

impl Spent for Nothing {
    async fn spent(&self, _: &Payer, _: Duration) -> Result<Cost, BoxError> {
        tokio::task::yield_now().await;
        Ok(Cost::ZERO)
    }
}

#[tokio::test]
async fn a_cancel_at_every_await_gives_back_what_was_taken() {
    let budget = Budget {
        max_budget: Some("100".parse().unwrap()),
        ..Budget::default()
    };
    let allowance = Allowance::new()
        .rpm(1_000)
        .tpm(1_000_000)
        .parallel_requests(1)
        .parallel_streams(1)
        .budget(budget)
        .unwrap();
    let prices = Prices {
        input: Some("0.001".parse().unwrap()),
        output: Some("0.001".parse().unwrap()),
        ..Prices::default()
    };
    let local = Local::new();
    let layer = LimitLayer::new()
        .store(Slow(local.clone()))
        .spent(Nothing)
        .prices(BTreeMap::from([("m".to_owned(), prices)]))
        .default_limits(Level::Key, allowance);
    let service = layer.layer(service_fn(|_: Request<Body>| async {
        tokio::task::yield_now().await;
        let answer = Answer::Events(stream(true), Then::End);
        Ok::<_, Infallible>(answer.respond().unwrap())
    }));
    let mut finished = false;
    for polls in 0..100 {
        let key = key(&format!("k{polls}"), None, None);
        let sent = request(Some(&key), &chat(r#","stream":true"#));
        let service = service.clone();
        let mut call = Box::pin(async move {
            let response = service.oneshot(sent).await.unwrap();
            assert_eq!(response.status(), 200);
            let mut body = response.into_body();
            while let Some(frame) = body.frame().await {
                frame.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let mut held = false;
        for _ in 0..polls {
            let poll = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            held |= local.held() > 0;
            if let Poll::Ready(()) = poll {
                finished = true;
                break;
            }
        }
        drop(call);
        assert_eq!(
            (layer.under_way(), local.held()),
            (0, 0),
            "after {polls} polls"
        );
        // What was awaited last: the store, the ledger, the provider, or one of the events.
        assert!(polls < 6 || held, "after {polls} polls nothing was held");
        if finished {
            assert!(polls > 10, "{polls} polls see everything");
            break;
        }
    }
    assert!(finished);
}

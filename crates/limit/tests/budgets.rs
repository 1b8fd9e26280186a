//! Budgets hold, however calls end.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::Context;
use std::time::Duration;

use bartizan_core::{
    Body, Bounds, Budget, Identity, Level, Prices, Principal, Refusal, RefusalKind, Scope, Served,
};
use bartizan_limit::{BudgetAlerts, LimitLayer, Reached};
use http::{Request, Response};
use http_body_util::BodyExt;
use support::{Answer, Then, request, setup, stream, told};
use tower::{Layer, Service, ServiceExt, service_fn};

/// A dollar for a thousand tokens of input, and as much for a hundred of output.
fn prices() -> Prices {
    Prices {
        input: Some("0.001".parse().unwrap()),
        output: Some("0.01".parse().unwrap()),
        ..Prices::default()
    }
}

fn list() -> BTreeMap<String, Prices> {
    BTreeMap::from([("m".to_owned(), prices())])
}

fn spender(key: &str, level: Level, dollars: &str, period: Option<&str>) -> Principal {
    let budget = Budget {
        max_budget: Some(dollars.parse().unwrap()),
        budget_duration: period.map(|period| period.parse().unwrap()),
        ..Budget::default()
    };
    let id = if level == Level::Key { key } else { "shared" };
    Principal::assume_verified(Identity::new(key).scope(Scope {
        level,
        id: id.to_owned(),
        tier: None,
        bounds: Bounds {
            budget,
            ..Bounds::default()
        },
        model_bounds: BTreeMap::new(),
    }))
}

/// 100 tokens of input by estimate, and at most 50 of output: 0.1 and 0.5 dollars.
fn body() -> String {
    static BODY: LazyLock<String> = LazyLock::new(|| support::chat(r#","max_tokens":50"#));
    BODY.clone()
}

/// What the budget has left, by the largest call that it lets pass: of output tokens, a hundredth of a dollar each.
async fn left(setup: &support::Setup, key: &Principal) -> u64 {
    let (mut least, mut most) = (0_u64, 10_000_u64);
    while least < most {
        let wanted = (least + most).div_ceil(2);
        let body = format!(r#"{{"model":"m","messages":[],"max_tokens":{wanted}}}"#);
        let answer = Answer::Json(500, "{}".into());
        if setup.call(key, &body, &answer).await.status() == 429 {
            most = wanted - 1;
        } else {
            least = wanted;
        }
    }
    least
}

#[tokio::test]
async fn money_is_settled_to_what_is_known_however_the_call_ends() {
    let cut = |count: usize, then| Answer::Events(stream(true)[..count].to_vec(), then);
    // (what comes back, hundredths of a dollar that it costs)
    for (name, answer, cents) in [
        ("usage told", Answer::usage(300, 20), 50),
        ("more than reserved", Answer::usage(2_000, 300), 500),
        (
            "no usage: input and the words",
            Answer::Json(
                200,
                format!(
                    r#"{{"choices":[{{"index":0,"message":{{"role":"assistant","content":"{}"}}}}]}}"#,
                    support::ten_tokens()
                ),
            ),
            10 + 10,
        ),
        (
            "stream with usage",
            Answer::Events(stream(true), Then::End),
            2 + 9,
        ),
        ("stream cut", cut(3, Then::End), 10 + 30),
        ("stream broken", cut(2, Then::Break), 10 + 20),
        ("a provider's error", Answer::Json(500, "{}".into()), 0),
        ("a refusal inside", Answer::Refused, 0),
        ("sound", Answer::Opaque("abc"), 10 + 50),
    ] {
        let setup = setup(|layer| layer.prices(list()));
        let key = spender("k", Level::Key, "10", None);
        let response = setup.call(&key, &body(), &answer).await;
        let _ = response.into_body().collect().await;
        assert_eq!(setup.layer.under_way(), 0, "{name}");
        // A part of a cent more may be spent than is told here.
        let expected = 1_000 - cents;
        let left = left(&setup, &key).await;
        assert!(
            left == expected || left == expected - 1,
            "{name}: {left} of {expected}"
        );
    }
}

#[tokio::test]
async fn a_spent_budget_refuses_until_its_period_is_over_and_is_not_to_be_retried() {
    let setup = setup(|layer| layer.prices(list()));
    let key = spender("k", Level::Key, "1", Some("1d"));
    let paid = setup.call(&key, &body(), &Answer::usage(100, 50)).await;
    let _ = paid.into_body().collect().await;
    let response = setup.call(&key, &body(), &Answer::Never).await;
    assert_eq!(response.status(), 429);
    assert_eq!(told(response.headers(), "x-should-retry"), Some("false"));
    assert_eq!(told(response.headers(), "retry-after"), None);
    let refusal = response.extensions().get::<Refusal>().unwrap().clone();
    assert_eq!(
        (refusal.kind(), refusal.code()),
        (RefusalKind::RateLimited, "insufficient_quota")
    );
    assert_eq!(
        refusal.message(),
        "You exceeded the current quota: the budget of this key does not suffice: Budget $1, Used $0.6, Requested up to $0.6. A call may \
         pass that asks for less: cap its output tokens."
    );
    // A look around is free.
    let mut look = request(Some(&key), "");
    (*look.method_mut(), *look.uri_mut()) = (http::Method::GET, "/v1/models".parse().unwrap());
    assert_eq!(
        setup
            .send(look, &Answer::Json(200, "{}".into()))
            .await
            .unwrap()
            .status(),
        200
    );

    setup.clock.advance(Duration::from_secs(86_399));
    assert_eq!(
        setup.call(&key, &body(), &Answer::Never).await.status(),
        429
    );
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(
        setup
            .call(&key, &body(), &Answer::usage(1, 1))
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn a_teams_budget_binds_all_its_keys_and_its_numbers_are_not_told() {
    let setup = setup(|layer| layer.prices(list()));
    let [one, other] = ["k1", "k2"].map(|key| spender(key, Level::Team, "1", Some("1mo")));
    let paid = setup.call(&one, &body(), &Answer::usage(100, 50)).await;
    let _ = paid.into_body().collect().await;
    let response = setup.call(&other, &body(), &Answer::Never).await;
    let refusal = response.extensions().get::<Refusal>().unwrap();
    assert!(
        refusal
            .message()
            .contains("the budget of this key's team does not suffice")
    );
    assert!(!refusal.message().contains('$'), "{}", refusal.message());
}

#[tokio::test]
async fn who_answered_says_what_it_costs() {
    let setup = setup(|layer| layer.prices(list()));
    let key = spender("k", Level::Key, "10", None);
    let cheap = Prices {
        input: Some("0".parse().unwrap()),
        output: Some("0.005".parse().unwrap()),
        ..Prices::default()
    };
    let service = setup
        .layer
        .layer(service_fn(move |_: Request<Body>| async move {
            let mut response = Answer::usage(100, 40).respond().unwrap();
            let served = Served::new("demo", "m-cheap").prices(cheap);
            response.extensions_mut().insert(served);
            Ok::<_, Infallible>(response)
        }));
    let response = service.oneshot(request(Some(&key), &body())).await.unwrap();
    let _ = response.into_body().collect().await;
    assert_eq!(left(&setup, &key).await, 979, "20 cents, and a part of one");
}

/// Shares and what was spent.
type Shares = Vec<(Option<u8>, u64)>;

#[derive(Clone, Debug, Default)]
struct Heard(Arc<Mutex<Shares>>);

impl BudgetAlerts for Heard {
    fn reached(&self, reached: &Reached) {
        self.0.lock().unwrap().push((reached.share, reached.spent));
    }
}

#[tokio::test]
async fn budgets_that_run_out_are_told_as_they_do() {
    let heard = Heard::default();
    let alerts = heard.clone();
    let setup = setup(|layer| layer.prices(list()).alerts(alerts));
    let key = spender("k", Level::Key, "2", Some("1d"));
    let mut told = Vec::new();
    for _ in 0..5 {
        let response = setup.call(&key, &body(), &Answer::usage(100, 30)).await;
        let _ = response.into_body().collect().await;
        told.append(&mut heard.0.lock().unwrap());
    }
    // Four calls of 40 cents each; the fifth is refused, and tells nothing new.
    let cents = 10_000_000;
    assert_eq!(told, [(Some(50), 120 * cents), (Some(80), 160 * cents)]);
}

/// What becomes of a call in the middle.
async fn end<S>(service: S, number: u64, key: Principal)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let mut call = Box::pin(service.oneshot(request(Some(&key), &body())));
    if number % 5 == 1 {
        // Leaves before the answer, if it was not refused at once.
        let waker = std::task::Waker::noop();
        let _ = call.as_mut().poll(&mut Context::from_waker(waker));
        return;
    }
    let mut answer = call.await.unwrap().into_body();
    // Leaves after so many events, or stays.
    let most = if number.is_multiple_of(3) {
        number % 8
    } else {
        u64::MAX
    };
    for _ in 0..most {
        match answer.frame().await {
            Some(Ok(_)) => tokio::task::yield_now().await,
            Some(Err(_)) | None => break,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_calls_at_once_no_more_are_answered_than_a_budget_of_a_hundred_pays() {
    // 0.6 dollars are reserved for each.
    for dollars in [60, 6] {
        let layer = LimitLayer::new().prices(list());
        let spent = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&spent);
        let calls = Arc::new(AtomicU64::new(0));
        let service = layer.layer(service_fn(move |_: Request<Body>| {
            let (counted, number) = (Arc::clone(&counted), calls.fetch_add(1, Ordering::SeqCst));
            async move {
                tokio::task::yield_now().await;
                // As much as was asked for, in cents; all ways in which an answer may come.
                let answer = match number % 6 {
                    0 => Answer::usage(100, 50),
                    1 => Answer::Json(500, "{}".into()),
                    2 => Answer::Events(stream(true), Then::End),
                    3 => Answer::Events(stream(false), Then::Break),
                    4 => Answer::Opaque("abc"),
                    _ => Answer::Refused,
                };
                if number % 6 == 0 {
                    counted.fetch_add(60, Ordering::SeqCst);
                }
                Ok::<_, Infallible>(answer.respond().unwrap())
            }
        }));
        let key = spender("k", Level::Key, &dollars.to_string(), None);
        let calls = (0..1_000)
            .map(|number| tokio::spawn(end(service.clone(), number, key.clone())))
            .collect::<Vec<_>>();
        for call in calls {
            call.await.unwrap();
        }
        let spent = spent.load(Ordering::SeqCst);
        assert!(spent <= dollars * 100, "{spent} cents of {dollars} dollars");
        assert!(spent > 0);
        assert_eq!(layer.under_way(), 0, "a reservation is left behind");
    }
}

//! One account's access token: kept, and renewed by one exchange at a time.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bartizan_core::json::Json;
use bartizan_core::{Body, Clock};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{Request, StatusCode};
use metrics::counter;
use tokio::sync::watch;

use super::account::Account;
use crate::client::Client;
use crate::error::TokenFault;

/// How long before its end a token is renewed, if it holds long enough.
const AHEAD: Duration = Duration::from_secs(300);

/// How long before its end a token isn't used any more: a call is a while on its way.
const MARGIN: Duration = Duration::from_secs(10);

/// How long after a failure nobody asks again: calls fail at once, or go on with the old token.
const PAUSE: Duration = Duration::from_secs(1);

/// A token for longer is asked for again after this.
const LONGEST: Duration = Duration::from_secs(43_200);

const MAX_ANSWER: usize = 64 * 1024;

type Outcome = Result<HeaderValue, Arc<TokenFault>>;

#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// Set while an exchange is under way; closed if it was dropped.
    flight: Option<watch::Receiver<Option<Outcome>>>,
    /// The last failure, and when it was.
    failed: Option<(Moment, Arc<TokenFault>)>,
}

#[derive(Clone, Debug)]
struct Token {
    value: HeaderValue,
    had: Moment,
    renew: Duration,
    end: Duration,
}

/// A time by both clocks: the wall's may jump back, and the other one stands still while a machine sleeps.
#[derive(Clone, Copy, Debug)]
struct Moment {
    unix: Duration,
    monotonic: Duration,
}

impl Moment {
    fn now(clock: &dyn Clock) -> Self {
        Self {
            unix: clock.unix(),
            monotonic: clock.monotonic(),
        }
    }

    /// The longer of what both say.
    fn since(self, before: Self) -> Duration {
        let unix = self.unix.saturating_sub(before.unix);
        unix.max(self.monotonic.saturating_sub(before.monotonic))
    }
}

impl Tokens {
    /// The value of `authorization` that holds now, from the endpoint if none does.
    pub(super) async fn bearer(
        self: &Arc<Self>,
        account: &Arc<Account>,
        client: &Client,
    ) -> Outcome {
        let mut flight = match self.have(account, client) {
            Have::Now(outcome) => return outcome,
            Have::Soon(flight) => flight,
        };
        match flight.wait_for(Option::is_some).await {
            Ok(outcome) => outcome
                .clone()
                .unwrap_or(Err(Arc::new(TokenFault::Dropped))),
            Err(_) => Err(Arc::new(TokenFault::Dropped)),
        }
    }

    // ## No token, or one that ends soon => an exchange is under way: this call started it.
    // ## An exchange is under way => a token: it ended well; or => a failure, after which PAUSE goes by.
    fn have(self: &Arc<Self>, account: &Arc<Account>, client: &Client) -> Have {
        let now = Moment::now(client.clock());
        let mut state = self.state();
        let age = |token: &Token| now.since(token.had);
        let holding = state.token.clone().filter(|token| age(token) < token.end);
        if let Some(token) = &holding
            && age(token) < token.renew
        {
            return Have::Now(Ok(token.value.clone()));
        }
        let under_way = state
            .flight
            .clone()
            .filter(|flight| flight.has_changed().is_ok());
        let paused = state
            .failed
            .clone()
            .filter(|(at, _)| now.since(*at) < PAUSE);
        let flight = match (under_way, paused) {
            (Some(flight), _) => flight,
            (None, Some((_, fault))) => {
                return Have::Now(holding.map(|token| token.value).ok_or(fault));
            }
            (None, None) => {
                let (done, flight) = watch::channel(None);
                state.flight = Some(flight.clone());
                // On its own, so that it ends well even if the caller who began it leaves.
                tokio::spawn(renew(
                    Arc::clone(self),
                    Arc::clone(account),
                    client.clone(),
                    done,
                ));
                flight
            }
        };
        holding.map_or(Have::Soon(flight), |token| Have::Now(Ok(token.value)))
    }

    fn settle(&self, outcome: Result<Token, TokenFault>, now: Moment) -> Outcome {
        let mut state = self.state();
        state.flight = None;
        match outcome {
            Ok(token) => {
                counter!("bartizan.egress.token_exchanges", "outcome" => "had").increment(1);
                let value = token.value.clone();
                state.failed = None;
                state.token = Some(token);
                Ok(value)
            }
            Err(fault) => {
                counter!("bartizan.egress.token_exchanges", "outcome" => "failed").increment(1);
                tracing::warn!(%fault, "no access token could be had");
                let fault = Arc::new(fault);
                state.failed = Some((now, Arc::clone(&fault)));
                Err(fault)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Have {
    Now(Outcome),
    Soon(watch::Receiver<Option<Outcome>>),
}

/// Boxed, since the client that sends this waits for what comes of it.
fn renew(
    tokens: Arc<Tokens>,
    account: Arc<Account>,
    client: Client,
    done: watch::Sender<Option<Outcome>>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let outcome = exchange(&account, &client).await;
        let outcome = tokens.settle(outcome, Moment::now(client.clock()));
        done.send_replace(Some(outcome));
    })
}

async fn exchange(account: &Account, client: &Client) -> Result<Token, TokenFault> {
    // Counted from before the call, so that it never seems to hold longer than it does.
    let had = Moment::now(client.clock());
    let form = account.form(had.unix)?;
    let request = Request::post("/")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json");
    let (parts, body) = request
        .body(Body::from(form))
        .map_err(|_| TokenFault::Unsigned)?
        .into_parts();
    let request = account.endpoint().request(parts, "", body);
    let unreachable = |error| TokenFault::Unreachable(Arc::new(error));
    let answer = client.try_send(request.map_err(unreachable)?).await;
    let (head, body) = answer.map_err(unreachable)?.into_parts();
    let text = body.into_bytes(MAX_ANSWER).await;
    let text = text.map_err(|_| TokenFault::Malformed)?;
    let json = Json::read_bytes(&text, Default::default()).ok();
    if head.status != StatusCode::OK {
        let said = json
            .as_ref()
            .and_then(|json| json.root().get("error")?.text());
        // RFC 6749's own words (`invalid_grant`), and nothing that the endpoint made up.
        let word = said.filter(|said| {
            said.len() <= 40 && said.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        });
        return Err(TokenFault::Refused {
            status: head.status,
            word: word.map(|word| word.into_owned()).unwrap_or_default(),
        });
    }
    let json = json.ok_or(TokenFault::Malformed)?;
    let root = json.root();
    let token = root.get("access_token").and_then(|token| token.text());
    let token =
        token.filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()));
    let kind = root.get("token_type").and_then(|kind| kind.text());
    let holds = root.get("expires_in").and_then(|holds| holds.as_u64());
    let (Some(token), Some(holds)) = (token, holds.filter(|holds| *holds > 0)) else {
        return Err(TokenFault::Malformed);
    };
    if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(TokenFault::Malformed);
    }
    let mut value =
        HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| TokenFault::Malformed)?;
    value.set_sensitive(true);
    let holds = Duration::from_secs(holds).min(LONGEST);
    Ok(Token {
        value,
        had,
        renew: holds - AHEAD.min(holds / 4),
        end: holds - MARGIN.min(holds / 10),
    })
}

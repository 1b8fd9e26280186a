//! Tells alerts to a receiver over HTTP.

mod post;
mod queue;
mod retry;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Clock, SystemClock};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use secrecy::SecretString;
use tokio::task::JoinSet;

pub use post::Post;

use post::AnyPost;
use queue::{Message, Queue};
use retry::{Answer, pause};

use super::alert::{Alert, Alerts};
use super::signature::WebhookKey;
use crate::ConfigError;

/// As many are sent at a time, so that one that the receiver does not take holds up no other.
const AT_ONCE: usize = 4;

/// The first try, and three more.
const TRIES: u32 = 4;

const AGENT: &str = concat!("bartizan/", env!("CARGO_PKG_VERSION"));

/// Sends alerts to a receiver, signed by a [`WebhookKey`]: the [`Alerts`] of a watch. Clones share one queue.
///
/// An alert is one POST of JSON ([`Alert::to_json`]). An answer of 2xx has taken it. Where there is no answer within the
/// [`timeout`](WebhookBuilder::timeout), or one of 408, 429 or 5xx, it is sent again, three times at most, after about 1, 4 and 16 seconds or
/// what `retry-after` asks for, up to a minute; always with one `id`, by which a receiver knows it again, and with a signature of its own.
/// Any other answer gives it up.
///
/// 1,000 alerts wait at most. One that finds no room is dropped, logged and counted.
///
/// ```
/// # use bartizan_auth::watch::Post;
/// # struct Sender;
/// # impl Post for Sender {
/// #     async fn post(&self, _: http::HeaderMap, _: bytes::Bytes) -> Result<http::Response<()>, bartizan_core::BoxError> {
/// #         Ok(http::Response::new(()))
/// #     }
/// # }
/// use std::time::Duration;
///
/// use bartizan_auth::watch::Webhook;
/// use secrecy::SecretString;
///
/// let secret = SecretString::from("9f1c6bd2a07e43f58b3d6e2c914a7f05");
/// let webhook = Webhook::new(&secret, Sender)?;
/// let alerts = webhook.clone(); // for `WatchBuilder::alerts`
/// // In a task of its own:
/// let deliver = { let webhook = webhook.clone(); async move { webhook.deliver().await } };
/// // At the end, once the watch was flushed:
/// let flush = async move { webhook.flush(Duration::from_secs(5)).await };
/// # let _ = (alerts, deliver, flush);
/// # Ok::<(), bartizan_auth::ConfigError>(())
/// ```
///
/// The metric `bartizan.auth.watch.webhook` counts by `outcome`: `delivered`, `refused` (an answer that ends it), `failed` (no try succeeded),
/// `dropped` (no room, or the end came first). `bartizan.auth.watch.webhook_queue` is how many wait.
#[derive(Clone)]
pub struct Webhook(Arc<Inner>);

struct Inner {
    key: WebhookKey,
    post: Box<dyn AnyPost>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    queue: Arc<Queue>,
}

/// Sets up a [`Webhook`].
#[must_use]
pub struct WebhookBuilder {
    key: WebhookKey,
    post: Box<dyn AnyPost>,
    timeout: Duration,
    most: usize,
    clock: Arc<dyn Clock>,
}

impl Webhook {
    /// Creates a webhook that shares `secret`, of at least 32 characters, with its receiver.
    ///
    /// # Errors
    /// [`ConfigError`] when the secret is missing, short, predictable or published.
    pub fn new(secret: &SecretString, post: impl Post) -> Result<Self, ConfigError> {
        Ok(Self::builder(WebhookKey::new(secret)?, post).build())
    }

    /// Sets up a webhook with settings of one's own.
    pub fn builder(key: WebhookKey, post: impl Post) -> WebhookBuilder {
        WebhookBuilder {
            key,
            post: Box::new(post),
            timeout: Duration::from_secs(10),
            most: 1_000,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Sends what waits. It never ends: spawn it. What it was about to send when it is aborted waits for a [`flush`](Self::flush).
    pub async fn deliver(&self) {
        let mut workers = JoinSet::new();
        loop {
            while workers.len() < AT_ONCE {
                let webhook = self.clone();
                workers.spawn(async move {
                    loop {
                        let message = webhook.0.queue.next().await;
                        webhook.send(message).await;
                    }
                });
            }
            // One ends where what sends for it panics.
            workers.join_next().await;
            tracing::error!("a sender of alerts panicked");
        }
    }

    /// Sends what waits, and what is told meanwhile, until nothing is left or the time is up; then takes nothing any more. Gives how many were left.
    pub async fn flush(&self, deadline: Duration) -> usize {
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let webhook = self.clone();
            workers.spawn(async move {
                while webhook.0.queue.has_more().await {
                    if let Some(message) = webhook.0.queue.take() {
                        webhook.send(message).await;
                    }
                }
            });
        }
        let sent = async { while workers.join_next().await.is_some() {} };
        // Whether in time or not, what is left is told.
        let _in_time = tokio::time::timeout(deadline, sent).await;
        let left = self.0.queue.close();
        if left > 0 {
            count("dropped", u64::try_from(left).unwrap_or(u64::MAX));
            tracing::warn!(left, "alerts were not delivered before the end");
        }
        left
    }

    async fn send(&self, under_way: queue::UnderWay) {
        let Some(message) = under_way.message() else {
            return;
        };
        let (id, key_id, rule) = (&*message.id, &*message.key_id, message.rule);
        let mut tries = 0;
        let outcome = loop {
            tries += 1;
            match self.try_once(message).await {
                Answer::Taken => {
                    tracing::debug!(id, tries, "an alert was delivered");
                    break "delivered";
                }
                Answer::Refused(status) => {
                    let status = status.as_u16();
                    tracing::warn!(
                        id,
                        key_id,
                        rule,
                        status,
                        "the receiver of alerts refused one"
                    );
                    break "refused";
                }
                Answer::Again { why, .. } if tries >= TRIES => {
                    tracing::warn!(
                        id,
                        key_id,
                        rule,
                        tries,
                        why,
                        "an alert could not be delivered"
                    );
                    break "failed";
                }
                Answer::Again { why, after } => {
                    let pause = pause(tries, after);
                    tracing::debug!(id, tries, why, ?pause, "an alert is sent again");
                    tokio::time::sleep(pause).await;
                }
            }
        };
        count(outcome, 1);
        under_way.done();
    }

    async fn try_once(&self, message: &Message) -> Answer {
        let now = self.0.clock.unix();
        let Some(headers) = self.headers(now, &message.body) else {
            return Answer::Again {
                why: "it could not be signed".to_owned(),
                after: None,
            };
        };
        let posted = self.0.post.post(headers, message.body.clone());
        let answered = tokio::time::timeout(self.0.timeout, posted).await;
        Answer::of(answered, now)
    }

    fn headers(&self, now: Duration, body: &[u8]) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let signature = HeaderValue::try_from(self.0.key.sign(now, body)).ok()?;
        headers.insert(WebhookKey::HEADER, signature);
        Some(headers)
    }
}

impl Alerts for Webhook {
    /// Waits for nothing.
    async fn alert(&self, alert: Alert) {
        let Ok(body) = alert.to_json() else {
            count("dropped", 1);
            return;
        };
        let message = Message {
            id: alert.id(),
            key_id: alert.key_id,
            rule: alert.rule,
            body: Bytes::from(body),
        };
        if let Err(message) = self.0.queue.push(message) {
            let (id, key_id, rule) = (message.id, message.key_id, message.rule);
            count("dropped", 1);
            tracing::warn!(
                id,
                key_id,
                rule,
                "too many alerts wait for their receiver: one was dropped"
            );
        }
    }
}

impl WebhookBuilder {
    /// How long a try may take. 10 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many alerts wait at most. 1,000 by default.
    pub fn capacity(mut self, alerts: usize) -> Self {
        self.most = alerts;
        self
    }

    /// By which what is sent is dated. The machine's clocks by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Creates the webhook.
    #[must_use]
    pub fn build(self) -> Webhook {
        Webhook(Arc::new(Inner {
            key: self.key,
            post: self.post,
            timeout: self.timeout,
            clock: self.clock,
            queue: Arc::new(Queue::new(self.most)),
        }))
    }
}

fn count(outcome: &'static str, alerts: u64) {
    metrics::counter!("bartizan.auth.watch.webhook", "outcome" => outcome).increment(alerts);
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("timeout", &self.0.timeout)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WebhookBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookBuilder")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

//! Watches from where keys are used, and tells a receiver of what is unusual.

use std::time::Duration;

use bartizan::auth::watch::{GeoIp, Post, Watch, Webhook};
use bartizan::auth::{AuthLayer, Keys};
use bartizan::core::{Body, BoxError};
use bartizan::egress::{Client, Policy, Timeouts};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use tokio::task::JoinHandle;

use crate::config::{WatchSettings, WebhookSettings};

/// How long the receiver may take for what is left at the end.
const FLUSH: Duration = Duration::from_secs(5);

/// A watch with what works for it in the background.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    watch: Watch,
    webhook: Option<Webhook>,
    geoip: Option<GeoIp>,
}

impl Watched {
    /// # Errors
    /// No TLS for the way to the receiver; rules that can't hold.
    pub(crate) fn new(settings: &WatchSettings, keys: &Keys) -> Result<Self, BoxError> {
        let mut builder = Watch::builder(keys.clone())
            .exempt_keys(settings.exempt_keys.iter().cloned())
            .exempt_teams(settings.exempt_teams.iter().cloned())
            .retention(settings.retention)
            .capacity(settings.max_keys);
        for rule in &settings.rules {
            builder = builder.rule(rule.clone());
        }
        if let Some(geoip) = &settings.geoip {
            builder = builder.places(geoip.clone());
        }
        let webhook = settings.webhook.as_ref().map(webhook).transpose()?;
        if let Some(webhook) = &webhook {
            builder = builder.alerts(webhook.clone());
        }
        Ok(Self {
            watch: builder.build()?,
            webhook,
            geoip: settings.geoip.clone(),
        })
    }

    pub(crate) fn onto(&self, layer: AuthLayer) -> AuthLayer {
        layer.watch(self.watch.clone())
    }

    pub(crate) fn start(self) -> Keeping {
        let watched = self.clone();
        let task = tokio::spawn(async move { watched.keep().await });
        Keeping {
            watched: self,
            task,
        }
    }

    async fn keep(&self) {
        let deliver = async {
            if let Some(webhook) = &self.webhook {
                webhook.deliver().await;
            }
        };
        let keep_fresh = async {
            if let Some(geoip) = &self.geoip {
                geoip.keep_fresh().await;
            }
        };
        tokio::join!(self.watch.keep(), deliver, keep_fresh);
    }
}

/// A watch at work.
#[derive(Debug)]
pub(crate) struct Keeping {
    watched: Watched,
    task: JoinHandle<()>,
}

impl Keeping {
    /// Ends it, and tells the store and the receiver what is left.
    pub(crate) async fn end(self) {
        let Watched { watch, webhook, .. } = self.watched;
        self.task.abort();
        // Told to end, it says that it was.
        let _cancelled = self.task.await;
        if tokio::time::timeout(FLUSH, watch.flush()).await.is_err() {
            tracing::warn!("the store did not take all that was seen of keys' use");
        }
        if let Some(webhook) = webhook {
            webhook.flush(FLUSH).await;
        }
    }
}

fn webhook(settings: &WebhookSettings) -> Result<Webhook, BoxError> {
    let origin = settings.origin.clone();
    let policy = if settings.private {
        Policy::closed().allow_private(origin)
    } else {
        Policy::closed().allow(origin)
    };
    let limit = settings.timeout;
    let times = Timeouts::default().head(limit).idle(limit).total(limit);
    let receiver = Receiver {
        client: Client::builder(policy).timeouts(times).build()?,
        url: settings.url.0.clone(),
    };
    let builder = Webhook::builder(settings.key.clone(), receiver);
    Ok(builder.timeout(limit).build())
}

/// Reaches the one who is told, and nobody else.
struct Receiver {
    client: Client,
    url: Uri,
}

impl Post for Receiver {
    async fn post(&self, headers: HeaderMap, body: Bytes) -> Result<Response<()>, BoxError> {
        let mut request = Request::post(self.url.clone()).body(Body::from(body))?;
        *request.headers_mut() = headers;
        match self.client.send(request).await {
            Ok(answer) => Ok(answer.map(|_unread| ())),
            // The code alone: an address may be a secret.
            Err(refusal) => Err(refusal.code().into()),
        }
    }
}

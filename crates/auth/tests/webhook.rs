//! What a webhook's receiver gets, and what becomes of alerts where it does not take them.

#![cfg(feature = "watch")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::collections::{HashSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_auth::MemoryStore;
use bartizan_auth::watch::{Post, Rule, Watch, Webhook, WebhookKey};
use bartizan_core::{BoxError, ClientIp, Clock, ManualClock};
use bytes::Bytes;
use http::{HeaderMap, Response};
use secrecy::SecretString;
use support::{clock, keys};
use tokio::time::{Instant, sleep};

const SECRET: &str = "4f7a1c9e2d8b60358ae1f4c7d90b26e3";
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// What a receiver does with a try.
#[derive(Clone, Copy, Debug)]
enum Does {
    Answer(u16),
    /// Asks to be left alone for so many seconds.
    Busy(u64),
    Hang,
    Fail,
    Panic,
}

/// A receiver that does as it is told, and then what it did last.
#[derive(Clone)]
struct Receiver {
    does: Arc<Mutex<VecDeque<Does>>>,
    got: Arc<Mutex<Vec<(Instant, HeaderMap, Bytes)>>>,
}

impl Receiver {
    fn new(does: impl IntoIterator<Item = Does>) -> Self {
        Self {
            does: Arc::new(Mutex::new(does.into_iter().collect())),
            got: Arc::default(),
        }
    }

    fn tries(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    fn bodies(&self) -> Vec<serde_json::Value> {
        let got = self.got.lock().unwrap();
        let bodies = got.iter().map(|(_, _, body)| body);
        bodies
            .map(|body| serde_json::from_slice(body).unwrap())
            .collect()
    }

    fn ids(&self) -> HashSet<String> {
        let bodies = self.bodies().into_iter();
        bodies
            .map(|body| body["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The pauses between tries, in whole seconds.
    fn pauses(&self) -> Vec<u64> {
        let got = self.got.lock().unwrap();
        let pauses = got.windows(2).map(|pair| pair[1].0 - pair[0].0);
        pauses.map(|pause| pause.as_secs()).collect()
    }
}

impl Post for Receiver {
    async fn post(&self, headers: HeaderMap, body: Bytes) -> Result<Response<()>, BoxError> {
        self.got
            .lock()
            .unwrap()
            .push((Instant::now(), headers, body));
        let does = {
            let mut does = self.does.lock().unwrap();
            let next = does.pop_front().unwrap();
            if does.is_empty() {
                does.push_back(next);
            }
            next
        };
        let answer = Response::builder();
        match does {
            Does::Answer(status) => Ok(answer.status(status).body(()).unwrap()),
            Does::Busy(seconds) => {
                let answer = answer.status(429).header("retry-after", seconds);
                Ok(answer.body(()).unwrap())
            }
            Does::Hang => std::future::pending().await,
            Does::Fail => Err("connection refused".into()),
            Does::Panic => panic!("as told"),
        }
    }
}

/// What a receiver does, how often it is tried, and the seconds between.
type Case = (
    &'static str,
    &'static [Does],
    usize,
    &'static [RangeInclusive<u64>],
);

/// A watch that tells of every second address, and its webhook.
struct Setting {
    receiver: Receiver,
    webhook: Webhook,
    watch: Watch,
    clock: ManualClock,
}

impl Setting {
    fn new(does: impl IntoIterator<Item = Does>) -> Self {
        Self::with_room(does, 1_000)
    }

    fn with_room(does: impl IntoIterator<Item = Does>, capacity: usize) -> Self {
        let (receiver, clock) = (Receiver::new(does), clock());
        let key = WebhookKey::new(&SecretString::from(SECRET)).unwrap();
        let webhook = Webhook::builder(key, receiver.clone())
            .capacity(capacity)
            .clock(clock.clone())
            .build();
        let watch = Watch::builder(keys(MemoryStore::new(), &clock))
            .rule(Rule::addresses(1))
            .clock(clock.clone())
            .alerts(webhook.clone())
            .build()
            .unwrap();
        Self {
            receiver,
            webhook,
            watch,
            clock,
        }
    }

    /// Lets so many callers be told of.
    async fn tell(&self, callers: usize) {
        for caller in 0..callers {
            let identity = bartizan_core::Identity::new(format!("jwt:{caller}"));
            let who = bartizan_core::Principal::assume_verified(identity);
            for address in ["81.1.0.1", "81.1.0.2"] {
                let from = ClientIp(address.parse().unwrap());
                let _verdict = self.watch.saw(&who, from, self.clock.unix());
            }
        }
        self.watch.flush().await;
    }

    fn deliver(&self) -> tokio::task::JoinHandle<()> {
        let webhook = self.webhook.clone();
        tokio::spawn(async move { webhook.deliver().await })
    }
}

#[tokio::test(start_paused = true)]
async fn an_alert_is_sent_until_it_is_taken_or_given_up() {
    use Does::{Answer, Busy, Fail, Hang};
    let cases: [Case; 9] = [
        ("taken", &[Answer(204)], 1, &[]),
        ("500, then 200", &[Answer(500), Answer(200)], 2, &[0..=1]),
        ("down", &[Fail], 4, &[0..=1, 2..=4, 8..=16]),
        (
            "down, then up",
            &[Fail, Fail, Answer(200)],
            3,
            &[0..=1, 2..=4],
        ),
        ("slow", &[Hang], 4, &[10..=11, 12..=14, 18..=26]),
        ("slow, then not", &[Hang, Answer(200)], 2, &[10..=11]),
        ("told to wait", &[Busy(30), Answer(200)], 2, &[30..=30]),
        (
            "told to wait for a day",
            &[Busy(86_400), Answer(200)],
            2,
            &[60..=60],
        ),
        ("refused", &[Answer(404), Answer(200)], 1, &[]),
    ];
    for (case, does, tries, pauses) in cases {
        let setting = Setting::new(does.iter().copied());
        let delivering = setting.deliver();
        setting.tell(1).await;
        sleep(MINUTE * 10).await;
        assert_eq!(setting.receiver.tries(), tries, "{case}");
        assert_eq!(
            setting.receiver.ids().len(),
            1,
            "{case}: every try has one id"
        );
        let found = setting.receiver.pauses();
        assert_eq!(found.len(), pauses.len(), "{case}");
        for (found, expected) in found.iter().zip(pauses) {
            assert!(expected.contains(found), "{case}: {found} s");
        }
        assert_eq!(
            setting.webhook.flush(SECOND).await,
            0,
            "{case}: nothing is left"
        );
        delivering.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn every_try_is_signed_anew() {
    let setting = Setting::new([Does::Answer(503), Does::Answer(200)]);
    let delivering = setting.deliver();
    setting.tell(1).await;
    while setting.receiver.tries() < 1 {
        sleep(SECOND / 100).await;
    }
    setting.clock.advance(SECOND * 400);
    sleep(MINUTE).await;
    delivering.abort();
    let key = WebhookKey::new(&SecretString::from(SECRET)).unwrap();
    let got = setting.receiver.got.lock().unwrap();
    let begun = clock().unix();
    for ((_, headers, body), at) in got.iter().zip([begun, begun + SECOND * 400]) {
        let signature = headers[WebhookKey::HEADER].to_str().unwrap();
        assert!(
            key.verify(signature, body, at, Duration::ZERO),
            "{signature}"
        );
        assert!(!key.verify(signature, b"{}", at, MINUTE));
        assert_eq!(headers["content-type"], "application/json");
    }
    assert_eq!(got.len(), 2);
    assert_eq!(got[0].2, got[1].2, "the body stays");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_taken_holds_up_no_other() {
    let setting = Setting::new([Does::Hang, Does::Answer(200)]);
    let delivering = setting.deliver();
    setting.tell(20).await;
    sleep(SECOND).await;
    assert_eq!(setting.receiver.ids().len(), 20);
    delivering.abort();
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_is_dropped() {
    let setting = Setting::with_room([Does::Answer(200)], 3);
    setting.tell(5).await;
    assert_eq!(setting.receiver.tries(), 0);
    assert_eq!(setting.webhook.flush(MINUTE).await, 0);
    let kept: Vec<_> = setting
        .receiver
        .bodies()
        .iter()
        .map(|body| body["key_id"].clone())
        .collect();
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert_eq!(
        kept.iter().filter(|key| **key == "jwt:0").count(),
        1,
        "the first stay"
    );

    // What is being sent takes room too.
    let setting = Setting::with_room([Does::Hang], 2);
    let delivering = setting.deliver();
    setting.tell(1).await;
    while setting.receiver.tries() < 1 {
        sleep(SECOND / 100).await;
    }
    setting.tell(3).await;
    assert_eq!(setting.webhook.flush(SECOND).await, 2);
    delivering.abort();
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_the_receiver_until_its_time_is_up() {
    let setting = Setting::new([Does::Fail, Does::Answer(200)]);
    setting.tell(10).await;
    let begun = Instant::now();
    assert_eq!(setting.webhook.flush(MINUTE).await, 0);
    assert!(begun.elapsed() < SECOND * 5);
    assert_eq!(
        (setting.receiver.ids().len(), setting.receiver.tries()),
        (10, 11)
    );
    // After the end nothing is kept for nobody.
    setting.tell(11).await;
    assert_eq!(setting.webhook.flush(SECOND).await, 0);

    for is_running in [true, false] {
        let setting = Setting::new([Does::Hang]);
        let delivering = is_running.then(|| setting.deliver());
        setting.tell(10).await;
        let begun = Instant::now();
        assert_eq!(setting.webhook.flush(SECOND * 3).await, 10, "{is_running}");
        assert_eq!(begun.elapsed().as_secs(), 3, "{is_running}");
        if let Some(delivering) = delivering {
            delivering.abort();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_is_sent_at_the_end() {
    let setting = Setting::new([Does::Hang, Does::Answer(200)]);
    let delivering = setting.deliver();
    setting.tell(1).await;
    while setting.receiver.tries() < 1 {
        sleep(SECOND / 100).await;
    }
    delivering.abort();
    assert!(delivering.await.unwrap_err().is_cancelled());
    assert_eq!(setting.webhook.flush(SECOND * 5).await, 0);
    assert_eq!(
        (setting.receiver.tries(), setting.receiver.ids().len()),
        (2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_panics_is_not_the_end() {
    let setting = Setting::new([Does::Panic, Does::Panic, Does::Answer(200)]);
    let delivering = setting.deliver();
    setting.tell(8).await;
    sleep(SECOND).await;
    assert_eq!(setting.receiver.tries(), 8);
    assert_eq!(setting.webhook.flush(SECOND).await, 0);
    delivering.abort();
}

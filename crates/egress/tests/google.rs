//! A service account's tokens against a real token endpoint: how often it is asked, when it fails, and what nobody gets to see.
#![cfg(feature = "google")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::json::Json;
use bartizan_core::{Body, Clock, ManualClock};
use bartizan_egress::{Client, Error, Origin, Policy, ServiceAccount, Target};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Made for this test, and of no use elsewhere.
const KEY: &[u8] = include_bytes!("data/service-account.pk8");
const EMAIL: &str = "caller@project.iam.gserviceaccount.example";
const SECOND: Duration = Duration::from_secs(1);

/// A provider and a token endpoint on one port: `/token` gives out `token-1`, `token-2` …, everything else answers with the
/// `authorization` that it got.
struct Google {
    address: SocketAddr,
    exchanges: AtomicUsize,
    /// One permit an exchange; closed at first.
    open: Semaphore,
    /// What the endpoint answers, in place of a token.
    failing: Mutex<Option<(StatusCode, &'static str)>>,
    forms: Mutex<Vec<String>>,
}

impl Google {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let google = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            exchanges: AtomicUsize::new(0),
            open: Semaphore::new(0),
            failing: Mutex::new(None),
            forms: Mutex::default(),
        });
        let shared = Arc::clone(&google);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                let service = service_fn(move |request| {
                    let shared = Arc::clone(&shared);
                    async move { Ok::<_, Infallible>(shared.answer(request).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        google
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<String> {
        let got = request.headers().get("authorization").cloned();
        if request.uri() != "/token" {
            let got = got.map_or(String::new(), |got| got.to_str().unwrap().to_owned());
            return Response::new(got);
        }
        assert_eq!(request.method(), "POST");
        assert_eq!(got, None);
        let form = request.into_body().collect().await.unwrap().to_bytes();
        let form = String::from_utf8(form.to_vec()).unwrap();
        self.forms.lock().unwrap().push(form);
        let count = self.exchanges.fetch_add(1, Ordering::SeqCst) + 1;
        self.open.acquire().await.unwrap().forget();
        let failing = *self.failing.lock().unwrap();
        let (status, text) = match failing {
            Some((status, text)) => (status, text.to_owned()),
            None => {
                let text = format!(
                    "{{\"access_token\":\"canary-token-{count}\",\"expires_in\":3600,\"token_type\":\"Bearer\"}}"
                );
                (StatusCode::OK, text)
            }
        };
        Response::builder().status(status).body(text).unwrap()
    }

    fn exchanges(&self) -> usize {
        self.exchanges.load(Ordering::SeqCst)
    }

    fn fail(&self, status: u16, text: &'static str) {
        *self.failing.lock().unwrap() = Some((StatusCode::from_u16(status).unwrap(), text));
    }

    async fn asked(&self, times: usize) {
        for _ in 0..10_000 {
            if self.exchanges() >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("asked {} times, not {times}", self.exchanges());
    }

    fn file(&self) -> String {
        let pem = STANDARD.encode(KEY);
        let pem = format!("-----BEGIN PRIVATE KEY-----\\n{pem}\\n-----END PRIVATE KEY-----\\n");
        format!(
            "{{\"type\":\"service_account\",\"project_id\":\"p\",\"private_key_id\":\"k-1\",\"private_key\":\"{pem}\",\
             \"client_email\":\"{EMAIL}\",\"token_uri\":\"http://{}/token\"}}",
            self.address
        )
    }

    fn account(&self) -> ServiceAccount {
        ServiceAccount::from_json(&self.file().into()).unwrap()
    }

    fn target(&self) -> Target {
        let base = format!("http://{}/v1", self.address);
        Target::new(&base).unwrap().service_account(self.account())
    }

    fn client(&self, clock: impl Clock) -> Client {
        let policy = Policy::closed().allow(self.origin());
        Client::builder(policy).clock(clock).build().unwrap()
    }

    fn origin(&self) -> Origin {
        format!("http://{}", self.address).parse().unwrap()
    }
}

/// What the provider got as `authorization`, or the refusal's code and whether a retry is said to help.
async fn call(client: &Client, target: &Target) -> Result<String, (String, bool)> {
    let (parts, body) = Request::post("/x")
        .body(Body::from("{}"))
        .unwrap()
        .into_parts();
    let request = target.request(parts, "/x", body).unwrap();
    let response = client.send(request).await.map_err(|refusal| {
        let response = refusal.render(bartizan_core::Dialect::OpenAiChat);
        assert_eq!(response.status(), 503);
        let retry = response.headers().contains_key("retry-after");
        (refusal.code().to_owned(), retry)
    })?;
    let text = response.into_body().into_bytes(1 << 16).await.unwrap();
    Ok(String::from_utf8(text.to_vec()).unwrap())
}

fn many(client: &Client, target: &Target, count: usize) -> JoinSet<Result<String, (String, bool)>> {
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let (client, target) = (client.clone(), target.clone());
        calls.spawn(async move { call(&client, &target).await });
    }
    calls
}

fn bearer(count: usize) -> Result<String, (String, bool)> {
    Ok(format!("Bearer canary-token-{count}"))
}

fn clock() -> ManualClock {
    ManualClock::at(Duration::from_secs(1_700_000_000))
}

#[tokio::test]
async fn a_hundred_calls_at_once_are_one_exchange() {
    let google = Google::start().await;
    let (client, target) = (google.client(clock()), google.target());
    let calls = many(&client, &target, 100);
    google.asked(1).await;
    google.open.add_permits(1);
    for got in calls.join_all().await {
        assert_eq!(got, bearer(1));
    }
    // Another target of the same account has the same token.
    let account = google.account();
    let one = target.clone().service_account(account.clone());
    let other = target.service_account(account);
    google.open.add_permits(9);
    assert_eq!(call(&client, &one).await, bearer(2));
    assert_eq!(call(&client, &other).await, bearer(2));
    assert_eq!(google.exchanges(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_nobody_waits_for_it() {
    let google = Google::start().await;
    let clock = clock();
    let (client, target) = (google.client(clock.clone()), google.target());
    google.open.add_permits(1);
    assert_eq!(call(&client, &target).await, bearer(1));

    clock.advance(3_299 * SECOND);
    assert_eq!(call(&client, &target).await, bearer(1));
    assert_eq!(google.exchanges(), 1, "five minutes and a second are left");

    clock.advance(2 * SECOND);
    for got in many(&client, &target, 50).join_all().await {
        assert_eq!(got, bearer(1), "the old one still holds");
    }
    google.asked(2).await;
    google.open.add_permits(1);
    for _ in 0..1_000 {
        if call(&client, &target).await == bearer(2) {
            break;
        }
    }
    assert_eq!(call(&client, &target).await, bearer(2));
    assert_eq!(google.exchanges(), 2);
}

#[tokio::test]
async fn a_token_that_has_ended_is_not_used() {
    let google = Google::start().await;
    let clock = clock();
    let (client, target) = (google.client(clock.clone()), google.target());
    google.open.add_permits(1);
    assert_eq!(call(&client, &target).await, bearer(1));
    clock.advance(3_590 * SECOND);
    let calls = many(&client, &target, 100);
    google.asked(2).await;
    google.open.add_permits(1);
    for got in calls.join_all().await {
        assert_eq!(got, bearer(2));
    }
    assert_eq!(google.exchanges(), 2);
}

/// A machine whose wall clock is set back, or that sleeps while the other one stands still.
#[derive(Clone, Debug)]
struct Torn {
    wall: ManualClock,
    steady: ManualClock,
}

impl Clock for Torn {
    fn unix(&self) -> Duration {
        self.wall.unix()
    }

    fn monotonic(&self) -> Duration {
        self.steady.monotonic()
    }
}

#[tokio::test]
async fn a_token_ends_by_whichever_clock_says_so() {
    for move_wall in [false, true] {
        let google = Google::start().await;
        let torn = Torn {
            wall: clock(),
            steady: clock(),
        };
        let (client, target) = (google.client(torn.clone()), google.target());
        google.open.add_permits(2);
        assert_eq!(call(&client, &target).await, bearer(1));
        let moved = if move_wall { &torn.wall } else { &torn.steady };
        moved.advance(3_600 * SECOND);
        assert_eq!(call(&client, &target).await, bearer(2));
    }
}

#[tokio::test]
async fn whoever_began_the_exchange_may_leave() {
    let google = Google::start().await;
    let (client, target) = (google.client(clock()), google.target());
    let mut first = many(&client, &target, 1);
    google.asked(1).await;
    first.shutdown().await;
    google.open.add_permits(1);
    assert_eq!(call(&client, &target).await, bearer(1));
    assert_eq!(google.exchanges(), 1);
}

#[tokio::test]
async fn an_exchange_that_fails_is_a_503_and_asked_again_a_second_later() {
    for (status, text, retry) in [
        (
            400,
            "{\"error\":\"invalid_grant\",\"error_description\":\"canary-description\"}",
            false,
        ),
        (401, "canary-body", false),
        (429, "{}", true),
        (500, "canary-body", true),
        (302, "", false),
        (200, "canary-body", true),
        (200, "{\"access_token\":\"\",\"expires_in\":3600}", true),
        (
            200,
            "{\"access_token\":\"a\\r\\nb\",\"expires_in\":3600}",
            true,
        ),
        (200, "{\"access_token\":\"canary\"}", true),
        (200, "{\"access_token\":\"canary\",\"expires_in\":0}", true),
        (
            200,
            "{\"access_token\":\"canary\",\"expires_in\":60,\"token_type\":\"mac\"}",
            true,
        ),
    ] {
        let google = Google::start().await;
        let clock = clock();
        let (client, target) = (google.client(clock.clone()), google.target());
        google.open.add_permits(9);
        google.fail(status, text);
        let refused = Err(("credential_unavailable".to_owned(), retry));
        for got in many(&client, &target, 20).join_all().await {
            assert_eq!(got, refused, "{status} {text}");
        }
        assert_eq!(call(&client, &target).await, refused);
        assert_eq!(google.exchanges(), 1, "{status} {text}");
        *google.failing.lock().unwrap() = None;
        clock.advance(SECOND);
        assert_eq!(call(&client, &target).await, bearer(2), "{status} {text}");
    }
}

#[tokio::test]
async fn while_the_old_token_holds_a_failed_renewal_harms_nobody() {
    let google = Google::start().await;
    let clock = clock();
    let (client, target) = (google.client(clock.clone()), google.target());
    google.open.add_permits(9);
    assert_eq!(call(&client, &target).await, bearer(1));
    google.fail(503, "");
    clock.advance(3_400 * SECOND);
    assert_eq!(call(&client, &target).await, bearer(1));
    google.asked(2).await;
    for _ in 0..50 {
        assert_eq!(call(&client, &target).await, bearer(1));
    }
    assert_eq!(google.exchanges(), 2);
    clock.advance(195 * SECOND);
    assert!(call(&client, &target).await.is_err());
}

#[tokio::test]
async fn a_token_uri_that_is_not_allowed_is_not_called() {
    let google = Google::start().await;
    let elsewhere = Google::start().await;
    let client = google.client(clock());
    let target = google.target().service_account(elsewhere.account());
    elsewhere.open.add_permits(1);
    let refused = Err(("credential_unavailable".to_owned(), false));
    assert_eq!(call(&client, &target).await, refused);
    assert_eq!(elsewhere.exchanges(), 0);
    // It would have been.
    let both = Policy::closed()
        .allow(google.origin())
        .allow(elsewhere.origin());
    let client = Client::builder(both).clock(clock()).build().unwrap();
    let target = google.target().service_account(elsewhere.account());
    assert_eq!(call(&client, &target).await, bearer(1));
}

#[tokio::test]
async fn a_token_goes_to_its_targets_origin_only() {
    let google = Google::start().await;
    let elsewhere = Google::start().await;
    let both = Policy::closed()
        .allow(google.origin())
        .allow(elsewhere.origin());
    let client = Client::builder(both).clock(clock()).build().unwrap();
    let (parts, body) = Request::post("/x")
        .body(Body::empty())
        .unwrap()
        .into_parts();
    let mut request = google.target().request(parts, "/x", body).unwrap();
    *request.uri_mut() = format!("http://{}/x", elsewhere.address).parse().unwrap();
    assert_eq!(
        client.send(request).await.unwrap_err().code(),
        "egress_refused"
    );
    assert_eq!(google.exchanges(), 0, "nobody even asks for one");
}

#[tokio::test]
async fn the_assertion_says_who_asks_for_what_and_is_signed() {
    let google = Google::start().await;
    google.open.add_permits(2);
    let client = google.client(clock());
    call(&client, &google.target()).await.unwrap();
    let narrow = google.account().scope("scope-a scope-b");
    call(&client, &google.target().service_account(narrow))
        .await
        .unwrap();

    let forms = google.forms.lock().unwrap().clone();
    for (form, scope) in forms.iter().zip([
        "https://www.googleapis.com/auth/cloud-platform",
        "scope-a scope-b",
    ]) {
        let assertion = form
            .strip_prefix(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=",
            )
            .unwrap();
        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        let pair = RsaKeyPair::from_pkcs8(KEY).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key())
            .verify(
                signed.as_bytes(),
                &URL_SAFE_NO_PAD.decode(signature).unwrap(),
            )
            .unwrap();
        let (head, claims) = signed.split_once('.').unwrap();
        let read = |part| {
            Json::read(String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()).unwrap()
        };
        assert_eq!(
            read(head).as_str(),
            "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k-1\"}"
        );
        let claims = read(claims);
        let text = |name| {
            claims
                .root()
                .get(name)
                .unwrap()
                .text()
                .unwrap()
                .into_owned()
        };
        assert_eq!(text("iss"), EMAIL);
        assert_eq!(text("scope"), scope);
        assert_eq!(text("aud"), format!("http://{}/token", google.address));
        let number = |name| claims.root().get(name).unwrap().as_u64().unwrap();
        assert_eq!(number("iat"), 1_699_999_990);
        assert_eq!(number("exp") - number("iat"), 3_600);
    }
    assert_eq!(forms.len(), 2);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_error_or_debug_output_shows_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // The other tests log here too, which does no harm: their secrets are the same.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let google = Google::start().await;
    let clock = clock();
    let (client, target) = (google.client(clock.clone()), google.target());
    google.open.add_permits(9);
    google.fail(
        400,
        "{\"error\":\"invalid_grant\",\"error_description\":\"canary-description\"}",
    );
    call(&client, &target).await.unwrap_err();
    clock.advance(SECOND);
    *google.failing.lock().unwrap() = None;
    call(&client, &target).await.unwrap();
    let mut shown = format!("{:?} {target:?} {client:?}", google.account());

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("400 Bad Request invalid_grant"), "{logged}");
    shown.push_str(&logged);
    let pem = STANDARD.encode(KEY);
    let assertion = google.forms.lock().unwrap()[0]
        .rsplit_once('=')
        .unwrap()
        .1
        .to_owned();
    for secret in ["canary", &pem[40..80], &assertion[..40]] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_file_of_another_kind_is_refused_and_not_repeated() {
    let google = Google::start().await;
    let file = google.file();
    let change = |from: &str, to: &str| {
        assert!(file.contains(from));
        file.replace(from, to)
    };
    for (text, says) in [
        ("canary".into(), "no JSON"),
        ("{}".into(), "`type`"),
        (change("service_account", "external_account"), "`type`"),
        (change("client_email", "canary"), "`client_email`"),
        (change(EMAIL, ""), "`client_email`"),
        (change("token_uri", "canary"), "`token_uri`"),
        (change("\"private_key\"", "\"canary\""), "`private_key`"),
        (change("PRIVATE KEY", "RSA PRIVATE KEY"), "RSA key in PEM"),
        (change("\\n", ""), "RSA key in PEM"),
        (change("MII", "NII"), "RSA key in PEM"),
    ] {
        let error = ServiceAccount::from_json(&text.into()).unwrap_err();
        assert!(matches!(error, Error::Unusable(_)), "{says}");
        let error = error.to_string();
        assert!(error.contains(says) && !error.contains("canary"), "{error}");
    }
    for uri in [
        "file:///etc/passwd",
        "http://a@b/",
        "https://example.com/../x",
    ] {
        let text = change(&format!("http://{}/token", google.address), uri);
        assert!(
            matches!(ServiceAccount::from_json(&text.into()), Err(Error::Url(_))),
            "{uri}"
        );
    }
}

//! Requests signed for Amazon, as a server gets them.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::{Body, BodyLimit, ManualClock};
use bartizan_egress::{AwsCredentials, Client, Policy, Target, segment};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

type Seen = Arc<Mutex<Vec<(Uri, HeaderMap, Bytes)>>>;

async fn bedrock() -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let noted = Arc::clone(&noted);
            let service = service_fn(move |request: Request<Incoming>| {
                let noted = Arc::clone(&noted);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    noted.lock().unwrap().push((head.uri, head.headers, body));
                    Ok::<_, Infallible>(Response::new(String::new()))
                }
            });
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
        }
    });
    (address, seen)
}

fn target(address: SocketAddr) -> Target {
    let key = AwsCredentials::new("AKIDEXAMPLE", &"canary-secret".into()).unwrap();
    let key = key.session_token(&"canary-token".into()).unwrap();
    let target = Target::new(&format!("http://{address}")).unwrap();
    target.sigv4("eu-west-1", "bedrock", key).unwrap()
}

fn client(target: &Target) -> Client {
    let policy = Policy::closed().allow(target.origin().clone());
    let clock = ManualClock::at(Duration::from_secs(1_440_938_160));
    Client::builder(policy).clock(clock).build().unwrap()
}

fn request(target: &Target) -> Request<Body> {
    let caller = Request::post("/v1/chat/completions")
        .header("authorization", "Bearer sk-caller")
        .header("x-amz-date", "19700101T000000Z")
        .header("x-amz-security-token", "sk-caller")
        .header("content-type", "application/json");
    let (parts, body) = caller.body(Body::from("{}")).unwrap().into_parts();
    let model = segment("anthropic.claude-haiku-4-5-20251001-v1:0").unwrap();
    let path = format!("/model/{model}/converse");
    target.request(parts, &path, body).unwrap()
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
async fn what_arrives_is_signed_by_the_target_alone_and_no_secret_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let (address, seen) = bedrock().await;
    let target = target(address);
    let client = client(&target);
    assert_eq!(client.send(request(&target)).await.unwrap().status(), 200);
    let (uri, headers, body) = seen.lock().unwrap()[0].clone();
    assert_eq!(
        uri,
        "/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/converse"
    );
    assert_eq!(body, "{}");
    assert_eq!(headers["x-amz-date"], "20150830T123600Z");
    assert_eq!(headers["x-amz-security-token"], "canary-token");
    assert_eq!(headers["host"], address.to_string());
    let authorization = headers["authorization"].to_str().unwrap();
    let begins = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/bedrock/aws4_request, \
                  SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=";
    assert!(authorization.starts_with(begins), "{authorization}");

    let shown = format!("{target:?}{client:?}");
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("signing request"), "{logged}");
    for text in [&shown, &logged] {
        assert!(
            !text.contains("canary") && !text.contains("sk-caller"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_signature_is_made_for_its_targets_origin_only() {
    let (address, _) = bedrock().await;
    let (elsewhere, seen) = bedrock().await;
    let target = target(address);
    let policy = Policy::closed()
        .allow(target.origin().clone())
        .allow(format!("http://{elsewhere}").parse().unwrap());
    let client = Client::builder(policy).build().unwrap();
    let mut request = request(&target);
    *request.uri_mut() = format!("http://{elsewhere}/x").parse().unwrap();
    let refusal = client.send(request).await.unwrap_err();
    assert_eq!(refusal.code(), "egress_refused");
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_over_the_limit_is_the_callers_413() {
    let (address, seen) = bedrock().await;
    let target = target(address);
    let mut request = request(&target);
    let limit = BodyLimit {
        request: 1,
        ..BodyLimit::default()
    };
    request.extensions_mut().insert(limit);
    let refusal = client(&target).send(request).await.unwrap_err();
    assert_eq!(refusal.code(), "body_too_large");
    assert!(seen.lock().unwrap().is_empty());
}

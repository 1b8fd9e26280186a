use std::fs;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use bartizan_core::BoxError;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use proptest::prelude::*;

use super::*;
use crate::segment;

const SUITE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/specs/aws4_testsuite"
);
/// 2015-08-30 12:36:00 UTC, when all of the suite was signed.
const SIGNED_AT: Duration = Duration::from_secs(1_440_938_160);
const LIMIT: usize = 1 << 20;

fn credentials() -> AwsCredentials {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into();
    AwsCredentials::new("AKIDEXAMPLE", &secret).unwrap()
}

fn signer(credentials: AwsCredentials) -> Signer {
    Signer::new("us-east-1", "service", credentials).unwrap()
}

async fn signed(signer: &Signer, mut request: Request<Body>) -> Request<Body> {
    signer.sign(&mut request, SIGNED_AT, LIMIT).await.unwrap();
    request
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// Folders of the suite with a request in them.
fn cases(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            cases(&path, found);
        } else if path.extension().is_some_and(|end| end == "req") {
            found.push(path);
        }
    }
}

/// The suite's request as it is sent: what no request line can hold, percent-encoded; a folded header on one line.
fn request(text: &str) -> Request<Body> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let head = head.replace("\n ", " ");
    let mut lines = head.lines();
    let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
    let target = rest.rsplit_once(' ').unwrap().0;
    let uri = format!(
        "https://example.amazonaws.com{}",
        target.replace(' ', "%20")
    );
    let mut request = Request::builder().method(method).uri(uri);
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        request = request.header(name, value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn every_vector_of_amazons_suite_is_signed_as_it_says() {
    if !Path::new(SUITE).exists() {
        return;
    }
    let mut found = Vec::new();
    cases(Path::new(SUITE), &mut found);
    assert!(found.len() >= 34, "{} vectors", found.len());
    for path in found {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let read = |end| fs::read_to_string(path.with_extension(end)).unwrap();
        let text = read("req").replace('\r', "");
        let expected = read("authz");
        let canonical = read("creq").replace('\r', "");
        let mut request = request(&text);

        let mut credentials = credentials();
        let token = canonical
            .lines()
            .find_map(|line| line.strip_prefix("x-amz-security-token:"));
        if let Some(token) = token {
            credentials = credentials.session_token(&token.into()).unwrap();
        }
        let mut signer = signer(credentials);
        // No request line holds a space: the suite encodes here what a client has encoded before.
        if text.starts_with("GET /example space/") {
            signer.path = PercentEncodingMode::Single;
        }
        request = signed(&signer, request).await;
        assert_eq!(
            value(request.headers(), "authorization"),
            expected.trim(),
            "{name}"
        );
    }
}

/// The signature by the letter of the specification, of a POST whose signed headers are `host` and `x-amz-date`.
fn signature(path: &str, body: &[u8]) -> String {
    let mut canonical = String::from("POST\n");
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => canonical.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => canonical.push(byte.into()),
            _ => canonical.push_str(&format!("%{byte:02X}")),
        }
    }
    let digest = hex(&Sha256::digest(body));
    let (date, time) = ("20150830", "20150830T123600Z");
    canonical.push_str(&format!(
        "\n\nhost:bedrock.example\nx-amz-date:{time}\n\nhost;x-amz-date\n{digest}"
    ));
    let scope = format!("{date}/us-east-1/service/aws4_request");
    let canonical = hex(&Sha256::digest(canonical));
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{canonical}");
    let steps = [date, "us-east-1", "service", "aws4_request", &to_sign];
    let key = steps
        .iter()
        .fold(b"AWS4secret".to_vec(), |key, step| mac(&key, step));
    hex(&key)
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

async fn signature_of(path: &str, body: &[u8]) -> String {
    let credentials = AwsCredentials::new("AKIDEXAMPLE", &"secret".into()).unwrap();
    let request = Request::post(format!("https://bedrock.example{path}"));
    let request = request
        .body(Body::from(Bytes::copy_from_slice(body)))
        .unwrap();
    let request = signed(&signer(credentials), request).await;
    let authorization = value(request.headers(), "authorization");
    authorization
        .rsplit_once("Signature=")
        .unwrap()
        .1
        .to_owned()
}

#[tokio::test]
async fn a_models_name_is_signed_as_it_is_sent() {
    for model in [
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
        "arn:aws:sagemaker:us-east-1:1:endpoint/a b%2F+é",
    ] {
        // Colons may also stand as they are: it is the same name on the wire, and another signature.
        for path in [
            format!("/model/{}/converse", segment(model).unwrap()),
            "/model/anthropic.claude-haiku-4-5-20251001-v1:0/converse-stream".to_owned(),
        ] {
            assert_eq!(
                signature_of(&path, b"{}").await,
                signature(&path, b"{}"),
                "{path}"
            );
        }
    }
}

proptest! {
    #[test]
    fn whatever_the_name_it_is_signed_as_it_is_sent(name in any::<String>(), body in any::<Vec<u8>>()) {
        if let Ok(name) = segment(&name) {
            let path = format!("/model/{name}/invoke");
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            prop_assert_eq!(runtime.block_on(signature_of(&path, &body)), signature(&path, &body));
        }
    }
}

#[tokio::test]
async fn what_a_proxy_may_change_is_not_signed_and_the_rest_is() {
    let mut request = Request::post("https://bedrock.example:8443/model/m/converse?b=2&a=1");
    for (name, value) in [
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("x-amzn-bedrock-trace", "ENABLED"),
        ("accept-encoding", "identity"),
        ("user-agent", "a"),
        ("te", "trailers"),
        ("x-amz-date", "19700101T000000Z"),
        ("x-amz-security-token", "the caller's"),
        ("authorization", "the caller's"),
    ] {
        request = request.header(name, value);
    }
    let request = request.header("x-latin", HeaderValue::from_bytes(b"\xe9").unwrap());
    let request = signed(&signer(credentials()), request.body(Body::empty()).unwrap()).await;
    let authorization = value(request.headers(), "authorization");
    assert!(
        authorization
            .contains("SignedHeaders=accept;content-type;host;x-amz-date;x-amzn-bedrock-trace,"),
        "{authorization}"
    );
    assert_eq!(value(request.headers(), "x-amz-date"), "20150830T123600Z");
    assert!(!request.headers().contains_key("x-amz-security-token"));
}

#[tokio::test]
async fn a_sessions_token_is_signed_and_hidden() {
    let credentials = credentials().session_token(&"canary-token".into()).unwrap();
    assert!(!format!("{credentials:?}").contains("AKID"));
    let request = Request::get("https://bedrock.example/")
        .body(Body::empty())
        .unwrap();
    let request = signed(&signer(credentials), request).await;
    assert_eq!(
        value(request.headers(), "x-amz-security-token"),
        "canary-token"
    );
    assert!(
        value(request.headers(), "authorization").contains("host;x-amz-date;x-amz-security-token")
    );
    let shown = format!("{:?}", request.headers());
    assert!(
        !shown.contains("canary") && !shown.contains("Signature"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_body_that_streams_is_read_whole_within_the_limit() {
    struct Chunks(Vec<Result<&'static str, BoxError>>);
    impl http_body::Body for Chunks {
        type Data = Bytes;
        type Error = BoxError;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
            let next = self.0.pop();
            Poll::Ready(next.map(|piece| Ok(http_body::Frame::data(Bytes::from(piece?)))))
        }
    }
    let request = |chunks| {
        let request = Request::post("https://bedrock.example/x");
        request.body(Body::new(Chunks(chunks))).unwrap()
    };
    let signer = signer(AwsCredentials::new("AKIDEXAMPLE", &"secret".into()).unwrap());

    let whole = signed(&signer, request(vec![Ok("lo"), Ok("hel")])).await;
    assert!(value(whole.headers(), "authorization").ends_with(&signature("/x", b"hello")));
    assert_eq!(whole.into_body().into_bytes(9).await.unwrap(), "hello");

    for (chunks, code) in [
        (vec![Ok("lo"), Ok("hel")], "body_too_large"),
        (vec![Err("broken".into()), Ok("hel")], "body_incomplete"),
    ] {
        let error = signer
            .sign(&mut request(chunks), SIGNED_AT, 4)
            .await
            .unwrap_err();
        assert_eq!(error.refusal().code(), code);
    }
}

#[test]
fn what_would_end_up_elsewhere_in_a_header_is_refused() {
    for (id, secret) in [
        ("", "s"),
        ("A K", "s"),
        ("A\n", "s"),
        ("é", "s"),
        ("AKID", ""),
    ] {
        let error = AwsCredentials::new(id, &secret.into()).unwrap_err();
        assert!(matches!(error, Error::Credential), "{id}");
    }
    for token in ["", "a b", "a\r\nb"] {
        assert!(
            credentials().session_token(&token.into()).is_err(),
            "{token}"
        );
    }
    for (region, service) in [
        ("", "bedrock"),
        ("us-east-1/x", "bedrock"),
        ("us-east-1", "Bedrock"),
        ("eu", "a b"),
    ] {
        let error = Signer::new(region, service, credentials()).err().unwrap();
        assert_eq!(error.refusal().code(), "egress_configuration");
    }
}

//! A real tonic client, over a real socket, sees the right codes.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::time::Duration;

use bartizan::audit::{FileSink, Journal};
use bartizan::auth::{KeyRequest, Keys, MasterKey, MemoryStore, Pepper};
use bartizan::core::Limits;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const MASTER: &str = "sk-7d1f0c5b92e84a6fb3c02d9e61a75f48";

async fn check(client: &mut HealthClient<Channel>, key: Option<&str>) -> Result<i32, Status> {
    let mut request = Request::new(HealthCheckRequest {
        service: String::new(),
    });
    if let Some(key) = key {
        request
            .metadata_mut()
            .insert("authorization", format!("Bearer {key}").parse().unwrap());
    }
    client
        .check(request)
        .await
        .map(|answer| answer.into_inner().status)
}

#[tokio::test]
async fn a_tonic_client_sees_the_right_codes_and_each_call_is_on_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let journal = Journal::builder().open(FileSink::new(&path)).await.unwrap();
    let keys = Keys::new(
        MemoryStore::new(),
        Pepper::new(&"b04d8f7e2c6a4915a3e87d50c1f962ab".into()).unwrap(),
    );
    let admin = MasterKey::new(MASTER.into())
        .unwrap()
        .verify(MASTER)
        .unwrap();
    let mut wish = KeyRequest::default();
    wish.limits = Limits {
        rpm: Some(2),
        tpm: None,
        ..Limits::default()
    };
    let key = keys.generate(&admin, wish).await.unwrap().key;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(embed_tonic::serve(listener, keys, journal.clone(), async {
        let _ = stopped.await;
    }));
    let channel = Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut client = HealthClient::new(channel);

    assert_eq!(
        check(&mut client, None).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    let wrong = check(&mut client, Some("sk-wrong")).await.unwrap_err();
    assert_eq!(wrong.code(), Code::Unauthenticated);
    assert!(!wrong.message().contains("sk-wrong"));
    for _ in 0..2 {
        assert_eq!(
            check(&mut client, Some(key.expose_secret())).await.unwrap(),
            1,
            "serving"
        );
    }
    let limited = check(&mut client, Some(key.expose_secret()))
        .await
        .unwrap_err();
    assert_eq!(limited.code(), Code::ResourceExhausted);
    assert!(
        limited.metadata().contains_key("grpc-retry-pushback-ms"),
        "{limited:?}"
    );
    // The details, as the client has decoded them: a google.rpc.Status that holds a google.rpc.RetryInfo.
    let held = |text: &[u8]| {
        let mut windows = limited.details().windows(text.len());
        windows.any(|window| window == text)
    };
    assert!(held(b"type.googleapis.com/google.rpc.RetryInfo"));
    assert!(held(limited.message().as_bytes()));

    drop(client);
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    journal.shutdown(Duration::from_secs(5)).await.unwrap();
    let record = std::fs::read_to_string(&path).unwrap();
    let outcome = |word: &str| record.matches(word).count();
    assert_eq!(
        (outcome("invalid_api_key"), outcome("rate_limit_exceeded")),
        (2, 1),
        "{record}"
    );
    assert_eq!(outcome("\"kind\":\"call\""), 5, "{record}");
}

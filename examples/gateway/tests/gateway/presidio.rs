//! Presidio's API at its own address.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use bartizan_testkit::{MockProvider, Script};

use crate::http::ask;
use crate::process::{Start, config};

fn free() -> SocketAddr {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    free.local_addr().unwrap()
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn it_is_served_beside_the_gateway_with_its_own_key_and_ends_with_it() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let at = free();
    let mut gateway = Start::with(config(
        &mock,
        &format!(
            "bartizan:\n  listen: 127.0.0.1:0\n  presidio: {{listen: '{at}', api_key: the-key}}\n  pii:\n    recognizers:\n      - {{supported_entity: PROJECT_NAME, deny_list: [Falcon]}}\n"
        ),
    ))
    .run();
    let body = r#"{"text": "Falcon: é ravi@example.in", "language": "en"}"#;
    let refused = ask(at, "POST", "/analyze", &[JSON], body).await;
    assert_eq!(
        (refused.status, refused.json()["error"].is_string()),
        (401, true)
    );
    let key = ("authorization", "Bearer the-key");
    let found = ask(at, "POST", "/analyze", &[JSON, key], body).await.json();
    let kinds: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| hit["entity_type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["PROJECT_NAME", "EMAIL_ADDRESS"]);
    assert_eq!(
        (&found[1]["start"], &found[1]["end"]),
        (&10.into(), &25.into())
    );
    assert_eq!(ask(at, "GET", "/health", &[], "").await.status, 200);

    // What the gateway answers is not there, and the other way round.
    assert_eq!(ask(at, "GET", "/v1/models", &[key], "").await.status, 404);
    assert_eq!(gateway.ask("POST", "/analyze", body).await.status, 404);

    let log = gateway.stderr();
    assert!(!log.contains("ravi") && !log.contains("the-key"), "{log}");
    gateway.signal("TERM");
    assert!(gateway.ended().await.success());
    assert!(TcpListener::bind(at).is_ok(), "its address is free again");
}

#[test]
fn an_address_that_is_taken_stops_the_start() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = taken.local_addr().unwrap();
    let (code, says) = Start::with(format!(
        "model_list: [{{model_name: m, litellm_params: {{model: openai/m, api_base: 'http://localhost:9/v1'}}}}]\n\
         general_settings: {{master_key: {}}}\n\
         bartizan: {{listen: '127.0.0.1:0', presidio: {{listen: '{at}'}}}}\n",
        crate::process::MASTER
    ))
    .fails();
    assert_eq!(code, 1, "{says}");
    assert!(
        says.contains(&format!("{at} can't be listened on")),
        "{says}"
    );
}

//! Promise 16: a gateway that is told to end ends well.

use std::time::Duration;

use bartizan_testkit::{MockProvider, Script};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::http::{read_all, read_answer, request};
use crate::process::{Gateway, Start, chat, config};

async fn stream_request(gateway: &Gateway, connection: &str) -> String {
    let authorization = gateway.bearer().await;
    request(
        "POST",
        "/v1/chat/completions",
        &[("authorization", &authorization)],
        &chat("gpt", "x", r#","stream":true"#),
        connection,
    )
}

#[tokio::test]
async fn a_stream_that_is_under_way_comes_to_its_end() {
    for signal in ["TERM", "INT"] {
        let mock = MockProvider::start(Script::words(40).piece(9).pace(Duration::from_millis(40)))
            .await
            .unwrap();
        let mut gateway = Start::with(config(&mock, "")).run();
        let mut busy = TcpStream::connect(gateway.address).await.unwrap();
        busy.write_all(stream_request(&gateway, "keep-alive").await.as_bytes())
            .await
            .unwrap();
        let mut idle = TcpStream::connect(gateway.address).await.unwrap();
        idle.write_all(b"GET /health/liveliness HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        assert_eq!(read_answer(&mut idle).await.unwrap().status, 200);
        mock.wait(|received| received.iter().any(|received| received.events > 3))
            .await
            .unwrap();

        gateway.signal(signal);
        let began = Instant::now();
        assert_eq!(
            read_all(&mut idle).await,
            "",
            "an idle connection is closed"
        );
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{:?}",
            began.elapsed()
        );
        assert!(
            TcpStream::connect(gateway.address).await.is_err(),
            "it still listens"
        );
        let answer = read_answer(&mut busy).await.unwrap();
        assert!(answer.body.ends_with("data: [DONE]\n\n"), "{answer:?}");
        assert_eq!(
            read_all(&mut busy).await,
            "",
            "the connection is closed after its answer"
        );
        assert!(gateway.ended().await.success(), "{}", gateway.stderr());
        let audit = std::fs::read_to_string(gateway.path("bartizan-data/audit.jsonl")).unwrap();
        assert!(
            audit.contains(r#""kind":"call""#) && audit.contains(r#""outcome":"ok""#),
            "{audit}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_begins_while_draining_says_that_the_connection_ends() {
    let mock = MockProvider::start(Script::echo().delay(Duration::from_millis(600)))
        .await
        .unwrap();
    let mut gateway = Start::with(config(&mock, "")).run();
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    stream
        .write_all(stream_request(&gateway, "keep-alive").await.as_bytes())
        .await
        .unwrap();
    mock.wait(|received| received.len() == 1).await.unwrap();
    gateway.signal("TERM");
    let answer = read_answer(&mut stream).await.unwrap();
    assert_eq!(
        (answer.status, answer.header("connection")),
        (200, Some("close"))
    );
    assert!(gateway.ended().await.success());
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut_and_recorded() {
    let mock = MockProvider::start(Script::words(40).hang_after(3))
        .await
        .unwrap();
    let mut gateway = Start::with(config(&mock, "bartizan: {timeouts: {drain: 500ms}}")).run();
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    stream
        .write_all(stream_request(&gateway, "close").await.as_bytes())
        .await
        .unwrap();
    mock.wait(|received| received.iter().any(|received| received.events == 3))
        .await
        .unwrap();
    sleep(Duration::from_millis(50)).await;
    gateway.signal("TERM");
    let began = Instant::now();
    assert!(gateway.ended().await.success());
    assert!(
        (Duration::from_millis(450)..Duration::from_secs(20)).contains(&began.elapsed()),
        "{:?}",
        began.elapsed()
    );
    let answer = read_answer(&mut stream).await.unwrap();
    assert!(
        !answer.body.contains("[DONE]") && answer.body.ends_with("[broken off]"),
        "{answer:?}"
    );
    let audit = std::fs::read_to_string(gateway.path("bartizan-data/audit.jsonl")).unwrap();
    assert!(audit.contains(r#""outcome":"client_left""#), "{audit}");
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mock = MockProvider::start(Script::words(40).hang_after(3))
        .await
        .unwrap();
    let mut gateway = Start::with(config(&mock, "")).run();
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    stream
        .write_all(stream_request(&gateway, "close").await.as_bytes())
        .await
        .unwrap();
    mock.wait(|received| received.iter().any(|received| received.events == 3))
        .await
        .unwrap();
    gateway.signal("INT");
    sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    gateway.signal("INT");
    assert!(gateway.ended().await.success(), "{}", gateway.stderr());
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    let audit = std::fs::read_to_string(gateway.path("bartizan-data/audit.jsonl")).unwrap();
    assert!(audit.contains(r#""outcome":"client_left""#), "{audit}");
}

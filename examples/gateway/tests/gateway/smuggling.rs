//! HTTP/1 framing tricks end in 400 and a closed connection; nothing of what is hidden behind them is ever seen.

use bartizan_testkit::{MockProvider, Script};

use crate::http::raw;
use crate::process::{Start, chat, config, guarded};

#[tokio::test]
async fn no_second_request_hides_in_a_first() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let authorization = gateway.bearer().await;
    let hidden = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    let length = hidden.len();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n";
    for (what, framing) in [
        (
            "duplicate lengths",
            format!("content-length: 0\r\ncontent-length: {length}\r\n\r\n"),
        ),
        (
            "a list of lengths",
            format!("content-length: 0, {length}\r\n\r\n"),
        ),
        ("a signed length", "content-length: +0\r\n\r\n".to_owned()),
        ("a negative length", "content-length: -1\r\n\r\n".to_owned()),
        (
            "a hexadecimal length",
            "content-length: 0x0\r\n\r\n".to_owned(),
        ),
        ("an empty length", "content-length: \r\n\r\n".to_owned()),
        (
            "chunked, then not",
            "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "chunked misspelt",
            "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a space before the colon",
            "content-length : 0\r\n\r\n".to_owned(),
        ),
        (
            "a folded header",
            "x-a: b\r\n c: d\r\ncontent-length: 0\r\n\r\n".to_owned(),
        ),
        (
            "a NUL in a header",
            "x-a: b\0c\r\ncontent-length: 0\r\n\r\n".to_owned(),
        ),
        (
            "equal lengths twice",
            format!("content-length: {length}\r\ncontent-length: {length}\r\n\r\n"),
        ),
        (
            "bare line feeds",
            "x-a: b\ncontent-length: 0\n\n".to_owned(),
        ),
        (
            "a bare CR in a header",
            "x-a: b\rcontent-length: 5\r\n\r\n".to_owned(),
        ),
        (
            "no colon",
            "nonsense\r\ncontent-length: 0\r\n\r\n".to_owned(),
        ),
    ] {
        let answer = raw(
            gateway.address,
            format!("{head}{framing}{hidden}").as_bytes(),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{what}: {answer}");
        assert_eq!(
            answer.matches("HTTP/1.1").count(),
            1,
            "{what}: a second answer: {answer}"
        );
    }
    for (what, bytes) in [
        ("an HTTP/0.9 request", "GET /\r\n\r\n".to_owned()),
        ("a two-word line", format!("GET\r\nhost: x\r\n\r\n{hidden}")),
        (
            "an unknown version",
            format!("GET / HTTP/3.7\r\nhost: x\r\n\r\n{hidden}"),
        ),
        ("nonsense", "\u{16}\u{3}\u{1}\0\0\0\r\n\r\n".to_owned()),
    ] {
        let answer = raw(gateway.address, bytes.as_bytes()).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{what}: {answer}"
        );
        assert!(answer.matches("HTTP/1.").count() <= 1, "{what}: {answer}");
    }
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn a_body_with_two_lengths_is_not_read() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let (body, authorization) = (chat("gpt", "hello", ""), gateway.bearer().await);
    let hidden =
        format!("GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\n\r\n");
    for (first, second) in [
        ("content-length: 3", "transfer-encoding: chunked"),
        ("transfer-encoding: chunked", "content-length: 3"),
    ] {
        let text = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\n{first}\r\n{second}\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n{hidden}",
            body.len()
        );
        let answer = raw(gateway.address, text.as_bytes()).await;
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            1,
            "what came behind was answered: {answer}"
        );
        assert!(!answer.contains("\"object\":\"list\""), "{answer}");
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
}

#[tokio::test]
async fn broken_chunks_are_no_body() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let authorization = gateway.bearer().await;
    for chunk in [
        "zz\r\n{}\r\n0\r\n\r\n",
        "2 x\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "2\r\n{}XX0\r\n\r\n",
        "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "2\n{}\n0\n\n",
    ] {
        let text = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{chunk}"
        );
        let answer = raw(gateway.address, text.as_bytes()).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{chunk:?}: {answer}"
        );
    }
    assert!(mock.requests().is_empty());
}

/// S10.
#[tokio::test]
async fn heads_have_a_bound() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let many: String = (0..10_000)
        .map(|number| format!("x-{number}: y\r\n"))
        .collect();
    let long = format!("x-a: {}\r\n", "y".repeat(200_000));
    for headers in [many.as_str(), &long] {
        let answer = raw(
            gateway.address,
            format!("GET /health/readiness HTTP/1.1\r\nhost: x\r\n{headers}\r\n").as_bytes(),
        )
        .await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
            "{answer}"
        );
    }
    let target = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "y".repeat(100_000));
    let answer = raw(gateway.address, target.as_bytes()).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "{answer}"
    );
}

/// S10: what a parser would choke on is refused, and fast.
#[tokio::test]
async fn bombs_are_refused() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(guarded(&mock, "")).run();
    let deep = format!(
        r#"{{"model":"gpt","messages":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let wide = format!(
        r#"{{"model":"gpt","messages":[{}1]}}"#,
        "\"\",".repeat(500_000)
    );
    for body in [deep, wide] {
        let answer = gateway.ask("POST", "/v1/chat/completions", &body).await;
        assert!(
            answer.status == 400 || answer.status == 413,
            "{}",
            answer.status
        );
    }
    let authorization = gateway.bearer().await;
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-encoding", "gzip"),
    ];
    let answer = crate::http::ask(
        gateway.address,
        "POST",
        "/v1/chat/completions",
        &headers,
        &chat("gpt", "x", ""),
    )
    .await;
    assert_eq!(answer.status, 415);
    assert!(mock.requests().is_empty());
}

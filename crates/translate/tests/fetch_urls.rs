//! Images and files by their addresses: what is fetched, what never is, and what becomes of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::{Body, Dialect, Refusal, RefusalKind};
use bartizan_translate::{FetchUrls, Target, TranslateLayer};
use http::{HeaderMap, Request, Response};
use serde_json::{Value, json};
use support::{Got, chat, exchange, post};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nx";
const PDF: &[u8] = b"%PDF-1.7\n";

/// What was asked for: addresses and headers.
type Asked = Arc<Mutex<Vec<(String, HeaderMap)>>>;

/// A web that answers every request with `answer`, and notes it.
fn web(answer: impl Fn(&str) -> Response<Body> + Send + Sync + 'static) -> (FetchUrls, Asked) {
    let asked = Asked::default();
    let noted = Arc::clone(&asked);
    let urls = FetchUrls::by(move |request: Request<Body>| {
        let url = request.uri().to_string();
        assert_eq!(request.method(), "GET");
        let answer = answer(&url);
        noted.lock().unwrap().push((url, request.headers().clone()));
        async move { Ok::<_, Refusal>(answer) }
    });
    (urls.host("images.example.com").unwrap(), asked)
}

fn file(bytes: &'static [u8]) -> Response<Body> {
    Response::builder()
        .header("content-type", "text/html")
        .body(Body::from(bytes::Bytes::from_static(bytes)))
        .unwrap()
}

fn layer(to: Dialect) -> TranslateLayer {
    support::layer()
        .default_max_tokens(99)
        .to(Target::new(to, "m"))
}

fn answer(to: Dialect) -> Response<Body> {
    let text = match to {
        Dialect::OllamaChat => r#"{"message":{"content":"hi"},"done":true,"done_reason":"stop"}"#,
        Dialect::Gemini => {
            r#"{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}]}"#
        }
        Dialect::OpenAiChat => {
            r#"{"id":"a","choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}"#
        }
        _ => support::REPLY,
    };
    support::json(200, text)
}

fn image(url: &str) -> Value {
    json!({"type": "image_url", "image_url": {"url": url}})
}

fn saying(parts: Value) -> String {
    json!({"model": "house", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": parts}]}).to_string()
}

async fn ask(urls: FetchUrls, to: Dialect, parts: Value) -> Got {
    exchange(&layer(to).fetch_urls(urls), chat(saying(parts)), answer(to)).await
}

fn refused(got: &Got) -> (&'static str, String) {
    assert_eq!(got.status, 400, "{}", got.text);
    assert!(got.sent.is_none());
    let refusal = got.refusal.as_ref().unwrap();
    (refusal.code(), refusal.message().to_owned())
}

#[tokio::test]
async fn without_it_an_address_is_refused_where_only_data_goes() {
    let got = exchange(
        &layer(Dialect::OllamaChat),
        chat(saying(json!([image("https://images.example.com/a.png")]))),
        answer(Dialect::OllamaChat),
    )
    .await;
    let (code, says) = refused(&got);
    assert_eq!(code, "unsupported_parameter");
    assert!(
        says.starts_with("messages[1]: ") && says.contains("data"),
        "{says}"
    );
}

#[tokio::test]
async fn an_image_is_fetched_once_and_goes_as_its_data() {
    let (urls, asked) = web(|_| file(PNG));
    let part = image("https://images.example.com/a.png?x=1#part");
    let got = ask(
        urls,
        Dialect::OllamaChat,
        json!([{"type": "text", "text": "look"}, part, part]),
    )
    .await;
    assert_eq!(got.status, 200, "{}", got.text);
    let sent = got.sent.unwrap().json();
    assert_eq!(
        sent["messages"][1]["images"],
        json!(["iVBORw0KGgp4", "iVBORw0KGgp4"])
    );
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].0, "https://images.example.com/a.png?x=1");
    assert!(
        got.trail
            .contains(&"translate fetched files=1 bytes=18".to_owned()),
        "{:?}",
        got.trail
    );
}

#[tokio::test]
async fn nothing_of_the_caller_goes_along() {
    let (urls, asked) = web(|_| file(PNG));
    let mut request = chat(saying(json!([image("https://images.example.com/a.png")])));
    for (name, value) in [
        ("authorization", "Bearer canary"),
        ("cookie", "canary"),
        ("x-api-key", "canary"),
        ("x-forwarded-for", "canary"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    exchange(
        &layer(Dialect::OllamaChat).fetch_urls(urls),
        request,
        answer(Dialect::OllamaChat),
    )
    .await;
    let asked = asked.lock().unwrap();
    let names: Vec<&str> = asked[0].1.keys().map(http::HeaderName::as_str).collect();
    assert_eq!(names, ["accept", "accept-encoding", "user-agent"]);
}

#[tokio::test]
async fn only_hosts_that_are_named_are_asked() {
    for url in [
        "https://other.example.com/a.png",
        "http://images.example.com/a.png",
        "https://images.example.com:8443/a.png",
        "https://images.example.com@169.254.169.254/",
        "https://images.example.com.evil.example/",
        "https://169.254.169.254/latest/meta-data/",
        "https://metadata.google.internal/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[fd00:ec2::254]/",
        "https://10.0.0.1/",
        "https://100.64.0.1/",
        "https://user:pw@images.example.com/",
        "HTTPS://evil.example/#https://images.example.com/",
        "https://images.example.com\\@evil.example/",
        "https://",
        "https://images.example.com%2f@evil.example/",
        "https://xn--/",
    ] {
        let (urls, asked) = web(|_| file(PNG));
        let got = ask(urls, Dialect::OllamaChat, json!([image(url)])).await;
        let (_, says) = refused(&got);
        assert!(says.starts_with("messages[1]"), "{url}: {says}");
        assert!(asked.lock().unwrap().is_empty(), "{url}");
    }
    // Other schemes are no addresses at all.
    for url in [
        "file:///etc/passwd",
        "ftp://images.example.com/a",
        "gopher://images.example.com/",
        "javascript:1",
        "//images.example.com/a",
    ] {
        let (urls, asked) = web(|_| file(PNG));
        let got = ask(urls, Dialect::OllamaChat, json!([image(url)])).await;
        refused(&got);
        assert!(asked.lock().unwrap().is_empty(), "{url}");
    }
}

#[tokio::test]
async fn what_goes_wrong_on_the_way_is_told_by_one_sentence() {
    let builder = |status: u16| Response::builder().status(status);
    let answers: Vec<Box<dyn Fn() -> Response<Body> + Send + Sync>> = vec![
        Box::new(move || {
            builder(302)
                .header("location", "https://169.254.169.254/")
                .body(Body::from(bytes::Bytes::from_static(PNG)))
                .unwrap()
        }),
        Box::new(move || {
            builder(301)
                .header("location", "/b.png")
                .body(Body::empty())
                .unwrap()
        }),
        Box::new(move || {
            builder(404)
                .body(Body::from(bytes::Bytes::from_static(PNG)))
                .unwrap()
        }),
        Box::new(move || builder(500).body(Body::empty()).unwrap()),
        Box::new(move || {
            builder(206)
                .body(Body::from(bytes::Bytes::from_static(PNG)))
                .unwrap()
        }),
        Box::new(move || {
            builder(200)
                .header("content-encoding", "gzip")
                .body(Body::from(bytes::Bytes::from_static(PNG)))
                .unwrap()
        }),
    ];
    let mut told = Vec::new();
    for answer in answers {
        let (urls, asked) = web(move |_| answer());
        let got = ask(
            urls,
            Dialect::OllamaChat,
            json!([image("https://images.example.com/a.png")]),
        )
        .await;
        told.push(refused(&got));
        assert_eq!(asked.lock().unwrap().len(), 1, "no redirect is followed");
    }
    let urls = FetchUrls::by(|_| async {
        Err(Refusal::new(
            RefusalKind::Upstream,
            "egress_refused",
            "canary",
        ))
    });
    let got = ask(
        urls.host("images.example.com").unwrap(),
        Dialect::OllamaChat,
        json!([image("https://images.example.com/a.png")]),
    )
    .await;
    told.push(refused(&got));
    let urls = FetchUrls::by(|_| std::future::pending()).timeout(Duration::from_millis(10));
    let got = ask(
        urls.host("images.example.com").unwrap(),
        Dialect::OllamaChat,
        json!([image("https://images.example.com/a.png")]),
    )
    .await;
    told.push((refused(&got).0, told[0].1.clone()));
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
    assert_eq!(told[0].0, "url_not_fetched");
}

#[tokio::test]
async fn what_it_is_is_told_by_its_bytes() {
    for (bytes, part, code) in [
        (
            &b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"[..],
            "image",
            Some("url_of_other_type"),
        ),
        (b"<!doctype html><html>", "image", Some("url_of_other_type")),
        (b"hello", "image", Some("url_of_other_type")),
        (b"", "image", Some("url_of_other_type")),
        (PDF, "image", Some("url_of_other_type")),
        (PNG, "image", None),
    ] {
        let (urls, _) = web(move |_| {
            Response::builder()
                .header("content-type", "image/png")
                .body(Body::from(bytes::Bytes::from_static(bytes)))
                .unwrap()
        });
        let got = ask(
            urls,
            Dialect::OllamaChat,
            json!([image("https://images.example.com/a.png")]),
        )
        .await;
        match code {
            Some(code) => assert_eq!(refused(&got).0, code, "{part}"),
            None => assert_eq!(got.status, 200),
        }
    }
}

#[tokio::test]
async fn files_have_a_size_a_sum_and_a_number() {
    let url = |n: usize| image(&format!("https://images.example.com/{n}.png"));
    let many = |count: usize| Value::Array((0..count).map(url).collect());
    for (set, parts, code) in [
        (
            &(|urls: FetchUrls| urls.max_bytes(9)) as &dyn Fn(FetchUrls) -> FetchUrls,
            many(1),
            None,
        ),
        (
            &|urls: FetchUrls| urls.max_bytes(8),
            many(1),
            Some("url_too_large"),
        ),
        (&|urls: FetchUrls| urls.max_total_bytes(18), many(2), None),
        (
            &|urls: FetchUrls| urls.max_total_bytes(17),
            many(2),
            Some("url_too_large"),
        ),
        // One file named twice counts twice.
        (
            &|urls: FetchUrls| urls.max_total_bytes(17),
            json!([url(1), url(1)]),
            Some("url_too_large"),
        ),
        (&|urls: FetchUrls| urls.max_files(2), many(2), None),
        (
            &|urls: FetchUrls| urls.max_files(2),
            many(3),
            Some("too_many_urls"),
        ),
    ] {
        let (urls, _) = web(|_| file(PNG));
        let got = ask(set(urls), Dialect::OllamaChat, parts).await;
        match code {
            Some(code) => assert_eq!(refused(&got).0, code),
            None => assert_eq!(got.status, 200, "{}", got.text),
        }
    }
    // One that says it is too large is not even read.
    let (urls, _) = web(|_| {
        Response::builder()
            .header("content-length", "99999999999")
            .body(Body::from(bytes::Bytes::from_static(PNG)))
            .unwrap()
    });
    let got = ask(urls, Dialect::OllamaChat, json!([url(1)])).await;
    assert_eq!(refused(&got).0, "url_too_large");
}

#[tokio::test]
async fn providers_that_fetch_themselves_get_the_address_unless_told_never() {
    let parts = json!([image("https://images.example.com/a.png")]);
    for (to, always, fetched) in [
        (Dialect::AnthropicMessages, false, 0),
        (Dialect::AnthropicMessages, true, 1),
        (Dialect::Gemini, false, 1),
        (Dialect::OllamaChat, false, 1),
    ] {
        let (urls, asked) = web(|_| file(PNG));
        let got = ask(urls.always(always), to, parts.clone()).await;
        assert_eq!(got.status, 200, "{to:?}: {}", got.text);
        assert_eq!(asked.lock().unwrap().len(), fetched, "{to:?}");
        let text = got.sent.unwrap().text;
        assert_eq!(
            text.contains("iVBORw0KGgp4"),
            fetched == 1,
            "{to:?}: {text}"
        );
        assert_eq!(
            text.contains("images.example.com"),
            fetched == 0,
            "{to:?}: {text}"
        );
    }
    // A host that is not named goes to Google by its address, and to nobody where no provider is to fetch.
    let other = json!([image("https://other.example.com/a.png")]);
    let (urls, asked) = web(|_| file(PNG));
    assert_eq!(ask(urls, Dialect::Gemini, other.clone()).await.status, 200);
    let (urls, _) = web(|_| file(PNG));
    refused(&ask(urls.always(true), Dialect::AnthropicMessages, other).await);
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn anthropics_files_and_what_results_show_are_fetched_too() {
    let source = |url: &str| json!({"type": "url", "url": url});
    let request = json!({"model": "house", "max_tokens": 9, "messages": [
        {"role": "user", "content": [{"type": "document", "title": "a.pdf", "source": source("https://images.example.com/a.pdf")}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": source("https://images.example.com/b.png")}]}]},
    ]});
    let (urls, asked) = web(|url| file(if url.ends_with("pdf") { PDF } else { PNG }));
    let layer = layer(Dialect::OpenAiChat).fetch_urls(urls);
    let got = exchange(
        &layer,
        post("/v1/messages", request.to_string()),
        answer(Dialect::OpenAiChat),
    )
    .await;
    assert_eq!(got.status, 200, "{}", got.text);
    let sent = got.sent.unwrap().text;
    assert!(
        sent.contains("data:application/pdf;base64,JVBERi0xLjcK"),
        "{sent}"
    );
    // OpenAI fetches images itself, and no files.
    assert_eq!(asked.lock().unwrap().len(), 1);
    let (urls, asked) = web(|url| file(if url.ends_with("pdf") { PDF } else { PNG }));
    let layer = crate::layer(Dialect::OpenAiChat).fetch_urls(urls.always(true));
    let got = exchange(
        &layer,
        post("/v1/messages", request.to_string()),
        answer(Dialect::OpenAiChat),
    )
    .await;
    assert!(
        got.sent
            .unwrap()
            .text
            .contains("data:image/png;base64,iVBORw0KGgp4")
    );
    assert_eq!(asked.lock().unwrap().len(), 2);
}

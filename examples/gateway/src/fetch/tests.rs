//! S2: an address in a request must not lead inside.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bartizan::core::{Dialect, Refusal};
use bartizan::egress::{Resolver, Resolving};
use bartizan::translate::{Target, TranslateLayer};
use http::Response;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tower::{Layer as _, ServiceExt as _};

use super::*;

/// The addresses of every name: each question gets the next list, the last again and again.
#[derive(Debug)]
struct Names(Vec<Vec<IpAddr>>, AtomicUsize);

impl Names {
    fn at(lists: &[&[&str]]) -> Self {
        let list = |list: &&[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        Self(lists.iter().map(list).collect(), AtomicUsize::new(0))
    }
}

impl Resolver for Names {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        let asked = self.1.fetch_add(1, Ordering::SeqCst);
        let list = self.0[asked.min(self.0.len() - 1)].clone();
        Box::pin(async { Ok(list) })
    }
}

/// A server that answers every connection with `answer`, and counts them.
async fn serve(answer: String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, count)
}

fn settings(hosts: &[String]) -> FetchSettings {
    let origin = |host: &String| match host.contains("://") {
        true => host.parse().ok(),
        false => format!("https://{host}").parse().ok(),
    };
    FetchSettings {
        hosts: hosts.to_vec(),
        origins: hosts.iter().filter_map(origin).collect(),
        many: hosts.iter().any(|host| host.contains("*.")),
        timeout: Duration::from_secs(5),
        ..FetchSettings::default()
    }
}

/// What a caller gets whose request names `url`, and what went to the provider, which takes data alone.
async fn ask(urls: &FetchUrls, url: &str) -> (Response<Body>, Option<String>) {
    let sent = Arc::new(std::sync::Mutex::new(None));
    let noted = Arc::clone(&sent);
    let provider = tower::service_fn(move |request: Request<Body>| {
        let noted = Arc::clone(&noted);
        async move {
            let body = request.into_body().into_bytes(1 << 20).await.unwrap();
            *noted.lock().unwrap() = Some(String::from_utf8(body.to_vec()).unwrap());
            let answer = r#"{"message":{"content":"hi"},"done":true,"done_reason":"stop"}"#;
            let answer = Response::builder()
                .header("content-type", "application/json")
                .body(Body::from(answer));
            Ok::<_, Infallible>(answer.unwrap())
        }
    });
    let layer = TranslateLayer::new()
        .to(Target::new(Dialect::OllamaChat, "m"))
        .fetch_urls(urls.clone());
    let request = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]});
    let request = Request::post("/v1/chat/completions")
        .body(Body::from(request.to_string()))
        .unwrap();
    let answer = layer.layer(provider).oneshot(request).await.unwrap();
    let sent = sent.lock().unwrap().take();
    (answer, sent)
}

fn code(answer: &Response<Body>) -> &'static str {
    answer
        .extensions()
        .get::<Refusal>()
        .map_or("", Refusal::code)
}

#[tokio::test]
async fn a_named_host_that_lies_inside_is_never_connected_to() {
    let (port, connections) = serve(String::new()).await;
    for address in [
        "127.0.0.1",
        "127.8.8.8",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fd00:ec2::254",
        "fe80::1",
        "fc00::1",
    ] {
        for hosts in [
            vec![format!("images.example.com:{port}")],
            vec!["images.example.com".to_owned()],
            vec!["*.example.com".to_owned()],
        ] {
            let settings = settings(&hosts);
            let client = Client::builder(policy(&settings, &[])).resolver(Names::at(&[&[address]]));
            let urls = urls(&settings, client).unwrap();
            for url in [
                format!("https://images.example.com:{port}/a.png"),
                "https://images.example.com/a.png".to_owned(),
            ] {
                let (answer, sent) = ask(&urls, &url).await;
                assert_eq!(
                    (answer.status().as_u16(), sent),
                    (400, None),
                    "{address} {hosts:?} {url}"
                );
            }
        }
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_means_another_place_the_second_time_leads_nowhere() {
    let (port, connections) = serve(String::new()).await;
    let settings = settings(&[format!("images.example.com:{port}")]);
    // First a public address where nobody answers, then this machine; and both at once.
    let lists: &[&[&[&str]]] = &[
        &[&["192.0.2.1"], &["127.0.0.1"]],
        &[&["203.0.113.1", "127.0.0.1"]],
    ];
    for lists in lists {
        let client = Client::builder(policy(&settings, &[]))
            .resolver(Names::at(lists))
            .connect_timeout(Duration::from_millis(100));
        let urls = urls(&settings, client).unwrap();
        for _ in 0..3 {
            let (answer, sent) =
                ask(&urls, &format!("https://images.example.com:{port}/a.png")).await;
            assert_eq!((code(&answer), sent), ("url_not_fetched", None));
        }
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (inside, canary) = serve(String::new()).await;
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let (port, asked) = serve(format!("HTTP/1.1 {status}\r\nlocation: http://localhost:{inside}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")).await;
        let settings = settings(&[
            format!("http://localhost:{port}"),
            format!("http://localhost:{inside}"),
        ]);
        let urls = urls(&settings, Client::builder(policy(&settings, &[]))).unwrap();
        let (answer, sent) = ask(&urls, &format!("http://localhost:{port}/a.png")).await;
        assert_eq!((code(&answer), sent), ("url_not_fetched", None), "{status}");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
    assert_eq!(canary.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_is_fetched_reaches_the_provider_as_data() {
    let file = "GIF89a";
    let (port, _) = serve(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{file}",
        file.len()
    ))
    .await;
    let settings = settings(&[
        format!("http://localhost:{port}"),
        "*.example.com".to_owned(),
    ]);
    let urls = urls(&settings, Client::builder(policy(&settings, &[]))).unwrap();
    let (answer, sent) = ask(&urls, &format!("http://localhost:{port}/a.gif")).await;
    assert_eq!(answer.status(), 200);
    assert!(sent.unwrap().contains(r#""images":["R0lGODlh"]"#));
}

#[tokio::test]
async fn a_server_that_dawdles_is_given_up() {
    let (port, _) = serve("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nGIF89a".to_owned()).await;
    let mut settings = settings(&[format!("http://localhost:{port}")]);
    settings.timeout = Duration::from_millis(200);
    let urls = urls(&settings, Client::builder(policy(&settings, &[]))).unwrap();
    let (answer, sent) = ask(&urls, &format!("http://localhost:{port}/a.gif")).await;
    assert_eq!((code(&answer), sent), ("url_not_fetched", None));
}

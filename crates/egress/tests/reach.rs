//! The client against real sockets: what it reaches, what it never reaches, and when it gives up.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::{Body, Dialect, Refusal};
use bartizan_egress::{
    Client, ClientBuilder, Origin, Policy, Resolver, Resolving, Target, Timeouts,
};
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

const LIMIT: usize = 1 << 20;

/// Every name is at these addresses.
#[derive(Clone, Debug)]
struct Names(Vec<IpAddr>);

impl Names {
    fn at(addresses: &[&str]) -> Self {
        Self(addresses.iter().map(|text| text.parse().unwrap()).collect())
    }
}

impl Resolver for Names {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// A listener that does `each` with every connection, and counts them.
async fn listen<F: Future<Output = ()> + Send + 'static>(
    each: impl Fn(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            stream.set_nodelay(true).unwrap();
            tokio::spawn(each(stream));
        }
    });
    (address, count)
}

/// What a provider saw: URI and headers of each request.
type Seen = Arc<Mutex<Vec<(Uri, HeaderMap)>>>;

async fn provider(
    answer: impl Fn() -> Response<String> + Clone + Send + Sync + 'static,
) -> (SocketAddr, Arc<AtomicUsize>, Seen) {
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let (address, count) = listen(move |stream| {
        let (noted, answer) = (Arc::clone(&noted), answer.clone());
        async move {
            let service = service_fn(move |request: Request<Incoming>| {
                noted
                    .lock()
                    .unwrap()
                    .push((request.uri().clone(), request.headers().clone()));
                let answer = answer();
                async move {
                    request.into_body().collect().await.unwrap();
                    Ok::<_, Infallible>(answer)
                }
            });
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        }
    })
    .await;
    (address, count, seen)
}

fn origin(text: &str) -> Origin {
    text.parse().unwrap()
}

fn client(policy: Policy, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    settings(Client::builder(policy)).build().unwrap()
}

fn get(at: &str) -> Request<Body> {
    Request::get(at).body(Body::empty()).unwrap()
}

fn request(target: &Target) -> Request<Body> {
    let caller = Request::post("/v1/chat/completions?key=canary-query")
        .header("authorization", "Bearer canary-key")
        .header("x-api-key", "canary-key")
        .header("cookie", "canary-cookie")
        .header("x-forwarded-for", "192.0.2.7")
        .header("host", "gateway.example")
        .header("anthropic-beta", "b");
    let (parts, body) = caller.body(Body::from("{}")).unwrap().into_parts();
    target.request(parts, "/v1/chat/completions", body).unwrap()
}

#[tokio::test]
async fn a_provider_gets_its_credential_and_nothing_of_the_callers() {
    let answer = || {
        let headers = Response::builder()
            .header("set-cookie", "c")
            .header("x-request-id", "r")
            .header("openai-organization", "o");
        headers.body("hi".to_owned()).unwrap()
    };
    let (address, connections, seen) = provider(answer).await;
    let target = Target::new(&format!("http://{address}"))
        .unwrap()
        .bearer("sk-provider".into())
        .unwrap();
    let client = client(Policy::closed().allow(target.origin().clone()), |builder| {
        builder
    });
    for _ in 0..3 {
        let response = client.send(request(&target)).await.unwrap();
        assert_eq!(response.status(), 200);
        let names: Vec<_> = response
            .headers()
            .keys()
            .map(|name| name.as_str().to_owned())
            .collect();
        assert_eq!(names, ["x-request-id"]);
        assert_eq!(response.into_body().into_bytes(LIMIT).await.unwrap(), "hi");
    }
    assert_eq!(
        connections.load(Ordering::SeqCst),
        1,
        "connections are kept"
    );
    let (uri, headers) = seen.lock().unwrap()[0].clone();
    assert_eq!(uri, "/v1/chat/completions");
    for (name, value) in [
        ("authorization", "Bearer sk-provider"),
        ("host", address.to_string().as_str()),
        ("accept-encoding", "identity"),
        ("content-length", "2"),
        ("anthropic-beta", "b"),
    ] {
        assert_eq!(headers[name], value);
    }
    assert!(!format!("{headers:?}").contains("canary") && !headers.contains_key("x-forwarded-for"));
}

#[tokio::test]
async fn nothing_that_is_not_allowed_is_connected_to() {
    let (canary, connections) = listen(|_| async {}).await;
    let port = canary.port();
    let policy = Policy::closed()
        .allow(origin("http://allowed.example"))
        .allow(origin(&format!("http://allowed.example:{port}")))
        .allow_private(origin(&format!("http://private.example:{port}")))
        .allow_any_public();
    let hosts = [
        // Spellings of 127.0.0.1 and of this machine.
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "0",
        "0.0.0.0",
        "localhost",
        "LOCALHOST",
        "a.localhost",
        "localhost.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "127.0.0.53",
        // Names that are at a forbidden address, or look like an allowed one.
        "allowed.example",
        "allowed.example.evil.example",
        "evil.example",
        "ALLOWED.example",
        "user@allowed.example",
        "allowed.example@127.0.0.1",
        "allowed.example%00.evil.example",
        "metadata.google.internal",
        "169.254.169.254",
        "[fd00:ec2::254]",
    ];
    for address in [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "0.0.0.0",
    ] {
        let client = client(policy.clone(), |builder| {
            builder.resolver(Names::at(&[address]))
        });
        for host in hosts {
            for scheme in ["http", "https"] {
                // What isn't even a URI goes nowhere either.
                let Ok(request) =
                    Request::get(format!("{scheme}://{host}:{port}/")).body(Body::empty())
                else {
                    continue;
                };
                let refusal = client.send(request).await.expect_err(host);
                assert_eq!(
                    refusal.code(),
                    "egress_refused",
                    "{scheme}://{host} at {address}"
                );
                assert!(
                    !refusal.message().contains("127.") && !refusal.message().contains("example")
                );
            }
        }
    }
    for address in [
        "169.254.169.254",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "100.100.100.200",
        "fd00:ec2::254",
    ] {
        let client = client(policy.clone(), |builder| {
            builder.resolver(Names::at(&[address]))
        });
        let refusal = client
            .send(get(&format!("http://private.example:{port}/")))
            .await
            .unwrap_err();
        assert_eq!(refusal.code(), "egress_refused", "private, at {address}");
    }
    sleep(Duration::from_millis(50)).await;
    assert_eq!(connections.load(Ordering::SeqCst), 0);

    // The canary sings when it should: else the zero above means nothing.
    let client = client(policy, |builder| {
        builder.resolver(Names::at(&["127.0.0.1"]))
    });
    let _ = client
        .send(get(&format!("http://private.example:{port}/")))
        .await;
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (canary, connections) = listen(|_| async {}).await;
    for status in [301, 302, 303, 307, 308] {
        let to = format!("http://{canary}/latest/meta-data");
        let answer = move || {
            Response::builder()
                .status(status)
                .header("location", &to)
                .body(String::new())
                .unwrap()
        };
        let (address, _, _) = provider(answer).await;
        let target = Target::new(&format!("http://{address}"))
            .unwrap()
            .bearer("sk-provider".into())
            .unwrap();
        // Even where the other place is allowed as well.
        let policy = Policy::closed()
            .allow(target.origin().clone())
            .allow(origin(&format!("http://{canary}")));
        let response = client(policy, |builder| builder)
            .send(request(&target))
            .await
            .unwrap();
        assert_eq!(response.status(), status);
        assert!(!response.headers().contains_key("location"));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_request_turned_elsewhere_goes_nowhere_and_takes_no_credential() {
    let (address, connections, seen) = provider(|| Response::new(String::new())).await;
    let target = Target::new("https://api.example/v1")
        .unwrap()
        .bearer("sk-canary".into())
        .unwrap();
    let client = client(
        Policy::closed().allow(origin(&format!("http://{address}"))),
        |builder| builder,
    );
    let mut turned = request(&target);
    *turned.uri_mut() = format!("http://{address}/v1/chat/completions")
        .parse()
        .unwrap();
    assert_eq!(
        client.send(turned).await.unwrap_err().code(),
        "egress_refused"
    );
    assert_eq!(connections.load(Ordering::SeqCst), 0);

    client
        .send(get(&format!("http://{address}/")))
        .await
        .unwrap();
    assert!(
        !seen.lock().unwrap()[0].1.contains_key("authorization"),
        "no target, no credential"
    );
}

#[tokio::test]
async fn what_goes_wrong_is_told_by_kind_and_without_addresses() {
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let (closes, _) = listen(|stream| async move { drop(stream) }).await;
    let (garbage, _) = listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 64]).await;
        let _ = stream.write_all(b"garbage\r\n\r\n").await;
    })
    .await;
    for (at, code) in [
        (gone, "upstream_unreachable"),
        (closes, "upstream_failed"),
        (garbage, "upstream_failed"),
    ] {
        let target = Target::new(&format!("http://{at}")).unwrap();
        let client = client(Policy::closed().allow(target.origin().clone()), |builder| {
            builder
        });
        let response = client.oneshot(request(&target)).await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        assert_eq!(response.extensions().get::<Refusal>().unwrap().code(), code);
        let text = String::from_utf8(
            response
                .into_body()
                .into_bytes(LIMIT)
                .await
                .unwrap()
                .to_vec(),
        )
        .unwrap();
        assert!(
            text.contains(code)
                && !text.contains("127.0.0.1")
                && !text.contains(&at.port().to_string()),
            "{text}"
        );
    }
    #[derive(Debug)]
    struct Away;
    impl Resolver for Away {
        fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
            Box::pin(async { Err(io::Error::other("no such host")) })
        }
    }
    let client = client(Policy::closed().allow_any_public(), |builder| {
        builder.resolver(Away)
    });
    assert_eq!(
        client
            .send(get("https://hooks.example/"))
            .await
            .unwrap_err()
            .code(),
        "upstream_unreachable"
    );
}

#[tokio::test]
async fn each_wait_has_its_end() {
    let short = Duration::from_millis(80);
    let (silent, _) = listen(|stream| async move {
        let _stream = stream;
        std::future::pending().await
    })
    .await;
    let (stalls, _) = listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n")
            .await
            .unwrap();
        std::future::pending().await
    })
    .await;
    let (dribbles, _) = listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            .await
            .unwrap();
        while stream.write_all(b"1\r\n.\r\n").await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let policy = |at: SocketAddr| {
        Policy::closed()
            .allow(origin(&format!("http://{at}")))
            .allow(origin(&format!("https://{at}")))
    };
    let waits = Duration::from_secs(5);

    let slow_head = client(policy(silent), |builder| {
        builder.timeouts(Timeouts::default().head(short))
    });
    let refusal = timeout(waits, slow_head.send(get(&format!("http://{silent}/"))))
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(refusal.code(), "upstream_timeout");
    let slow_tls = client(policy(silent), |builder| builder.tls_timeout(short));
    let refusal = timeout(waits, slow_tls.send(get(&format!("https://{silent}/"))))
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(refusal.code(), "upstream_timeout");

    for (at, limits, says) in [
        (
            stalls,
            Timeouts::default().idle(short),
            "the provider took too long: the rest of the answer",
        ),
        (
            dribbles,
            Timeouts::default().total(short),
            "the provider took too long: the whole call",
        ),
    ] {
        // A target's own limits come before the client's.
        let target = Target::new(&format!("http://{at}"))
            .unwrap()
            .timeouts(limits);
        let mut body = client(policy(at), |builder| builder)
            .send(request(&target))
            .await
            .unwrap()
            .into_body();
        let error = timeout(waits, async {
            loop {
                if let Err(error) = body.frame().await.unwrap() {
                    return error;
                }
            }
        });
        let error = error.await.unwrap();
        let refusal = error.downcast_ref::<Refusal>().unwrap();
        assert_eq!(
            (refusal.code(), refusal.message()),
            ("upstream_timeout", says)
        );
        assert!(body.frame().await.is_none(), "an error is the last thing");
    }
}

#[tokio::test]
async fn a_caller_that_leaves_ends_the_providers_call() {
    let (closed, mut ended) = tokio::sync::mpsc::channel(1);
    let (at, _) = listen(move |mut stream| {
        let closed = closed.clone();
        async move {
            let _ = stream.read(&mut [0; 1024]).await;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n")
                .await
                .unwrap();
            while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
            closed.send(()).await.unwrap();
        }
    })
    .await;
    let target = Target::new(&format!("http://{at}")).unwrap();
    let client = client(Policy::closed().allow(target.origin().clone()), |builder| {
        builder
    });
    let mut body = client.send(request(&target)).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    timeout(Duration::from_secs(1), ended.recv())
        .await
        .expect("within a second")
        .unwrap();
}

#[tokio::test]
async fn an_upstream_sends_what_it_gets_and_refuses_paths_that_climb() {
    let (address, _, seen) = provider(|| Response::new("{}".to_owned())).await;
    let target = Target::new(&format!("http://{address}/base")).unwrap();
    let upstream = client(Policy::closed().allow(target.origin().clone()), |builder| {
        builder
    })
    .upstream(target);
    let plain = Request::post("/v1/messages?beta=true")
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(upstream.clone().oneshot(plain).await.unwrap().status(), 200);
    assert_eq!(seen.lock().unwrap()[0].0, "/base/v1/messages");
    let climbing = Request::post("/v1/../../messages")
        .extension(Dialect::AnthropicMessages)
        .body(Body::empty())
        .unwrap();
    let response = upstream.oneshot(climbing).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        response.extensions().get::<Refusal>().unwrap().code(),
        "invalid_request"
    );
    assert_eq!(seen.lock().unwrap().len(), 1);
}

/// A server that has a certificate for `name`, and tells the version that was spoken; with the root that signed it.
async fn tls_provider(name: &str, protocols: &[&str]) -> (SocketAddr, String) {
    let signed = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let mut config = versions
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key.into())
        .unwrap();
    config.alpn_protocols = protocols
        .iter()
        .map(|protocol| protocol.as_bytes().to_vec())
        .collect();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let (address, _) = listen(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = service_fn(|request: Request<Incoming>| {
                std::future::ready(Ok::<_, Infallible>(Response::new(format!(
                    "{:?}",
                    request.version()
                ))))
            });
            #[cfg(feature = "http2")]
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                let http2 =
                    hyper::server::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new());
                let _ = http2.serve_connection(TokioIo::new(stream), service).await;
                return;
            }
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        }
    })
    .await;
    (address, signed.cert.pem())
}

#[tokio::test]
async fn tls_is_checked_against_the_name_and_the_roots() {
    let (address, pem) = tls_provider("provider.example", &["http/1.1"]).await;
    let (_, other_pem) = tls_provider("provider.example", &[]).await;
    let call = async |host: &str, settings: &dyn Fn(ClientBuilder) -> ClientBuilder| {
        let url = format!("https://{host}:{}", address.port());
        let policy = Policy::closed().allow_private(origin(&url));
        let client = client(policy, |builder| {
            settings(builder.resolver(Names::at(&["127.0.0.1"])))
        });
        client
            .send(get(&format!("{url}/")))
            .await?
            .into_body()
            .into_bytes(LIMIT)
            .await
    };
    let text = call("provider.example", &|builder| {
        builder.only_roots(pem.as_bytes()).unwrap()
    })
    .await
    .unwrap();
    assert_eq!(text, "HTTP/1.1");
    call("provider.example", &|builder| {
        builder.add_roots(pem.as_bytes()).unwrap()
    })
    .await
    .unwrap();
    let wrong = [
        ("provider.example", None),
        ("provider.example", Some(&other_pem)),
        ("other.example", Some(&pem)),
        ("127.0.0.1", Some(&pem)),
    ];
    for (host, roots) in wrong {
        let settings = |builder: ClientBuilder| match roots {
            Some(roots) => builder.only_roots(roots.as_bytes()).unwrap(),
            None => builder,
        };
        let called = call(host, &settings).await;
        assert_eq!(called.unwrap_err().code(), "upstream_unreachable", "{host}");
    }
    assert!(
        Client::builder(Policy::closed())
            .add_roots(b"no certificate")
            .is_err()
    );
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn http2_is_spoken_where_it_is_offered() {
    let (address, pem) = tls_provider("provider.example", &["h2", "http/1.1"]).await;
    let url = format!("https://provider.example:{}", address.port());
    let settings = |builder: ClientBuilder| {
        builder
            .resolver(Names::at(&["127.0.0.1"]))
            .only_roots(pem.as_bytes())
            .unwrap()
    };
    let client = client(Policy::closed().allow_private(origin(&url)), settings);
    let response = client.send(get(&format!("{url}/"))).await.unwrap();
    assert_eq!(
        response.into_body().into_bytes(LIMIT).await.unwrap(),
        "HTTP/2.0"
    );
}

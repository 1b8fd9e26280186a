//! From where callers come: behind proxies, and who may call at all.

use bartizan_testkit::{MockProvider, Script};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;

use crate::http::{Answer, ask, read_answer, request};
use crate::process::{Gateway, MASTER, Start, chat, config};

/// The listeners' addresses of one test: main, management, Presidio's.
struct Listeners {
    gateway: Gateway,
    managed: std::net::SocketAddr,
    presidio: std::net::SocketAddr,
    mock: MockProvider,
}

async fn start(general: &str) -> Listeners {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let free = || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let (managed, presidio) = (free(), free());
    let own =
        format!("bartizan: {{admin: {{listen: '{managed}'}}, presidio: {{listen: '{presidio}'}}}}");
    let general = format!("{{master_key: {MASTER}, {general}}}");
    let file = config(&mock, &own).replace(&format!("{{master_key: {MASTER}}}"), &general);
    Listeners {
        gateway: Start::with(file).run(),
        managed,
        presidio,
        mock,
    }
}

/// Asks from another address of this machine.
pub(crate) async fn ask_from(
    from: &str,
    address: std::net::SocketAddr,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let text = request("POST", "/v1/chat/completions", headers, body, "close");
    send_from(from, address, &text).await
}

/// Looks at something from another address of this machine.
pub(crate) async fn get_from(
    from: &str,
    address: std::net::SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    send_from(from, address, &request("GET", path, headers, "", "close")).await
}

async fn send_from(from: &str, address: std::net::SocketAddr, text: &str) -> Answer {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    read_answer(&mut stream).await.unwrap()
}

const BEHIND: &str = "use_x_forwarded_for: true, trusted_proxy_ranges: [127.0.0.1/32]";

#[tokio::test]
async fn who_is_not_allowed_gets_403_before_anything_else_but_liveness() {
    let all = start(&format!(
        "{BEHIND}, allowed_ips: [192.0.2.0/24, '2001:db8::7']"
    ))
    .await;
    let master = format!("Bearer {MASTER}");
    let from = |address: &'static str, id: &'static str| {
        [
            ("x-forwarded-for", address),
            ("x-request-id", id),
            ("authorization", master.as_str()),
        ]
    };
    let inside = from("192.0.2.7", "id-192.0.2.7");
    let outside = from("198.51.100.7", "id-198.51.100.7");
    let made = ask(all.managed, "POST", "/key/generate", &inside, "{}").await;
    assert_eq!(made.status, 200, "{made:?}");
    let key = format!("Bearer {}", made.json()["key"].as_str().unwrap());
    let main = all.gateway.address;
    let call = async |address, key: &str| {
        let headers = [("x-forwarded-for", address), ("authorization", key)];
        ask(
            main,
            "POST",
            "/v1/chat/completions",
            &headers,
            &chat("gpt", "x", ""),
        )
        .await
    };
    for (address, status) in [
        ("192.0.2.7", 200),
        ("2001:db8::7", 200),
        ("192.0.3.7", 403),
        ("2001:db8::8", 403),
    ] {
        let answer = call(address, &key).await;
        assert_eq!(answer.status, status, "{address}: {answer:?}");
    }
    // Before the key is looked at, and before the body is.
    let refused = call("198.51.100.7", "Bearer sk-wrong").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "address_not_allowed")
    );
    for (listener, method, path, status) in [
        (main, "GET", "/v1/models", 403),
        (main, "GET", "/health/readiness", 403),
        (main, "GET", "/nowhere", 403),
        (main, "GET", "/health/liveliness", 200),
        (all.managed, "POST", "/key/generate", 403),
        (all.managed, "GET", "/openapi.json", 403),
        (all.managed, "GET", "/health/liveliness", 200),
        (all.presidio, "POST", "/analyze", 403),
        (all.presidio, "GET", "/health", 200),
    ] {
        let answer = ask(listener, method, path, &outside, "").await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
    assert_eq!(all.mock.requests().len(), 2);
    let folder = all.gateway.stop().await;
    let journal = std::fs::read_to_string(folder.path().join("bartizan-data/audit.jsonl")).unwrap();
    assert!(
        journal.contains("id-192.0.2.7") && !journal.contains("id-198.51.100.7"),
        "{journal}"
    );
}

#[tokio::test]
async fn a_header_is_believed_from_a_proxy_of_ours_and_from_nobody_else() {
    let all = start(BEHIND).await;
    let headers = [("authorization", &*format!("Bearer {MASTER}"))];
    let wish = r#"{"allowed_ips":["192.0.2.7"]}"#;
    let made = ask(all.managed, "POST", "/key/generate", &headers, wish).await;
    let key = format!("Bearer {}", made.json()["key"].as_str().unwrap());
    let body = chat("gpt", "x", "");
    for (peer, forwarded, status) in [
        ("127.0.0.1", "192.0.2.7", 200),
        ("127.0.0.1", "198.51.100.1, 192.0.2.7", 200),
        ("127.0.0.1", "192.0.2.7, 198.51.100.1", 403),
        ("127.0.0.1", "192.0.2.7, unknown", 403),
        ("127.0.0.1", "192.0.2.7, 127.0.0.1", 200),
        ("127.0.0.2", "192.0.2.7", 403),
        ("127.0.0.2", "192.0.2.7, 127.0.0.1", 403),
    ] {
        // The other header is nobody's business.
        let headers = [
            ("authorization", key.as_str()),
            ("x-forwarded-for", forwarded),
            ("forwarded", "for=192.0.2.7"),
            ("x-real-ip", "192.0.2.7"),
        ];
        let answer = ask_from(peer, all.gateway.address, &headers, &body).await;
        assert_eq!(answer.status, status, "{peer}, {forwarded}: {answer:?}");
    }
}

#[tokio::test]
async fn without_being_told_no_header_says_where_a_caller_is() {
    let all = start("allowed_ips: 127.0.0.1").await;
    let headers = [("authorization", &*format!("Bearer {MASTER}"))];
    let wish = r#"{"allowed_ips":["127.0.0.1"]}"#;
    let made = ask(all.managed, "POST", "/key/generate", &headers, wish).await;
    let key = format!("Bearer {}", made.json()["key"].as_str().unwrap());
    let body = chat("gpt", "x", "");
    for (peer, forwarded, status) in [
        ("127.0.0.1", "192.0.2.7", 200),
        ("127.0.0.2", "127.0.0.1", 403),
    ] {
        let headers = [
            ("authorization", key.as_str()),
            ("x-forwarded-for", forwarded),
        ];
        let answer = ask_from(peer, all.gateway.address, &headers, &body).await;
        assert_eq!(answer.status, status, "{peer}: {answer:?}");
    }
}

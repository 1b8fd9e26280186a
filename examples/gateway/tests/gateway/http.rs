//! HTTP/1.1 by hand: what is sent is what the test wrote.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code of an error in OpenAI's shape.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The data of each event.
    pub(crate) fn events(&self) -> Vec<&str> {
        self.body
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .collect()
    }
}

/// Sends one request on a connection of its own.
pub(crate) async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let text = request(method, path, headers, body, "close");
    // A server that refuses early closes before all is written.
    let _ = stream.write_all(text.as_bytes()).await;
    read_answer(&mut stream)
        .await
        .unwrap_or_else(|| panic!("{method} {path}: no answer"))
}

pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
    connection: &str,
) -> String {
    let mut text =
        format!("{method} {path} HTTP/1.1\r\nhost: gateway.test\r\nconnection: {connection}\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    text + "\r\n" + body
}

/// Writes `bytes` as they are, and gives all that comes back until the connection ends.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(bytes).await;
    read_all(&mut stream).await
}

pub(crate) async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    // A reset ends it too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut all))
        .await
        .expect("the connection stays open");
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads one answer, as far as its own framing says.
pub(crate) async fn read_answer(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Option<Answer> {
    timeout(PATIENCE, answer(stream))
        .await
        .expect("no answer in time")
}

async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> Option<Answer> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut rest = bytes.split_off(end + 4);
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let find = |name: &str| {
        headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    if find("transfer-encoding") == Some("chunked") {
        while !rest.ends_with(b"0\r\n\r\n") {
            if stream.read_buf(&mut rest).await.unwrap_or(0) == 0 {
                // A broken body: what came of it, with a mark.
                let body = format!("{}[broken off]", String::from_utf8_lossy(&unchunk(&rest)));
                return Some(Answer {
                    status,
                    headers,
                    body,
                });
            }
        }
        rest = unchunk(&rest);
    } else if let Some(length) =
        find("content-length").and_then(|length| length.parse::<usize>().ok())
    {
        while rest.len() < length {
            if stream.read_buf(&mut rest).await.unwrap_or(0) == 0 {
                break;
            }
        }
    } else {
        let _ = stream.read_to_end(&mut rest).await;
    }
    let body = String::from_utf8(rest).unwrap();
    Some(Answer {
        status,
        headers,
        body,
    })
}

fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end])
            .ok()
            .and_then(|text| usize::from_str_radix(text, 16).ok())
            .unwrap_or(0);
        let (from, to) = (end + 2, (end + 2 + size).min(bytes.len()));
        all.extend_from_slice(&bytes[from.min(to)..to]);
        bytes = bytes.get(to + 2..).unwrap_or_default();
        if size == 0 {
            break;
        }
    }
    all
}

//! An HTTP client that shows what was on the wire.

use bartizan_testkit::MockProvider;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
    /// How many chunks the body came in.
    pub(crate) chunks: usize,
    /// The body ended as HTTP says it must.
    pub(crate) clean: bool,
    /// The connection was reset.
    pub(crate) reset: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> String {
        let line = |line: &str| Some(line.split_once(": ")?.1.to_owned());
        self.head
            .lines()
            .find(|line| line.to_lowercase().starts_with(&format!("{name}:")))
            .and_then(line)
            .unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn frames(&self) -> Vec<String> {
        self.text()
            .split_inclusive("\n\n")
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.filter(|data| *data != "[DONE]")
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }
}

pub(crate) async fn open(mock: &MockProvider, path: &str, body: &Value) -> TcpStream {
    send(mock, "POST", path, &body.to_string()).await
}

pub(crate) async fn post(mock: &MockProvider, path: &str, body: &Value) -> Answer {
    read(open(mock, path, body).await).await
}

pub(crate) async fn get(mock: &MockProvider, path: &str) -> Answer {
    read(send(mock, "GET", path, "").await).await
}

async fn send(mock: &MockProvider, method: &str, path: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(mock.address()).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    stream
}

async fn read(mut stream: TcpStream) -> Answer {
    let mut all = Vec::new();
    let reset = stream.read_to_end(&mut all).await.is_err();
    let end = all
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let raw = &all[end + 4..];
    let status = head[9..12].parse().unwrap();
    let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    let (body, chunks, clean) = if chunked {
        unchunk(raw)
    } else {
        (raw.to_vec(), 1, true)
    };
    let mut answer = Answer {
        status,
        head,
        body,
        chunks,
        clean: clean && !reset,
        reset,
    };
    let length = answer.header("content-length");
    answer.clean &= length.is_empty() || length == answer.body.len().to_string();
    answer
}

fn unchunk(mut raw: &[u8]) -> (Vec<u8>, usize, bool) {
    let (mut body, mut chunks) = (Vec::new(), 0);
    while let Some(line) = raw.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&raw[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return (body, chunks, true);
        }
        let start = line + 2;
        body.extend_from_slice(&raw[start..start + size]);
        raw = &raw[start + size + 2..];
        chunks += 1;
    }
    (body, chunks, false)
}

//! A receiver of webhooks: takes what comes, but for the first tries, which it answers as told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// What came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) path: String,
    pub(crate) signature: String,
    pub(crate) body: String,
    /// With what it was answered.
    pub(crate) status: u16,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    address: SocketAddr,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Receiver {
    /// Answers the first requests with `first`, one each, and all others with 204.
    pub(crate) async fn start(first: impl IntoIterator<Item = u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            came: Arc::default(),
        };
        let first: Arc<Mutex<VecDeque<u16>>> = Arc::new(Mutex::new(first.into_iter().collect()));
        let came = Arc::clone(&receiver.came);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (first, came) = (Arc::clone(&first), Arc::clone(&came));
                tokio::spawn(async move {
                    let next = || first.lock().unwrap().pop_front().unwrap_or(204);
                    take(stream, next, &came).await;
                });
            }
        });
        receiver
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// Waits for so many.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Came> {
        let began = Instant::now();
        loop {
            let came = self.came();
            if came.len() >= count {
                return came;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{came:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Takes one request, and closes.
async fn take(mut stream: TcpStream, next: impl Fn() -> u16, came: &Mutex<Vec<Came>>) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").parse::<usize>().unwrap();
            break (head.to_owned(), length);
        }
    };
    let begin = head.len() + 4;
    while bytes.len() < begin + length {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let status = next();
    came.lock().unwrap().push(Came {
        path: head.split(' ').nth(1).unwrap().to_owned(),
        signature: header(&head, "x-bartizan-signature"),
        body: String::from_utf8(bytes[begin..].to_vec()).unwrap(),
        status,
    });
    let answer = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn header(head: &str, name: &str) -> String {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found
        .map(|(_, value)| value.trim().to_owned())
        .unwrap_or_default()
}

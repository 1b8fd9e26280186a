//! The first minute of a newcomer: the very lines that are printed, run.

use serde_json::Value;

use crate::http::{Answer, ask};
use crate::process::{Gateway, Start};

/// Runs a printed curl line the way a shell would.
async fn paste(gateway: &Gateway, line: &str) -> Answer {
    let words = words(line);
    let mut words = words.iter().map(String::as_str);
    assert_eq!(words.next(), Some("curl"));
    let (mut url, mut headers, mut data) = (None, Vec::new(), "");
    while let Some(word) = words.next() {
        match word {
            "-s" | "-sN" => {}
            "-o" | "-w" => drop(words.next()),
            "-H" => headers.push(words.next().unwrap().split_once(": ").unwrap()),
            "-d" => data = words.next().unwrap(),
            other => assert!(url.replace(other).is_none(), "two URLs"),
        }
    }
    let base = format!("http://{}", gateway.address);
    let path = url.unwrap().strip_prefix(&base).expect("another host");
    ask(gateway.address, "POST", path, &headers, data).await
}

/// Words of a shell's line, of which some are in single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

fn line(said: &str, number: usize) -> String {
    let mut lines = said
        .lines()
        .skip_while(|line| !line.starts_with(&format!("{number}. ")));
    lines.next().unwrap();
    lines.next().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_printed_works_when_it_is_pasted() {
    let gateway = Start::bare().run();
    let said = gateway.stdout();
    let personal = [
        "2345 6789 0124",
        "ABCPE1234F",
        "4111 1111 1111 1111",
        "asha.rao@example.org",
    ];

    let answer = paste(&gateway, &line(&said, 1)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let content = answer.json()["choices"][0]["message"]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    for piece in personal {
        assert!(content.contains(piece), "not restored: {content}");
    }
    let received = gateway.stdout()[said.len()..].to_owned();
    assert!(received.starts_with("the provider received: My Aadhaar is <IN_AADHAAR_1>, my PAN is <IN_PAN_1>, my card is <CREDIT_CARD_1>, and I am at <EMAIL_ADDRESS_1>."), "{received}");
    for piece in personal {
        assert!(!received.contains(piece), "not masked: {received}");
    }

    let streamed = paste(&gateway, &line(&said, 2)).await;
    let text: String = streamed
        .events()
        .iter()
        .filter_map(|event| serde_json::from_str::<serde_json::Value>(event).ok())
        .filter_map(|event| {
            event["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(text, content);
    assert!(streamed.events().len() > 10);

    let refused = paste(&gateway, &line(&said, 3)).await;
    assert_eq!(refused.status, 403, "{refused:?}");

    let looped = line(&said, 4);
    let once = looped
        .split_once("do ")
        .unwrap()
        .1
        .strip_suffix("; done")
        .unwrap();
    assert_eq!(looped.split_once(';').unwrap().0.split(' ').count() - 3, 11);
    let mut statuses = Vec::new();
    for _ in 0..11 {
        statuses.push(paste(&gateway, once).await.status);
    }
    assert!(statuses[0] == 200 && statuses[10] == 429, "{statuses:?}");

    let grep = line(&said, 5);
    let words: Vec<&str> = grep.split(' ').collect();
    let folder = gateway.stop().await;
    let audit = std::fs::read_to_string(folder.path().join(words[4])).unwrap();
    let record = audit.lines().find(|line| line.contains(words[3])).unwrap();
    assert!(record.contains(r#""action":"masked""#), "{record}");
    for piece in personal {
        assert!(!audit.contains(piece));
    }
}

#[tokio::test]
async fn the_demo_speaks_every_api() {
    let gateway = Start::bare().run();
    let said = gateway.stdout();
    let key = said
        .split_once("for a day: ")
        .unwrap()
        .1
        .split('\n')
        .next()
        .unwrap();
    for (path, body) in [
        ("/v1/responses", r#"{"model":"demo","input":"hello"}"#),
        (
            "/v1/responses",
            r#"{"model":"demo","input":"hello","stream":true}"#,
        ),
        (
            "/v1/messages",
            r#"{"model":"demo","max_tokens":9,"messages":[{"role":"user","content":"hello"}]}"#,
        ),
        (
            "/v1/messages",
            r#"{"model":"demo","max_tokens":9,"messages":[{"role":"user","content":"hello"}],"stream":true}"#,
        ),
        ("/v1/embeddings", r#"{"model":"demo","input":"hello"}"#),
    ] {
        let answer = gateway.ask_as(key, "POST", path, body).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        // A stream may say it in pieces.
        let said: String = answer
            .body
            .split("\n")
            .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
            .filter_map(|event| event["delta"]["text"].as_str().map(str::to_owned))
            .collect();
        assert!(
            path.ends_with("embeddings") || answer.body.contains("hello") || said.contains("hello"),
            "{answer:?}"
        );
    }
    assert_eq!(
        gateway.ask_as(key, "POST", "/user/new", "{}").await.status,
        403
    );
}

#[tokio::test]
async fn keys_in_the_environment_are_served_instead() {
    let gateway = Start::bare()
        .env("OPENAI_API_KEY", "sk-canary-openai")
        .run();
    let said = gateway.stdout();
    assert!(
        said.contains("openai/*") && !said.contains("demo") && !said.contains("canary"),
        "{said}"
    );
    let key = said
        .split_once("shown once: ")
        .unwrap()
        .1
        .split('\n')
        .next()
        .unwrap()
        .to_owned();
    let models = gateway.ask_as(&key, "GET", "/v1/models", "").await;
    assert_eq!(models.json()["data"][0]["id"], "openai/*");
    let given = Start::bare()
        .env("BARTIZAN_MASTER_KEY", crate::process::MASTER)
        .run();
    let said = given.stdout();
    assert!(
        said.contains("sk-bz-") && !said.contains(crate::process::MASTER),
        "a key that was given is not shown: {said}"
    );
}

//! The mock provider does on the wire what its script says.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests panic as tests do"
)]

mod client;
mod readable;

use std::time::Duration;

use bartizan_testkit::{LineEnd, MockProvider, Outcome, Script};
use client::{Answer, open, post};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const MESSAGES: &str = "/v1/messages";

fn chat(model: &str, text: &str, stream: bool) -> Value {
    json!({
        "model": model,
        "stream": stream,
        "stream_options": { "include_usage": true },
        "messages": [{ "role": "user", "content": text }],
        "tools": [{ "type": "function", "function": { "name": "weather" } }, { "type": "function", "function": { "name": "time" } }],
    })
}

async fn mock() -> MockProvider {
    MockProvider::start(Script::echo()).await.unwrap()
}

async fn say(mock: &MockProvider, path: &str, words: &str, text: &str, stream: bool) -> Answer {
    let mut body = chat(&format!("mock-{words}"), text, stream);
    if path == RESPONSES {
        let messages = body.as_object_mut().unwrap().remove("messages").unwrap();
        body["input"] = messages;
    }
    post(mock, path, &body).await
}

/// The deltas of a stream, put together as a client would.
fn told(path: &str, answer: &Answer) -> (String, String) {
    let (mut text, mut arguments) = (String::new(), String::new());
    for event in answer.events() {
        let delta = match path {
            CHAT => &event["choices"][0]["delta"],
            MESSAGES => &event["delta"],
            _ => &event,
        };
        let take = |pointer: &str| {
            delta
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        match path {
            CHAT => {
                text += &take("/content");
                arguments += &take("/tool_calls/0/function/arguments");
            }
            MESSAGES => {
                text += &take("/text");
                arguments += &take("/partial_json");
            }
            _ if event["type"] == "response.output_text.delta" => text += &take("/delta"),
            _ if event["type"] == "response.function_call_arguments.delta" => {
                arguments += &take("/delta")
            }
            _ => {}
        }
    }
    (text, arguments)
}

#[tokio::test]
async fn it_echoes_in_each_dialect_streamed_and_whole() {
    let mock = mock().await;
    let text = "आधार 🪪 \"quoted\" \n and more";
    for path in [CHAT, RESPONSES, MESSAGES] {
        let streamed = say(&mock, path, "echo", text, true).await;
        assert_eq!(
            streamed.header("content-type"),
            "text/event-stream; charset=utf-8"
        );
        assert_eq!(told(path, &streamed).0, text, "{path}");

        let whole = say(&mock, path, "echo", text, false).await;
        let pointer = match path {
            CHAT => "/choices/0/message/content",
            RESPONSES => "/output/0/content/0/text",
            _ => "/content/0/text",
        };
        assert_eq!(whole.json().pointer(pointer).unwrap(), text, "{path}");
        assert_eq!(whole.header("content-length"), whole.body.len().to_string());
    }
}

#[tokio::test]
async fn parallel_tool_calls_carry_the_text_in_their_arguments() {
    let mock = mock().await;
    for (path, names) in [
        (CHAT, "/choices/0/message/tool_calls"),
        (RESPONSES, "/output"),
        (MESSAGES, "/content"),
    ] {
        let whole = say(&mock, path, "tools-2", "say \"hi\"", false)
            .await
            .json();
        let calls = whole.pointer(names).unwrap().as_array().unwrap();
        assert_eq!(calls.len(), 2, "{path}");

        let (_, arguments) = told(path, &say(&mock, path, "tools-2", "say \"hi\"", true).await);
        let arguments: Vec<Value> = serde_json::Deserializer::from_str(&arguments)
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(arguments.len(), 2, "{path}");
        assert_eq!(
            arguments[1],
            json!({ "text": "say \"hi\"", "call": 1, "nested": { "again": ["say \"hi\""] } })
        );
    }
}

#[tokio::test]
async fn a_tool_result_is_answered_in_words() {
    let mock = mock().await;
    let body = json!({
        "model": "mock-tools",
        "messages": [
            { "role": "user", "content": "ask" },
            { "role": "assistant", "content": null, "tool_calls": [] },
            { "role": "tool", "tool_call_id": "1", "content": "42" },
        ],
    });
    assert_eq!(
        post(&mock, CHAT, &body).await.json()["choices"][0]["message"]["content"],
        "42"
    );
}

#[tokio::test]
async fn responses_number_each_event_from_zero() {
    let mock = mock().await;
    let events = say(&mock, RESPONSES, "thinking+tools", "x", true)
        .await
        .events();
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], index);
    }
    assert_eq!(events.last().unwrap()["type"], "response.completed");
    assert_eq!(
        events.last().unwrap()["response"]["output"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn usage_comes_when_it_is_asked_for() {
    let mock = mock().await;
    let streamed = say(&mock, CHAT, "usage-10-20+cached-4", "x", true)
        .await
        .events();
    let last = streamed.last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["prompt_tokens"], 10);
    assert_eq!(last["usage"]["prompt_tokens_details"]["cached_tokens"], 4);

    let usage = say(&mock, MESSAGES, "usage-10-20+cached-4", "x", false)
        .await
        .json()["usage"]
        .take();
    assert_eq!(
        (&usage["input_tokens"], &usage["cache_read_input_tokens"]),
        (&json!(6), &json!(4))
    );

    let mut body = chat("mock-echo", "x", true);
    body["stream_options"] = Value::Null;
    assert!(
        post(&mock, CHAT, &body)
            .await
            .events()
            .iter()
            .all(|event| event.get("usage").is_none())
    );
}

#[tokio::test]
async fn an_error_has_its_status_its_dialect_and_its_retry_after() {
    let mock = mock().await;
    let openai = say(&mock, CHAT, "error-429+retry-after-7", "x", true).await;
    assert_eq!(
        (openai.status, openai.header("retry-after").as_str()),
        (429, "7")
    );
    assert_eq!(openai.json()["error"]["code"], "rate_limit_exceeded");
    let anthropic = say(&mock, MESSAGES, "error-529", "x", false).await;
    assert_eq!(anthropic.status, 529);
    assert_eq!(anthropic.json()["error"]["type"], "overloaded_error");
}

#[tokio::test]
async fn a_cut_ends_cleanly_after_each_event() {
    let mock = mock().await;
    for path in [CHAT, RESPONSES, MESSAGES] {
        let whole = say(&mock, path, "echo", "one two", true).await.frames();
        for count in 0..whole.len() {
            let answer = say(&mock, path, &format!("cut-after-{count}"), "one two", true).await;
            assert!(answer.clean, "{path} {count}");
            assert_eq!(answer.frames().len(), count, "{path}");
            assert_eq!(mock.requests().last().unwrap().outcome, Outcome::Broken);
        }
        let past = say(
            &mock,
            path,
            &format!("cut-after-{}", whole.len()),
            "one two",
            true,
        )
        .await;
        assert_eq!(past.frames().len(), whole.len());
        assert_eq!(mock.requests().last().unwrap().outcome, Outcome::Whole);
    }
}

#[tokio::test]
async fn a_drop_and_an_abort_show_on_the_socket_after_what_was_sent() {
    let mock = mock().await;
    for (words, reset) in [("drop-after-3", false), ("abort-after-3", true)] {
        let answer = say(&mock, CHAT, words, "one two three", true).await;
        assert!(!answer.clean, "{words}");
        assert_eq!(answer.reset, reset, "{words}");
        assert_eq!(answer.frames().len(), 3, "{words}");
    }
    let whole = say(&mock, CHAT, "drop-after-1", "one two three", false).await;
    assert!(!whole.clean && whole.body.len() == 64);
}

#[tokio::test]
async fn an_error_event_comes_in_the_dialects_own_way() {
    let mock = mock().await;
    let chat = say(&mock, CHAT, "error-after-2", "one two", true).await;
    assert_eq!(
        chat.events().last().unwrap()["error"]["type"],
        "server_error"
    );
    assert!(!chat.text().contains("[DONE]"));
    let anthropic = say(&mock, MESSAGES, "error-after-2", "one two", true).await;
    assert!(
        anthropic
            .frames()
            .last()
            .unwrap()
            .starts_with("event: error\n")
    );
    let responses = say(&mock, RESPONSES, "error-after-2", "one two", true).await;
    assert_eq!(responses.events().last().unwrap()["sequence_number"], 2);
}

#[tokio::test]
async fn a_garbled_event_is_no_json_and_the_rest_is() {
    let mock = mock().await;
    let frames = say(&mock, CHAT, "garbled-after-1", "one two", true)
        .await
        .frames();
    let sound = |frame: &String| {
        let data = frame.strip_prefix("data: ").unwrap().trim_end();
        data == "[DONE]" || serde_json::from_str::<Value>(data).is_ok()
    };
    let broken: Vec<usize> = frames
        .iter()
        .enumerate()
        .filter(|(_, frame)| !sound(frame))
        .map(|(at, _)| at)
        .collect();
    assert_eq!(broken, [1]);
}

#[tokio::test]
async fn odd_chunks_and_line_ends_change_nothing_that_is_said() {
    let mock = mock().await;
    let plain = say(&mock, MESSAGES, "echo", "एक दो", true).await;
    for words in ["split-1", "split-7", "scatter-3"] {
        let answer = say(&mock, MESSAGES, words, "एक दो", true).await;
        assert_eq!(told(MESSAGES, &answer).0, "एक दो", "{words}");
        assert_eq!(answer.frames().len(), plain.frames().len(), "{words}");
        assert!(answer.chunks > plain.chunks, "{words}");
    }
    let crlf = say(&mock, MESSAGES, "crlf+comments+bom", "x", true)
        .await
        .text();
    assert!(crlf.starts_with("\u{feff}: mock\r\nevent: message_start\r\ndata: "));
    assert!(!crlf.replace("\r\n", "").contains(['\r', '\n']));
}

#[tokio::test]
async fn it_waits_before_the_head_and_between_events() {
    tokio::time::timeout(Duration::from_secs(5), async {
        let mock = mock().await;
        let start = tokio::time::Instant::now();
        let events = say(&mock, CHAT, "delay-50+pace-10", "one two", true)
            .await
            .frames()
            .len();
        let least = Duration::from_millis(50 + 10 * (events as u64 - 1));
        assert!(start.elapsed() >= least);
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_before_the_head_and_in_the_stream() {
    let mock = mock().await;
    for words in ["delay-60000", "hang-after-2"] {
        let stream = open(&mock, CHAT, &chat(&format!("mock-{words}"), "x", true)).await;
        mock.wait(|requests| !requests.is_empty()).await.unwrap();
        drop(stream);
        let requests = mock
            .wait(|requests| matches!(requests[0].outcome, Outcome::Left { .. }))
            .await
            .unwrap();
        assert_eq!(requests.len(), 1);
        mock.forget();
    }
}

#[tokio::test]
async fn a_flaky_answer_fails_as_often_as_told() {
    let mock = mock().await;
    let mut statuses = Vec::new();
    for text in ["a", "a", "b", "a"] {
        statuses.push(say(&mock, CHAT, "flaky-2-503", text, false).await.status);
    }
    assert_eq!(statuses, [503, 503, 503, 200]);
}

#[tokio::test]
async fn scripts_come_by_constructor_text_and_in_turn() {
    let mock = MockProvider::start(
        Script::text("fixed").header(header::ETAG, HeaderValue::from_static("e")),
    )
    .await
    .unwrap();
    let content = |answer: &Answer| answer.json()["choices"][0]["message"]["content"].clone();
    let plain = post(&mock, CHAT, &chat("gpt-4o", "x", false)).await;
    assert_eq!(
        (content(&plain), plain.header("etag").as_str()),
        (json!("fixed"), "e")
    );
    let by_text = post(&mock, CHAT, &chat("gpt-4o", "mock:echo hello", false)).await;
    assert_eq!(content(&by_text), "hello");
    mock.play_each([
        Script::error(StatusCode::BAD_GATEWAY),
        Script::text("second"),
    ]);
    assert_eq!(
        post(&mock, CHAT, &chat("gpt-4o", "x", false)).await.status,
        502
    );
    assert_eq!(
        content(&post(&mock, CHAT, &chat("gpt-4o", "x", false)).await),
        "second"
    );
    assert_eq!(
        content(&post(&mock, CHAT, &chat("gpt-4o", "x", false)).await),
        "fixed"
    );
    let unknown = post(&mock, CHAT, &chat("mock-tolls", "x", false)).await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.text().contains("tolls"));
}

#[tokio::test]
async fn a_replay_leaves_byte_for_byte_and_can_be_cut() {
    let mock = mock().await;
    let body = "data: {\"a\":1}\n\ndata: {\"b\":2}\n\ndata: [DONE]\n\n";
    let script = Script::replay(StatusCode::OK, body).header(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    mock.play_each([script.clone(), script.cut_after(1)]);
    assert_eq!(
        post(&mock, CHAT, &chat("gpt-4o", "x", true)).await.text(),
        body
    );
    assert_eq!(
        post(&mock, CHAT, &chat("gpt-4o", "x", true)).await.text(),
        "data: {\"a\":1}\n\n"
    );
}

#[tokio::test]
async fn line_ends_can_be_carriage_returns_alone() {
    let mock = MockProvider::start(Script::text("x").line_end(LineEnd::Cr))
        .await
        .unwrap();
    let text = post(&mock, CHAT, &chat("gpt-4o", "x", true)).await.text();
    assert!(!text.contains('\n') && text.ends_with("data: [DONE]\r\r"));
}

#[tokio::test]
async fn what_was_received_can_be_asked_for_by_another_process() {
    let mock = mock().await;
    say(&mock, CHAT, "echo", "remember me", false).await;
    let record = client::get(&mock, "/mock/requests").await.json();
    let request = &record["requests"][0];
    assert_eq!(
        (&request["path"], &request["outcome"]),
        (&json!(CHAT), &json!("whole"))
    );
    assert!(request["body"].as_str().unwrap().contains("remember me"));
    assert_eq!(request["headers"]["content-type"], "application/json");
    for (word, count) in [("remember", 1), ("forget", 0)] {
        let record = client::get(&mock, &format!("/mock/requests?contains={word}"))
            .await
            .json();
        assert_eq!(record["requests"].as_array().unwrap().len(), count);
    }
}

#[tokio::test]
async fn embeddings_have_a_vector_an_input_also_in_base64() {
    let mock = mock().await;
    let body = json!({ "model": "mock-echo", "input": ["a", "b"], "dimensions": 4 });
    let data = post(&mock, "/v1/embeddings", &body).await.json()["data"].take();
    assert_eq!(data[1]["embedding"].as_array().unwrap().len(), 4);
    assert_ne!(data[0]["embedding"], data[1]["embedding"]);
    let body =
        json!({ "model": "mock-echo", "input": "a", "dimensions": 4, "encoding_format": "base64" });
    let encoded = post(&mock, "/v1/embeddings", &body).await.json()["data"][0]["embedding"].take();
    assert_eq!(encoded.as_str().unwrap().len(), 24);
}

#[tokio::test]
async fn the_fast_provider_writes_53_events_one_by_one() {
    let mock = MockProvider::start_fast(([127, 0, 0, 1], 0).into())
        .await
        .unwrap();
    let answer = post(&mock, CHAT, &chat("any", "x", true)).await;
    assert_eq!((answer.frames().len(), answer.chunks), (53, 53));
    assert_eq!(
        post(&mock, CHAT, &chat("any", "x", false)).await.body.len(),
        634
    );
    assert!(mock.requests().is_empty());
}

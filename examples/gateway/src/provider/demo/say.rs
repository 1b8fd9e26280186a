//! The demo's answers, in each dialect, whole and streamed.

mod google;
mod small;

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bartizan::core::{
    Body, BoxError, Clock as _, Dialect, Document, Event, Refusal, RefusalKind, SystemClock,
    TextRole,
};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body::Frame;
use serde_json::{Value, json};
use tokio::time::{Instant, Sleep, sleep_until};

/// Short enough to cut every placeholder.
const PIECE: usize = 7;

/// Slow enough to be seen.
const PACE: Duration = Duration::from_millis(15);

pub(super) fn answer(request: &Document, text: &str) -> Result<Response<Body>, Refusal> {
    let facts = request.facts();
    let said = Said {
        text,
        created: SystemClock::new().unix().as_secs(),
        input: tokens(request.as_str()),
        output: tokens(text),
    };
    match (request.dialect(), facts.stream) {
        (Dialect::OpenAiChat, false) => Ok(whole(&said.chat())),
        (Dialect::OpenAiChat, true) => Ok(stream(said.chat_events(facts.include_usage))),
        (Dialect::OpenAiResponses, false) => Ok(whole(&said.response("completed", Some(text)))),
        (Dialect::OpenAiResponses, true) => Ok(stream(said.response_events())),
        (Dialect::AnthropicMessages, false) => Ok(whole(&said.message(
            json!([{"type": "text", "text": text}]),
            json!("end_turn"),
            said.output,
        ))),
        (Dialect::AnthropicMessages, true) => Ok(stream(said.message_events())),
        (Dialect::OpenAiEmbeddings, _) => Ok(whole(&embeddings(request))),
        (Dialect::OpenAiCompletions, false) => Ok(whole(&said.completion())),
        (Dialect::OpenAiCompletions, true) => {
            Ok(stream(said.completion_events(facts.include_usage)))
        }
        (Dialect::OpenAiModerations, _) => Ok(whole(&small::moderated(request))),
        (Dialect::AnthropicCountTokens, _) => Ok(whole(&small::counted(request))),
        (Dialect::CohereRerank, _) => Ok(whole(&small::ranked(request))),
        (Dialect::Gemini, false) => Ok(whole(&said.generated())),
        (Dialect::Gemini, true) => Ok(stream(said.generated_events())),
        (Dialect::GeminiCountTokens, _) => Ok(whole(&google::counted(request))),
        (Dialect::GeminiEmbeddings, _) => Ok(whole(&google::embedded(request))),
        _ => Err(Refusal::new(
            RefusalKind::BadRequest,
            "not_translated",
            "the demo does not speak this API",
        )),
    }
}

/// Four bytes a token, as a rule of thumb has it.
fn tokens(text: &str) -> u64 {
    u64::try_from(text.len().div_ceil(4)).unwrap_or(u64::MAX)
}

fn whole(body: &Value) -> Response<Body> {
    respond("application/json", Body::from(body.to_string()))
}

fn stream(events: Vec<Event>) -> Response<Body> {
    let events = events.iter().map(Event::to_bytes).collect();
    respond("text/event-stream", Body::new(Paced { events, next: None }))
}

fn respond(content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

struct Said<'a> {
    text: &'a str,
    created: u64,
    input: u64,
    output: u64,
}

impl Said<'_> {
    fn pieces(&self) -> Vec<String> {
        let all: Vec<char> = self.text.chars().collect();
        all.chunks(PIECE)
            .map(|piece| piece.iter().collect())
            .collect()
    }

    fn chat(&self) -> Value {
        json!({
            "id": "chatcmpl-demo",
            "object": "chat.completion",
            "created": self.created,
            "model": "demo",
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": self.text, "refusal": null},
                "logprobs": null,
                "finish_reason": "stop",
            }],
            "usage": self.chat_usage(),
        })
    }

    fn chat_usage(&self) -> Value {
        json!({"prompt_tokens": self.input, "completion_tokens": self.output, "total_tokens": self.input + self.output})
    }

    fn chat_events(&self, usage: bool) -> Vec<Event> {
        let chunk = |choices: Value| json!({"id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": self.created, "model": "demo", "choices": choices});
        let delta = |delta: Value, finish: Value| {
            chunk(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]))
        };
        let mut chunks = vec![delta(
            json!({"role": "assistant", "content": ""}),
            Value::Null,
        )];
        chunks.extend(
            self.pieces()
                .into_iter()
                .map(|piece| delta(json!({"content": piece}), Value::Null)),
        );
        chunks.push(delta(json!({}), json!("stop")));
        if usage {
            let mut last = chunk(json!([]));
            if let Some(members) = last.as_object_mut() {
                members.insert("usage".to_owned(), self.chat_usage());
            }
            chunks.push(last);
        }
        let mut events: Vec<Event> = chunks
            .iter()
            .map(|chunk| Event::new(None, &chunk.to_string()))
            .collect();
        events.push(Event::new(None, "[DONE]"));
        events
    }

    fn response(&self, status: &str, text: Option<&str>) -> Value {
        let done = text.is_some();
        let output = text
            .map(|text| json!([item("completed", json!([part(text)]))]))
            .unwrap_or_else(|| json!([]));
        let usage = json!({
            "input_tokens": self.input,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": self.output,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": self.input + self.output,
        });
        json!({
            "id": "resp_demo",
            "object": "response",
            "created_at": self.created,
            "status": status,
            "error": null,
            "incomplete_details": null,
            "instructions": null,
            "metadata": {},
            "model": "demo",
            "output": output,
            "parallel_tool_calls": true,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "usage": if done { usage } else { Value::Null },
        })
    }

    fn response_events(&self) -> Vec<Event> {
        let place = |mut event: Value| {
            if let Some(members) = event.as_object_mut() {
                members.insert("item_id".to_owned(), json!("msg_demo"));
                members.insert("output_index".to_owned(), json!(0));
                members.insert("content_index".to_owned(), json!(0));
            }
            event
        };
        let mut all = vec![
            json!({"type": "response.created", "response": self.response("in_progress", None)}),
            json!({"type": "response.in_progress", "response": self.response("in_progress", None)}),
            json!({"type": "response.output_item.added", "output_index": 0, "item": item("in_progress", json!([]))}),
            place(json!({"type": "response.content_part.added", "part": part("")})),
        ];
        let pieces = self.pieces().into_iter();
        all.extend(pieces.map(|piece| {
            place(json!({"type": "response.output_text.delta", "delta": piece, "logprobs": []}))
        }));
        all.extend([
            place(json!({"type": "response.output_text.done", "text": self.text, "logprobs": []})),
            place(json!({"type": "response.content_part.done", "part": part(self.text)})),
            json!({"type": "response.output_item.done", "output_index": 0, "item": item("completed", json!([part(self.text)]))}),
            json!({"type": "response.completed", "response": self.response("completed", Some(self.text))}),
        ]);
        let numbered = all.into_iter().enumerate().map(|(number, mut event)| {
            if let Some(members) = event.as_object_mut() {
                members.insert("sequence_number".to_owned(), json!(number));
            }
            named(&event)
        });
        numbered.collect()
    }

    fn message(&self, content: Value, stop: Value, output: u64) -> Value {
        json!({
            "id": "msg_demo",
            "type": "message",
            "role": "assistant",
            "model": "demo",
            "content": content,
            "stop_reason": stop,
            "stop_sequence": null,
            "usage": {"input_tokens": self.input, "output_tokens": output},
        })
    }

    fn message_events(&self) -> Vec<Event> {
        let mut all = vec![
            json!({"type": "message_start", "message": self.message(json!([]), Value::Null, 0)}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        ];
        let pieces = self.pieces().into_iter();
        all.extend(pieces.map(|piece| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}})));
        all.extend([
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": self.output}}),
            json!({"type": "message_stop"}),
        ]);
        all.iter().map(named).collect()
    }
}

fn item(status: &str, content: Value) -> Value {
    json!({"id": "msg_demo", "type": "message", "status": status, "role": "assistant", "content": content})
}

fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn named(event: &Value) -> Event {
    Event::new(
        event.get("type").and_then(Value::as_str),
        &event.to_string(),
    )
}

/// Eight numbers, the same for the same text, and of no meaning.
fn vector(text: &str) -> Vec<f64> {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    (0..8_u8)
        .map(|lane| {
            for byte in text.bytes().chain([lane]) {
                state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            // The upper 16 bits, between -1 and 1.
            f64::from(u16::try_from(state >> 48).unwrap_or_default()) / 32_767.5 - 1.0
        })
        .collect()
}

fn embeddings(request: &Document) -> Value {
    let inputs = request
        .texts()
        .filter(|text| text.role() == TextRole::Input);
    let data: Vec<Value> = inputs
        .enumerate()
        .map(|(index, text)| {
            let vector = vector(text.as_str());
            json!({"object": "embedding", "index": index, "embedding": vector})
        })
        .collect();
    let input = tokens(request.as_str());
    json!({"object": "list", "data": data, "model": "demo", "usage": {"prompt_tokens": input, "total_tokens": input}})
}

/// Events, one after the other.
struct Paced {
    events: VecDeque<Bytes>,
    next: Option<Pin<Box<Sleep>>>,
}

impl http_body::Body for Paced {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(next) = &mut self.next {
            ready!(next.as_mut().poll(context));
        }
        self.next = Some(Box::pin(sleep_until(Instant::now() + PACE)));
        Poll::Ready(self.events.pop_front().map(|event| Ok(Frame::data(event))))
    }
}

#[cfg(test)]
mod tests {
    use bartizan::core::Direction;

    use super::*;

    async fn ask(dialect: Dialect, request: &str) -> (Response<()>, String) {
        let document = Document::read(request, dialect, Direction::Request).unwrap();
        let (head, body) = answer(&document, &super::super::received(&document))
            .unwrap()
            .into_parts();
        let bytes = body.into_bytes(1 << 20).await.unwrap();
        (
            Response::from_parts(head, ()),
            String::from_utf8(bytes.to_vec()).unwrap(),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn it_says_what_it_received_in_every_dialect() {
        let said = "one <EMAIL_ADDRESS_1> two \"three\" é";
        let quoted = serde_json::to_string(said).unwrap();
        for (dialect, request, path) in [
            (
                Dialect::OpenAiChat,
                format!(
                    r#"{{"messages":[{{"role":"user","content":"old"}},{{"role":"user","content":{quoted}}}]"#
                ),
                "/choices/0/message/content",
            ),
            (
                Dialect::OpenAiResponses,
                format!(r#"{{"input":{quoted}"#),
                "/output/0/content/0/text",
            ),
            (
                Dialect::AnthropicMessages,
                format!(r#"{{"max_tokens":9,"messages":[{{"role":"user","content":{quoted}}}]"#),
                "/content/0/text",
            ),
            (
                Dialect::OpenAiCompletions,
                format!(r#"{{"prompt":{quoted}"#),
                "/choices/0/text",
            ),
        ] {
            let (_, body) = ask(dialect, &format!("{request}}}")).await;
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body.pointer(path).unwrap(), said, "{dialect:?}");

            let (head, body) = ask(dialect, &format!(r#"{request},"stream":true}}"#)).await;
            assert_eq!(head.headers()[CONTENT_TYPE], "text/event-stream");
            let mut decoder = bartizan::core::EventDecoder::new();
            decoder.push(body.into());
            let (mut text, mut terminal) = (String::new(), false);
            while let Some(event) = decoder.next_event().unwrap() {
                let data = event.data().unwrap();
                if data == "[DONE]" {
                    terminal = true;
                    continue;
                }
                let document = Document::read(data, dialect, Direction::Event).unwrap();
                terminal |= document.facts().terminal;
                text.extend(
                    document
                        .texts()
                        .filter(|text| text.is_delta())
                        .map(|text| text.as_str().to_owned()),
                );
            }
            assert_eq!((text.as_str(), terminal), (said, true), "{dialect:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_says_what_it_received_to_geminis_clients_too() {
        let said = "one <EMAIL_ADDRESS_1> two";
        let request = format!(r#"{{"contents":[{{"parts":[{{"text":"{said}"}}]}}]}}"#);
        let document = Document::read(&request, Dialect::Gemini, Direction::Request).unwrap();
        let whole = answer(&document, said).unwrap();
        let body = whole.into_body().into_bytes(1 << 20).await.unwrap();
        let reply = Document::read(&body, Dialect::Gemini, Direction::Reply).unwrap();
        let texts: Vec<_> = reply.texts().map(|text| text.as_str().to_owned()).collect();
        assert_eq!(texts, [said]);
        assert!(reply.facts().usage.is_some());

        let spoken = Said {
            text: said,
            created: 0,
            input: 1,
            output: 1,
        };
        let (mut text, mut terminal) = (String::new(), false);
        for mut event in spoken.generated_events() {
            assert!(!terminal);
            let chunk = event.read_document(Dialect::Gemini).unwrap().unwrap();
            terminal = chunk.facts().terminal;
            text.extend(chunk.texts().map(|text| text.as_str().to_owned()));
        }
        assert_eq!((text.as_str(), terminal), (said, true));
    }

    #[tokio::test]
    async fn the_smaller_apis_get_what_they_ask_for() {
        let json = async |dialect, request: &str| -> Value {
            serde_json::from_str(&ask(dialect, request).await.1).unwrap()
        };
        let rank = json(
            Dialect::CohereRerank,
            r#"{"query":"red apple","documents":["a pear","an apple",{"text":"a red apple"}],"top_n":2}"#,
        )
        .await;
        let order: Vec<_> = rank["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["index"].as_u64().unwrap())
            .collect();
        assert_eq!(order, [2, 1]);
        let moderated = json(Dialect::OpenAiModerations, r#"{"input":["a","b"]}"#).await;
        assert_eq!(moderated["results"].as_array().unwrap().len(), 2);
        let counted = json(Dialect::AnthropicCountTokens, r#"{"messages":[]}"#).await;
        assert_eq!(counted["input_tokens"], 4);
        let counted = json(Dialect::GeminiCountTokens, r#"{"contents":[]}"#).await;
        assert_eq!(counted["totalTokens"], 4);
        let one = r#"{"content":{"parts":[{"text":"a"}]}}"#;
        let one = json(Dialect::GeminiEmbeddings, one).await;
        let many = r#"{"requests":[{"content":{"parts":[{"text":"b"}]}},{"content":{"parts":[{"text":"a"}]}}]}"#;
        let many = json(Dialect::GeminiEmbeddings, many).await;
        assert_eq!(one["embedding"], many["embeddings"][1]);
        assert_ne!(one["embedding"], many["embeddings"][0]);
    }

    #[tokio::test]
    async fn equal_texts_have_equal_embeddings() {
        let (_, body) = ask(Dialect::OpenAiEmbeddings, r#"{"input":["a","b","a"]}"#).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        let vector = |index: usize| body["data"][index]["embedding"].clone();
        assert_eq!(vector(0).as_array().unwrap().len(), 8);
        assert!(vector(0) == vector(2) && vector(0) != vector(1));
    }
}

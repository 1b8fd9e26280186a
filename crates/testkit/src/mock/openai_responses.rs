//! OpenAI responses.

use super::json::{Raw, object};
use super::said::{CREATED, Call, Finish, Said, Spent, pieces};

pub(super) fn reply(said: &Said) -> String {
    let mut output = Vec::new();
    if let Some(thinking) = &said.thinking {
        output.push(reasoning(said, Some(thinking)));
    }
    if said.text.is_some() {
        output.push(message(said, "completed", vec![part(said, true)]));
    }
    output.extend(
        said.calls
            .iter()
            .map(|one| call(one, "completed", &one.arguments)),
    );
    response(said, ending(said), output, true).0
}

pub(super) fn events(said: &Said) -> Vec<String> {
    let mut stream = Stream {
        events: Vec::new(),
        items: Vec::new(),
    };
    stream.push(
        "response.created",
        vec![("response", response(said, "in_progress", Vec::new(), false))],
    );
    stream.push(
        "response.in_progress",
        vec![("response", response(said, "in_progress", Vec::new(), false))],
    );
    if let Some(thinking) = &said.thinking {
        stream.think(said, thinking);
    }
    if let Some(text) = &said.text {
        stream.speak(said, text);
    }
    for call in &said.calls {
        stream.call(said, call);
    }
    let name = if said.finish == Finish::Length {
        "response.incomplete"
    } else {
        "response.completed"
    };
    let items = std::mem::take(&mut stream.items);
    stream.push(
        name,
        vec![("response", response(said, ending(said), items, true))],
    );
    stream.events
}

/// The events so far; each has the number of its place.
struct Stream {
    events: Vec<String>,
    items: Vec<Raw>,
}

impl Stream {
    fn push(&mut self, name: &str, members: Vec<(&str, Raw)>) {
        let mut out = String::new();
        super::json::member(&mut out, "type", &name);
        for (key, value) in members {
            super::json::member(&mut out, key, &value);
        }
        super::json::member(&mut out, "sequence_number", &number(self.events.len()));
        self.events
            .push(format!("event: {name}\ndata: {out}}}\n\n"));
    }

    fn index(&self) -> Raw {
        Raw(self.items.len().to_string())
    }

    fn open(&mut self, item: Raw) {
        let index = self.index();
        self.push(
            "response.output_item.added",
            vec![("output_index", index), ("item", item)],
        );
    }

    fn close(&mut self, item: Raw) {
        let index = self.index();
        self.push(
            "response.output_item.done",
            vec![("output_index", index), ("item", item.clone())],
        );
        self.items.push(item);
    }

    fn at(&self, id: &str, inner: Option<&'static str>) -> Vec<(&'static str, Raw)> {
        let mut members = vec![("item_id", text(id)), ("output_index", self.index())];
        members.extend(inner.map(|key| (key, Raw("0".to_owned()))));
        members
    }

    fn with(
        &mut self,
        name: &str,
        mut at: Vec<(&'static str, Raw)>,
        more: Vec<(&'static str, Raw)>,
    ) {
        at.extend(more);
        self.push(name, at);
    }

    fn think(&mut self, said: &Said, thinking: &str) {
        let id = format!("rs_mock_{}", said.number);
        let at = |stream: &Self| stream.at(&id, Some("summary_index"));
        let whole = object! { "type": "summary_text", "text": thinking };
        self.open(reasoning(said, None));
        let empty = object! { "type": "summary_text", "text": "" };
        self.with(
            "response.reasoning_summary_part.added",
            at(self),
            vec![("part", empty)],
        );
        for piece in pieces(thinking, said.piece) {
            self.with(
                "response.reasoning_summary_text.delta",
                at(self),
                vec![("delta", text(piece))],
            );
        }
        self.with(
            "response.reasoning_summary_text.done",
            at(self),
            vec![("text", text(thinking))],
        );
        self.with(
            "response.reasoning_summary_part.done",
            at(self),
            vec![("part", whole)],
        );
        self.close(reasoning(said, Some(thinking)));
    }

    fn speak(&mut self, said: &Said, words: &str) {
        let id = message_id(said);
        let at = |stream: &Self| stream.at(&id, Some("content_index"));
        let (delta, done, key) = if said.refusal {
            ("response.refusal.delta", "response.refusal.done", "refusal")
        } else {
            (
                "response.output_text.delta",
                "response.output_text.done",
                "text",
            )
        };
        let logprobs = || (!said.refusal).then(|| ("logprobs", Raw("[]".to_owned())));
        self.open(message(said, "in_progress", Vec::new()));
        self.with(
            "response.content_part.added",
            at(self),
            vec![("part", part(said, false))],
        );
        for piece in pieces(words, said.piece) {
            let mut more = vec![("delta", text(piece))];
            more.extend(logprobs());
            self.with(delta, at(self), more);
        }
        let mut more = vec![(key, text(words))];
        more.extend(logprobs());
        self.with(done, at(self), more);
        self.with(
            "response.content_part.done",
            at(self),
            vec![("part", part(said, true))],
        );
        self.close(message(said, "completed", vec![part(said, true)]));
    }

    fn call(&mut self, said: &Said, one: &Call) {
        let id = item_id(one);
        let at = |stream: &Self| stream.at(&id, None);
        self.open(call(one, "in_progress", ""));
        for piece in pieces(&one.arguments, said.piece) {
            self.with(
                "response.function_call_arguments.delta",
                at(self),
                vec![("delta", text(piece))],
            );
        }
        let more = vec![
            ("name", text(&one.name)),
            ("arguments", text(&one.arguments)),
        ];
        self.with("response.function_call_arguments.done", at(self), more);
        self.close(call(one, "completed", &one.arguments));
    }
}

fn response(said: &Said, status: &str, output: Vec<Raw>, done: bool) -> Raw {
    let cut = (status == "incomplete").then(|| object! { "reason": "max_output_tokens" });
    object! {
        "id": format!("resp_mock_{}", said.number),
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": false,
        "error": (),
        "incomplete_details": cut,
        "instructions": (),
        "max_output_tokens": (),
        "model": said.model,
        "output": output,
        "parallel_tool_calls": true,
        "previous_response_id": (),
        "reasoning": object! { "effort": (), "summary": () },
        "store": false,
        "temperature": 1,
        "text": object! { "format": object! { "type": "text" } },
        "tool_choice": "auto",
        "tools": Vec::<Raw>::new(),
        "top_p": 1,
        "truncation": "disabled",
        "usage": said.usage.filter(|_| done).map(usage),
        "user": (),
        "metadata": Raw("{}".to_owned()),
    }
}

fn reasoning(said: &Said, summary: Option<&str>) -> Raw {
    let summary: Vec<Raw> = summary
        .iter()
        .map(|text| object! { "type": "summary_text", "text": text })
        .collect();
    object! { "id": format!("rs_mock_{}", said.number), "type": "reasoning", "summary": summary }
}

fn message(said: &Said, status: &str, content: Vec<Raw>) -> Raw {
    object! { "id": message_id(said), "type": "message", "status": status, "content": content, "role": "assistant" }
}

fn part(said: &Said, whole: bool) -> Raw {
    let words = said.text.as_deref().filter(|_| whole).unwrap_or_default();
    if said.refusal {
        object! { "type": "refusal", "refusal": words }
    } else {
        let none = Vec::<Raw>::new;
        object! { "type": "output_text", "annotations": none(), "logprobs": none(), "text": words }
    }
}

fn call(call: &Call, status: &str, arguments: &str) -> Raw {
    object! {
        "id": item_id(call),
        "type": "function_call",
        "status": status,
        "arguments": arguments,
        "call_id": call.id,
        "name": call.name,
    }
}

fn usage(spent: Spent) -> Raw {
    object! {
        "input_tokens": spent.input,
        "input_tokens_details": object! { "cached_tokens": spent.cached },
        "output_tokens": spent.output,
        "output_tokens_details": object! { "reasoning_tokens": spent.reasoning },
        "total_tokens": spent.input + spent.output,
    }
}

fn ending(said: &Said) -> &'static str {
    if said.finish == Finish::Length {
        "incomplete"
    } else {
        "completed"
    }
}

fn message_id(said: &Said) -> String {
    format!("msg_mock_{}", said.number)
}

fn item_id(call: &Call) -> String {
    call.id.replacen("call_", "fc_", 1)
}

fn text(text: &str) -> Raw {
    Raw(serde_json::Value::from(text).to_string())
}

fn number(place: usize) -> u64 {
    u64::try_from(place).unwrap_or(u64::MAX)
}

//! The answers that load is measured with: the same bytes each time, made once.

use std::collections::VecDeque;
use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::json;

use super::prompt::{Api, Prompt};
use super::said::Said;
use super::script::Script;
use super::{anthropic, openai_chat, openai_responses};

/// The bytes of an unstreamed answer; a dialect whose smallest answer is longer sends that.
const REPLY: usize = 634;

/// The events of a streamed answer.
const EVENTS: usize = 53;

#[derive(Debug)]
struct Canned {
    reply: Bytes,
    events: VecDeque<Bytes>,
}

static CHAT: LazyLock<Canned> = LazyLock::new(|| canned(Api::Chat));
static RESPONSES: LazyLock<Canned> = LazyLock::new(|| canned(Api::Responses));
static MESSAGES: LazyLock<Canned> = LazyLock::new(|| canned(Api::Messages));

pub(super) fn reply(api: Api) -> Bytes {
    of(api).reply.clone()
}

pub(super) fn events(api: Api) -> VecDeque<Bytes> {
    of(api).events.clone()
}

fn of(api: Api) -> &'static Canned {
    match api {
        Api::Messages => &MESSAGES,
        Api::Responses => &RESPONSES,
        _ => &CHAT,
    }
}

fn canned(api: Api) -> Canned {
    let reply = |text: &str| match api {
        Api::Messages => anthropic::reply(&said(api, text)),
        Api::Responses => openai_responses::reply(&said(api, text)),
        _ => openai_chat::reply(&said(api, text)),
    };
    let events = |text: &str| match api {
        Api::Messages => anthropic::events(&said(api, text)),
        Api::Responses => openai_responses::events(&said(api, text)),
        _ => openai_chat::events(&said(api, text), true),
    };
    let text = "a ".repeat(REPLY);
    let room = REPLY.saturating_sub(reply("").len().max(reply("a").len() - 1));
    let fixed = events("a a ").len() - 1;
    let words = "a a ".repeat(EVENTS.saturating_sub(fixed));
    Canned {
        reply: Bytes::from(reply(text.get(..room.max(1)).unwrap_or_default())),
        events: events(&words).into_iter().map(Bytes::from).collect(),
    }
}

fn said(api: Api, text: &str) -> Said {
    let script = Script::text(text).usage(64, 100);
    Said::plan(
        &script,
        &Prompt::of(1, api, &json!({ "model": "mock-bench" })),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_53_events_and_a_chat_answer_634_bytes() {
        for api in [Api::Chat, Api::Messages, Api::Responses] {
            assert_eq!(events(api).len(), EVENTS, "{api:?}");
            assert!(
                serde_json::from_slice::<serde_json::Value>(&reply(api)).is_ok(),
                "{api:?}"
            );
        }
        assert_eq!(reply(Api::Chat).len(), REPLY);
        assert_eq!(reply(Api::Messages).len(), REPLY);
    }
}

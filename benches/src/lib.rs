//! What the benches have in common: messages of a known size, and stacks around a provider that costs nothing.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{Body, Call, Event, Filter, Filtered, Flow, Out, Refusal, Step, Tap};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use tower::Service;

/// A sentence of everyday prose; repeated, it fills messages.
const PROSE: &str = "The committee met on Tuesday to look at the plans for the new library, and agreed that the reading room should face the river. ";

/// A chat request of about `bytes` bytes: a system message, `turns` turns, and tools.
#[must_use]
pub fn chat_request(bytes: usize, turns: usize) -> String {
    let turns = turns.max(1);
    let each = bytes.saturating_sub(300) / turns;
    let mut messages = String::new();
    for turn in 0..turns {
        let role = if turn % 2 == 0 { "user" } else { "assistant" };
        let text: String = PROSE
            .chars()
            .cycle()
            .take(each.saturating_sub(34).max(8))
            .collect();
        messages.push_str(&format!(r#",{{"role":"{role}","content":"{text}\n"}}"#));
    }
    format!(
        r#"{{"model":"gpt-4o-mini","messages":[{{"role":"system","content":"You are a careful assistant."}}{messages}],"temperature":0.2,"max_tokens":256,"stream":false,"user":"bench"}}"#
    )
}

/// One chunk of a streamed chat answer, as it comes over the wire.
#[must_use]
pub fn chat_chunk(text: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-9Xb2\",\"object\":\"chat.completion.chunk\",\"created\":1730000000,\"model\":\"gpt-4o-mini-2024-07-18\",\"system_fingerprint\":\"fp_0ba0d124f1\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"logprobs\":null,\"finish_reason\":null}}]}}\n\n"
    )
}

/// The event that ends a chat stream.
pub const DONE: &str = "data: [DONE]\n\n";

/// Looks at every text of requests, answers and events, and changes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Look;

/// The tap of [`Look`]: counts bytes, so that looking is not optimised away.
#[derive(Debug, Default)]
pub struct LookTap(usize);

impl Filter for Look {
    const NAME: &'static str = "look";
    type Tap = LookTap;

    async fn request(&self, call: &mut Call) -> Result<Flow<LookTap>, Refusal> {
        let seen = call.document().await?.map_or(0, |document| {
            document.texts().map(|text| text.as_str().len()).sum()
        });
        Ok(Flow::Pass(LookTap(std::hint::black_box(seen))))
    }
}

impl Tap for LookTap {
    fn event(&mut self, event: Event, out: &mut Out) -> Step {
        self.0 += event.peek().map_or(0, |document| {
            document.texts().map(|text| text.as_str().len()).sum()
        });
        out.push(event);
        Step::Go
    }
}

/// A service that takes a request and gives `answer`, boxed so that stacks of any depth have one type.
#[derive(Clone)]
pub struct Provider(Arc<dyn Fn() -> Response<Body> + Send + Sync>);

impl Provider {
    /// Creates one.
    pub fn new(answer: impl Fn() -> Response<Body> + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Provider")
    }
}

impl Service<Request<Body>> for Provider {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        drop(request);
        std::future::ready(Ok((self.0)()))
    }
}

/// [`Look`] around `inner`.
pub fn look<S>(inner: S) -> Filtered<S, Look> {
    Filtered::new(inner, Arc::new(Look))
}

/// Two of them.
pub type LookTwice<S> = Filtered<Filtered<S, Look>, Look>;

/// Five times [`Look`] around `inner`.
pub fn look_five<S>(inner: S) -> Filtered<LookTwice<LookTwice<S>>, Look> {
    look(look(look(look(look(inner)))))
}

/// A body of given pieces.
#[derive(Debug)]
pub struct Chunks(std::vec::IntoIter<Bytes>);

impl Chunks {
    /// Creates one.
    #[must_use]
    pub fn new(pieces: Vec<Bytes>) -> Self {
        Self(pieces.into_iter())
    }
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece))))
    }
}

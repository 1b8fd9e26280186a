//! What layers must see and the client did not ask for.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bartizan_core::{
    Body, Call, Dialect, Direction, Document, Event, Filter, Filtered, Flow, Out, Refusal, Step,
    Tap, Usage,
};
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// Hides events that say usage, or notes the usage that it sees.
enum Role {
    Hides,
    Notes(Arc<Mutex<Option<Usage>>>),
}

struct Layer(Arc<dyn Fn() -> Role + Send + Sync>);

impl Filter for Layer {
    const NAME: &'static str = "hidden";
    type Tap = Role;

    async fn request(&self, _: &mut Call) -> Result<Flow<Role>, Refusal> {
        Ok(Flow::Pass((self.0)()))
    }
}

impl Tap for Role {
    fn event(&mut self, event: Event, out: &mut Out) -> Step {
        let usage = event.peek().and_then(|document| document.facts().usage);
        match self {
            Self::Hides if usage.is_some() => {
                return {
                    out.push(event.hide());
                    Step::Go
                };
            }
            Self::Notes(seen) if usage.is_some() => *seen.lock().unwrap() = usage,
            _ => {}
        }
        out.push(event);
        Step::Go
    }
}

#[tokio::test]
async fn a_hidden_event_is_seen_by_every_tap_and_never_leaves() {
    let provider = tower::service_fn(|_: Request<Body>| async {
        let stream = "data: {\"choices\":[]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":7}}\n\ndata: [DONE]\n\n";
        let response = Response::builder().header("content-type", "text/event-stream");
        Ok::<_, Infallible>(response.body(Body::from(stream)).unwrap())
    });
    let seen = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&seen);
    let inside = Filtered::new(provider, Arc::new(Layer(Arc::new(|| Role::Hides))));
    let outside = Layer(Arc::new(move || Role::Notes(Arc::clone(&noted))));
    let service = Filtered::new(inside, Arc::new(outside));
    let request = Request::post("/v1/chat/completions")
        .body(Body::empty())
        .unwrap();
    let answer = service.oneshot(request).await.unwrap();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(bytes, "data: {\"choices\":[]}\n\ndata: [DONE]\n\n");
    assert_eq!(seen.lock().unwrap().unwrap().input, 7);
}

#[test]
fn written_cache_tokens_are_a_class_of_their_own() {
    let reply = r#"{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":30}}}"#;
    let reply = Document::read(reply, Dialect::OpenAiChat, Direction::Reply).unwrap();
    let usage = reply.facts().usage.unwrap();
    assert_eq!(
        (usage.input, usage.cached_input, usage.cache_write),
        (10, 60, 30)
    );
    assert_eq!(usage.total_input(), 100);
}

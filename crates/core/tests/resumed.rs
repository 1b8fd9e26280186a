//! A tap that waits over an unstreamed answer sees it again afterwards.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::convert::Infallible;
use std::sync::Arc;

use bartizan_core::{
    Body, Call, Document, Filter, Filtered, Flow, Refusal, RefusalKind, Step, Tap,
};
use http::{Request, Response};
use tower::ServiceExt;

/// Waits, and then changes the text, waits once more, or refuses it.
#[derive(Clone, Copy)]
enum Then {
    Change,
    Wait,
    Refuse,
}

impl Filter for Then {
    const NAME: &'static str = "then";
    type Tap = Self;

    async fn request(&self, _: &mut Call) -> Result<Flow<Self>, Refusal> {
        Ok(Flow::Pass(*self))
    }
}

impl Tap for Then {
    fn reply(&mut self, _: &mut Document) -> Step {
        let refuses = matches!(self, Self::Refuse);
        Step::Hold(Box::pin(async move {
            tokio::task::yield_now().await;
            if refuses {
                Step::Stop(Refusal::new(RefusalKind::Blocked, "seen", "no"))
            } else {
                Step::Go
            }
        }))
    }

    fn resumed(&mut self, reply: &mut Document) -> Step {
        if matches!(self, Self::Wait) {
            *self = Self::Change;
            return Step::Hold(Box::pin(async { Step::Go }));
        }
        reply.rewrite(|text| Some(text.as_str().replace("bad", "good")));
        Step::Go
    }
}

#[tokio::test]
async fn what_was_found_out_while_waiting_is_put_into_the_answer() {
    let answer = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"bad"}}]}"#;
    for (then, status, says) in [
        (Then::Change, 200, r#""content":"good""#),
        (Then::Wait, 200, r#""content":"good""#),
        (Then::Refuse, 403, r#""code":"seen""#),
    ] {
        let service = tower::service_fn(move |_: Request<Body>| async move {
            let response = Response::builder().header("content-type", "application/json");
            Ok::<_, Infallible>(response.body(Body::from(answer)).unwrap())
        });
        let filtered = Filtered::new(service, Arc::new(then));
        let request = Request::post("/v1/chat/completions").body(Body::empty());
        let response = filtered.oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), status);
        let body = response.into_body().into_bytes(1 << 16).await.unwrap();
        let body = String::from_utf8_lossy(&body);
        assert!(body.contains(says), "{body}");
    }
}

//! Taps see the end of an answer whose length is known, though hyper never polls for it.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::{
    Body, Call, Dialect, End, Filter, Filtered, Flow, Out, Refusal, RefusalKind, Step, Tap, Watch,
};
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::ServiceExt;

#[derive(Clone, Copy)]
enum Then {
    Go,
    Hold,
    Stop,
}

/// Notes the end, and then goes on, waits or stops.
struct Ends(Arc<Mutex<Vec<&'static str>>>, Watch, Then);

impl Filter for Ends {
    const NAME: &'static str = "ends";
    type Tap = Self;

    async fn request(&self, _: &mut Call) -> Result<Flow<Self>, Refusal> {
        Ok(Flow::Pass(Self(Arc::clone(&self.0), self.1, self.2)))
    }
}

impl Tap for Ends {
    fn watch(&self) -> Watch {
        self.1
    }

    fn end(&mut self, end: End<'_>, _: &mut Out) -> Step {
        let ended = match end {
            End::Complete => "complete",
            End::Refused(_) => "refused",
        };
        self.0.lock().unwrap().push(ended);
        match self.2 {
            Then::Go => Step::Go,
            Then::Hold => Step::Hold(Box::pin(async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Step::Go
            })),
            Then::Stop => Step::Stop(blocked()),
        }
    }
}

fn blocked() -> Refusal {
    Refusal::new(RefusalKind::Blocked, "blocked", "no")
}

async fn answer(
    watch: Watch,
    then: Then,
    answer: impl Fn() -> Response<Body> + Clone + Send + 'static,
) -> (Response<Body>, Arc<Mutex<Vec<&'static str>>>) {
    let ends = Arc::default();
    let service = tower::service_fn(move |_: Request<Body>| {
        std::future::ready(Ok::<_, Infallible>(answer()))
    });
    let filtered = Filtered::new(service, Arc::new(Ends(Arc::clone(&ends), watch, then)));
    let request = Request::post("/v1/chat/completions").body(Body::empty());
    (filtered.oneshot(request.unwrap()).await.unwrap(), ends)
}

fn reply() -> Response<Body> {
    Response::builder()
        .header("content-type", "application/json")
        .header("content-length", "2")
        .body(Body::from("{}"))
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_end_comes_with_the_last_frame() {
    for watch in [Watch::End, Watch::Content] {
        for then in [Then::Go, Then::Hold] {
            let (response, ends) = answer(watch, then, reply).await;
            let mut body = response.into_body();
            assert_eq!(
                body.frame().await.unwrap().unwrap().into_data().unwrap(),
                "{}"
            );
            assert_eq!(*ends.lock().unwrap(), ["complete"], "{watch:?}");
            assert!(http_body::Body::is_end_stream(&body));
            assert!(body.frame().await.is_none());
            drop(body);
            assert_eq!(ends.lock().unwrap().len(), 1, "{watch:?}");
        }
    }
}

#[tokio::test]
async fn a_stop_at_the_end_keeps_the_last_frame_back() {
    let (response, _) = answer(Watch::End, Then::Stop, reply).await;
    assert!(response.into_body().frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_body_ends_with_its_head() {
    for watch in [Watch::End, Watch::Content] {
        for then in [Then::Go, Then::Hold] {
            let trailers_only = || blocked().render(Dialect::Grpc);
            let (response, ends) = answer(watch, then, trailers_only).await;
            assert_eq!(*ends.lock().unwrap(), ["complete"]);
            assert!(
                http_body::Body::is_end_stream(response.body()),
                "trailers only no more"
            );
        }
        let (response, _) = answer(watch, Then::Stop, || Response::new(Body::empty())).await;
        assert_eq!(response.status(), 403);
    }
}

//! The demo provider: a model that answers with exactly what it received.
//!
//! It stands where a provider would, inside of all layers, so that what it receives is what a provider would receive: the gateway
//! prints it. Its answer goes out through the layers, so that what the caller gets is what was masked, restored. Nothing leaves the
//! machine.

mod say;

use std::fmt::Write as _;
use std::sync::Arc;

use bartizan::core::{Call, Document, Filter, Filtered, Flow, Refusal, RefusalKind, TextRole};
use tower::Layer;

use super::Chosen;
use super::catalogue::Served;

/// More of a prompt than this is not printed.
const MOST_PRINTED: usize = 400;

/// Where the demo tells what it received.
pub(crate) type Tell = dyn Fn(&str) + Send + Sync;

/// Answers calls of the model `demo`, and lets all others pass.
#[derive(Clone)]
pub(crate) struct DemoLayer(Arc<Demo>);

pub(crate) struct Demo(Box<Tell>);

impl DemoLayer {
    pub(crate) fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Demo(Box::new(tell))))
    }
}

impl<S> Layer<S> for DemoLayer {
    type Service = Filtered<S, Demo>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::clone(&self.0))
    }
}

impl Filter for Demo {
    const NAME: &'static str = "demo";
    type Tap = ();

    async fn request(&self, call: &mut Call) -> Result<Flow<()>, Refusal> {
        let chosen = call.parts().extensions.get::<Chosen>();
        let chosen = chosen.filter(|chosen| matches!(*chosen.served, Served::Demo));
        let Some(told) = chosen.map(|chosen| chosen.told.clone()) else {
            return Ok(Flow::Pass(()));
        };
        let Some(document) = call.document().await? else {
            return Err(Refusal::new(
                RefusalKind::BadRequest,
                "no_message",
                "a JSON body belongs to this request",
            ));
        };
        let received = received(document);
        (self.0)(&printable(&received));
        let mut answer = say::answer(document, &received)?;
        answer.extensions_mut().insert(told);
        Ok(Flow::Answer(answer))
    }
}

/// The last thing that the user says.
fn received(document: &Document) -> String {
    let said = document
        .texts()
        .filter(|text| matches!(text.role(), TextRole::User | TextRole::Input));
    said.last()
        .map(|text| text.as_str().to_owned())
        .unwrap_or_default()
}

/// What may go to a terminal: on one line, without what a terminal obeys.
fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MOST_PRINTED));
    for c in text.chars().take(MOST_PRINTED) {
        if c.is_control() || ('\u{200b}'..='\u{202e}').contains(&c) {
            let _ = write!(line, "{}", c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    if text.chars().nth(MOST_PRINTED).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_printed() {
        assert_eq!(
            printable("a\x1b[2Jb\nc\u{202e}d"),
            r"a\u{1b}[2Jb\u{a}c\u{202e}d"
        );
        assert_eq!(
            printable(&"é".repeat(500)).chars().count(),
            MOST_PRINTED + 1
        );
    }
}

//! Changing text that arrives in pieces.
//!
//! A [`TextRewriter`] sees one text flow of a stream and may hold back a short tail; it knows nothing of events, dialects or JSON.
//! [`StreamRewriter`] feeds one rewriter a flow from the events of any dialect and splices the result back.

mod flush;
mod json_pieces;

use std::collections::BTreeMap;
use std::fmt;

use crate::dialect::{Channel, Closes, Dialect, Text, TextRole};
use crate::document::Document;
use crate::event::Event;
use crate::filter::Out;

use flush::flush;
use json_pieces::JsonPieces;

/// Changes text that arrives in pieces.
///
/// What it gives out, joined, must not depend on where the pieces were cut.
pub trait TextRewriter: Send {
    /// Takes a piece, and appends to `out` what can leave.
    fn push(&mut self, delta: &str, out: &mut String);

    /// Appends what was held back: the text is through.
    fn finish(&mut self, out: &mut String);

    /// Whether it looks at JSON numbers, of which each is a text by itself. In a stream they are then held back until they end. `false` unless told
    /// otherwise.
    fn reads_numbers(&self) -> bool {
        false
    }

    /// Says what the member is called whose value a number is, before the number comes: the name may tell what it is. Does nothing unless told
    /// otherwise.
    fn called(&mut self, name: &str) {
        let _ = name;
    }
}

/// A stream that opens more text flows than this is closing them one by one from then on: no provider has as many at once.
const MOST_FLOWS: usize = 1_024;

/// Feeds [`TextRewriter`]s, one a text flow, from the texts of any dialect's events.
///
/// Texts that an event says whole are rewritten whole. Pieces of JSON text (a tool's arguments) are followed string by string, so
/// that a rewriter sees what each string says and its output is escaped as JSON again; so are numbers of eight digits and more where a
/// rewriter looks at them, which become strings where no whole number takes their place. What a rewriter still holds when its flow ends
/// leaves in an event of its own before the one that ends it, like the flow's last; where events are numbered, later ones are
/// renumbered.
pub struct StreamRewriter<R> {
    make: Box<dyn FnMut(TextRole) -> Option<R> + Send>,
    flows: BTreeMap<Channel, Flow<R>>,
    inserted: u64,
    last_number: u64,
}

struct Flow<R> {
    rewriter: Option<Rewriter<R>>,
    /// The last event with a piece of this flow: the mould for one more.
    last: Event,
    dialect: Dialect,
}

enum Rewriter<R> {
    Text(R),
    Json(JsonPieces<R>),
}

impl<R: TextRewriter + 'static> StreamRewriter<R> {
    /// Creates a rewriter of streams. `make` gives the rewriter for one text of a role, or `None` to leave such texts alone.
    pub fn new(make: impl FnMut(TextRole) -> Option<R> + Send + 'static) -> Self {
        Self {
            make: Box::new(make),
            flows: BTreeMap::new(),
            inserted: 0,
            last_number: 0,
        }
    }

    /// Rewrites one event. Call it from [`Tap::event`](crate::Tap::event).
    pub fn event(&mut self, mut event: Event, out: &mut Out) {
        let Some(document) = event.peek() else {
            out.push(event);
            return;
        };
        let (dialect, closes) = (document.dialect(), document.facts().closes);
        if closes != Closes::Nothing {
            let here: Vec<Channel> = document
                .entries()
                .iter()
                .filter(|entry| entry.delta)
                .map(|entry| entry.channel)
                .collect();
            self.close(
                |channel| covers(closes, channel) && !here.contains(channel),
                out,
            );
        }
        if !document.entries().is_empty() {
            let mould = event.unread();
            if let Some(document) = event.document() {
                document.rewrite(|text| {
                    if text.is_delta() {
                        self.piece(text, &mould, dialect, closes)
                    } else {
                        whole(&mut self.make, text)
                    }
                });
            }
        }
        self.flows.retain(|channel, _| !covers(closes, channel));
        while self.flows.len() > MOST_FLOWS {
            let Some((first, _)) = self.flows.first_key_value() else {
                break;
            };
            let first = *first;
            self.close(|channel| *channel == first, out);
        }
        self.number(&mut event);
        out.push(event);
    }

    /// Rewrites a whole answer. Call it from [`Tap::reply`](crate::Tap::reply). Returns how many texts changed.
    pub fn reply(&mut self, reply: &mut Document) -> usize {
        reply.rewrite(|text| whole(&mut self.make, text))
    }

    /// Flushes what was held back. Call it from [`Tap::end`](crate::Tap::end).
    pub fn end(&mut self, out: &mut Out) {
        self.close(|_| true, out);
    }

    fn piece(
        &mut self,
        text: &Text<'_>,
        mould: &Event,
        dialect: Dialect,
        closes: Closes,
    ) -> Option<String> {
        let make = &mut self.make;
        let flow = self.flows.entry(text.channel()).or_insert_with(|| Flow {
            rewriter: make(text.role()).map(|rewriter| {
                if text.is_json_piece() {
                    Rewriter::Json(JsonPieces::new(rewriter.reads_numbers()))
                } else {
                    Rewriter::Text(rewriter)
                }
            }),
            last: mould.clone(),
            dialect,
        });
        let rewriter = flow.rewriter.as_mut()?;
        flow.last = mould.clone();
        let mut new = String::with_capacity(text.as_str().len());
        rewriter.push(text.as_str(), text.role(), make, &mut new);
        if covers(closes, &text.channel()) {
            rewriter.finish(text.role(), make, &mut new);
        }
        (new != text.as_str()).then_some(new)
    }

    /// Ends the flows that `which` names; what they still hold leaves in events of its own.
    fn close(&mut self, which: impl Fn(&Channel) -> bool, out: &mut Out) {
        let ending: Vec<Channel> = self
            .flows
            .keys()
            .filter(|channel| which(channel))
            .copied()
            .collect();
        for channel in ending {
            let Some(mut flow) = self.flows.remove(&channel) else {
                continue;
            };
            let mut rest = String::new();
            if let Some(rewriter) = &mut flow.rewriter {
                rewriter.finish(channel.role, &mut self.make, &mut rest);
            }
            if !rest.is_empty()
                && let Some(mut event) = flush(&flow, channel, &rest, &mut self.make)
            {
                self.inserted += 1;
                if let Some(document) = event.document() {
                    self.last_number += 1;
                    document.set_number("sequence_number", self.last_number);
                }
                out.push(event);
            }
        }
    }

    /// Renumbers an event of a numbered stream after others were put before it.
    fn number(&mut self, event: &mut Event) {
        let number = event
            .peek()
            .filter(|document| document.dialect() == Dialect::OpenAiResponses)
            .and_then(|document| document.json().root().get("sequence_number")?.as_u64());
        let Some(number) = number else { return };
        self.last_number = number.saturating_add(self.inserted);
        if self.inserted > 0
            && let Some(document) = event.document()
        {
            document.set_number("sequence_number", self.last_number);
        }
    }
}

impl<R> fmt::Debug for StreamRewriter<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamRewriter")
            .field("flows", &self.flows.len())
            .finish_non_exhaustive()
    }
}

impl<R: TextRewriter> Rewriter<R> {
    fn push(
        &mut self,
        delta: &str,
        role: TextRole,
        make: &mut dyn FnMut(TextRole) -> Option<R>,
        out: &mut String,
    ) {
        match self {
            Self::Text(rewriter) => rewriter.push(delta, out),
            Self::Json(pieces) => pieces.push(delta, &mut || make(role), out),
        }
    }

    fn finish(
        &mut self,
        role: TextRole,
        make: &mut dyn FnMut(TextRole) -> Option<R>,
        out: &mut String,
    ) {
        match self {
            Self::Text(rewriter) => rewriter.finish(out),
            Self::Json(pieces) => pieces.finish(&mut || make(role), out),
        }
    }
}

fn covers(closes: Closes, channel: &Channel) -> bool {
    match closes {
        Closes::Nothing => false,
        Closes::Part(group, part) => channel.group == group && channel.part == part,
        Closes::Group(group) => channel.group == group,
        Closes::All => true,
    }
}

fn whole<R: TextRewriter>(
    make: &mut dyn FnMut(TextRole) -> Option<R>,
    text: &Text<'_>,
) -> Option<String> {
    if text.is_number() {
        return number(
            &mut || make(text.role()),
            text.name().as_deref(),
            text.as_str(),
        );
    }
    let mut rewriter = make(text.role())?;
    let mut new = String::with_capacity(text.as_str().len());
    rewriter.push(text.as_str(), &mut new);
    rewriter.finish(&mut new);
    (new != text.as_str()).then_some(new)
}

/// What takes the place of a number: with what its member is called, then by itself.
fn number<R: TextRewriter>(
    make: &mut dyn FnMut() -> Option<R>,
    name: Option<&str>,
    digits: &str,
) -> Option<String> {
    for name in name.map(Some).into_iter().chain([None]) {
        let mut rewriter = make().filter(R::reads_numbers)?;
        if let Some(name) = name {
            rewriter.called(name);
        }
        let mut new = String::with_capacity(digits.len());
        rewriter.push(digits, &mut new);
        rewriter.finish(&mut new);
        if new != digits {
            return Some(new);
        }
    }
    None
}

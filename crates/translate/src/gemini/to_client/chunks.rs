//! Writing a streamed answer.

use bartizan_core::{Dialect, Event, Out, Usage};

use super::parts::{self, Call};
use super::sources::Sources;
use super::waiting::Waiting;
use super::{End, dropped, head, usage};
use crate::losses::Losses;
use crate::neutral::{Maker, Moment};
use crate::pieces::Whole;
use crate::write::Writer;

/// Turns what happens into chunks, each a whole answer with the next parts.
///
/// A call is told when its arguments are whole: the API has no pieces of them. The reason why the model stopped and the usage are written
/// when the provider says that the answer is whole and never else: a stream that is cut has neither. Nothing is written to show that the
/// connection is alive, since Google's SDKs take a comment for JSON.
#[derive(Debug)]
pub(super) struct Chunks {
    shows: bool,
    /// Whether citations may come, so that the text they belong to is kept.
    searches: bool,
    /// What every chunk ends with, from its candidates on.
    tail: String,
    /// The words of thoughts that are not told.
    hidden: Vec<(u32, String)>,
    /// The last thought of which words were told.
    told: Option<u32>,
    waiting: Waiting,
    calls: Vec<Open>,
    sources: Sources,
    end: End,
    losses: Losses,
}

/// A call that is not told yet.
#[derive(Debug)]
struct Open {
    call: u32,
    id: String,
    name: String,
    custom: bool,
    signature: Option<String>,
    input: String,
    whole: Whole,
}

impl Chunks {
    pub(super) fn new(shows: bool, searches: bool) -> Self {
        Self {
            shows,
            searches,
            tail: String::new(),
            hidden: Vec::new(),
            told: None,
            waiting: Waiting::default(),
            calls: Vec::new(),
            sources: Sources::default(),
            end: End::default(),
            losses: Losses::default(),
        }
    }

    pub(super) fn say(&mut self, moment: &Moment<'_>, out: &mut Out) {
        match moment {
            Moment::Start { id, model, .. } => {
                let mut tail = Writer::with_capacity(96);
                head(id, model, &mut tail);
                self.tail = tail.finish();
            }
            Moment::Text(text) => self.text(text, out),
            Moment::Refusal(text) => {
                self.end.refused = true;
                self.text(text, out);
            }
            Moment::Citation(citation) => self.sources.cite(citation),
            Moment::Thinking { block, text } => {
                if text.is_empty() {
                    return;
                }
                if self.shows {
                    self.told = Some(*block);
                    self.part(out, |part| parts::thought(None, text, None, part));
                } else {
                    match self.hidden.iter_mut().find(|(known, _)| known == block) {
                        Some((_, words)) => words.push_str(text),
                        None => self.hidden.push((*block, text.clone().into_owned())),
                    }
                }
            }
            Moment::Signature { block, signature } if self.told == Some(*block) => {
                self.part(out, |part| parts::thought(None, "", Some(signature), part));
            }
            Moment::Signature { block, signature } => {
                let at = self.hidden.iter().position(|(known, _)| known == block);
                let words = at.map(|at| self.hidden.swap_remove(at).1);
                self.waiting
                    .add(None, Some(&words.unwrap_or_default()), signature);
            }
            Moment::Redacted { data, .. } if data.maker == Maker::Google => {
                self.part(out, |part| parts::text("", Some(&data.data), part));
            }
            Moment::Redacted { id, data, .. } => self.waiting.add(id.as_deref(), None, data),
            Moment::Call {
                call,
                id,
                name,
                custom,
                signature,
            } => self.calls.push(Open {
                call: *call,
                id: id.clone().into_owned(),
                name: name.clone().into_owned(),
                custom: *custom,
                signature: signature
                    .as_ref()
                    .map(super::sealed)
                    .or_else(|| self.waiting.take()),
                input: String::new(),
                whole: Whole::default(),
            }),
            Moment::Arguments { call, piece } => {
                if let Some(open) = self.calls.iter_mut().find(|open| open.call == *call) {
                    open.input.push_str(piece);
                    open.whole.push(piece);
                }
                self.tell_calls(false, out);
            }
            Moment::Finish { finish, losses, .. } => {
                self.tell_calls(true, out);
                self.end.finish = *finish;
                self.losses = losses.clone();
            }
            Moment::Alive => {}
            Moment::Failed(refusal) => out.push(refusal.event(Dialect::Gemini)),
            Moment::End { usage } => self.end(usage, out),
        }
    }

    fn text(&mut self, text: &str, out: &mut Out) {
        if self.searches {
            self.sources.say(text, None);
        }
        let seal = if text.is_empty() {
            None
        } else {
            self.waiting.take()
        };
        self.part(out, |part| parts::text(text, seal.as_deref(), part));
    }

    /// Tells the calls that are whole, in their order; all of them, where nothing more comes.
    fn tell_calls(&mut self, all: bool, out: &mut Out) {
        let goes_on = |open: &Open| open.custom || !open.whole.is_whole();
        let open = self.calls.iter().position(|open| !all && goes_on(open));
        let whole = open.unwrap_or(self.calls.len());
        for open in self.calls.drain(..whole).collect::<Vec<_>>() {
            let call = Call {
                id: &open.id,
                name: &open.name,
                custom: open.custom,
                signature: open.signature,
            };
            let mut part = Writer::with_capacity(open.input.len() + 128);
            if call.write(&open.input, &mut part) {
                let part = part.finish();
                self.part(out, |out| out.raw(&part));
            } else {
                self.end.malformed = true;
            }
        }
    }

    fn part(&self, out: &mut Out, write: impl FnOnce(&mut Writer)) {
        let mut chunk = Writer::with_capacity(self.tail.len() + 160);
        chunk.raw(r#"{"candidates":[{"content":{"parts":["#);
        write(&mut chunk);
        chunk.close_list();
        chunk.raw(r#""role":"model"},"index":0}]"#);
        if !self.tail.is_empty() {
            chunk.raw(&self.tail);
        }
        chunk.close();
        out.push(Event::new(None, &chunk.finish()));
    }

    /// With a part, though it says nothing: SDKs forget an exchange of which a chunk has none. Google puts a seal there that led nowhere.
    fn end(&mut self, used: &Usage, out: &mut Out) {
        let mut chunk = Writer::with_capacity(self.tail.len() + 320);
        chunk.raw(r#"{"candidates":[{"content":{"parts":["#);
        parts::text("", self.waiting.take().as_deref(), &mut chunk);
        chunk.close_list();
        chunk.raw(r#""role":"model"}"#);
        self.end.write(&mut chunk);
        chunk.raw(r#""index":0"#);
        self.sources.write(&mut chunk);
        chunk.close();
        chunk.close_list();
        usage(used, &mut chunk);
        if !self.tail.is_empty() {
            chunk.raw(&self.tail);
        }
        dropped(&self.losses, &mut chunk);
        chunk.close();
        out.push(Event::new(None, &chunk.finish()));
    }
}

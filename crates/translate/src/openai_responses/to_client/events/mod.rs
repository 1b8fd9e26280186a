//! Writing a streamed answer.

mod close;

use bartizan_core::{Event, Finish, Out};

use super::item::{Call, Ids, Item, Kind, Part, Status, annotation, sealed, summary_part};
use super::response::{End, Head};
use crate::losses::Losses;
use crate::neutral::{Citation, Maker, Moment};
use crate::write::Writer;

/// Turns what happens into events, numbered without a gap.
///
/// The event that ends the stream is written when the provider says so and never else: a stream that is cut has none.
// ## Unbegun => Open: the first thing that happens. Open => Over: the provider says that the answer is whole, or fails.
#[derive(Debug)]
pub(super) struct Events {
    head: Head,
    ids: Ids,
    begun: bool,
    over: bool,
    number: u64,
    /// All items so far; an item's place is its `output_index`.
    items: Vec<Item>,
    /// The item that words go to.
    open: Option<Open>,
    /// The calls that are open, by their numbers, and where they stand: their pieces may interleave.
    calls: Vec<(u32, usize)>,
    finish: Option<Finish>,
    losses: Losses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    at: usize,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Message,
    /// The thought of this number.
    Thought(u32),
}

impl Events {
    pub(super) fn new(head: Head) -> Self {
        Self {
            head,
            ids: Ids::default(),
            begun: false,
            over: false,
            number: 0,
            items: Vec::new(),
            open: None,
            calls: Vec::new(),
            finish: None,
            losses: Losses::default(),
        }
    }

    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    pub(super) fn say(&mut self, moment: &Moment<'_>, out: &mut Out) {
        if self.over {
            return;
        }
        match moment {
            Moment::Start { id, model, .. } => self.begin(id, model, out),
            Moment::Text(text) => self.words(false, text, out),
            Moment::Refusal(text) => self.words(true, text, out),
            Moment::Citation(citation) => self.cite(citation, out),
            Moment::Thinking { block, text } => self.think(*block, text, out),
            Moment::Signature { block, signature } => {
                self.sign(*block, signature.tagged(Maker::OpenAi).into_owned(), out);
            }
            Moment::Redacted { id, data, .. } => self.seal(sealed(data), id.as_deref(), out),
            Moment::Call {
                call,
                id,
                name,
                custom,
                signature,
            } => {
                // Of the thought that led here: the call has no place for it.
                if let Some(signature) = signature {
                    self.seal(sealed(signature), None, out);
                }
                let call_of = Call::new(id, self.head.namespaces.split(name), *custom);
                let at = self.add(Kind::Call(call_of), None, out);
                self.calls.push((*call, at));
            }
            Moment::Arguments { call, piece } => self.arguments(*call, piece, out),
            Moment::Finish { finish, losses, .. } => {
                self.finish = *finish;
                self.losses = losses.clone();
            }
            Moment::Alive => out.push(Event::comment("ping")),
            Moment::Failed(refusal) => self.fail(refusal, out),
            Moment::End { usage } => self.end(usage, out),
        }
    }

    fn begin(&mut self, id: &str, model: &str, out: &mut Out) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        self.head = self.head.begun(id, model);
        self.ids = Ids::of(&self.head.id);
        for kind in ["response.created", "response.in_progress"] {
            let mut event = self.event(kind, 1_024);
            event.key("response");
            self.head.write(End::InProgress, |_| {}, &mut event);
            send(kind, event, out);
        }
    }

    /// An event's beginning.
    fn event(&mut self, kind: &str, room: usize) -> Writer {
        let mut event = Writer::with_capacity(room);
        event.open();
        event.plain_at("type", kind);
        event.number_at("sequence_number", self.number);
        self.number += 1;
        event
    }

    /// The beginning of an event of the item at `at`.
    fn item_event(&mut self, kind: &str, at: usize) -> Writer {
        let mut event = self.event(kind, 224);
        if let Some(item) = self.items.get(at) {
            event.plain_at("item_id", &item.id);
        }
        event.number_at("output_index", number(at));
        event
    }

    /// The beginning of an event of the last part of the item at `at`.
    fn part_event(&mut self, kind: &str, at: usize) -> Writer {
        let mut event = self.item_event(kind, at);
        let (index, parts) = match self.items.get(at).map(|item| &item.kind) {
            Some(Kind::Message(parts)) => ("content_index", parts.len()),
            Some(Kind::Reasoning { summary, .. }) => ("summary_index", summary.len()),
            _ => return event,
        };
        event.number_at(index, number(parts.saturating_sub(1)));
        event
    }

    /// Adds an item, after those are closed that nothing more can come for.
    fn add(&mut self, kind: Kind, said: Option<&str>, out: &mut Out) -> usize {
        self.begin("", "", out);
        self.close_open(Status::Completed, out);
        self.close_calls(false, out);
        let at = self.items.len();
        let id = self.ids.item(&kind, at, said);
        self.items.push(Item { id, kind });
        self.whole_item("response.output_item.added", at, Status::InProgress, out);
        at
    }

    fn whole_item(&mut self, kind: &str, at: usize, status: Status, out: &mut Out) {
        let mut event = self.event(kind, 256);
        event.number_at("output_index", number(at));
        event.key("item");
        if let Some(item) = self.items.get(at) {
            item.write(status, &mut event);
        }
        send(kind, event, out);
    }

    /// Goes on with the message, or begins one.
    fn words(&mut self, refusal: bool, text: &str, out: &mut Out) {
        if text.is_empty() {
            return;
        }
        let at = match self.open {
            Some(Open {
                at,
                what: What::Message,
            }) => at,
            _ => {
                let at = self.add(Kind::Message(Vec::new()), None, out);
                let what = What::Message;
                self.open = Some(Open { at, what });
                at
            }
        };
        if self.part(at).is_none_or(|part| part.refusal != refusal) {
            self.close_part(at, out);
            if let Some(Kind::Message(parts)) = self.items.get_mut(at).map(|item| &mut item.kind) {
                parts.push(Part::new(refusal));
            }
            self.whole_part("response.content_part.added", at, out);
        }
        if let Some(part) = self.part(at) {
            part.text.push_str(text);
        }
        let kind = if refusal {
            "response.refusal.delta"
        } else {
            "response.output_text.delta"
        };
        let mut event = self.part_event(kind, at);
        event.text_at("delta", text);
        if !refusal {
            event.raw_at("logprobs", "[]");
        }
        send(kind, event, out);
    }

    fn part(&mut self, at: usize) -> Option<&mut Part> {
        match &mut self.items.get_mut(at)?.kind {
            Kind::Message(parts) => parts.last_mut(),
            _ => None,
        }
    }

    fn whole_part(&mut self, kind: &str, at: usize, out: &mut Out) {
        let mut event = self.part_event(kind, at);
        event.key("part");
        match self.items.get(at).map(|item| &item.kind) {
            Some(Kind::Message(parts)) => {
                if let Some(part) = parts.last() {
                    part.write(&mut event);
                }
            }
            Some(Kind::Reasoning { summary, .. }) => {
                summary_part(summary.last().map_or("", String::as_str), &mut event);
            }
            _ => {}
        }
        send(kind, event, out);
    }

    /// Where the text has been closed already, the event has no place.
    fn cite(&mut self, citation: &Citation<'_>, out: &mut Out) {
        const KIND: &str = "response.output_text.annotation.added";
        let open = self.open.filter(|open| open.what == What::Message);
        let Some((at, part)) = open.and_then(|open| {
            let part = self.part(open.at).filter(|part| !part.refusal)?;
            Some((open.at, part))
        }) else {
            self.losses.dropped("content.citations");
            return;
        };
        let index = number(part.annotations.len());
        let annotation = annotation(citation);
        part.annotations.push(annotation.clone());
        let mut event = self.part_event(KIND, at);
        event.number_at("annotation_index", index);
        event.raw_at("annotation", &annotation);
        send(KIND, event, out);
    }

    /// A thought that follows an unproven one is a further part of it.
    fn think(&mut self, block: u32, text: &str, out: &mut Out) {
        if text.is_empty() {
            return;
        }
        let what = What::Thought(block);
        let at = match self.open {
            Some(open) if open.what == what => open.at,
            Some(Open {
                at,
                what: What::Thought(_),
            }) => {
                self.close_part(at, out);
                self.open = Some(Open { at, what });
                self.begin_summary(at, out);
                at
            }
            _ => {
                let kind = Kind::Reasoning {
                    summary: Vec::new(),
                    encrypted: None,
                };
                let at = self.add(kind, None, out);
                self.open = Some(Open { at, what });
                self.begin_summary(at, out);
                at
            }
        };
        if let Some(Kind::Reasoning { summary, .. }) =
            self.items.get_mut(at).map(|item| &mut item.kind)
            && let Some(part) = summary.last_mut()
        {
            part.push_str(text);
        }
        const KIND: &str = "response.reasoning_summary_text.delta";
        let mut event = self.part_event(KIND, at);
        event.text_at("delta", text);
        send(KIND, event, out);
    }

    fn begin_summary(&mut self, at: usize, out: &mut Out) {
        if let Some(Kind::Reasoning { summary, .. }) =
            self.items.get_mut(at).map(|item| &mut item.kind)
        {
            summary.push(String::new());
        }
        self.whole_part("response.reasoning_summary_part.added", at, out);
    }

    /// The proof is a thought's last word. One that comes after other things is an item of its own.
    fn sign(&mut self, block: u32, signed: String, out: &mut Out) {
        let open = self.open.filter(|open| open.what == What::Thought(block));
        match open.and_then(|open| Some(&mut self.items.get_mut(open.at)?.kind)) {
            Some(Kind::Reasoning { encrypted, .. }) => {
                *encrypted = Some(signed);
                self.close_open(Status::Completed, out);
            }
            _ => {
                let kind = Kind::Reasoning {
                    summary: Vec::new(),
                    encrypted: Some(signed),
                };
                self.seal(kind, None, out);
            }
        }
    }

    fn seal(&mut self, kind: Kind, said: Option<&str>, out: &mut Out) {
        let at = self.add(kind, said, out);
        self.whole_item("response.output_item.done", at, Status::Completed, out);
    }

    fn arguments(&mut self, call: u32, piece: &str, out: &mut Out) {
        let open = self.calls.iter().find(|(number, _)| *number == call);
        let Some(at) = open.map(|(_, at)| *at) else {
            return;
        };
        let Some(Kind::Call(call)) = self.items.get_mut(at).map(|item| &mut item.kind) else {
            return;
        };
        if piece.is_empty() {
            return;
        }
        call.push(piece);
        let kind = if call.custom {
            "response.custom_tool_call_input.delta"
        } else {
            "response.function_call_arguments.delta"
        };
        let mut event = self.item_event(kind, at);
        event.text_at("delta", piece);
        send(kind, event, out);
    }
}

fn send(kind: &str, mut event: Writer, out: &mut Out) {
    event.close();
    out.push(Event::new(Some(kind), &event.finish()));
}

fn number(at: usize) -> u64 {
    u64::try_from(at).unwrap_or(u64::MAX)
}

//! The items of a stream: what of each has been said.
//!
//! The API says everything twice, in pieces and then whole. Servers that have taken it over leave out some of the pieces, or all; what
//! has not been said in pieces is said when the whole comes.

mod whole;

use bartizan_core::json::Value;

use super::{Called, What, cite, kind, lost, phase, string};
use crate::losses::Losses;
use crate::names::ToolNames;
use crate::neutral::{Moment, Str};
use crate::read::member;

type Say<'s, 'a> = &'s mut dyn FnMut(Moment<'a>);

#[derive(Debug, Default)]
pub(super) struct Items {
    all: Vec<Item>,
    thoughts: u32,
    calls: u32,
}

#[derive(Debug)]
struct Item {
    index: Option<u64>,
    id: String,
    kind: Kind,
    /// Whether its whole has come.
    done: bool,
}

#[derive(Debug)]
enum Kind {
    Message(Vec<Part>),
    /// The parts that have been said, and the number of each.
    Thought(Vec<((What, u64), u32)>),
    Call {
        /// Its number, once it has been told.
        number: Option<u32>,
        /// Whether anything of its arguments has been said.
        begun: bool,
    },
    /// Nothing that a client of another API can use.
    Lost,
}

impl Kind {
    /// Whether `item` is of this kind.
    fn is(&self, item: Value<'_>) -> bool {
        match kind(item).as_deref() {
            Some("message") => matches!(self, Self::Message(_)),
            Some("reasoning") => matches!(self, Self::Thought(_)),
            Some("function_call" | "custom_tool_call") => matches!(self, Self::Call { .. }),
            _ => matches!(self, Self::Lost),
        }
    }
}

#[derive(Debug)]
struct Part {
    index: u64,
    said: bool,
    cited: usize,
}

impl Items {
    /// Whether there is a call for the caller to run.
    pub(super) fn called(&self) -> bool {
        self.calls > 0
    }

    /// The item that an event is of.
    fn place(&self, event: Value<'_>) -> Option<usize> {
        self.at(index(event, "output_index"), &string(event, "item_id"))
    }

    /// An item by its place, else by its name: not every server keeps to either.
    fn at(&self, index: Option<u64>, id: &str) -> Option<usize> {
        let by_index = |_| self.all.iter().rposition(|item| item.index == index);
        let by_id = || self.all.iter().rposition(|item| item.id == id);
        index
            .and_then(by_index)
            .or_else(|| by_id().filter(|_| !id.is_empty()))
    }

    /// Whether an item of the whole answer may be one of those that came by themselves and can't be told apart: their places were not said.
    pub(super) fn may_be_told(&self, at: u64, item: Value<'_>) -> bool {
        self.at(Some(at), &string(item, "id")).is_none()
            && self.all.iter().any(|item| item.index.is_none())
    }

    fn add(&mut self, index: Option<u64>, id: Str<'_>, kind: Kind) -> usize {
        self.all.push(Item {
            index,
            id: id.into_owned(),
            kind,
            done: false,
        });
        self.all.len() - 1
    }

    /// `response.output_item.added`.
    pub(super) fn added<'a>(
        &mut self,
        at: Option<u64>,
        item: Value<'a>,
        setup: (&ToolNames, &mut Losses),
        say: Say<'_, 'a>,
    ) -> usize {
        let (names, losses) = setup;
        let new = match kind(item).as_deref() {
            Some("message") => {
                phase(item, losses);
                Kind::Message(Vec::new())
            }
            Some("reasoning") => Kind::Thought(Vec::new()),
            Some("function_call" | "custom_tool_call") => {
                let call = Called::read(item);
                let number = match call.id {
                    Some(id) if !call.name.is_empty() => {
                        let number = next(&mut self.calls);
                        say(Moment::Call {
                            call: number,
                            id,
                            name: names.here(call.name),
                            custom: call.custom,
                            signature: None,
                        });
                        Some(number)
                    }
                    // Its names come with its whole.
                    _ => None,
                };
                let begun = false;
                Kind::Call { number, begun }
            }
            kind => {
                losses.dropped(lost(kind));
                Kind::Lost
            }
        };
        self.add(at, string(item, "id"), new)
    }

    /// A piece of a text or of a refusal.
    pub(super) fn words<'a>(
        &mut self,
        event: Value<'a>,
        text: Str<'a>,
        refusal: bool,
        say: Say<'_, 'a>,
    ) {
        let at = self.or_add(event, || Kind::Message(Vec::new()));
        let part = index(event, "content_index").unwrap_or(0);
        if let Some(part) = self.part(at, part)
            && !text.is_empty()
        {
            part.said = true;
            say(spoken(text, refusal));
        }
    }

    /// The whole of a text or of a refusal: said, where no piece of it was.
    pub(super) fn all_words<'a>(
        &mut self,
        event: Value<'a>,
        text: Str<'a>,
        refusal: bool,
        say: Say<'_, 'a>,
    ) {
        let at = self.or_add(event, || Kind::Message(Vec::new()));
        let part = index(event, "content_index").unwrap_or(0);
        if self.part(at, part).is_some_and(|part| !part.said) {
            self.words(event, text, refusal, say);
        }
    }

    pub(super) fn cited<'a>(&mut self, event: Value<'a>, losses: &mut Losses, say: Say<'_, 'a>) {
        let Some(annotation) = member(event, "annotation") else {
            return;
        };
        let at = self.or_add(event, || Kind::Message(Vec::new()));
        let part = index(event, "content_index").unwrap_or(0);
        if let Some(part) = self.part(at, part) {
            part.cited += 1;
            if let Some(citation) = cite(annotation, losses) {
                say(Moment::Citation(citation));
            }
        }
    }

    fn part(&mut self, at: usize, index: u64) -> Option<&mut Part> {
        let Kind::Message(parts) = &mut self.all.get_mut(at)?.kind else {
            return None;
        };
        if let Some(at) = parts.iter().position(|part| part.index == index) {
            return parts.get_mut(at);
        }
        parts.push(Part {
            index,
            said: false,
            cited: 0,
        });
        parts.last_mut()
    }

    /// A piece of a thought.
    pub(super) fn thinks<'a>(
        &mut self,
        event: Value<'a>,
        what: What,
        text: Str<'a>,
        say: Say<'_, 'a>,
    ) {
        let at = self.or_add(event, || Kind::Thought(Vec::new()));
        self.think(at, (what, part_of(event, what)), text, say);
    }

    /// The whole of a thought's part: said, where no piece of it was.
    pub(super) fn thought<'a>(
        &mut self,
        event: Value<'a>,
        what: What,
        text: Str<'a>,
        say: Say<'_, 'a>,
    ) {
        let at = self.or_add(event, || Kind::Thought(Vec::new()));
        let part = (what, part_of(event, what));
        if !self.has_thought(at, part) {
            self.think(at, part, text, say);
        }
    }

    fn has_thought(&self, at: usize, part: (What, u64)) -> bool {
        match self.all.get(at).map(|item| &item.kind) {
            Some(Kind::Thought(parts)) => parts.iter().any(|(said, _)| *said == part),
            _ => false,
        }
    }

    fn think<'a>(&mut self, at: usize, part: (What, u64), text: Str<'a>, say: Say<'_, 'a>) {
        let Some(Kind::Thought(parts)) = self.all.get_mut(at).map(|item| &mut item.kind) else {
            return;
        };
        if text.is_empty() {
            return;
        }
        let known = parts.iter().find(|(said, _)| *said == part);
        let block = match known {
            Some((_, number)) => *number,
            None => {
                let number = next(&mut self.thoughts);
                parts.push((part, number));
                number
            }
        };
        say(Moment::Thinking { block, text });
    }

    /// A piece of a call's arguments. Before the call has a name they wait for its whole.
    pub(super) fn arguments<'a>(&mut self, event: Value<'a>, piece: Str<'a>, say: Say<'_, 'a>) {
        let at = self.or_add(event, || Kind::Call {
            number: None,
            begun: false,
        });
        if let Some(Kind::Call {
            number: Some(call),
            begun,
        }) = self.all.get_mut(at).map(|item| &mut item.kind)
            && !piece.is_empty()
        {
            *begun = true;
            say(Moment::Arguments { call: *call, piece });
        }
    }

    /// The whole of a call's arguments: said, where no piece of them was.
    pub(super) fn all_arguments<'a>(&mut self, event: Value<'a>, whole: Str<'a>, say: Say<'_, 'a>) {
        let begun = self
            .place(event)
            .and_then(|at| self.all.get(at))
            .is_some_and(|item| matches!(item.kind, Kind::Call { begun: true, .. }));
        if !begun {
            self.arguments(event, whole, say);
        }
    }

    fn or_add(&mut self, event: Value<'_>, kind: impl FnOnce() -> Kind) -> usize {
        match self.place(event) {
            Some(at) => at,
            None => {
                let id = string(event, "item_id");
                self.add(index(event, "output_index"), id, kind())
            }
        }
    }

    /// Whether an event is of an item whose loss has been declared.
    pub(super) fn is_lost(&self, event: Value<'_>) -> bool {
        self.place(event)
            .and_then(|at| self.all.get(at))
            .is_some_and(|item| matches!(item.kind, Kind::Lost))
    }
}

fn spoken(text: Str<'_>, refusal: bool) -> Moment<'_> {
    if refusal {
        Moment::Refusal(text)
    } else {
        Moment::Text(text)
    }
}

fn part_of(event: Value<'_>, what: What) -> u64 {
    let key = match what {
        What::Summary => "summary_index",
        What::Content => "content_index",
    };
    index(event, key).unwrap_or(0)
}

fn index(event: Value<'_>, key: &str) -> Option<u64> {
    member(event, key).and_then(Value::as_u64)
}

fn next(count: &mut u32) -> u32 {
    let number = *count;
    *count = count.saturating_add(1);
    number
}

//! Wholes: what of them has not been said in pieces is said now.

use bartizan_core::json::Value;

use super::{Items, Kind, Say, index, next, spoken};
use crate::losses::Losses;
use crate::names::{ToolNames, minted_id};
use crate::neutral::Moment;
use crate::openai_responses::from_provider::{Called, cite, kind, signed, string, thought};
use crate::read::member;

impl Items {
    /// The whole of a part: what of it has not been said.
    pub(in crate::openai_responses::from_provider) fn part_done<'a>(
        &mut self,
        event: Value<'a>,
        losses: &mut Losses,
        say: Say<'_, 'a>,
    ) {
        let (Some(at), Some(part)) = (self.place(event), member(event, "part")) else {
            return;
        };
        let index = index(event, "content_index").unwrap_or(0);
        self.settle_part(at, index, part, losses, say);
    }

    fn settle_part<'a>(
        &mut self,
        at: usize,
        index: u64,
        whole: Value<'a>,
        losses: &mut Losses,
        say: Say<'_, 'a>,
    ) {
        let refusal = match kind(whole).as_deref() {
            Some("output_text" | "text") => false,
            Some("refusal") => true,
            _ => {
                if matches!(
                    self.all.get(at).map(|item| &item.kind),
                    Some(Kind::Message(_))
                ) {
                    losses.dropped("content.other");
                }
                return;
            }
        };
        let Some(part) = self.part(at, index) else {
            return;
        };
        let text = string(whole, if refusal { "refusal" } else { "text" });
        if !part.said && !text.is_empty() {
            part.said = true;
            say(spoken(text, refusal));
        }
        let annotations = member(whole, "annotations").into_iter();
        for annotation in annotations.flat_map(Value::items).skip(part.cited) {
            part.cited += 1;
            if let Some(citation) = cite(annotation, losses) {
                say(Moment::Citation(citation));
            }
        }
    }

    /// The whole of an item, in `response.output_item.done` or in the response that ends the stream: what of it has not been said.
    pub(in crate::openai_responses::from_provider) fn done<'a>(
        &mut self,
        index: Option<u64>,
        item: Value<'a>,
        setup: (&str, &ToolNames, &mut Losses),
        say: Say<'_, 'a>,
    ) {
        let (answer, names, losses) = setup;
        let at = match self.at(index, &string(item, "id")) {
            Some(at) => at,
            None => self.added(index, item, (names, losses), say),
        };
        let Some(known) = self.all.get_mut(at) else {
            return;
        };
        if !known.kind.is(item) {
            return;
        }
        if std::mem::replace(&mut known.done, true) {
            return;
        }
        match &mut known.kind {
            Kind::Message(known) => {
                let parts = || member(item, "content").into_iter().flat_map(Value::items);
                // Not every server numbers them from 0.
                let known: Vec<u64> = known.iter().map(|part| part.index).collect();
                let by_order = known.len() == parts().count();
                for (at_part, part) in parts().enumerate() {
                    let order = known.get(at_part).filter(|_| by_order);
                    let index = u64::try_from(at_part).unwrap_or(u64::MAX);
                    self.settle_part(at, *order.unwrap_or(&index), part, losses, say);
                }
            }
            Kind::Thought(known) => {
                let words = || thought(item).filter(|(_, text)| !text.is_empty());
                if known.len() != words().count() {
                    for (part, text) in words() {
                        if !self.has_thought(at, part) {
                            self.think(at, part, text, say);
                        }
                    }
                }
                self.sign(at, item, say);
            }
            Kind::Call { number, begun } => {
                let call = Called::read(item);
                let number = *number.get_or_insert_with(|| {
                    let number = next(&mut self.calls);
                    let minted = || minted_id(answer, number).into();
                    say(Moment::Call {
                        call: number,
                        id: call.id.unwrap_or_else(minted),
                        name: names.here(call.name),
                        custom: call.custom,
                        signature: None,
                    });
                    number
                });
                if !std::mem::replace(begun, true) && !call.input.is_empty() {
                    let piece = call.input;
                    say(Moment::Arguments {
                        call: number,
                        piece,
                    });
                }
            }
            Kind::Lost => {}
        }
    }

    fn sign<'a>(&mut self, at: usize, item: Value<'a>, say: Say<'_, 'a>) {
        let Some(signature) = signed(item) else {
            return;
        };
        let Some(Kind::Thought(parts)) = self.all.get(at).map(|item| &item.kind) else {
            return;
        };
        match parts.last() {
            Some((_, block)) => say(Moment::Signature {
                block: *block,
                signature,
            }),
            None => say(Moment::Redacted {
                block: next(&mut self.thoughts),
                id: Some(string(item, "id")).filter(|id| !id.is_empty()),
                data: signature,
            }),
        }
    }

    /// Calls of which nothing more can come. Of what takes nothing the arguments are an empty object, which clients must be able to parse.
    pub(in crate::openai_responses::from_provider) fn finish<'a>(
        &mut self,
        losses: &mut Losses,
        say: Say<'_, 'a>,
    ) {
        for item in &mut self.all {
            match &mut item.kind {
                Kind::Call {
                    number: Some(call),
                    begun,
                } if !*begun && !item.done => {
                    *begun = true;
                    say(Moment::Arguments {
                        call: *call,
                        piece: "{}".into(),
                    });
                }
                Kind::Call { number: None, .. } => losses.dropped("output.function_call"),
                _ => {}
            }
        }
    }
}

//! Calls and their results, which belong together by an id where there is one, else by name and order.

use std::borrow::Cow;

use bartizan_core::Refusal;
use bartizan_core::json::{Kind, Value};

use super::super::fields::{field, fields};
use super::contents::word;
use crate::losses::Losses;
use crate::neutral::{Block, Signature, Str};
use crate::read::{Place, Unknown, member, unknown};

/// The calls of a conversation so far.
pub(super) struct Calls<'a> {
    /// Which turn of the model it is.
    turn: usize,
    known: Vec<Call<'a>>,
    /// The ids that the client gives itself.
    given: Vec<Str<'a>>,
    minted: usize,
}

struct Call<'a> {
    turn: usize,
    id: Str<'a>,
    name: Str<'a>,
    answered: bool,
}

impl<'a> Calls<'a> {
    /// `contents` are all of the conversation.
    pub(super) fn of(contents: &[Value<'a>]) -> Self {
        let parts = contents
            .iter()
            .filter_map(|content| member(*content, "parts"))
            .flat_map(Value::items);
        let given = parts
            .filter_map(|part| field(part, "functionCall"))
            .filter_map(|call| member(call, "id").and_then(word))
            .collect();
        Self {
            turn: 0,
            known: Vec::new(),
            given,
            minted: 0,
        }
    }

    pub(super) fn next_turn(&mut self) {
        self.turn += 1;
    }

    pub(super) fn call(
        &mut self,
        here: &Place<'_>,
        value: Value<'a>,
        signature: Option<Signature<'a>>,
        policy: Unknown,
        losses: &mut Losses,
    ) -> Result<Block<'a>, Refusal> {
        let there = Place::In(here, "functionCall");
        let (mut id, mut name, mut input) = (None, None, Str::from("{}"));
        for (key, value) in fields(&there, value)? {
            let inside = Place::In(&there, &key);
            match key.as_ref() {
                "id" => id = word(value),
                "name" => name = word(value),
                "args" => input = inside.object(value)?.raw().into(),
                name => unknown(&there, policy, losses, name)?,
            }
        }
        let name = name.ok_or_else(|| Place::In(&there, "name").invalid("needed"))?;
        let id = id.unwrap_or_else(|| self.mint());
        self.known.push(Call {
            turn: self.turn,
            id: id.clone(),
            name: name.clone(),
            answered: false,
        });
        Ok(Block::ToolUse {
            id,
            name,
            input,
            custom: false,
            cache: None,
            signature,
        })
    }

    /// `parts` are the media in it.
    pub(super) fn result(
        &mut self,
        here: &Place<'_>,
        value: Value<'a>,
        parts: Vec<Block<'a>>,
    ) -> Result<Block<'a>, Refusal> {
        let there = Place::In(here, "functionResponse");
        let name = field(value, "name").and_then(word);
        let name = name.ok_or_else(|| Place::In(&there, "name").invalid("needed"))?;
        let id = field(value, "id").and_then(word);
        let id = self.answered(id, &name).unwrap_or_else(|| self.mint());
        let (mut blocks, is_error) = match field(value, "response") {
            Some(response) => told(Place::In(&there, "response").object(response)?),
            None => (Vec::new(), false),
        };
        blocks.extend(parts);
        Ok(Block::ToolResult {
            id,
            name: Some(name),
            blocks,
            is_error,
            custom: false,
            cache: None,
        })
    }

    /// The id of the call that is answered: the one of that id, else the first open one of that name in the latest turn that has one.
    fn answered(&mut self, id: Option<Str<'a>>, name: &str) -> Option<Str<'a>> {
        if let Some(id) = &id
            && let Some(call) = self.known.iter_mut().rev().find(|call| call.id == *id)
        {
            call.answered = true;
            return Some(call.id.clone());
        }
        let open = |call: &&mut Call<'a>| !call.answered && call.name == name;
        let latest = self
            .known
            .iter()
            .filter(|call| !call.answered && call.name == name)
            .map(|call| call.turn)
            .max();
        let mut calls = self.known.iter_mut().filter(open);
        match calls.find(|call| Some(call.turn) == latest) {
            Some(call) => {
                call.answered = true;
                Some(call.id.clone())
            }
            None => id,
        }
    }

    /// An id that hangs on the call's place alone, so that the same conversation has the same ids when it goes on.
    fn mint(&mut self) -> Str<'a> {
        loop {
            let id = format!("call_{}", self.minted);
            self.minted += 1;
            if !self.given.iter().any(|given| *given == id) {
                return Cow::Owned(id);
            }
        }
    }
}

/// What a function gave: by the API's own words `output` and `error`, or else the whole.
fn told(response: Value<'_>) -> (Vec<Block<'_>>, bool) {
    let mut members = response.members();
    let first = members.next();
    let only = first.filter(|_| members.next().is_none());
    let (said, is_error) = match only {
        Some((key, value)) if key.is("output") => (value, false),
        Some((key, value)) if key.is("error") => (value, true),
        Some(_) => (response, false),
        None => {
            let failed = member(response, "error").is_some();
            (response, failed && member(response, "output").is_none())
        }
    };
    let text = match said.kind() {
        Kind::String => said.text().unwrap_or_default(),
        _ => said.raw().into(),
    };
    (vec![Block::text(text)], is_error)
}

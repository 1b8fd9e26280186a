//! Functions, as tools were called before there could be several calls at once. Calls have no ids; they get them by their order.

use bartizan_core::Refusal;
use bartizan_core::json::{Kind, Value};

use super::messages::arguments;
use super::tools::function;
use crate::losses::Losses;
use crate::neutral::{Block, Choice, Str, Tool};
use crate::read::{Place, Unknown, member, members, unknown};

pub(super) fn decode<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Tool<'a>>, Refusal> {
    let items = here.items(value)?.into_iter().enumerate();
    items
        .map(|(index, item)| function(&Place::At(here, index), item, policy, losses))
        .collect()
}

pub(super) fn choice<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Choice<'a>, Refusal> {
    if value.kind() == Kind::String {
        return match value.text().as_deref() {
            Some("auto") => Ok(Choice::Auto),
            Some("none") => Ok(Choice::None),
            _ => Err(here.invalid("none, auto, or an object with the name of a function")),
        };
    }
    let there = Place::In(here, "name");
    let name = member(here.object(value)?, "name").ok_or_else(|| there.invalid("needed"))?;
    there.text(name).map(Choice::Named)
}

/// The calls of a conversation so far.
#[derive(Debug, Default)]
pub(super) struct Calls {
    made: u32,
    /// The names and ids of those that have no result yet.
    open: Vec<(String, String)>,
}

impl Calls {
    /// Reads a message's `function_call`.
    pub(super) fn call<'a>(
        &mut self,
        here: &Place<'_>,
        value: Value<'a>,
        policy: Unknown,
        losses: &mut Losses,
    ) -> Result<Block<'a>, Refusal> {
        let mut name = Str::default();
        let mut input = Str::default();
        for (key, value) in members(here.object(value)?) {
            let there = Place::In(here, &key);
            match key.as_ref() {
                "name" => name = there.text(value)?,
                "arguments" => input = arguments(&there, value)?,
                name => unknown(here, policy, losses, name)?,
            }
        }
        if name.is_empty() {
            return Err(Place::In(here, "name").invalid("needed"));
        }
        let id = format!("call_{}", self.made);
        self.made = self.made.saturating_add(1);
        self.open.push((name.clone().into_owned(), id.clone()));
        Ok(Block::ToolUse {
            id: id.into(),
            name,
            input: if input.is_empty() { "{}".into() } else { input },
            custom: false,
            cache: None,
            signature: None,
        })
    }

    /// The id of the call that a message of role `function` answers.
    pub(super) fn answered(&mut self, here: &Place<'_>, name: &str) -> Result<String, Refusal> {
        let at = self.open.iter().position(|(called, _)| called == name);
        match at {
            Some(at) => Ok(self.open.remove(at).1),
            None => Err(Place::In(here, "name").invalid("no call of this function stands before")),
        }
    }
}

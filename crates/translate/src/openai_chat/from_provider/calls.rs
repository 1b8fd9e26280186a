//! The calls of a stream, told apart and put in order.
//!
//! OpenAI numbers them, and says id and name in the first piece alone. Of those that have its API some number none, or all 0; some say id
//! or name late, again, or never; some say a call all at once.

use bartizan_core::json::{Kind, Value};

use super::{Setup, parts, string};
use crate::losses::Losses;
use crate::names::minted_id;
use crate::neutral::{Moment, Signature, Str};
use crate::read::member;

#[derive(Debug, Default)]
pub(super) struct Calls {
    all: Vec<Call>,
    /// How many have been told.
    told: u32,
}

#[derive(Debug)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    custom: bool,
    signature: Option<Signature<'static>>,
    state: State,
    /// Whether anything of its arguments has come.
    begun: bool,
}

// ## Untold => Told or Hidden: its name is known, and its id, or what comes next can't wait for one.
#[derive(Debug)]
enum State {
    /// With what came of its arguments.
    Untold(String),
    Told(u32),
    /// The answer, in the guise of a call.
    Hidden,
}

impl Calls {
    /// Whether there is a call for the caller to run.
    pub(super) fn any(&self) -> bool {
        self.told > 0
    }

    /// Reads the calls, or pieces of calls, of one chunk.
    pub(super) fn hear<'a>(
        &mut self,
        delta: Value<'a>,
        answer: &str,
        setup: &Setup,
        say: &mut dyn FnMut(Moment<'a>),
    ) {
        let before = self.all.len();
        let listed = member(delta, "tool_calls")
            .into_iter()
            .flat_map(Value::items);
        for piece in listed {
            let custom = member(piece, "custom");
            let said = custom.or_else(|| member(piece, "function"));
            let at = self.place(piece, said, before);
            if let Some(call) = self.all.get_mut(at) {
                call.custom |=
                    custom.is_some() || member(piece, "type").is_some_and(|kind| kind.is("custom"));
                if let Some(signature) = parts::of_call(piece) {
                    call.signature = Some(Signature {
                        maker: signature.maker,
                        data: signature.data.into_owned().into(),
                    });
                }
            }
            self.take(at, said, answer, setup, say);
        }
        // As it was called before there could be several.
        if let Some(function) = member(delta, "function_call") {
            if self.all.is_empty() {
                self.all.push(Call::new(Some(0), String::new()));
            }
            self.take(0, Some(function), answer, setup, say);
        }
    }

    /// Which call a piece is of.
    fn place(&mut self, piece: Value<'_>, said: Option<Value<'_>>, before: usize) -> usize {
        let index = member(piece, "index").and_then(Value::as_u64);
        let id = string(piece, "id");
        let names = said.is_some_and(|said| !string(said, "name").is_empty());
        let open = match (index, id.is_empty()) {
            (Some(_), _) => self.all.iter().rposition(|call| call.index == index),
            (None, false) => self
                .all
                .iter()
                .rposition(|call| call.id == *id || call.id.is_empty()),
            (None, true) => self.all.len().checked_sub(1),
        };
        if let Some(at) = open
            && let Some(call) = self.all.get_mut(at)
        {
            // Numbers that are used again: another id and another name, or a second name in one chunk.
            let other = names && !call.name.is_empty() && at >= before;
            let renamed = names && !id.is_empty() && !call.id.is_empty() && call.id != *id;
            let unnumbered = index.is_none() && names && id.is_empty() && call.begun;
            if !other && !renamed && !unnumbered {
                if call.id.is_empty() {
                    call.id = id.into_owned();
                }
                return at;
            }
        }
        self.all.push(Call::new(index, id.into_owned()));
        self.all.len() - 1
    }

    fn take<'a>(
        &mut self,
        at: usize,
        said: Option<Value<'a>>,
        answer: &str,
        setup: &Setup,
        say: &mut dyn FnMut(Moment<'a>),
    ) {
        let Some(call) = self.all.get_mut(at) else {
            return;
        };
        let Some(said) = said else {
            return;
        };
        if call.name.is_empty() {
            call.name = setup.names.here(string(said, "name")).into_owned();
        }
        let piece = match member(said, "arguments") {
            Some(object) if object.kind() == Kind::Object => Str::from(object.raw()),
            Some(text) => text.text().unwrap_or_default(),
            None => string(said, "input"),
        };
        if matches!(call.state, State::Untold(_))
            && !call.name.is_empty()
            && (!call.id.is_empty() || !piece.is_empty())
        {
            call.tell(&mut self.told, answer, setup, say);
        }
        call.say(piece, say);
    }

    /// All that can be told is told, once the provider says that it is done.
    pub(super) fn finish<'a>(
        &mut self,
        answer: &str,
        setup: &Setup,
        losses: &mut Losses,
        say: &mut dyn FnMut(Moment<'a>),
    ) {
        for call in &mut self.all {
            if matches!(call.state, State::Untold(_)) {
                if call.name.is_empty() {
                    losses.dropped("choices.delta.tool_calls");
                    continue;
                }
                call.tell(&mut self.told, answer, setup, say);
            }
            // A call that takes nothing: clients must be able to parse its arguments.
            if !call.begun && !call.custom {
                call.say("{}".into(), say);
            }
        }
    }
}

impl Call {
    fn new(index: Option<u64>, id: String) -> Self {
        Self {
            index,
            id,
            name: String::new(),
            custom: false,
            signature: None,
            state: State::Untold(String::new()),
            begun: false,
        }
    }

    fn tell<'a>(
        &mut self,
        told: &mut u32,
        answer: &str,
        setup: &Setup,
        say: &mut dyn FnMut(Moment<'a>),
    ) {
        let next = if setup.is_hidden(&self.name) {
            State::Hidden
        } else {
            let call = *told;
            *told = call.saturating_add(1);
            if self.id.is_empty() {
                self.id = minted_id(answer, call);
            }
            say(Moment::Call {
                call,
                id: self.id.clone().into(),
                name: self.name.clone().into(),
                custom: self.custom,
                signature: self.signature.take(),
            });
            State::Told(call)
        };
        if let State::Untold(waiting) = std::mem::replace(&mut self.state, next) {
            self.say(waiting.into(), say);
        }
    }

    fn say<'a>(&mut self, piece: Str<'a>, say: &mut dyn FnMut(Moment<'a>)) {
        if piece.is_empty() {
            return;
        }
        self.begun = true;
        match &mut self.state {
            State::Untold(waiting) => waiting.push_str(&piece),
            State::Told(call) => say(Moment::Arguments { call: *call, piece }),
            State::Hidden => say(Moment::Text(piece)),
        }
    }
}

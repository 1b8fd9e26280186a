//! What an answer says, before any dialect puts it into words.

use super::json::object;
use super::prompt::{Prompt, count};
use super::script::{Script, Speech};

pub(super) const CREATED: u64 = 1_790_000_000;
const PIECE: usize = 4;

#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) number: u64,
    pub(super) model: String,
    pub(super) thinking: Option<String>,
    pub(super) redacted: bool,
    pub(super) text: Option<String>,
    pub(super) refusal: bool,
    pub(super) calls: Vec<Call>,
    pub(super) interleaved: bool,
    pub(super) finish: Finish,
    pub(super) usage: Option<Spent>,
    pub(super) piece: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Finish {
    Stop,
    Length,
    Calls,
    Refusal,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Spent {
    /// All input, with what was cached.
    pub(super) input: u64,
    pub(super) cached: u64,
    /// All output, with reasoning.
    pub(super) output: u64,
    pub(super) reasoning: u64,
}

impl Said {
    pub(super) fn plan(script: &Script, prompt: &Prompt) -> Self {
        let (text, calls) = match &script.speech {
            Speech::Tools(wanted) if !prompt.answers_tool => (None, calls(*wanted, prompt)),
            Speech::Text(text) => (Some(text.clone()), Vec::new()),
            Speech::Words(wanted) => (Some(words(*wanted)), Vec::new()),
            Speech::Refusal => (Some("I can't help with that.".to_owned()), Vec::new()),
            _ => (Some(prompt.text.clone()), Vec::new()),
        };
        let refusal = matches!(script.speech, Speech::Refusal);
        let finish = match () {
            () if script.length => Finish::Length,
            () if refusal => Finish::Refusal,
            () if !calls.is_empty() => Finish::Calls,
            () => Finish::Stop,
        };
        let thinking = script
            .thinking
            .then(|| "First I look at what was asked.".to_owned());
        let reasoning = thinking.as_deref().map_or(0, count);
        let spoken: u64 = calls.iter().map(|call| count(&call.arguments)).sum();
        let spoken = spoken + text.as_deref().map_or(0, count);
        let (input, output) = script
            .usage
            .unwrap_or((prompt.tokens + script.cached, spoken + reasoning));
        let usage = Spent {
            input,
            cached: script.cached.min(input),
            output,
            reasoning: reasoning.min(output),
        };
        Self {
            number: prompt.number,
            model: prompt.model.clone(),
            thinking,
            redacted: script.redacted,
            text,
            refusal,
            calls,
            interleaved: script.interleaved,
            finish,
            usage: (!script.no_usage).then_some(usage),
            piece: script.piece.unwrap_or(PIECE),
        }
    }
}

fn calls(wanted: usize, prompt: &Prompt) -> Vec<Call> {
    let mut names = prompt.tools.iter().cycle();
    (0..wanted)
        .map(|index| Call {
            id: format!("call_mock_{}_{index}", prompt.number),
            name: names
                .next()
                .map_or_else(|| "lookup".to_owned(), Clone::clone),
            arguments: object! {
                "text": prompt.text,
                "call": u64::try_from(index).unwrap_or(0),
                "nested": object! { "again": vec![&prompt.text] },
            }
            .0,
        })
        .collect()
}

fn words(wanted: usize) -> String {
    (0..wanted)
        .map(|index| format!("word{:04} ", index % 10_000))
        .collect()
}

/// `text` in pieces of `size` characters.
pub(super) fn pieces(text: &str, size: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest
            .char_indices()
            .nth(size)
            .map_or(rest.len(), |(at, _)| at);
        let (piece, tail) = rest.split_at(end);
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_put_together_are_the_text() {
        for size in 1..6 {
            assert_eq!(
                pieces("आधार card 🪪 1234", size).concat(),
                "आधार card 🪪 1234"
            );
        }
        assert_eq!(pieces("abcde", 2), ["ab", "cd", "e"]);
        assert!(pieces("", 2).is_empty());
    }
}

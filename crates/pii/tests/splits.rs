//! Sixteen characters have 32,768 ways to be cut. All of them are tried: of what is masked, of what is put back, and of both in every API's streams.
//!
//! In streams a build that isn't optimised tries all ways to cut twelve, which takes as many seconds as the others take minutes:
//! `cargo test --release -p bartizan-pii --test splits` tries sixteen.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

mod speech;

use std::sync::Arc;

use bartizan_core::{Dialect, Event, Out, StreamRewriter, TextRewriter};
use bartizan_pii::{Entity, Operator, Redactor, Vault};
use speech::{Speech, streamed};

/// Where the characters of a text of at most sixteen begin, and its end.
fn places(text: &str) -> Vec<usize> {
    let places: Vec<usize> = text
        .char_indices()
        .map(|(place, _)| place)
        .chain([text.len()])
        .collect();
    assert!(places.len() <= 17, "{text:?} is too long");
    places
}

/// Every way to cut a text with these places, as pairs of places.
fn cuts(places: &[usize]) -> impl Iterator<Item = Vec<(usize, usize)>> {
    let inner = places.len().saturating_sub(2);
    (0..1_usize << inner).map(move |cuts| {
        let inside = (0..inner).filter(|at| cuts & 1 << at != 0).map(|at| at + 1);
        let mut from = 0;
        let mut pieces = Vec::with_capacity(inner + 1);
        for to in inside.chain([places.len() - 1]) {
            pieces.push((from, to));
            from = to;
        }
        pieces
    })
}

fn all_cuts<R: TextRewriter>(text: &str, expected: &str, make: impl Fn() -> R) {
    let places = places(text);
    for cut in cuts(&places) {
        let (mut rewriter, mut out) = (make(), String::new());
        for (from, to) in &cut {
            rewriter.push(&text[places[*from]..places[*to]], &mut out);
        }
        rewriter.finish(&mut out);
        assert_eq!(out, expected, "{text:?} cut at {cut:?}");
    }
}

fn redactor() -> Redactor {
    let builder = Entity::built_in().fold(Redactor::builder(), |builder, entity| {
        builder.operator(entity, Operator::Replace)
    });
    builder.build().unwrap()
}

fn masked(text: &str, expected: &str) {
    let redactor = redactor();
    let whole = redactor.mask(text, &mut Vault::new()).unwrap().into_owned();
    assert_eq!(whole, expected);
    all_cuts(text, expected, || redactor.stream());
}

#[test]
fn every_cut_of_a_code_is_masked() {
    masked("PAN ABCPE1234F x", "PAN <IN_PAN> x");
}

#[test]
fn every_cut_of_a_number_is_masked() {
    masked("4111111111111111", "<CREDIT_CARD>");
}

#[test]
fn every_cut_of_an_address_is_masked() {
    masked("a ravi@ex.in, b.", "a <EMAIL_ADDRESS>, b.");
}

#[test]
fn every_cut_of_digits_of_another_script_is_masked() {
    masked("२३४१ २३४१ २३४६ ॥", "<IN_AADHAAR> ॥");
}

/// What a caller said that holds a code, quotes and a line's end.
fn vault() -> Arc<Vault> {
    let mut vault = Vault::new();
    for value in ["A\"B\\\n", "é😀"] {
        vault.placeholder(Entity::InPan, value).unwrap();
    }
    Arc::new(vault)
}

#[test]
fn every_cut_of_a_placeholder_is_restored() {
    let vault = vault();
    for (text, expected) in [
        ("<<IN_PAN_1>IN_PA", "<A\"B\\\nIN_PA"),
        ("IN_PAN_2 IN_PAN_", "é😀 IN_PAN_"),
        ("＜in pan＿2＞<IN_1>", "é😀<IN_1>"),
        ("<IN\\_PAN\\_1>IN_3", "A\"B\\\nIN_3"),
        ("&lt;IN_PAN_1&gt;", "A&quot;B\\\n"),
        ("\\u003cIN_PAN_1>.", "\\u003cIN_PAN_1>."),
        ("%3CIN_PAN_2%3E x", "%C3%A9%F0%9F%98%80 x"),
    ] {
        assert_eq!(vault.restore(text), expected);
        all_cuts(text, expected, || vault.restorer());
    }
}

/// Each event of a stream once, whatever cut it belongs to: reading it anew would take most of the time.
struct Events<'s> {
    speech: &'s Speech,
    text: &'s str,
    places: Vec<usize>,
    says: Vec<Option<Event>>,
}

impl<'s> Events<'s> {
    fn new(speech: &'s Speech, text: &'s str) -> Self {
        let places = places(text);
        let says = vec![None; places.len().pow(3)];
        Self {
            speech,
            text,
            places,
            says,
        }
    }

    fn says(&mut self, number: usize, from: usize, to: usize) -> Event {
        let count = self.places.len();
        let slot = &mut self.says[(number * count + from) * count + to];
        let read = slot.get_or_insert_with(|| {
            let piece = &self.text[self.places[from]..self.places[to]];
            read(self.speech.says(number, piece), self.speech.dialect)
        });
        read.clone()
    }
}

fn read(mut event: Event, dialect: Dialect) -> Event {
    event.read_document(dialect).unwrap();
    event
}

/// Streams every cut of `text` and gives what a client makes of it to `check`.
fn spoken<R: TextRewriter + 'static>(
    speech: &Speech,
    text: &str,
    make: impl Fn() -> R + Clone + Send + 'static,
    check: impl Fn(&str),
) {
    let mut events = Events::new(speech, text);
    for cut in cuts(&places(text)) {
        let make = make.clone();
        let mut rewriter = StreamRewriter::new(move |_| Some(make()));
        let mut out = Out::new();
        for (number, (from, to)) in cut.iter().enumerate() {
            rewriter.event(events.says(number, *from, *to), &mut out);
        }
        rewriter.event(read(speech.ends(cut.len()), speech.dialect), &mut out);
        rewriter.end(&mut out);
        let said = out.take();
        check(&speech.joined(said.iter().filter_map(Event::data)));
    }
}

/// What is said in twelve characters, and in sixteen.
fn either(twelve: &'static str, sixteen: &'static str) -> &'static str {
    if cfg!(debug_assertions) {
        twelve
    } else {
        sixteen
    }
}

/// The texts that `dialect` streams, and the arguments of tools.
fn each(dialect: Dialect, mut check: impl FnMut(&Speech)) {
    let all = streamed();
    let of = all.iter().filter(|speech| speech.dialect == dialect);
    assert_ne!(of.map(&mut check).count(), 0, "{dialect:?} doesn't stream");
}

/// The pieces of a JSON text, as whoever calls the tool reads them.
fn arguments(said: &str) -> Vec<String> {
    serde_json::from_str(said).unwrap()
}

/// Puts back what a caller said that must be escaped in JSON.
fn restored(dialect: Dialect) {
    const VALUE: &str = "A\"B\\\n";
    let nick = Entity::custom("ID").unwrap();
    let mut vault = Vault::new();
    vault.placeholder(nick, VALUE).unwrap();
    let vault = Arc::new(vault);
    each(dialect, |speech| {
        let vault = Arc::clone(&vault);
        let make = move || vault.restorer();
        if speech.in_json {
            let text = either(r#"["<ID_1>" ]"#, r#"["<ID_1>","<ID"]"#);
            spoken(speech, text, make, |said| {
                let said = arguments(said);
                assert_eq!(said[0], VALUE, "{speech:?}");
                assert!(said.get(1).is_none_or(|half| half == "<ID"), "{said:?}");
            });
        } else {
            let text = either("<<ID_1>ID_1 ", "<<ID_1>ID_1 <ID_");
            let wanted = text
                .replace("<ID_1>", VALUE)
                .replace("ID_1 ", &format!("{VALUE} "));
            spoken(speech, text, make, |said| {
                assert_eq!(said, wanted, "{speech:?}")
            });
        }
    });
}

/// Takes out what a model said.
fn taken_out(dialect: Dialect) {
    let redactor = Redactor::builder()
        .operator(Entity::Email, Operator::Replace)
        .build()
        .unwrap();
    each(dialect, |speech| {
        let redactor = redactor.clone();
        let make = move || redactor.stream();
        if speech.in_json {
            let text = either(r#"["ra@ex.in"]"#, r#"["ravi.k@ex.in"]"#);
            spoken(speech, text, make, |said| {
                assert_eq!(arguments(said)[0], "<EMAIL_ADDRESS>", "{speech:?}");
            });
        } else {
            let text = either("a ra@ex.in b", "to ravi@ex.in, b");
            let wanted = either("a <EMAIL_ADDRESS> b", "to <EMAIL_ADDRESS>, b");
            spoken(speech, text, make, |said| {
                assert_eq!(said, wanted, "{speech:?}")
            });
        }
    });
}

/// A test for each API, so that they run beside each other.
macro_rules! in_streams {
    ($($name:ident: $dialect:ident,)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn every_cut_is_restored() {
                restored(Dialect::$dialect);
            }

            #[test]
            fn every_cut_is_masked() {
                taken_out(Dialect::$dialect);
            }
        }
    )*
    const TRIED: &[Dialect] = &[$(Dialect::$dialect),*];
    };
}

in_streams! {
    openai_chat: OpenAiChat,
    openai_responses: OpenAiResponses,
    openai_completions: OpenAiCompletions,
    anthropic_messages: AnthropicMessages,
    gemini: Gemini,
    bedrock_converse: BedrockConverse,
    cohere_chat: CohereChat,
    ollama_chat: OllamaChat,
}

#[test]
fn no_api_that_streams_is_left_out() {
    for speech in streamed() {
        assert!(TRIED.contains(&speech.dialect), "{:?}", speech.dialect);
    }
}

//! YAML as a tree that knows its lines.
//!
//! What a scalar means is left to whoever reads it: `os.environ/PORT` may stand for a number, and `on` for a truth value, as it does in
//! LiteLLM's reader.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use secrecy::{ExposeSecret, SecretString};

/// Deeper than any configuration, shallower than any stack.
const DEEPEST: usize = 32;

/// A value with the line that it stands in.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Nothing: an empty place, `~` or `null`.
    Null,
    /// A scalar: any may be a secret, so each is kept as one.
    Scalar(SecretString),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) line: usize,
    pub(crate) name: String,
}

impl Node {
    /// A mapping that no file has, of single values.
    pub(crate) fn mapping<const N: usize>(entries: [(&str, &str); N]) -> Self {
        let entry = |(name, value): (&str, &str)| {
            let key = Key {
                line: 0,
                name: name.to_owned(),
            };
            let value = Value::Scalar(SecretString::from(value));
            (key, Self { line: 0, value })
        };
        Self {
            line: 0,
            value: Value::Map(entries.into_iter().map(entry).collect()),
        }
    }
}

impl Value {
    /// What it is, for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Scalar(_) => "a single value",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Why a text is no tree.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Fault {
    fn at(span: Span, message: impl Into<String>) -> Self {
        Self {
            line: span.start.line(),
            message: message.into(),
        }
    }
}

impl From<ScanError> for Fault {
    fn from(error: ScanError) -> Self {
        Self {
            line: error.marker().line(),
            message: format!("this is not YAML: {}", error.info()),
        }
    }
}

/// Reads one YAML document. Aliases are resolved; tags, merge keys, double keys and a second document are refused.
pub(crate) fn read(text: &str) -> Result<Node, Fault> {
    Builder {
        parser: Parser::new_from_str(text),
        anchors: Vec::new(),
        // What aliases of aliases may grow to: no configuration is larger than this many times its own text.
        room: text.len().saturating_mul(4).saturating_add(1_024),
    }
    .document()
}

struct Builder<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: Vec<(usize, Node)>,
    room: usize,
}

impl<'a> Builder<'a> {
    fn document(mut self) -> Result<Node, Fault> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(Fault::at(
                        span,
                        "a second document begins here: keep one a file",
                    ));
                }
                Event::Nothing
                | Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {}
                other => root = Some(self.node(other, span, 0)?),
            }
        }
        Ok(root.unwrap_or(Node {
            line: 1,
            value: Value::Map(Vec::new()),
        }))
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Fault> {
        match self.parser.next_event() {
            Some(event) => Ok(event?),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Fault> {
        if depth > DEEPEST {
            return Err(Fault::at(span, "this is nested too deeply"));
        }
        self.spend(1, span)?;
        let line = span.start.line();
        let (value, anchor) = match event {
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return Err(Fault::at(span, "tags such as !!python are not read"));
            }
            Event::Scalar(text, style, anchor, None) => {
                self.spend(text.len(), span)?;
                (scalar(text.into_owned(), style), anchor)
            }
            Event::SequenceStart(anchor, None) => (self.list(depth)?, anchor),
            Event::MappingStart(anchor, None) => (self.map(depth)?, anchor),
            Event::Alias(anchor) => {
                let found = self
                    .anchors
                    .iter()
                    .find(|(id, _)| *id == anchor)
                    .map(|(_, node)| node.clone());
                let node =
                    found.ok_or_else(|| Fault::at(span, "this alias names no anchor before it"))?;
                self.spend(size(&node), span)?;
                return Ok(node);
            }
            _ => return Err(Fault::at(span, "a value is missing here")),
        };
        let node = Node { line, value };
        if anchor != 0 {
            self.anchors.push((anchor, node.clone()));
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let name = match event {
                Event::MappingEnd => return Ok(Value::Map(entries)),
                Event::Scalar(text, _, _, None) => text.into_owned(),
                _ => return Err(Fault::at(span, "a key must be a plain name")),
            };
            if name == "<<" {
                return Err(Fault::at(
                    span,
                    "merge keys (<<) are not read: write the keys out",
                ));
            }
            if let Some((before, _)) = entries.iter().find(|(key, _)| key.name == name) {
                let message = format!("`{name}` stands twice, first in line {}", before.line);
                return Err(Fault::at(span, message));
            }
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span, depth + 1)?;
            let key = Key {
                line: span.start.line(),
                name,
            };
            entries.push((key, value));
        }
    }

    fn spend(&mut self, amount: usize, span: Span) -> Result<(), Fault> {
        self.room = self
            .room
            .checked_sub(amount)
            .ok_or_else(|| Fault::at(span, "aliases make this too large"))?;
        Ok(())
    }
}

fn scalar(text: String, style: ScalarStyle) -> Value {
    let plain = style == ScalarStyle::Plain;
    if plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
        Value::Null
    } else {
        Value::Scalar(text.into())
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Null => 0,
        Value::Scalar(text) => text.expose_secret().len(),
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| key.name.len() + size(value))
            .sum(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_value_knows_its_line() {
        let root = read("a: 1\nb:\n  - x\n  - y: \"2\"\n    z:\n").unwrap();
        let Value::Map(entries) = root.value else {
            panic!()
        };
        assert_eq!(entries[1].0.line, 2);
        let Value::List(items) = &entries[1].1.value else {
            panic!()
        };
        assert_eq!(items[0].line, 3);
        let Value::Map(inner) = &items[1].value else {
            panic!()
        };
        assert_eq!((inner[0].0.line, inner[1].0.line), (4, 5));
        assert!(matches!(&inner[0].1.value, Value::Scalar(text) if text.expose_secret() == "2"));
        assert!(matches!(inner[1].1.value, Value::Null));
    }

    #[test]
    fn what_could_mislead_is_refused_with_its_line() {
        for (text, line, says) in [
            ("a: 1\nb: 2\na: 3", 3, "twice, first in line 1"),
            ("a: !!python/object x", 1, "tags"),
            ("a: 1\n---\nb: 1", 2, "second document"),
            ("x: &x {a: 1}\ny:\n  <<: *x", 3, "merge keys"),
            ("a: *nobody", 1, ""),
            ("? [a]\n: b", 1, "plain name"),
            ("a: [1", 2, "not YAML"),
            ("a: b: c", 1, "not YAML"),
        ] {
            let fault = read(text).expect_err(text);
            assert_eq!(fault.line, line, "{text}: {fault}");
            assert!(fault.message.contains(says), "{text}: {fault}");
        }
    }

    #[test]
    fn aliases_serve_and_bombs_do_not() {
        assert!(read("a: &a {k: v}\nb: *a\nc: *a").is_ok());
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..10 {
            let before = format!("*a{}", i - 1);
            bomb.push_str(&format!(
                "a{i}: &a{i} [{}]\n",
                [before.as_str(); 10].join(", ")
            ));
        }
        assert!(read(&bomb).unwrap_err().message.contains("too large"));
        assert!(read(&"[".repeat(5_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"[a-c:\-\[\]{}&*!|>'"\n #?,]{0,60}"#) {
            let _ = read(&text);
        }
    }
}

//! The notation in which forms are written, and what it compiles to.
//!
//! A form is elements with a space between:
//!
//! | element | is |
//! |---|---|
//! | `ghp_`, `"with spaces"` | itself |
//! | `'pwd'` | itself in any case |
//! | `(pat\|oat)`, `(app)?` | one of these; or none |
//! | `hex{32}`, `url{20,90}` | so many of an alphabet |
//! | `<api key\|token>` | a name in any case, with `_`, `-`, `.` or a space between its words or not; first only |
//! | `is` | what stands between a name and its value: quotes, `=`, `:` or `=>`, quotes |
//! | `is-quoted`, `is-bare` | the same, with quotes before the value, or without |
//! | `[`, `]` | the secret itself begins, ends; without them it is all |
//! | `pem` | the lines of a private key, and the line that ends them |
//!
//! A run takes all that it can. So the form is followed byte by byte and never goes back; a form that would have to is
//! refused when it is read.

use crate::class::Class;

/// The lines of a private key may be so long. Of RSA with 16384 bits they are 13 KiB.
pub(crate) const LONGEST_BLOCK: u16 = 16 * 1024;
/// And are at least so long.
const SHORTEST_BLOCK: u16 = 72;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Literal(Vec<u8>),
    Run(Class, u16, u16),
    /// A run that five hyphens end.
    Block(Class, u16, u16),
}

/// What must stand first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum First {
    Exactly(Vec<u8>),
    /// In lower case, with a space between the words.
    Name(Vec<u8>),
    /// The first operation.
    Run,
}

/// One way to write a form, without alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) first: First,
    pub(crate) ops: Vec<Op>,
    /// Before which operations the secret begins and ends.
    pub(crate) secret: (Option<usize>, Option<usize>),
}

impl Way {
    /// The most bytes that are read to find it. Names and blanks between count as they are usually written.
    pub(crate) fn longest(&self) -> usize {
        let first = match &self.first {
            First::Exactly(bytes) | First::Name(bytes) => bytes.len(),
            First::Run => 0,
        };
        self.ops.iter().fold(first, |sum, op| {
            sum + match op {
                Op::Literal(bytes) => bytes.len(),
                Op::Run(_, _, most) | Op::Block(_, _, most) => usize::from(*most),
            }
        })
    }

    /// Whether one of its runs may hold `byte`.
    pub(crate) fn holds(&self, byte: u8) -> bool {
        self.ops.iter().any(|op| match op {
            Op::Run(class, _, most) => *most > 1 && class.has(byte),
            Op::Literal(_) | Op::Block(..) => false,
        })
    }

    fn literal(&mut self, bytes: &[u8]) {
        let marked = self.marked();
        match (&mut self.first, self.ops.last_mut()) {
            (First::Exactly(first), None) if self.secret == (None, None) => {
                first.extend_from_slice(bytes);
            }
            (_, Some(Op::Literal(last))) if !marked => last.extend_from_slice(bytes),
            _ => self.ops.push(Op::Literal(bytes.to_vec())),
        }
    }

    /// Whether the secret begins or ends here.
    fn marked(&self) -> bool {
        let here = Some(self.ops.len());
        self.secret.0 == here || self.secret.1 == here
    }

    fn run(&mut self, class: Class, least: u16, most: u16) {
        if self.ops.is_empty() && self.first == First::Exactly(Vec::new()) {
            self.first = First::Run;
        }
        self.ops.push(Op::Run(class, least, most));
    }

    /// Whether a run may take what an operation after it needs.
    fn is_greedy(&self) -> bool {
        self.ops.iter().enumerate().any(|(at, op)| {
            let Op::Run(class, least, most) = op else {
                return false;
            };
            if least == most {
                return false;
            }
            for next in self.ops.iter().skip(at + 1) {
                match next {
                    Op::Literal(bytes) => return bytes.first().is_some_and(|b| class.has(*b)),
                    Op::Run(_, 0, _) => {}
                    Op::Run(next, ..) | Op::Block(next, ..) => return class.meets(*next),
                }
            }
            false
        })
    }
}

/// Reads a form. `None` if it is not well written.
pub(crate) fn read(text: &str) -> Option<Vec<Way>> {
    let mut ways = vec![Way {
        first: First::Exactly(Vec::new()),
        ops: Vec::new(),
        secret: (None, None),
    }];
    for element in elements(text)? {
        if let Some(names) = bounded(element, '<', '>') {
            ways = alternatives(&ways, names, |way, name| {
                let bare = way.ops.is_empty() && way.first == First::Exactly(Vec::new());
                way.first = First::Name(name.as_bytes().to_vec());
                bare
            })?;
        } else if let Some(some) = element.strip_suffix('?').and_then(|e| bounded(e, '(', ')')) {
            let without = ways.clone();
            ways = literals(&ways, some)?;
            ways.extend(without);
        } else if let Some(one) = bounded(element, '(', ')') {
            ways = literals(&ways, one)?;
        } else {
            for way in &mut ways {
                one(way, element)?;
            }
        }
    }
    let bad = ways
        .iter()
        .any(|way| way.first == First::Exactly(Vec::new()) || way.is_greedy());
    (!bad).then_some(ways)
}

fn one(way: &mut Way, element: &str) -> Option<()> {
    let class = |name| Class::named(name);
    match element {
        "[" => way.secret.0 = Some(way.ops.len()),
        "]" => way.secret.1 = Some(way.ops.len()),
        "is" | "is-quoted" | "is-bare" => {
            way.run(class("bracket")?, 0, 3);
            way.run(class("space")?, 0, 4);
            way.run(class("sign")?, 1, 3);
            way.run(class("space")?, 0, 4);
            match element {
                "is" => way.run(class("quote")?, 0, 3),
                "is-quoted" => way.run(class("quote")?, 1, 3),
                _ => {}
            }
        }
        "pem" => {
            way.ops
                .push(Op::Block(class("block")?, SHORTEST_BLOCK, LONGEST_BLOCK));
            way.ops.push(Op::Literal(b"END ".to_vec()));
            way.run(class("label")?, 1, 60);
            way.ops.push(Op::Literal(b"-----".to_vec()));
        }
        _ => {
            if let Some(folded) = bounded(element, '\'', '\'') {
                for byte in folded.bytes() {
                    way.run(Class::folded(byte)?, 1, 1);
                }
            } else if let Some(literal) = bounded(element, '"', '"') {
                way.literal(literal.as_bytes());
            } else if let Some((name, counts)) =
                element.strip_suffix('}').and_then(|e| e.split_once('{'))
            {
                let (least, most) = counts.split_once(',').unwrap_or((counts, counts));
                let (least, most) = (least.parse().ok()?, most.parse().ok()?);
                (least <= most).then_some(())?;
                way.run(class(name)?, least, most);
            } else {
                way.literal(element.as_bytes());
            }
        }
    }
    Some(())
}

fn literals(ways: &[Way], alternatives: &str) -> Option<Vec<Way>> {
    self::alternatives(ways, alternatives, |way, literal| {
        way.literal(literal.as_bytes());
        true
    })
}

/// Each way with each of the alternatives.
fn alternatives(
    ways: &[Way],
    alternatives: &str,
    mut add: impl FnMut(&mut Way, &str) -> bool,
) -> Option<Vec<Way>> {
    let mut all = Vec::new();
    for way in ways {
        for alternative in alternatives.split('|') {
            let mut way = way.clone();
            add(&mut way, alternative).then_some(())?;
            all.push(way);
        }
    }
    Some(all)
}

fn bounded(element: &str, open: char, close: char) -> Option<&str> {
    element.strip_prefix(open)?.strip_suffix(close)
}

/// Cuts at spaces, but not in what is quoted or bracketed.
fn elements(text: &str) -> Option<Vec<&str>> {
    let mut elements = Vec::new();
    let mut rest = text.trim_matches(' ');
    while let Some(first) = rest.chars().next() {
        let close = match first {
            '"' => Some('"'),
            '<' => Some('>'),
            '(' => Some(')'),
            _ => None,
        };
        let from = close.map_or(Some(0), |close| {
            rest.get(1..)?.find(close).map(|found| found + 1)
        })?;
        let end = rest
            .get(from..)?
            .find(' ')
            .map_or(rest.len(), |at| from + at);
        elements.push(rest.get(..end)?);
        rest = rest.get(end..)?.trim_start_matches(' ');
    }
    Some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Op {
        Op::Literal(text.as_bytes().to_vec())
    }

    #[test]
    fn a_form_is_its_first_bytes_and_what_follows() {
        let hex = Class::named("hex").unwrap();
        let ways = read("(ab|c) _ hex{3} - (x)? [ hex{1,2} ] \" y\"").unwrap();
        assert_eq!(ways.len(), 4);
        assert_eq!(
            ways[0],
            Way {
                first: First::Exactly(b"ab_".to_vec()),
                ops: vec![
                    Op::Run(hex, 3, 3),
                    literal("-x"),
                    Op::Run(hex, 1, 2),
                    literal(" y")
                ],
                secret: (Some(2), Some(3)),
            }
        );
        assert_eq!(ways[3].first, First::Exactly(b"c_".to_vec()));
        assert_eq!(ways[3].longest(), 2 + 3 + 1 + 2 + 2);
        let names = read("<api key|token> is [ hex{4}").unwrap();
        assert_eq!(names[0].first, First::Name(b"api key".to_vec()));
        assert_eq!(names[1].first, First::Name(b"token".to_vec()));
        assert_eq!(names[1].secret, (Some(5), None));
        assert_eq!(read("digit{8} :").unwrap()[0].first, First::Run);
    }

    #[test]
    fn what_would_have_to_go_back_or_says_nothing_is_refused() {
        for text in [
            "",
            "(a",
            "ab nothing{3}",
            "ab hex{3,2}",
            "ab hex{x}",
            "a <b> c",
            "ab hex{1,9} c",
            "ab hex{1,9} digit{0,3} lower{1}",
            "()?",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert!(read("ab hex{1,9} digit{0,3} upper{1}").is_some());
    }
}

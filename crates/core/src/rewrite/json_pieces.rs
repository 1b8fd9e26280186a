//! JSON text in pieces: follows its strings, so that what each says can be rewritten.

use super::{TextRewriter, number};
use crate::json::{escape_into, is_id, is_whole_number, unescape};

/// Feeds a rewriter of its own each string of a JSON text that arrives in pieces.
///
/// Of what stands outside strings only long numbers are rewritten, which then become strings; they are held back until they end. A run of a string whose rewriting changes nothing passes as it was spelled; otherwise
/// the rewriter's output is escaped anew.
pub(super) struct JsonPieces<R> {
    /// Inside a string: its rewriter, or `None` where it is to be left alone.
    string: Option<Option<R>>,
    /// The start of an escape whose end has not arrived.
    escape: String,
    /// Numbers are looked at.
    numbers: bool,
    /// A number whose end has not arrived; one that is longer than any that is looked at passes.
    number: String,
    overlong: bool,
    /// The last string, if a name may be so long, and what the next value is called.
    said: String,
    name: Option<String>,
}

/// No longer number is looked at, and what a member is called.
const LONGEST: usize = 64;

impl<R: TextRewriter> JsonPieces<R> {
    pub(super) fn new(numbers: bool) -> Self {
        Self {
            string: None,
            escape: String::new(),
            numbers,
            number: String::new(),
            overlong: false,
            said: String::new(),
            name: None,
        }
    }

    pub(super) fn push(
        &mut self,
        delta: &str,
        make: &mut dyn FnMut() -> Option<R>,
        out: &mut String,
    ) {
        let joined;
        let mut rest = if self.escape.is_empty() {
            delta
        } else {
            joined = std::mem::take(&mut self.escape) + delta;
            &joined
        };
        while !rest.is_empty() {
            if let Some(rewriter) = &mut self.string {
                let (run, after) = string_run(rest);
                if self.numbers && self.said.len() <= LONGEST {
                    self.said.push_str(&unescape(run));
                }
                write(rewriter, run, out);
                rest = after;
                if let Some(tail) = rest.strip_prefix('"') {
                    finish(rewriter, out);
                    self.string = None;
                    out.push('"');
                    rest = tail;
                } else {
                    // Nothing is left, or an escape that is not whole yet.
                    rest.clone_into(&mut self.escape);
                    return;
                }
            } else {
                let open = rest.find('"').map_or(rest.len(), |at| at + 1);
                let (outside, after) = rest.split_at(open);
                self.outside(outside, make, out);
                rest = after;
                if outside.ends_with('"') {
                    self.said.clear();
                    self.string = Some(make());
                }
            }
        }
    }

    /// Follows what stands outside strings: numbers, and what they are called.
    fn outside(&mut self, text: &str, make: &mut dyn FnMut() -> Option<R>, out: &mut String) {
        if !self.numbers {
            out.push_str(text);
            return;
        }
        for character in text.chars() {
            let begun = self.overlong || !self.number.is_empty();
            if matches!(character, '0'..='9' | '-')
                || begun && matches!(character, '+' | '.' | 'e' | 'E')
            {
                match self.overlong {
                    true => out.push(character),
                    false => self.number.push(character),
                }
                if self.number.len() > LONGEST {
                    out.push_str(&std::mem::take(&mut self.number));
                    self.overlong = true;
                }
                continue;
            }
            self.end_number(make, out);
            match character {
                ':' => self.name = Some(std::mem::take(&mut self.said)),
                ',' | '[' | ']' | '{' | '}' => self.name = None,
                _ => {}
            }
            out.push(character);
        }
    }

    fn end_number(&mut self, make: &mut dyn FnMut() -> Option<R>, out: &mut String) {
        self.overlong = false;
        let digits = std::mem::take(&mut self.number);
        let name = self.name.as_deref().filter(|name| name.len() <= LONGEST);
        let new = is_id(digits.as_bytes()).then(|| number(make, name, &digits));
        match new.flatten() {
            Some(new) if is_whole_number(&new) => out.push_str(&new),
            Some(new) => {
                out.push('"');
                escape_into(out, &new);
                out.push('"');
            }
            None => out.push_str(&digits),
        }
    }

    pub(super) fn finish(&mut self, make: &mut dyn FnMut() -> Option<R>, out: &mut String) {
        self.end_number(make, out);
        if let Some(rewriter) = &mut self.string {
            finish(rewriter, out);
        }
        out.push_str(&std::mem::take(&mut self.escape));
    }
}

fn write<R: TextRewriter>(rewriter: &mut Option<R>, run: &str, out: &mut String) {
    let Some(rewriter) = rewriter else {
        out.push_str(run);
        return;
    };
    if run.is_empty() {
        return;
    }
    let says = unescape(run);
    let mut new = String::with_capacity(says.len());
    rewriter.push(&says, &mut new);
    if new == says {
        out.push_str(run);
    } else {
        escape_into(out, &new);
    }
}

fn finish<R: TextRewriter>(rewriter: &mut Option<R>, out: &mut String) {
    if let Some(rewriter) = rewriter {
        let mut rest = String::new();
        rewriter.finish(&mut rest);
        escape_into(out, &rest);
    }
}

/// Splits `text`, which starts inside a string, before its closing quote or before an escape that is not whole.
fn string_run(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        let place = at + found;
        if bytes.get(place) == Some(&b'"') {
            return text.split_at(place);
        }
        match escape_length(bytes.get(place..).unwrap_or_default()) {
            Some(length) => at = place + length,
            None => return text.split_at(place),
        }
    }
    (text, "")
}

/// The length of the escape at the start of `bytes`, a surrogate pair counting as one; `None` if more must arrive to tell.
fn escape_length(bytes: &[u8]) -> Option<usize> {
    if *bytes.get(1)? != b'u' {
        return Some(2);
    }
    let high = bytes.get(2..6)?;
    let is_high = matches!(
        high,
        [b'd' | b'D', b'8' | b'9' | b'a'..=b'b' | b'A'..=b'B', _, _]
    );
    if !is_high {
        return Some(6);
    }
    match bytes.get(6..8) {
        Some(b"\\u") => bytes.get(8..12).map(|_| 12),
        Some(_) => Some(6),
        None if bytes.get(6).is_some_and(|byte| *byte != b'\\') => Some(6),
        None => None,
    }
}

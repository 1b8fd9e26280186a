//! How placeholders are written, and how they are read again.
//!
//! Written: `<EMAIL_ADDRESS_1>`. A model may write it in another way, so these are read too. Inside angle brackets: any case; full-width and
//! native letters and digits; up to four blanks, asterisks or backticks inside of the brackets; and up to four of `_`, `-`, blank and
//! Markdown's backslash between the words. The brackets may be full-width or typographic ones, HTML's (`&lt;`), a URL's (`%3C`), or JSON's
//! (`\u003c`): what was masked then comes back in that coding. Without brackets: exactly as written, as a word of its own. Nothing else is
//! read: a placeholder that is left in an answer is a blemish, one that is put where it doesn't belong is a lie.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use bartizan_core::json::escape_into;

use crate::Entity;
use crate::spelling::is_word;

/// Digits that a number may have.
const MOST_DIGITS: usize = 10;
/// Bytes between two words, and between a bracket and a word.
const MOST_BETWEEN: usize = 4;

/// What was found at the start of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// No placeholder.
    Nothing,
    /// It may become one, when more comes.
    Start,
    /// A placeholder of so many bytes.
    Whole {
        length: usize,
        entity: Entity,
        number: u64,
        coding: Coding,
    },
}

/// How the text around a placeholder is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Plain,
    Html,
    Url,
    Json,
}

impl Coding {
    /// `value` in this coding.
    pub(crate) fn encode(self, value: &str) -> Cow<'_, str> {
        let mut out = String::new();
        match self {
            Self::Plain => return Cow::Borrowed(value),
            Self::Html => {
                for character in value.chars() {
                    match character {
                        '&' => out.push_str("&amp;"),
                        '<' => out.push_str("&lt;"),
                        '>' => out.push_str("&gt;"),
                        '"' => out.push_str("&quot;"),
                        '\'' => out.push_str("&#39;"),
                        _ => out.push(character),
                    }
                }
            }
            Self::Url => {
                for byte in value.bytes() {
                    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                        out.push(char::from(byte));
                    } else {
                        // Writing to a String can't fail.
                        let _ = write!(out, "%{byte:02X}");
                    }
                }
            }
            Self::Json => escape_into(&mut out, value),
        }
        Cow::Owned(out)
    }
}

/// The brackets that a placeholder may stand in, in lower case: for each coding those that open, and those that close.
const BRACKETS: &[(Coding, &[&str], &[&str])] = &[
    (Coding::Plain, &["<"], &[">"]),
    // Markdown's, but not the last backslash of a path.
    (Coding::Plain, &["\\<"], &["\\>"]),
    (
        Coding::Html,
        &["&lt;", "&#60;", "&#x3c;"],
        &["&gt;", "&#62;", "&#x3e;"],
    ),
    (Coding::Url, &["%3c"], &["%3e"]),
    (Coding::Json, &["\\u003c"], &["\\u003e"]),
];

pub(crate) fn write(entity: Entity, number: u64) -> String {
    format!("<{}_{number}>", entity.as_str())
}

/// What a placeholder of some kinds may start with: a bracket, or a letter that one of their names starts with.
pub(crate) struct Starts([bool; 256]);

impl Starts {
    /// Nothing, where there are no kinds.
    pub(crate) fn of(entities: &[Entity]) -> Self {
        let mut starts = [false; 256];
        let brackets = if entities.is_empty() {
            &b""[..]
        } else {
            b"<\\&%"
        };
        let names = entities
            .iter()
            .filter_map(|kind| kind.as_str().bytes().next());
        for byte in brackets.iter().copied().chain(names) {
            if let Some(start) = starts.get_mut(usize::from(byte)) {
                *start = true;
            }
        }
        Self(starts)
    }

    pub(crate) fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).is_some_and(|starts| *starts)
    }
}

/// Reads a placeholder of one of `entities` at the start of `bytes`. `joined`: a word goes on there. `last`: nothing more comes.
pub(crate) fn parse(bytes: &[u8], joined: bool, entities: &[Entity], last: bool) -> Parsed {
    if bytes.first().is_some_and(u8::is_ascii_uppercase) {
        if joined {
            return Parsed::Nothing;
        }
        return read(bytes, last, Coding::Plain, |reader| {
            let found = reader.name_and_number(entities, false)?;
            match reader.peek() {
                Err(Miss::End) if reader.last => Ok(found),
                Ok(byte) if !is_word(byte) => Ok(found),
                Ok(_) => Err(Miss::Other),
                Err(miss) => Err(miss),
            }
        });
    }
    let mut start = false;
    for (coding, open, close) in BRACKETS {
        let parsed = read(bytes, last, *coding, |reader| {
            reader.one_of(open)?;
            reader.filler()?;
            let found = reader.name_and_number(entities, true)?;
            reader.filler()?;
            reader.one_of(close)?;
            Ok(found)
        });
        match parsed {
            Parsed::Whole { .. } => return parsed,
            Parsed::Start => start = true,
            Parsed::Nothing => {}
        }
    }
    if start {
        Parsed::Start
    } else {
        Parsed::Nothing
    }
}

/// Calls `each` with every placeholder that `bytes` mention in any spelling that [`parse`] could take for one, and more.
pub(crate) fn mentioned(bytes: &[u8], mut each: impl FnMut(Entity, u64)) {
    let own = Entity::known_custom();
    let mut from = 0;
    // A number after a separator is rarer than a name's first letter, so the name is read backwards from there.
    while let Some(place) = bytes
        .get(from..)
        .and_then(|rest| rest.iter().position(u8::is_ascii_digit))
    {
        let digits = from + place;
        let mut reader = Reader {
            bytes,
            at: digits,
            last: true,
        };
        let number = reader.number();
        from = digits + 1;
        while bytes.get(from).is_some_and(u8::is_ascii_digit) {
            from += 1;
        }
        let head = bytes.get(..digits).unwrap_or_default();
        let (Ok(number), Some(head)) = (number, without_separator(head)) else {
            continue;
        };
        for entity in ending_like(head).iter().chain(&own) {
            if ends_with(head, entity.as_str()) {
                each(*entity, number);
            }
        }
    }
}

/// The built-in kinds whose name ends as `head` does.
fn ending_like(head: &[u8]) -> &'static [Entity] {
    static BY_LETTER: LazyLock<[Vec<Entity>; 26]> = LazyLock::new(|| {
        let mut table: [Vec<Entity>; 26] = Default::default();
        for entity in Entity::ALL {
            if let Some(slot) = letter(entity.as_str().as_bytes()).and_then(|at| table.get_mut(at))
            {
                slot.push(*entity);
            }
        }
        table
    });
    letter(head)
        .and_then(|at| BY_LETTER.get(at))
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn letter(name: &[u8]) -> Option<usize> {
    let last = name.last()?.to_ascii_uppercase();
    last.is_ascii_uppercase().then(|| usize::from(last - b'A'))
}

/// `bytes` without the separator at their end: some that [`Reader::separator`] takes.
fn without_separator(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    loop {
        rest = match rest {
            [
                before @ ..,
                b'_' | b' ' | b'-' | b'\\' | b'+' | b'\n' | b'\t',
            ] => before,
            [before @ .., b'%', b'2', b'0'] | [before @ .., b'%', b'5', b'f' | b'F'] => before,
            _ => break,
        };
    }
    (rest.len() < bytes.len()).then_some(rest)
}

fn ends_with(mut bytes: &[u8], name: &str) -> bool {
    for letter in name.bytes().rev() {
        bytes = match (letter, bytes) {
            (b'_', _) => match without_separator(bytes) {
                Some(rest) => rest,
                None => return false,
            },
            (_, [rest @ .., last]) if last.eq_ignore_ascii_case(&letter) => rest,
            _ => return false,
        };
    }
    true
}

/// Why reading went no further.
enum Miss {
    Other,
    End,
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    last: bool,
}

fn read(
    bytes: &[u8],
    last: bool,
    coding: Coding,
    with: impl FnOnce(&mut Reader<'_>) -> Result<(Entity, u64), Miss>,
) -> Parsed {
    let mut reader = Reader { bytes, at: 0, last };
    match with(&mut reader) {
        Ok((entity, number)) => Parsed::Whole {
            length: reader.at,
            entity,
            number,
            coding,
        },
        Err(Miss::End) if !last => Parsed::Start,
        Err(_) => Parsed::Nothing,
    }
}

impl Reader<'_> {
    fn peek(&self) -> Result<u8, Miss> {
        self.bytes.get(self.at).copied().ok_or(Miss::End)
    }

    /// Reads `word`, given in lower case, in any case.
    fn word(&mut self, word: &str) -> Result<(), Miss> {
        for letter in word.bytes() {
            if !self.peek()?.eq_ignore_ascii_case(&letter) {
                return Err(Miss::Other);
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Reads one of `words`, none of which is the start of another.
    fn one_of(&mut self, words: &[&str]) -> Result<(), Miss> {
        let start = self.at;
        let mut miss = Miss::Other;
        for word in words {
            self.at = start;
            match self.word(word) {
                Ok(()) => return Ok(()),
                Err(Miss::End) => miss = Miss::End,
                Err(Miss::Other) => {}
            }
        }
        Err(miss)
    }

    /// What may stand between a bracket and a word.
    fn filler(&mut self) -> Result<(), Miss> {
        let end = self.at + MOST_BETWEEN;
        while self.at < end && matches!(self.peek()?, b' ' | b'\n' | b'\t' | b'*' | b'`') {
            self.at += 1;
        }
        Ok(())
    }

    fn name_and_number(&mut self, entities: &[Entity], loose: bool) -> Result<(Entity, u64), Miss> {
        let start = self.at;
        let mut miss = Miss::Other;
        for entity in entities {
            self.at = start;
            match self.one(entity.as_str(), loose) {
                Ok(number) => return Ok((*entity, number)),
                Err(Miss::End) => miss = Miss::End,
                Err(Miss::Other) => {}
            }
        }
        Err(miss)
    }

    fn one(&mut self, name: &str, loose: bool) -> Result<u64, Miss> {
        for byte in name.bytes() {
            let next = self.peek()?;
            if byte == b'_' {
                self.separator(loose)?;
            } else if next == byte || loose && next.eq_ignore_ascii_case(&byte) {
                self.at += 1;
            } else {
                return Err(Miss::Other);
            }
        }
        self.separator(loose)?;
        self.number()
    }

    fn separator(&mut self, loose: bool) -> Result<(), Miss> {
        if !loose {
            if self.peek()? == b'\\' {
                self.at += 1;
            }
            return self.word("_");
        }
        let end = self.at + MOST_BETWEEN;
        let mut any = false;
        while self.at < end {
            match self.peek()? {
                b'_' | b' ' | b'-' | b'+' | b'\n' | b'\t' => any = true,
                b'\\' => {}
                b'%' => {
                    self.at += 1;
                    let code = (self.peek()?, self.next()?);
                    if !matches!(code, (b'2', b'0') | (b'5', b'f' | b'F')) {
                        return Err(Miss::Other);
                    }
                    self.at += 1;
                    any = true;
                }
                _ => break,
            }
            self.at += 1;
        }
        if any { Ok(()) } else { Err(Miss::Other) }
    }

    fn next(&self) -> Result<u8, Miss> {
        self.bytes.get(self.at + 1).copied().ok_or(Miss::End)
    }

    /// A number as it is written: without zeros before it.
    fn number(&mut self) -> Result<u64, Miss> {
        let mut number = 0u64;
        let from = self.at;
        loop {
            match self.peek() {
                Ok(digit @ b'0'..=b'9')
                    if self.at - from < MOST_DIGITS && (digit != b'0' || self.at > from) =>
                {
                    number = number * 10 + u64::from(digit - b'0');
                    self.at += 1;
                }
                Ok(b'0'..=b'9') => return Err(Miss::Other),
                Err(miss) if self.at == from || !self.last => return Err(miss),
                _ if self.at == from => return Err(Miss::Other),
                _ => return Ok(number),
            }
        }
    }
}

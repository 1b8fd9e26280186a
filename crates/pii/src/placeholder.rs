//! How placeholders are written, and how they are read again.
//!
//! Written: `<EMAIL_ADDRESS_1>`. A model may write it in another way, so these are read too: inside angle brackets in any
//! case, with one blank after the first and before the last bracket, and with `_`, `\_` (Markdown), `-` or one blank
//! between the words; without brackets exactly as written, as a word of its own. Nothing else is: a placeholder that is
//! left in an answer is a blemish, one that is put where it doesn't belong is a lie.

use crate::Entity;

/// Digits that a number may have.
const MOST_DIGITS: usize = 10;

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
    },
}

pub(crate) fn write(entity: Entity, number: u64) -> String {
    format!("<{}_{number}>", entity.as_str())
}

/// The next place at or after `from` where a placeholder may start.
pub(crate) fn next_start(text: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    let initial = |byte: &u8| *byte == b'<' || byte.is_ascii_uppercase();
    rest.iter().position(initial).map(|place| from + place)
}

/// Reads a placeholder of one of `entities` at the start of `text`, which `before` precedes. `last`: nothing more comes.
pub(crate) fn parse(text: &str, before: Option<u8>, entities: &[Entity], last: bool) -> Parsed {
    let bytes = text.as_bytes();
    if bytes.first() == Some(&b'<') {
        return read_all(bytes, last, |reader| {
            reader.skip(b'<')?;
            reader.optional(b' ')?;
            let (entity, number) = reader.name_and_number(entities, true)?;
            reader.optional(b' ')?;
            reader.skip(b'>')?;
            Ok((entity, number))
        });
    }
    if before.is_some_and(is_word) {
        return Parsed::Nothing;
    }
    read_all(bytes, last, |reader| {
        let found = reader.name_and_number(entities, false)?;
        match reader.peek() {
            Err(Miss::End) if reader.last => Ok(found),
            Ok(byte) if !is_word(byte) => Ok(found),
            Ok(_) => Err(Miss::Other),
            Err(miss) => Err(miss),
        }
    })
}

/// Calls `each` with every placeholder that `text` mentions in any spelling that [`parse`] could take for one, and more.
pub(crate) fn mentioned(text: &str, mut each: impl FnMut(Entity, u64)) {
    let bytes = text.as_bytes();
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
        for entity in Entity::ALL {
            if ends_with(head, entity.as_str()) {
                each(*entity, number);
            }
        }
    }
}

/// `bytes` without the separator at their end.
fn without_separator(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = match bytes {
        [rest @ .., b'_' | b' ' | b'-'] => rest,
        _ => return None,
    };
    // Markdown's backslash, doubled in raw JSON.
    while let [before @ .., b'\\'] = rest {
        rest = before;
    }
    Some(rest)
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

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
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

fn read_all(
    bytes: &[u8],
    last: bool,
    read: impl FnOnce(&mut Reader<'_>) -> Result<(Entity, u64), Miss>,
) -> Parsed {
    let mut reader = Reader { bytes, at: 0, last };
    match read(&mut reader) {
        Ok((entity, number)) => Parsed::Whole {
            length: reader.at,
            entity,
            number,
        },
        Err(Miss::End) if !last => Parsed::Start,
        Err(_) => Parsed::Nothing,
    }
}

impl Reader<'_> {
    fn peek(&self) -> Result<u8, Miss> {
        self.bytes.get(self.at).copied().ok_or(Miss::End)
    }

    fn skip(&mut self, byte: u8) -> Result<(), Miss> {
        if self.peek()? != byte {
            return Err(Miss::Other);
        }
        self.at += 1;
        Ok(())
    }

    fn optional(&mut self, byte: u8) -> Result<(), Miss> {
        if self.peek()? == byte {
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
            match byte {
                b'_' => self.separator(loose)?,
                _ if loose && self.peek()?.eq_ignore_ascii_case(&byte) => self.at += 1,
                _ => self.skip(byte)?,
            }
        }
        self.separator(loose)?;
        self.number()
    }

    fn separator(&mut self, loose: bool) -> Result<(), Miss> {
        match self.peek()? {
            b'_' => self.at += 1,
            b'\\' => {
                self.at += 1;
                // In raw JSON the backslash is doubled.
                if loose {
                    self.optional(b'\\')?;
                }
                self.skip(b'_')?;
            }
            b' ' | b'-' if loose => self.at += 1,
            _ => return Err(Miss::Other),
        }
        Ok(())
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

//! The heads of tables: what stands above a cell says what it holds, however far above.
//!
//! A head is a line of short cells without a number of its own, of which one holds a word that tells something. The lines below it with as many
//! cells are its rows. Only lines that have ended decide, and of the last one what stands before the cell, so that a text in pieces has the same
//! heads as the whole one. What is kept for that is the head's columns, the cells counted in the last line, and of that line as much as may become a head
//! itself.

use std::cell::RefCell;
use std::sync::Arc;

use memchr::{memchr, memchr_iter};

use super::{Context, Kind};
use crate::window::Window;

/// The longest line that may be a head, in bytes.
const LONGEST_HEAD: usize = 1_024;
/// A head has no more columns.
const MOST_COLUMNS: usize = 64;
/// What a column is called has no more characters: more are prose.
const LONGEST_CELL: usize = 40;
/// So many blanks and quotes may stand between a cell's start and the number in it.
const PADDING: usize = 32;

/// What may part cells, what is rarer in prose first.
const SEPARATORS: [u8; 4] = [b'\t', b'|', b';', b','];

/// The table at the end of a text, and the line that hasn't ended yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    head: Option<Arc<Head>>,
    row: Row,
    /// The last line so far; longer than a head may be: it is none.
    begun: Vec<u8>,
}

#[derive(Debug)]
struct Head {
    separator: u8,
    separators: usize,
    columns: Vec<Vec<Kind>>,
}

/// How far a line has been read.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    separators: usize,
    place: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nothing but blanks of the cell has come.
    #[default]
    Start,
    Within,
    Quoted,
    /// Behind a quote that may be the first of two, which stand for one.
    Unquoted,
}

impl Row {
    fn read(&mut self, text: &[u8], separator: u8) {
        // Quotes part nothing in Markdown.
        let quotes = separator != b'|';
        let usual = self.place != Place::Quoted && (!quotes || memchr(b'"', text).is_none());
        if usual {
            self.separators += memchr_iter(separator, text).count();
            if let Some(last) = text.iter().rfind(|byte| **byte != b' ') {
                self.place = match *last == separator {
                    true => Place::Start,
                    false => Place::Within,
                };
            }
            return;
        }
        for byte in text {
            self.place = match (self.place, *byte) {
                (Place::Quoted, b'"') => Place::Unquoted,
                (Place::Quoted, _) => Place::Quoted,
                (Place::Start | Place::Unquoted, b'"') => Place::Quoted,
                (_, byte) if byte == separator => {
                    self.separators += 1;
                    Place::Start
                }
                (place @ (Place::Start | Place::Unquoted), b' ') => place,
                _ => Place::Within,
            };
        }
    }
}

impl Head {
    /// `None`: the line is no head, or tells nothing.
    fn read(line: &[u8], context: &Context) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?.trim();
        let mut separators = SEPARATORS.into_iter();
        let separator = separators.find(|byte| memchr(*byte, line.as_bytes()).is_some())?;
        let quoted = separator != b'|' && line.contains('"');
        let mut columns = Vec::new();
        let mut rest = line.as_bytes();
        loop {
            let end = match quoted {
                false => memchr(separator, rest),
                true => {
                    let mut row = Row::default();
                    rest.iter().position(|byte| {
                        row.read(std::slice::from_ref(byte), separator);
                        row.separators > 0
                    })
                }
            };
            let cell = rest.get(..end.unwrap_or(rest.len()))?;
            let name = std::str::from_utf8(cell).ok()?.trim();
            if columns.len() == MOST_COLUMNS || !is_name(name) {
                return None;
            }
            columns.push(context.told(name.as_bytes()));
            match end {
                Some(end) => rest = rest.get(end + 1..)?,
                None => break,
            }
        }
        columns.iter().any(|told| !told.is_empty()).then(|| Self {
            separator,
            separators: columns.len() - 1,
            columns,
        })
    }
}

/// Whether a column may be called so. A digit belongs to a name only behind a letter.
fn is_name(name: &str) -> bool {
    let mut within = false;
    name.chars().take(LONGEST_CELL + 1).count() <= LONGEST_CELL
        && name.chars().all(|character| {
            let sound = within || !character.is_numeric();
            within = character.is_alphanumeric() || character == '_';
            sound
        })
}

impl Tables {
    /// Reads on.
    pub(crate) fn read(&mut self, text: &[u8], context: &Context) {
        let mut rest = text;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, tail) = rest.split_at_checked(end).unwrap_or_default();
            self.end(line, context);
            rest = tail.get(1..).unwrap_or_default();
        }
        self.begin(rest);
    }

    fn begin(&mut self, text: &[u8]) {
        if let Some(head) = &self.head {
            self.row.read(text, head.separator);
        }
        let room = (LONGEST_HEAD + 1).saturating_sub(self.begun.len());
        let taken = text.get(..room).unwrap_or(text);
        self.begun.extend_from_slice(taken);
    }

    /// Reads the rest of a line, and makes of it what it is.
    fn end(&mut self, rest: &[u8], context: &Context) {
        let mut row = std::mem::take(&mut self.row);
        let belongs = self.head.as_ref().is_some_and(|head| {
            row.read(rest, head.separator);
            row.separators == head.separators
        });
        if !belongs {
            self.head = None;
            if self.begun.len() + rest.len() <= LONGEST_HEAD {
                let head = if self.begun.is_empty() {
                    Head::read(rest, context)
                } else {
                    self.begun.extend_from_slice(rest);
                    Head::read(&self.begun, context)
                };
                self.head = head.map(Arc::new);
            }
        }
        self.begun.clear();
    }
}

/// Reads a window for its tables once, as far as was asked.
#[derive(Debug, Default)]
pub(super) struct Columns(RefCell<Option<Reader>>);

#[derive(Debug)]
struct Reader {
    tables: Tables,
    /// Up to which byte of the source.
    to: usize,
    /// Where the last line starts.
    line: usize,
}

/// What stands above a cell.
pub(super) struct Column {
    head: Arc<Head>,
    place: usize,
    /// Where its row starts in the source.
    pub(super) row: usize,
}

impl Column {
    pub(super) fn told(&self) -> &[Kind] {
        self.head.columns.get(self.place).map_or(&[], Vec::as_slice)
    }
}

impl Columns {
    /// What stands above the cell that starts with what is at `start`, if that tells something.
    pub(super) fn above(
        &self,
        window: &Window<'_>,
        context: &Context,
        start: usize,
    ) -> Option<Column> {
        let cell = cell(window, start)?;
        let folded = window.folded();
        let to = folded.end(cell);
        let source = folded.source().as_bytes();
        let mut reader = self.0.borrow_mut();
        let reader = reader.get_or_insert_with(|| Reader {
            tables: window.tables().cloned().unwrap_or_default(),
            to: 0,
            line: 0,
        });
        // Cells are asked for in their order.
        if to < reader.to {
            return None;
        }
        let text = source.get(reader.to..to)?;
        #[cfg(test)]
        window
            .reads
            .set(window.reads.get() + u64::try_from(text.len()).unwrap_or(0));
        reader.tables.read(text, context);
        if let Some(end) = memchr::memrchr(b'\n', text) {
            reader.line = reader.to + end + 1;
        }
        reader.to = to;
        let head = reader.tables.head.as_ref()?;
        let parts = |byte: u8| byte == head.separator || byte == b'\n';
        if !to
            .checked_sub(1)
            .and_then(|last| source.get(last))
            .is_some_and(|byte| parts(*byte))
        {
            return None;
        }
        let column = Column {
            head: Arc::clone(head),
            place: reader.tables.row.separators,
            row: reader.line,
        };
        (!column.told().is_empty()).then_some(column)
    }
}

/// Where the cell starts of which `start` is the first that isn't a blank or the like; `None` where something else stands before.
fn cell(window: &Window<'_>, start: usize) -> Option<usize> {
    let mut at = start;
    while let Some(byte) = window.before(at) {
        match byte {
            b'\n' => return Some(at),
            _ if SEPARATORS.contains(&byte) => return Some(at),
            b' ' | b'"' | b'\'' | b'+' | b'(' | b'*' | b'`' if start - at < PADDING => at -= 1,
            _ => return None,
        }
    }
    None
}

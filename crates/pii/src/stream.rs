//! Taking personal data out of a text that arrives in pieces.

use std::fmt;

use bartizan_core::TextRewriter;

use crate::context::Tables;
use crate::fold::{Folded, leans_back, settled};
use crate::plan::sentence;
use crate::window::{KEPT, Window};
use crate::{Analyzer, Entity};

/// What was given out is cut down to what may still be looked at when it is longer than this, in bytes.
const MOST_KEPT: usize = 1_024;

/// Writes what takes the place of what was found.
type Write = Box<dyn FnMut(Entity, &str, &mut String) + Send>;

/// Takes personal data out of a text that arrives in pieces, each kind in its way.
///
/// What it gives out is what the whole text would have given, wherever the pieces are cut, and no piece of a finding leaves
/// before all of it has come. It holds back the last word, for it may turn out to belong to a finding, and a number until
/// what follows shows where it ends: some forty characters as a rule, at most 64 bytes of usual text, and about 300 where
/// numbers and addresses stand close. What may become a long form is held back until it ends or turns out to be none: a web
/// address, some 700 bytes; a secret, up to 2.2 KiB, a JSON web token 10 and a private key 16. To judge the words before a
/// number it keeps the last kilobyte or so that it gave out, and of a table what its head says of each column.
pub struct StreamMasker {
    analyzer: Analyzer,
    /// What was given out last and may still be looked at, then what is held back.
    text: String,
    /// Where in `text` the part that is held back starts.
    given: usize,
    /// `text` starts where the whole text does.
    opens: bool,
    /// What the text before `text` left open.
    tables: Tables,
    write: Write,
    seen: Option<Box<dyn FnMut(Entity) + Send>>,
}

impl StreamMasker {
    pub(crate) fn new(
        analyzer: Analyzer,
        write: impl FnMut(Entity, &str, &mut String) + Send + 'static,
    ) -> Self {
        Self {
            analyzer,
            write: Box::new(write),
            text: String::new(),
            given: 0,
            opens: true,
            tables: Tables::default(),
            seen: None,
        }
    }

    /// Calls `seen` for each finding that was taken out.
    #[must_use]
    pub fn on_finding(mut self, seen: impl FnMut(Entity) + Send + 'static) -> Self {
        self.seen = Some(Box::new(seen));
        self
    }

    /// Gives out what can be decided without a look back: nothing in what is held back may be an anchor. `false`: a look
    /// back is needed.
    fn advance_plain(&mut self, out: &mut String) -> bool {
        let held = settled(self.text.get(self.given..).unwrap_or_default());
        if self.given > MOST_KEPT || leans_back(held) {
            return false;
        }
        let folded = Folded::new(held);
        if self.analyzer.may_stop(folded.bytes()) {
            return false;
        }
        let window = Window::new(&folded, false, false);
        let settled = folded.start(window.opening(window.len()));
        out.push_str(held.get(..settled).unwrap_or_default());
        self.given += settled;
        true
    }

    fn advance(&mut self, closes: bool, out: &mut String) {
        let come = if closes {
            self.text.as_str()
        } else {
            settled(&self.text)
        };
        let folded = Folded::new(come);
        let window = Window::new(&folded, self.opens, closes).below(&self.tables);
        let from = folded.index(self.given);
        let mut done = self.given;
        let (text, write, seen) = (&self.text, &mut self.write, &mut self.seen);
        let progress = self.analyzer.scan(&window, from, from, |entity, found| {
            let (start, end) = (folded.start(found.start), folded.end(found.end));
            out.push_str(text.get(done..start).unwrap_or_default());
            write(entity, text.get(start..end).unwrap_or_default(), out);
            done = end;
            if let Some(seen) = seen {
                seen(entity);
            }
        });
        let settled = if closes {
            text.len()
        } else {
            folded.start(progress).max(done)
        };
        out.push_str(text.get(done..settled).unwrap_or_default());
        let kept = progress
            .checked_sub(KEPT)
            .map_or(0, |index| folded.start(index));
        self.given = settled - kept;
        self.opens &= kept == 0;
        drop(folded);
        let context = self.analyzer.context();
        self.tables.read(
            self.text.as_bytes().get(..kept).unwrap_or_default(),
            context,
        );
        self.text.drain(..kept);
    }
}

impl TextRewriter for StreamMasker {
    fn push(&mut self, delta: &str, out: &mut String) {
        self.text.push_str(delta);
        if !self.advance_plain(out) {
            self.advance(false, out);
        }
    }

    fn finish(&mut self, out: &mut String) {
        self.advance(true, out);
        self.text.clear();
        self.given = 0;
        self.opens = true;
        self.tables = Tables::default();
    }

    fn reads_numbers(&self) -> bool {
        true
    }

    fn called(&mut self, name: &str) {
        if let Some(sentence) = sentence(name).filter(|_| self.text.is_empty()) {
            self.given = sentence.len();
            self.text = sentence;
        }
    }
}

impl fmt::Debug for StreamMasker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamMasker")
            .field("held", &(self.text.len() - self.given))
            .finish_non_exhaustive()
    }
}

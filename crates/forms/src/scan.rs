//! Follows a text that arrives in pieces.

use crate::run::Run;
use crate::{Forms, Found, better};

/// Looks for the first secret of a text that arrives in pieces. Where the pieces are cut makes no difference.
///
/// A form that may go on for long (the lines of a private key) is told as soon as it can be.
#[derive(Clone, Debug)]
pub struct Scan<'f> {
    forms: &'f Forms,
    /// What may still become part of a secret, and up to two bytes before it.
    held: Vec<u8>,
    /// Where that lies in the text.
    base: usize,
    /// Where to look on, in `held`.
    from: usize,
    /// A place in `held`, how far it was followed, and what was found there, counted from it.
    run: Option<(usize, Run, Option<Found>)>,
    found: bool,
}

/// What a [`Scan`] knows so far. Counts bytes from the beginning of the text.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// So many bytes can no longer become part of a secret.
    Clear(usize),
    /// A secret, and where its form begins.
    Found(usize, Found),
}

impl<'f> Scan<'f> {
    pub(crate) fn new(forms: &'f Forms) -> Self {
        Self {
            forms,
            held: Vec::new(),
            base: 0,
            from: 0,
            run: None,
            found: false,
        }
    }

    /// Sees the next piece. Nothing more is looked for after the first secret.
    pub fn push(&mut self, piece: &[u8]) -> Progress {
        if !self.found {
            self.held.extend_from_slice(piece);
            if let Some((begin, found)) = self.work(false) {
                return Progress::Found(begin, found);
            }
            let clear = match &self.run {
                Some((begin, ..)) => *begin,
                None => self.held.len(),
            };
            let keep = clear.saturating_sub(2);
            self.held.drain(..keep);
            self.base += keep;
            self.from = self.from.saturating_sub(keep);
            if let Some((begin, ..)) = &mut self.run {
                *begin -= keep;
            }
            return Progress::Clear(self.base + clear - keep);
        }
        Progress::Clear(self.base + self.from)
    }

    /// Sees the end of the text.
    pub fn finish(&mut self) -> Option<(usize, Found)> {
        if self.found { None } else { self.work(true) }
    }

    fn work(&mut self, ends: bool) -> Option<(usize, Found)> {
        loop {
            if self.run.is_none() {
                let Some(start) = self.forms.next_start(&self.held, self.from) else {
                    self.from = self.held.len();
                    return None;
                };
                let before = self.held.get(start.saturating_sub(2)..start);
                let run = Run::new(before.unwrap_or_default(), true);
                self.run = Some((start, run, None));
            }
            let (start, run, best) = self.run.as_mut()?;
            while run.is_open() {
                let byte = self.held.get(*start + run.len()).copied();
                if byte.is_none() && !ends {
                    return None;
                }
                let (forms, held, start) = (self.forms, &self.held, *start);
                let mut found = best.take();
                run.step(forms, byte, |hit| {
                    let whole = held.get(start..start + hit.until).unwrap_or_default();
                    let hit = forms.judge(&hit, whole, 0);
                    found = better(found.take(), hit);
                });
                *best = found;
            }
            let (start, _, best) = self.run.take()?;
            if let Some(mut found) = best {
                self.found = true;
                self.from = start;
                let begin = self.base + start;
                found.secret = begin + found.secret.start..begin + found.secret.end;
                found.end += begin;
                return Some((begin, found));
            }
            self.from = start + 1;
        }
    }
}

//! From texts to findings.

use ort::session::Session;

use super::labels::Labels;
use super::session::{Failure, Shape, Stop};
use super::spans::{Aggregation, Said, findings};
use super::tokens::{Split, Splitter, Window, windows};
use crate::{Finding, ModelError};

/// All of a model but the graph in the runtime.
#[derive(Debug)]
pub(super) struct Classifier {
    pub(super) splitter: Splitter,
    pub(super) shape: Shape,
    pub(super) labels: Labels,
    pub(super) aggregation: Aggregation,
    pub(super) threshold: f32,
    /// Tokens that the model sees in one piece, those around a text included.
    pub(super) window: usize,
    pub(super) overlap: usize,
    /// Windows that the model sees at a time.
    pub(super) batch: usize,
}

/// One window of one text.
struct Piece {
    text: usize,
    window: Window,
}

impl Classifier {
    /// What `texts` hold.
    pub(super) fn look(
        &self,
        session: &mut Session,
        stop: &Stop,
        texts: &[String],
    ) -> Result<Vec<Vec<Finding>>, ModelError> {
        let mut split = Vec::with_capacity(texts.len());
        for text in texts {
            let tokens = self
                .splitter
                .split(text, || stop.is_stopped())
                .map_err(|()| ModelError::Failed)?;
            split.push(tokens.ok_or(ModelError::TimedOut)?);
        }
        let said = self.classify(session, stop, &split)?;
        let each = texts.iter().zip(&split).zip(&said);
        Ok(each
            .map(|((text, split), said)| {
                findings(
                    text,
                    &split.tokens,
                    said,
                    &self.labels,
                    self.aggregation,
                    self.threshold,
                )
            })
            .collect())
    }

    /// What the model says of every token.
    fn classify(
        &self,
        session: &mut Session,
        stop: &Stop,
        split: &[Split],
    ) -> Result<Vec<Vec<Said>>, ModelError> {
        let mut said: Vec<Vec<Said>> = split
            .iter()
            .map(|split| vec![Said::default(); split.ids.len()])
            .collect();
        let mut pieces: Vec<Piece> = split
            .iter()
            .enumerate()
            .filter(|(_, split)| !split.ids.is_empty())
            .flat_map(|(text, split)| {
                let windows = windows(split.ids.len(), self.content(), self.overlap);
                windows
                    .into_iter()
                    .map(move |window| Piece { text, window })
            })
            .collect();
        // What goes together is padded to the longest.
        pieces.sort_by_key(|piece| piece.window.tokens.len());
        for batch in pieces.chunks(self.batch) {
            if stop.is_stopped() {
                return Err(ModelError::TimedOut);
            }
            let rows: Vec<Vec<i64>> = batch
                .iter()
                .map(|piece| {
                    let ids = split.get(piece.text).map(|split| split.ids.as_slice());
                    self.row(ids.and_then(|ids| ids.get(piece.window.tokens.clone())))
                })
                .collect();
            let answers = self
                .run(session, stop, &rows)
                .map_err(|failure| match failure {
                    // Its words may tell of the texts.
                    Failure::Runtime(_) if stop.is_stopped() => ModelError::TimedOut,
                    Failure::Runtime(_) => ModelError::Failed,
                    Failure::Answer(_) => ModelError::Unreadable,
                })?;
            for (Piece { text, window }, answer) in batch.iter().zip(answers) {
                // The answer speaks of what stands before the text, too.
                let skipped =
                    self.splitter.before.len() + window.counts.start - window.tokens.start;
                let counts = answer.into_iter().skip(skipped);
                let places = said
                    .get_mut(*text)
                    .and_then(|said| said.get_mut(window.counts.clone()));
                for (place, one) in places.into_iter().flatten().zip(counts) {
                    *place = one;
                }
            }
        }
        Ok(said)
    }

    /// Runs the model on what a text of one token and the longest window are like, so that what doesn't fit is told before anything asks.
    ///
    /// # Errors
    ///
    /// What doesn't fit.
    pub(super) fn try_out(&self, session: &mut Session) -> Result<(), String> {
        let stop = Stop::new()?;
        let split = self
            .splitter
            .split("a", || false)
            .ok()
            .flatten()
            .unwrap_or_default();
        let long = split
            .ids
            .iter()
            .copied()
            .cycle()
            .take(self.content())
            .collect();
        for ids in [split.ids, long] {
            let rows = [self.row(Some(&ids))];
            self.run(session, &stop, &rows)
                .map_err(|failure| match failure {
                    Failure::Answer(says) => says,
                    Failure::Runtime(says) => {
                        format!("it can't look at {} tokens: {says}", rows[0].len())
                    }
                })?;
        }
        Ok(())
    }

    fn run(
        &self,
        session: &mut Session,
        stop: &Stop,
        rows: &[Vec<i64>],
    ) -> Result<Vec<Vec<Said>>, Failure> {
        self.shape.run(session, stop, rows, self.splitter.padding)
    }

    /// Tokens of a text that fit into a window.
    fn content(&self) -> usize {
        self.window - self.splitter.around()
    }

    fn row(&self, ids: Option<&[i64]>) -> Vec<i64> {
        let ids = ids.unwrap_or_default();
        let (before, behind) = (&self.splitter.before, &self.splitter.behind);
        [before, ids, behind].concat()
    }
}

//! The graph in the runtime.

use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::{RunOptions, Session};
use ort::value::{DynValue, Tensor, TensorElementType, ValueType};

use super::spans::Said;

/// What a graph takes and gives.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    inputs: Vec<(String, Input)>,
    output: String,
    labels: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    /// The tokens' numbers.
    Ids,
    /// 1 for a token, 0 for padding.
    Mask,
    /// Which of two texts a token belongs to: always the first.
    Types,
}

const INPUTS: [(&str, Input); 3] = [
    ("input_ids", Input::Ids),
    ("attention_mask", Input::Mask),
    ("token_type_ids", Input::Types),
];

/// The output that holds what the model gives to each label, before it is made a probability.
const OUTPUT: &str = "logits";

/// Why a batch has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The runtime's own words.
    Runtime(String),
    /// The answer isn't what it must be.
    Answer(String),
}

/// Loads the graph.
pub(super) fn load(
    environment: &Environment,
    path: &Path,
    threads: usize,
) -> Result<Session, String> {
    let said = |error: ort::Error<ort::session::builder::SessionBuilder>| error.to_string();
    let builder = Session::builder(environment).map_err(|error| error.to_string())?;
    let mut builder = builder
        .with_intra_threads(threads)
        .map_err(said)?
        // Threads that wait by turning would take the time of whatever else the process does.
        .with_intra_op_spinning(false)
        .map_err(said)?
        .with_log_level(LogLevel::Fatal)
        .map_err(said)?;
    builder.commit_from_file(path).map_err(|error| {
        let pointer =
            std::fs::read(path).is_ok_and(|file| file.starts_with(b"version https://git-lfs"));
        if pointer {
            "this is a pointer of Git LFS and not the model: fetch it with `git lfs pull`"
                .to_owned()
        } else {
            error.to_string()
        }
    })
}

impl Shape {
    /// # Errors
    ///
    /// What can't be served, and how to mend it.
    pub(super) fn of(session: &Session, labels: usize) -> Result<Self, String> {
        let mut inputs = Vec::new();
        for input in session.inputs() {
            let Some((name, what)) = INPUTS.iter().find(|(name, _)| *name == input.name()) else {
                let known: Vec<&str> = INPUTS.iter().map(|(name, _)| *name).collect();
                return Err(format!(
                    "the model wants an input `{}`, and only {} are known: export it for token classification, without a past or positions",
                    input.name(),
                    known.join(", ")
                ));
            };
            if !matches!(
                input.dtype(),
                ValueType::Tensor {
                    ty: TensorElementType::Int64,
                    ..
                }
            ) {
                return Err(format!(
                    "the model's input `{name}` must be of 64-bit integers"
                ));
            }
            inputs.push(((*name).to_owned(), *what));
        }
        let outputs = session.outputs();
        let output = outputs
            .iter()
            .find(|output| output.name() == OUTPUT)
            .or(match outputs {
                [only] => Some(only),
                _ => None,
            })
            .ok_or_else(|| {
                format!("the model has no output `{OUTPUT}`: export it for token classification")
            })?;
        if !matches!(
            output.dtype(),
            ValueType::Tensor {
                ty: TensorElementType::Float32,
                ..
            }
        ) {
            return Err(format!(
                "the model's output `{}` must be of 32-bit numbers: convert it so that inputs and outputs keep theirs",
                output.name()
            ));
        }
        Ok(Self {
            inputs,
            output: output.name().to_owned(),
            labels,
        })
    }

    /// What the model says of each token of `rows`, which are padded with `padding`.
    pub(super) fn run(
        &self,
        session: &mut Session,
        stop: &Stop,
        rows: &[Vec<i64>],
        padding: i64,
    ) -> Result<Vec<Vec<Said>>, Failure> {
        let runtime = |error: ort::Error| Failure::Runtime(error.to_string());
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut given: Vec<(Cow<'_, str>, DynValue)> = Vec::with_capacity(self.inputs.len());
        for (name, what) in &self.inputs {
            let mut numbers = Vec::with_capacity(rows.len() * width);
            for row in rows {
                let end = numbers.len() + width;
                let (of_tokens, of_padding) = match what {
                    Input::Ids => (None, padding),
                    Input::Mask => (Some(1), 0),
                    Input::Types => (Some(0), 0),
                };
                numbers.extend(row.iter().map(|id| of_tokens.unwrap_or(*id)));
                numbers.resize(end, of_padding);
            }
            let tensor = Tensor::from_array(([rows.len(), width], numbers)).map_err(runtime)?;
            given.push((Cow::Borrowed(name.as_str()), tensor.into_dyn()));
        }
        let answer = session
            .run_with_options(given, &stop.options)
            .map_err(runtime)?;
        let logits = answer
            .get(&self.output)
            .ok_or_else(|| Failure::Answer(format!("no `{}`", self.output)))?;
        let (shape, logits) = logits.try_extract_tensor::<f32>().map_err(runtime)?;
        let expected = [rows.len(), width, self.labels];
        if !shape
            .iter()
            .map(|one| usize::try_from(*one).ok())
            .eq(expected.map(Some))
        {
            return Err(Failure::Answer(format!(
                "it gives {shape:?} numbers for {} texts of {width} tokens, and `id2label` has {} labels",
                rows.len(),
                self.labels
            )));
        }
        let each = logits.chunks_exact(width * self.labels).zip(rows);
        each.map(|(logits, row)| {
            let tokens = logits.chunks_exact(self.labels).take(row.len());
            tokens
                .map(|logits| {
                    surest(logits)
                        .ok_or_else(|| Failure::Answer("it gives what is no number".to_owned()))
                })
                .collect()
        })
        .collect()
    }
}

/// The label with the highest probability, by softmax. `None` for what is no number.
fn surest(logits: &[f32]) -> Option<Said> {
    let (label, most) = logits
        .iter()
        .copied()
        .enumerate()
        .max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let sum: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
    let score = 1.0 / sum;
    score.is_finite().then_some(Said { label, score })
}

/// Stops work that nobody waits for.
pub(super) struct Stop {
    options: RunOptions,
    stopped: AtomicBool,
}

impl Stop {
    pub(super) fn new() -> Result<Self, String> {
        Ok(Self {
            options: RunOptions::new().map_err(|error| error.to_string())?,
            stopped: AtomicBool::new(false),
        })
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        // In the middle of a batch, too. If it can't, the flag ends the work behind the batch.
        let _ = self.options.terminate();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_the_softmax_of_the_highest() {
        for (logits, label, score) in [
            (vec![0.0, 0.0], 1, 0.5),
            (vec![0.0, 3.0_f32.ln()], 1, 0.75),
            (vec![1000.0, 0.0, 0.0], 0, 1.0),
            (vec![-1000.0, -1000.0 + 3.0_f32.ln()], 1, 0.75),
        ] {
            let said = surest(&logits).unwrap();
            assert!(
                said.label == label && (said.score - score).abs() < 1e-3,
                "{said:?}"
            );
        }
        for logits in [
            vec![f32::NAN, 0.0],
            vec![f32::INFINITY, 0.0],
            vec![f32::NEG_INFINITY; 2],
            vec![],
        ] {
            assert_eq!(surest(&logits), None);
        }
    }
}

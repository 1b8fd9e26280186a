//! How a model is set up and loaded.

use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::labels::Labels;
use super::session::{self, Shape};
use super::spans::Aggregation;
use super::tokens::Splitter;
use super::work::Classifier;
use super::{Onnx, runtime};
use crate::{ConfigError, Entity};

/// The most tokens in one piece where nothing is said. Twice as many cost a quarter more for each, and names need no more around them.
const WINDOW: usize = 256;

/// Sets up an [`Onnx`] model.
///
/// | setting | default |
/// |---|---|
/// | [`file`](Self::file) | `model.onnx`, else `onnx/model.onnx` |
/// | [`runtime`](Self::runtime) | `ORT_DYLIB_PATH`, else the system's `libonnxruntime.so` |
/// | [`label`](Self::label), [`ignore_label`](Self::ignore_label) | what [`Onnx`] says |
/// | [`aggregation`](Self::aggregation) | [`Aggregation::First`] |
/// | [`score_threshold`](Self::score_threshold) | 0.5; the layer's threshold counts in any case |
/// | [`window`](Self::window) | 256, or the model's most |
/// | [`overlap`](Self::overlap) | an eighth of a window |
/// | [`batch`](Self::batch) | 8 windows |
/// | [`threads`](Self::threads) | half of the cores |
/// | [`sessions`](Self::sessions) | 1 |
/// | [`name`](Self::name) | `onnx` |
#[derive(Clone, Debug)]
#[must_use]
pub struct OnnxBuilder {
    folder: PathBuf,
    file: Option<PathBuf>,
    runtime: Option<PathBuf>,
    labels: Vec<(String, Option<Entity>)>,
    aggregation: Aggregation,
    threshold: f32,
    window: Option<usize>,
    overlap: Option<usize>,
    batch: usize,
    threads: usize,
    sessions: usize,
    name: &'static str,
}

impl Onnx {
    /// Starts to set up the model in `folder`.
    pub fn at(folder: impl Into<PathBuf>) -> OnnxBuilder {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        OnnxBuilder {
            folder: folder.into(),
            file: None,
            runtime: None,
            labels: Vec::new(),
            aggregation: Aggregation::default(),
            threshold: 0.5,
            window: None,
            overlap: None,
            batch: 8,
            threads: (cores / 2).max(1),
            sessions: 1,
            name: "onnx",
        }
    }
}

impl OnnxBuilder {
    /// Names the graph within the folder: `model_quantized.onnx`.
    pub fn file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Names the runtime's library. A process has one, so all models must name the same.
    pub fn runtime(mut self, library: impl Into<PathBuf>) -> Self {
        self.runtime = Some(library.into());
        self
    }

    /// Says which kind a label stands for. `label`: without `B-` or the like; case doesn't count.
    pub fn label(mut self, label: impl Into<String>, entity: Entity) -> Self {
        self.labels.push((label.into(), Some(entity)));
        self
    }

    /// Says that a label stands for nothing that is to be found.
    pub fn ignore_label(mut self, label: impl Into<String>) -> Self {
        self.labels.push((label.into(), None));
        self
    }

    /// Sets how what the model says of tokens becomes findings.
    pub fn aggregation(mut self, aggregation: Aggregation) -> Self {
        self.aggregation = aggregation;
        self
    }

    /// Sets the mean probability, from 0 to 1, under which findings are left out.
    pub fn score_threshold(mut self, score: f32) -> Self {
        self.threshold = score;
        self
    }

    /// Sets how many tokens the model looks at in one piece; longer texts are looked at in pieces that overlap.
    pub fn window(mut self, tokens: usize) -> Self {
        self.window = Some(tokens);
        self
    }

    /// Sets how many tokens neighbouring pieces share, at most half of a piece. Around each token the model sees at least half as many, and a name
    /// that is longer than that may be found in part.
    pub fn overlap(mut self, tokens: usize) -> Self {
        self.overlap = Some(tokens);
        self
    }

    /// Sets how many pieces of one message the model looks at together, at least one. More need more memory; messages are never mixed.
    pub fn batch(mut self, windows: usize) -> Self {
        self.batch = windows.max(1);
        self
    }

    /// Sets how many threads compute for one session, at least one.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Sets how many messages are looked at in the same moment, at least one. Each session holds the model in memory of its own.
    pub fn sessions(mut self, sessions: usize) -> Self {
        self.sessions = sessions.max(1);
        self
    }

    /// Sets what the model is called in refusals, records and metrics, where a layer has several.
    pub fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Loads the model, and runs it once for each session, which takes seconds for a large one: for a program's start, not for its tasks.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Model`], with the file at fault, what is wrong and how to mend it: a file is missing or can't be read, the runtime can't be
    /// loaded, no label stands for personal data, or the parts don't fit together.
    pub fn load(self) -> Result<Onnx, ConfigError> {
        if !(0.0..=1.0).contains(&self.threshold) {
            return Err(ConfigError::Threshold {
                entity: self.name,
                given: self.threshold.to_string(),
            });
        }
        let folder = Folder::read(&self.folder, self.file.as_deref())
            .map_err(|(path, says)| fault(&path, says))?;
        let labels = Labels::new(&folder.labels, &self.labels)
            .map_err(|says| fault(&folder.config, says))?;
        let splitter = Splitter::read(&folder.tokenizer, folder.padding)
            .map_err(|says| fault(&folder.tokenizer, says))?;
        let (window, overlap) = self
            .sizes(folder.most_tokens, splitter.around())
            .map_err(|says| fault(&self.folder, says))?;
        let environment = runtime::environment(self.runtime.as_deref())?;
        let of_model = |says: String| fault(&folder.model, says);
        let mut sessions = Vec::with_capacity(self.sessions);
        for _ in 0..self.sessions {
            sessions
                .push(session::load(&environment, &folder.model, self.threads).map_err(of_model)?);
        }
        let Some(first) = sessions.first() else {
            return Err(of_model("no session".to_owned()));
        };
        let classifier = Classifier {
            shape: Shape::of(first, labels.count()).map_err(of_model)?,
            splitter,
            labels,
            aggregation: self.aggregation,
            threshold: self.threshold,
            window,
            overlap,
            batch: self.batch,
        };
        for session in &mut sessions {
            classifier.try_out(session).map_err(of_model)?;
        }
        let model = Onnx::new(self.name, classifier, sessions);
        tracing::debug!(?model, threads = self.threads, "a model is loaded");
        Ok(model)
    }

    /// Tokens of a window and of an overlap, of which `around` stand around each text.
    fn sizes(&self, most: Option<usize>, around: usize) -> Result<(usize, usize), String> {
        // RoBERTa and its children count positions from 2.
        let most = most.map_or(WINDOW, |most| most.saturating_sub(2));
        let window = self.window.unwrap_or(most.min(WINDOW));
        let content = window.saturating_sub(around);
        if content < 2 {
            return Err(format!(
                "a window of {window} tokens holds no text: set `window` to more, as the model allows"
            ));
        }
        let overlap = self.overlap.unwrap_or(content / 8);
        if overlap > content / 2 {
            return Err(format!(
                "an overlap of {overlap} tokens is more than half of a window, which holds {content} of a text: set less"
            ));
        }
        Ok((window, overlap))
    }
}

fn fault(path: &Path, says: String) -> ConfigError {
    ConfigError::Model {
        place: path.display().to_string(),
        says,
    }
}

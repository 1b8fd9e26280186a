//! A token classifier in the ONNX runtime.

mod builder;
mod folder;
mod labels;
mod runtime;
mod session;
mod spans;
mod tokens;
mod work;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ort::session::Session;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Analyzing, Model, ModelError};
use crate::Entity;

pub use builder::OnnxBuilder;
use session::Stop;
pub use spans::Aggregation;
use work::Classifier;

/// Finds names and places with a model that labels tokens (BERT, RoBERTa, DeBERTa and their like), in this process: nothing leaves it.
///
/// ```no_run
/// use bartizan_pii::{Entity, Onnx, PiiLayer};
///
/// let model = Onnx::at("/models/bert-base-ner").load()?;
/// let layer = PiiLayer::builder()
///     .mask([Entity::Person, Entity::Location, Entity::Email])
///     .model(model)
///     .build()?;
/// # Ok::<(), bartizan_pii::ConfigError>(())
/// ```
///
/// The folder holds `model.onnx`, `tokenizer.json` and `config.json`, as `optimum-cli export onnx --task token-classification` writes them. The
/// runtime itself, `libonnxruntime.so` 1.17 or later, is loaded when the first model is, from [`runtime`](OnnxBuilder::runtime), else from
/// where `ORT_DYLIB_PATH` says, else from where the system looks for libraries; nothing is fetched. A process has one runtime, and an
/// application that makes an environment of the crate `ort` itself can't have this too.
///
/// # What a label means
///
/// `PER` is [`Entity::Person`], `LOC` and `GPE` are [`Entity::Location`], `ORG` is [`Entity::Organization`], `NORP` is [`Entity::Nrp`]; further
/// names stand in `data/model_labels.txt`, and a kind's own name (`IN_PAN`) is that kind. `MISC` and whatever else is not known there finds
/// nothing, unless [`label`](OnnxBuilder::label) says what it is. `B-`, `I-`, `E-`, `S-`, `L-` and `U-` before a name are read, and so are names
/// alone.
///
/// # What it costs
///
/// Nearly all the time goes into the model, and grows with the tokens and with its size: tens of milliseconds a KB and thread for a small one
/// in 8-bit numbers, hundreds for BERT-base, and 0.25 for all the rest; rules take microseconds. `examples/onnx.rs` tells what a model takes.
/// It runs on threads that are not the executor's, [`threads`](OnnxBuilder::threads) at a time for each of
/// [`sessions`](OnnxBuilder::sessions); messages that find no session free wait, and the wait is part of the layer's
/// [`model_deadline`](crate::PiiLayerBuilder::model_deadline). A call that is given up stops the model in the middle of its work.
pub struct Onnx {
    name: &'static str,
    pool: Arc<Pool>,
}

/// What runs models: each session one batch at a time.
struct Pool {
    classifier: Classifier,
    free: Mutex<Vec<Session>>,
    /// As many permits as sessions.
    room: Arc<Semaphore>,
}

/// A session, until it is given back.
struct Lent {
    pool: Arc<Pool>,
    session: Option<Session>,
    /// Freed last, when the session is back.
    _room: OwnedSemaphorePermit,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            let mut free = self
                .pool
                .free
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            free.push(session);
        }
    }
}

/// Stops the work when nobody waits for it any more.
struct Waiting(Arc<Stop>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Onnx {
    /// The labels that stand for nothing, and so find nothing.
    #[must_use]
    pub fn unmapped_labels(&self) -> &[String] {
        self.pool.classifier.labels.unmapped()
    }

    fn new(name: &'static str, classifier: Classifier, sessions: Vec<Session>) -> Self {
        let room = Arc::new(Semaphore::new(sessions.len()));
        Self {
            name,
            pool: Arc::new(Pool {
                classifier,
                free: Mutex::new(sessions),
                room,
            }),
        }
    }
}

impl Pool {
    async fn lend(self: &Arc<Self>) -> Option<Lent> {
        let room = Arc::clone(&self.room).acquire_owned().await.ok()?;
        let session = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()?;
        Some(Lent {
            pool: Arc::clone(self),
            session: Some(session),
            _room: room,
        })
    }
}

impl Model for Onnx {
    fn name(&self) -> &'static str {
        self.name
    }

    fn entities(&self) -> &[Entity] {
        self.pool.classifier.labels.entities()
    }

    fn analyze<'m>(&'m self, texts: &'m [&'m str]) -> Analyzing<'m> {
        Box::pin(async move {
            let runtime = Handle::try_current().map_err(|_| ModelError::Failed)?;
            let mut lent = self.pool.lend().await.ok_or(ModelError::Failed)?;
            let stop = Arc::new(Stop::new().map_err(|_| ModelError::Failed)?);
            let _waiting = Waiting(Arc::clone(&stop));
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            let work = runtime.spawn_blocking(move || {
                let pool = Arc::clone(&lent.pool);
                let session = lent.session.as_mut().ok_or(ModelError::Failed)?;
                pool.classifier.look(session, &stop, &texts)
            });
            work.await.unwrap_or(Err(ModelError::Failed))
        })
    }
}

impl fmt::Debug for Onnx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Onnx")
            .field("name", &self.name)
            .field("entities", &self.entities())
            .field("unmapped_labels", &self.unmapped_labels())
            .field("window", &self.pool.classifier.window)
            .field("overlap", &self.pool.classifier.overlap)
            .finish_non_exhaustive()
    }
}

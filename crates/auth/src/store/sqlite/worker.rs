//! A thread that owns a connection, and a bounded queue of jobs for it.

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::store::StoreError;

const QUEUE: usize = 1_024;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Runs jobs on a connection, one after the other, until the last clone is dropped.
#[derive(Clone)]
pub(super) struct Worker(mpsc::Sender<Job>);

impl Worker {
    pub(super) fn start(name: &str, mut connection: Connection) -> Result<Self, StoreError> {
        let (sender, mut jobs) = mpsc::channel::<Job>(QUEUE);
        let work = move || {
            while let Some(job) = jobs.blocking_recv() {
                job(&mut connection);
            }
        };
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .map_err(StoreError::unavailable)?;
        Ok(Self(sender))
    }

    /// Runs `job`, after those before it. It runs even when the caller stops waiting, once it is queued.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| {
            // The caller has left: its answer goes nowhere.
            let _ = answer.send(job(connection));
        });
        self.0
            .send(job)
            .await
            .map_err(|_| StoreError::unavailable("the thread of the key store has ended"))?;
        Ok(answered.await.map_err(StoreError::unavailable)??)
    }
}

//! A thread that owns a connection, and a bounded queue of jobs for it.

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::Error;

const QUEUE: usize = 1_024;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Runs jobs on a connection, one after the other, until the last clone is dropped. 1,024 may wait; who finds the queue full waits too.
#[derive(Clone, Debug)]
pub struct Worker(mpsc::Sender<Job>);

impl Worker {
    /// Starts the thread, under that name.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the machine gives no thread.
    pub fn start(name: &str, mut connection: Connection) -> Result<Self, Error> {
        let (sender, mut jobs) = mpsc::channel::<Job>(QUEUE);
        let work = move || {
            while let Some(job) = jobs.blocking_recv() {
                job(&mut connection);
            }
        };
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .map_err(Error::unavailable)?;
        Ok(Self(sender))
    }

    /// Runs `job`, after those before it. It runs even when the caller stops waiting, once it is queued.
    ///
    /// # Errors
    /// What SQLite says; [`Error::Unavailable`] when the thread has ended.
    pub async fn run<T: Send + 'static, E: From<Error>>(
        &self,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, E> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| {
            // The caller has left: its answer goes nowhere.
            let _ = answer.send(job(connection));
        });
        self.0
            .send(job)
            .await
            .map_err(|_| Error::unavailable("the thread of the database has ended"))?;
        let answered = answered.await.map_err(Error::unavailable)?;
        Ok(answered.map_err(Error::from)?)
    }
}

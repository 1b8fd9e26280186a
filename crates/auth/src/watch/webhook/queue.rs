//! What waits to be sent: bounded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

/// An alert as it is sent.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) key_id: String,
    pub(super) rule: &'static str,
    pub(super) body: Bytes,
}

/// Messages, and how many of them are being sent.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    most: usize,
    /// Something came.
    came: Notify,
    /// Something was sent, given up or put back.
    went: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Message>,
    under_way: usize,
    /// Whether nothing is taken any more.
    closed: bool,
}

/// A message that is being sent. Whoever sends it may be cut off: it then waits again.
#[derive(Debug)]
pub(super) struct UnderWay {
    queue: Arc<Queue>,
    message: Option<Message>,
}

impl Queue {
    pub(super) fn new(most: usize) -> Self {
        Self {
            state: Mutex::default(),
            most,
            came: Notify::new(),
            went: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets it wait. Gives it back where there is no room.
    pub(super) fn push(&self, message: Message) -> Result<(), Message> {
        let mut state = self.state();
        if state.closed || state.waiting.len() + state.under_way >= self.most {
            return Err(message);
        }
        state.waiting.push_back(message);
        tell(&state);
        drop(state);
        self.came.notify_one();
        Ok(())
    }

    /// The one that waits longest.
    pub(super) fn take(self: &Arc<Self>) -> Option<UnderWay> {
        let mut state = self.state();
        let message = state.waiting.pop_front()?;
        state.under_way += 1;
        tell(&state);
        Some(UnderWay {
            queue: Arc::clone(self),
            message: Some(message),
        })
    }

    /// Waits for one.
    pub(super) async fn next(self: &Arc<Self>) -> UnderWay {
        loop {
            // What comes after the look is not slept through.
            let came = self.came.notified();
            if let Some(message) = self.take() {
                return message;
            }
            came.await;
        }
    }

    /// Waits until some wait, or nothing is left. Gives whether some do.
    pub(super) async fn has_more(&self) -> bool {
        loop {
            let mut went = std::pin::pin!(self.went.notified());
            // What goes between the look and the wait counts.
            went.as_mut().enable();
            {
                let state = self.state();
                if !state.waiting.is_empty() {
                    return true;
                }
                if state.under_way == 0 {
                    return false;
                }
            }
            went.await;
        }
    }

    /// Takes nothing any more, and gives how many are left: those that wait are forgotten, those that are being sent may yet arrive.
    pub(super) fn close(&self) -> usize {
        let mut state = self.state();
        state.closed = true;
        let left = state.waiting.len() + state.under_way;
        state.waiting.clear();
        tell(&state);
        left
    }
}

impl UnderWay {
    pub(super) const fn message(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    /// It was sent, or given up.
    pub(super) fn done(mut self) {
        self.message = None;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.under_way -= 1;
        // One at which its sender panicked would do so again.
        if let Some(message) = self.message.take()
            && !state.closed
            && !std::thread::panicking()
        {
            state.waiting.push_front(message);
            self.queue.came.notify_one();
        }
        tell(&state);
        drop(state);
        self.queue.went.notify_waiters();
    }
}

fn tell(state: &State) {
    let left = state.waiting.len() + state.under_way;
    metrics::gauge!("bartizan.auth.watch.webhook_queue").set(left as f64);
}

use bartizan_core::json::scans;

/// Counts how many JSON documents were read since it was made.
///
/// It counts those of its own thread, so tests side by side do not disturb each other; what is counted must run there too, which it does on the
/// runtime that `#[tokio::test]` makes.
///
/// ```
/// use bartizan_core::{Dialect, Direction, Document};
/// use bartizan_testkit::ParseCounter;
///
/// let reads = ParseCounter::start();
/// Document::read(r#"{"model":"m","messages":[]}"#, Dialect::OpenAiChat, Direction::Request)?;
/// assert_eq!(reads.count(), 1);
/// # Ok::<(), bartizan_core::json::Fault>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ParseCounter {
    before: u64,
}

impl ParseCounter {
    /// Starts counting from nought.
    #[must_use]
    pub fn start() -> Self {
        Self { before: scans() }
    }

    /// How many documents this thread has read since the start.
    #[must_use]
    pub fn count(&self) -> u64 {
        scans() - self.before
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::{Dialect, Direction, Document};

    use super::*;

    #[test]
    fn it_counts_reads_since_its_start_and_of_its_thread() {
        let read = || Document::read("{}", Dialect::Json, Direction::Request).unwrap();
        read();
        let reads = ParseCounter::start();
        assert_eq!(reads.count(), 0);
        read();
        std::thread::spawn(move || drop(read())).join().unwrap();
        assert_eq!(reads.count(), 1);
    }
}

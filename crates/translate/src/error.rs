//! What is wrong with a configuration.

/// Why a layer or a target can't be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A line of a table of models that can't be read.
    #[error("line {line} of the table of models: {fault}")]
    Model {
        /// Which line, counted from 1.
        line: usize,
        /// What is wrong, and the mend.
        fault: &'static str,
    },
    /// A path that no request can have.
    #[error("target.path: start it with a slash and write `{{model}}` where the model's name goes")]
    Path,
    /// A model's name that would climb, as a segment of a path.
    #[error("target.model: a name of dots alone can't stand in a path")]
    Climbs,
}

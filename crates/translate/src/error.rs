//! What is wrong with a configuration.

use std::borrow::Cow;

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
    /// A provider that can't be used as it is told of.
    #[error("{provider}.{field}: {mend}")]
    Provider {
        /// Its name, or where it stands.
        provider: String,
        /// What of it is wrong.
        field: Cow<'static, str>,
        /// The mend.
        mend: Cow<'static, str>,
    },
    /// A model's name that leads to no provider.
    #[error("model: {mend}")]
    Name {
        /// The mend.
        mend: String,
    },
    /// Something that a provider's URLs leave open.
    #[error("{name}: {mend}")]
    Setting {
        /// Its name.
        name: String,
        /// What is wrong.
        mend: &'static str,
    },
    /// A base URL of which nothing can be made.
    #[error("base URL: {mend}")]
    Base {
        /// The mend.
        mend: &'static str,
    },
    /// An API that the provider does not speak for this model, nor one that it could be translated to.
    #[error("{provider} has no API for this")]
    Unspoken {
        /// The provider.
        provider: String,
    },
    /// A host that is none.
    #[error(
        "fetch_urls.hosts: write a host such as images.example.com, or *.example.com for all names under one"
    )]
    Host,
}

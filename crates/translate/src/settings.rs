//! What of the layer's configuration bounds a request.

/// What to do with a temperature between 1 and 2, which OpenAI has and Anthropic has not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TooHot {
    /// It becomes 1, and is reported as changed.
    #[default]
    Clamp,
    /// The request is refused with 400.
    Refuse,
}

/// The bounds, for every provider.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bounds {
    pub(crate) too_hot: TooHot,
    /// `max_tokens` where neither the caller nor the table of models says it.
    pub(crate) max_output: Option<u64>,
}

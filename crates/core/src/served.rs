//! Who answered a call.

use crate::Prices;

/// Which deployment answered, as a response's extension: whoever calls the provider puts it there, and whoever accounts for the call reads it,
/// since one name that callers use may stand for several models at several prices.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Served {
    /// The provider's name.
    pub provider: String,
    /// The model, as the provider calls it.
    pub model: String,
    /// What its tokens cost.
    pub prices: Prices,
}

impl Served {
    /// Says that `provider` answered with `model`, at unknown prices.
    #[must_use]
    pub fn new(provider: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            provider: provider.into(),
            model: model.into(),
            prices: Prices::default(),
        }
    }

    /// Says what its tokens cost.
    #[must_use]
    pub fn prices(mut self, prices: Prices) -> Self {
        self.prices = prices;
        self
    }
}

//! What models cost.

use std::collections::BTreeMap;
use std::fmt;

use bartizan_core::Prices;

/// Knows what models cost, by the names that callers use. Asked before a call: where a name stands for several models, for each class of tokens the
/// dearest, so that no call costs more than was reserved for it ([`Prices::dearer`]).
///
/// What a call did cost is told by the answer, in a [`Served`](bartizan_core::Served) among its extensions; where there is none, this is asked.
pub trait PriceList: fmt::Debug + Send + Sync + 'static {
    /// What the model's tokens cost. `None`: that is not known.
    fn prices(&self, model: &str) -> Option<Prices>;

    /// The most tokens that an answer of the model may have, where that is known.
    fn max_output_tokens(&self, model: &str) -> Option<u64> {
        let _ = model;
        None
    }
}

/// By exact names, without a maximum of output.
impl PriceList for BTreeMap<String, Prices> {
    fn prices(&self, model: &str) -> Option<Prices> {
        self.get(model).copied()
    }
}

/// What becomes of calls to a model whose prices aren't known, where a budget binds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownPrices {
    /// They are refused with 403: a budget that counts nothing for them would bind nobody.
    #[default]
    Refuse,
    /// They cost nothing, and the metric `bartizan.limit.unpriced` counts them.
    Zero,
}

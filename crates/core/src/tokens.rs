//! How many tokens a text has, before anybody has counted them.

/// An estimate of tokens, kept in quarters, so that the pieces of a text add up to the whole.
///
/// A token is about four bytes of English. Other scripts take more tokens for their letters, so a byte outside of ASCII counts double: two
/// bytes of it for a token. That is no tokenizer, and needs none.
///
/// ```
/// use bartizan_core::TokenEstimate;
///
/// let mut estimate = TokenEstimate::default();
/// estimate.add("What is the capital ");
/// estimate.add("of France?");
/// assert_eq!(estimate.tokens(), 8);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenEstimate {
    quarters: u64,
}

impl TokenEstimate {
    /// Adds a text, or a piece of one.
    pub fn add(&mut self, text: &str) {
        let wide = text.bytes().filter(|byte| !byte.is_ascii()).count();
        let quarters = (text.len() + wide) as u64;
        self.quarters = self.quarters.saturating_add(quarters);
    }

    /// The tokens so far, a part of one counted as one.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.quarters.div_ceil(4)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_add_up(text in any::<String>(), at in any::<prop::sample::Index>()) {
            let at = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).nth(at.index(text.chars().count() + 1)).unwrap();
            let (start, end) = text.split_at(at);
            let mut pieces = TokenEstimate::default();
            pieces.add(start);
            pieces.add(end);
            let mut whole = TokenEstimate::default();
            whole.add(&text);
            prop_assert_eq!(pieces, whole);
        }
    }
}

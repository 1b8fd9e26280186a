//! Attacks that are split over parts.

/// How many bytes on both sides of a seam a rule may reach.
const REACH: usize = 160;

/// So much is gathered before it is looked at: small parts are looked at together.
const FULL: usize = 3 * REACH;

/// Joins the ends of texts that follow each other, with nothing and with a space in between.
///
/// Each byte of a text is joined at most once or twice whatever the number of parts, so the cost stays linear.
#[derive(Default)]
pub(crate) struct Seam {
    close: String,
    spaced: String,
    seams: usize,
}

impl Seam {
    /// Adds the next text; `look` sees what was joined once there is enough of it.
    pub(crate) fn add<T>(
        &mut self,
        text: &str,
        mut look: impl FnMut(&str) -> Option<T>,
    ) -> Option<T> {
        let head = text.get(..text.floor_char_boundary(REACH)).unwrap_or(text);
        let head = if text.len() <= 2 * REACH { text } else { head };
        if !self.close.is_empty() {
            self.seams += 1;
            self.spaced.push(' ');
        }
        self.close.push_str(head);
        self.spaced.push_str(head);
        if head.len() < text.len() {
            let found = self.look(&mut look);
            let tail = text
                .get(text.ceil_char_boundary(text.len() - REACH)..)
                .unwrap_or_default();
            (self.close, self.spaced) = (tail.to_owned(), tail.to_owned());
            return found;
        }
        if self.close.len() < FULL {
            return None;
        }
        let found = self.look(&mut look);
        for joined in [&mut self.close, &mut self.spaced] {
            let from = joined.ceil_char_boundary(joined.len().saturating_sub(REACH));
            joined.drain(..from);
        }
        found
    }

    /// Looks at what is left, and begins anew: the next text is another's.
    pub(crate) fn end<T>(&mut self, mut look: impl FnMut(&str) -> Option<T>) -> Option<T> {
        let found = self.look(&mut look);
        self.close.clear();
        self.spaced.clear();
        found
    }

    fn look<T>(&mut self, look: &mut impl FnMut(&str) -> Option<T>) -> Option<T> {
        if std::mem::take(&mut self.seams) == 0 {
            return None;
        }
        look(&self.spaced).or_else(|| look(&self.close))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(parts: &[String]) -> Vec<String> {
        let mut seen = Vec::new();
        let mut seam = Seam::default();
        let mut look = |text: &str| {
            seen.push(text.to_owned());
            None::<()>
        };
        for part in parts {
            seam.add(part, &mut look);
        }
        seam.end(&mut look);
        seen
    }

    #[test]
    fn one_text_has_no_seam() {
        assert!(joined(&["alone".to_owned()]).is_empty());
        assert!(joined(&["x".repeat(5_000)]).is_empty());
    }

    proptest! {
        #[test]
        fn every_seam_is_seen_with_its_sides_and_the_cost_is_linear(
            parts in proptest::collection::vec(prop_oneof!["[a-zé]{0,12}", "[a-z]{0,400}", "[a-z]{600}"], 2..30),
        ) {
            let seen = joined(&parts);
            let mut text = String::new();
            for pair in parts.windows(2) {
                text.push_str(&pair[0]);
                let (left, right) = (&pair[0], &pair[1]);
                let left = &left[left.ceil_char_boundary(left.len().saturating_sub(80))..];
                let right = &right[..right.floor_char_boundary(80)];
                if !left.is_empty() {
                    for joint in [format!("{left} {right}"), format!("{left}{right}")] {
                        prop_assert!(seen.iter().any(|seen| seen.contains(&joint)));
                    }
                }
            }
            let cost: usize = seen.iter().map(String::len).sum();
            let size: usize = parts.iter().map(|part| part.len() + 1).sum();
            prop_assert!(cost <= 4 * size + 4 * FULL, "{cost} for {size}");
        }
    }
}

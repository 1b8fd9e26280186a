//! Which of two findings stands where they overlap.
//!
//! The rule: the surer one, then the longer, then the one whose kind stands earlier in [`Entity`](crate::Entity)'s table, then the one that
//! starts earlier. What loses is gone, all of it: nothing is cut to fit.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::Finding;

/// Brings findings of several recognizers together: in order, without overlaps, by the one rule (see the crate's documentation).
///
/// ```
/// use bartizan_pii::{Analyzer, merge};
///
/// let mut found = Analyzer::all().analyze("mail ravi@example.in");
/// let twice = merge(found.iter().cloned().chain(found.clone()).collect());
/// assert_eq!(twice, found);
/// ```
#[must_use]
pub fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    settle(findings, |finding| {
        (finding.range.clone(), finding.score, finding.entity)
    })
}

/// [`merge`] for anything that has a range, a score, and a rank by which ties are broken, the lower the better.
pub(crate) fn settle<T, R: Ord>(
    mut items: Vec<T>,
    told: impl Fn(&T) -> (Range<usize>, f32, R),
) -> Vec<T> {
    items.retain(|item| !told(item).0.is_empty());
    items.sort_by(|one, other| {
        let ((range, score, rank), (other_range, other_score, other_rank)) =
            (told(one), told(other));
        other_score
            .total_cmp(&score)
            .then_with(|| other_range.len().cmp(&range.len()))
            .then_with(|| rank.cmp(&other_rank))
            .then_with(|| range.start.cmp(&other_range.start))
    });
    let mut standing: BTreeMap<usize, (usize, T)> = BTreeMap::new();
    for item in items {
        let range = told(&item).0;
        let last_before = standing.range(..range.end).next_back();
        if last_before.is_none_or(|(_, (end, _))| *end <= range.start) {
            standing.insert(range.start, (range.end, item));
        }
    }
    standing.into_values().map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Item = (Range<usize>, f32, u8);

    fn settled(items: &[Item]) -> Vec<Item> {
        settle(items.to_vec(), Clone::clone)
    }

    #[test]
    fn the_surer_wins_then_the_longer_then_the_earlier_in_the_table() {
        for (items, wins) in [
            ([(0..9, 0.5, 0), (2..4, 0.6, 1)], vec![1]),
            ([(0..9, 0.5, 1), (2..4, 0.5, 0)], vec![0]),
            ([(0..4, 0.5, 1), (3..7, 0.5, 0)], vec![1]),
            ([(0..4, 0.5, 0), (3..7, 0.5, 0)], vec![0]),
            ([(0..4, 0.5, 0), (4..7, 0.9, 0)], vec![0, 1]),
            ([(4..4, 1.0, 0), (0..7, 0.1, 0)], vec![1]),
        ] {
            let expected: Vec<Item> = wins.iter().map(|at: &usize| items[*at].clone()).collect();
            assert_eq!(settled(&items), expected, "{items:?}");
        }
    }

    proptest! {
        #[test]
        fn what_stands_is_in_order_apart_and_beats_all_that_is_gone(
            items in prop::collection::vec((0_usize..40, 0_usize..9, 0_u8..4, 0_u8..3), 0..30)
        ) {
            let items: Vec<Item> = items
                .into_iter()
                .map(|(start, length, score, rank)| (start..start + length, f32::from(score) / 4.0, rank))
                .collect();
            let standing = settled(&items);
            prop_assert!(standing.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start));
            for gone in items.iter().filter(|item| !item.0.is_empty() && !standing.contains(item)) {
                let beaten = standing.iter().any(|(range, score, _)| {
                    range.start < gone.0.end
                        && gone.0.start < range.end
                        && (*score, range.len()) >= (gone.1, gone.0.len())
                });
                prop_assert!(beaten, "{gone:?} of {items:?}");
            }
            let mut backwards = items;
            backwards.reverse();
            let ranges = |items: &[Item]| items.iter().map(|item| item.0.clone()).collect::<Vec<_>>();
            prop_assert_eq!(ranges(&settled(&backwards)), ranges(&standing));
        }
    }
}

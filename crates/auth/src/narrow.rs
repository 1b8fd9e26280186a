//! Delegation narrows: what a new key may do is the meet of what was asked for and what its minter may do.

use bartizan_core::{Limits, Models};

/// The models that both lists allow.
pub(crate) fn models(minter: &Models, asked: &Models) -> Models {
    let (minter, asked) = match (minter, asked) {
        (Models::All, other) | (other, Models::All) => return other.clone(),
        (Models::Only(minter), Models::Only(asked)) => (minter, asked),
    };
    let mut both = Vec::new();
    for name in asked {
        for bound in minter {
            if let Some(met) = meet(bound, name)
                && !both.contains(met)
            {
                both.push(met.clone());
            }
        }
    }
    Models::Only(both)
}

/// Two names meet in the narrower one, if one holds the other.
fn meet<'a>(one: &'a String, two: &'a String) -> Option<&'a String> {
    let within = |wide: &str, narrow: &str| match wide.strip_suffix('*') {
        Some(prefix) => narrow.starts_with(prefix),
        None => wide == narrow,
    };
    if within(one, two) {
        Some(two)
    } else if within(two, one) {
        Some(one)
    } else {
        None
    }
}

/// The tighter of two limits, each where it is set.
pub(crate) fn limits(minter: Limits, asked: Limits) -> Limits {
    let tighter = |one: Option<u32>, two: Option<u32>| match (one, two) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    };
    let mut met = asked;
    met.rpm = tighter(minter.rpm, asked.rpm);
    met.tpm = tighter(minter.tpm, asked.tpm);
    met.max_parallel_requests = tighter(minter.max_parallel_requests, asked.max_parallel_requests);
    met
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn some_models() -> impl Strategy<Value = Models> {
        prop_oneof![
            Just(Models::All),
            prop::collection::vec("[ab]{0,3}\\*?", 0..4).prop_map(Models::Only),
        ]
    }

    proptest! {
        #[test]
        fn a_model_is_allowed_when_both_allow_it(minter in some_models(), asked in some_models(), model in "[ab]{0,4}") {
            prop_assert_eq!(models(&minter, &asked).allow(&model), minter.allow(&model) && asked.allow(&model));
        }

        #[test]
        fn limits_never_widen(minter in any::<[Option<u32>; 3]>(), asked in any::<[Option<u32>; 3]>()) {
            let of = |[rpm, tpm, max_parallel_requests]: [Option<u32>; 3]| Limits { rpm, tpm, max_parallel_requests };
            let (minter, met) = (of(minter), limits(of(minter), of(asked)));
            for (bound, met) in [
                (minter.rpm, met.rpm),
                (minter.tpm, met.tpm),
                (minter.max_parallel_requests, met.max_parallel_requests),
            ] {
                prop_assert!(bound.is_none_or(|bound| met.is_some_and(|met| met <= bound)));
            }
        }
    }
}

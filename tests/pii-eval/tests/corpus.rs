//! The own corpus is as large and as varied as is said, and the same for the same seed.

use std::collections::BTreeSet;

use bartizan_pii_eval::corpus;

#[test]
fn the_corpus_is_as_large_as_is_said() {
    let contents = corpus::contents().unwrap();
    assert!(contents.templates >= 400, "{}", contents.templates);
    for language in [
        "en", "hi", "hi-latn", "ta", "bn", "mr", "te", "kn", "ml", "gu", "pa", "or", "ur",
    ] {
        assert!(contents.languages.contains(language), "{language}");
    }
    // Whatever can be generated is in some text.
    let entities: BTreeSet<String> = corpus::entities().map(str::to_owned).collect();
    assert_eq!(contents.entities, entities);
    let traps: BTreeSet<String> = corpus::trap_kinds()
        .iter()
        .map(|kind| (*kind).to_owned())
        .collect();
    assert_eq!(contents.traps, traps);
}

#[test]
fn the_same_seed_gives_the_same_texts_and_another_gives_others() {
    let once = corpus::india(7).unwrap();
    let again = corpus::india(7).unwrap();
    let other = corpus::india(8).unwrap();
    assert_eq!(once.cases, again.cases);
    assert_ne!(once.cases, other.cases);
}

#[test]
fn what_is_marked_is_where_it_is_said_to_be_and_overlaps_nothing() {
    let dataset = corpus::india(corpus::SEED).unwrap();
    assert!(dataset.cases.len() > 3000, "{}", dataset.cases.len());
    for case in &dataset.cases {
        let mut ranges: Vec<_> = case.spans.iter().map(|span| span.range.clone()).collect();
        ranges.extend(case.traps.iter().map(|trap| trap.range.clone()));
        ranges.sort_by_key(|range| range.start);
        for range in &ranges {
            assert!(
                case.text
                    .get(range.clone())
                    .is_some_and(|text| !text.is_empty()),
                "{}",
                case.name
            );
        }
        assert!(
            ranges.windows(2).all(|pair| pair[0].end <= pair[1].start),
            "{}",
            case.name
        );
    }
}

#[test]
fn documents_hold_what_their_texts_hold() {
    let texts = corpus::india(corpus::SEED).unwrap();
    let documents = corpus::documents(corpus::SEED).unwrap();
    let values = |dataset: &bartizan_pii_eval::Dataset| {
        let mut values = Vec::new();
        for case in &dataset.cases {
            for span in &case.spans {
                values.push((
                    span.entity.clone(),
                    case.text[span.range.clone()].to_owned(),
                ));
            }
        }
        values.sort();
        values
    };
    assert_eq!(values(&texts), values(&documents));
    assert!(documents.cases.len() * 10 < texts.cases.len());
}

#[test]
fn a_negative_text_holds_no_personal_data() {
    let dataset = corpus::negatives(corpus::SEED).unwrap();
    assert!(
        dataset
            .cases
            .iter()
            .all(|case| case.spans.is_empty() && !case.traps.is_empty())
    );
    let kinds: BTreeSet<&str> = dataset
        .cases
        .iter()
        .flat_map(|case| &case.traps)
        .map(|trap| trap.kind.as_str())
        .collect();
    assert!(kinds.len() >= 40, "{}", kinds.len());
}

#[test]
fn every_kind_of_key_is_in_some_text() {
    let dataset = corpus::secrets(corpus::SEED).unwrap();
    let keys = dataset.cases.iter().map(|case| case.spans.len());
    assert!(keys.sum::<usize>() >= 8 * corpus::secret_kinds().count());
    assert!(dataset.cases.iter().any(|case| case.spans.is_empty()));
}

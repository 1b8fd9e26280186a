//! `/anonymize` and `/deanonymize`.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{found, post};

#[tokio::test]
async fn operators_do_what_presidios_do() {
    let text = "I am Jane Doe, 034453334 é";
    let results = json!([
        found(5, 13, "NAME"),
        found(5, 9, "FIRST_NAME"),
        found(10, 13, "LAST_NAME"),
        found(15, 24, "PHONE_NUMBER"),
    ]);
    for (anonymizers, expected) in [
        (json!({}), "I am <NAME>, <PHONE_NUMBER> é"),
        (Value::Null, "I am <NAME>, <PHONE_NUMBER> é"),
        (
            json!({"DEFAULT": {"type": "replace", "new_value": "ANON"}}),
            "I am ANON, ANON é",
        ),
        (
            json!({"NAME": {"type": "redact"}}),
            "I am , <PHONE_NUMBER> é",
        ),
        (
            json!({"NAME": {"type": "keep"}, "PHONE_NUMBER": {"type": "mask", "masking_char": "*", "chars_to_mask": 4, "from_end": true}}),
            "I am Jane Doe, 03445**** é",
        ),
        (
            json!({"NAME": {"type": "mask", "masking_char": "é", "chars_to_mask": 99, "from_end": false}}),
            "I am éééééééé, <PHONE_NUMBER> é",
        ),
        // sha256("Jane Doe" + sixteen times "s"), by coreutils.
        (
            json!({"NAME": {"type": "hash", "salt": "ssssssssssssssss"}}),
            "I am c3e07651190497bd83dbc61b9a7bb194145ed35823d9c738bf0380e3316b4729, <PHONE_NUMBER> é",
        ),
    ] {
        let (status, answer) = post(
            "/anonymize",
            json!({"text": text, "anonymizers": anonymizers, "analyzer_results": results}),
        )
        .await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["text"], expected, "{anonymizers}");
        let changed: Vec<char> = expected.chars().collect();
        let items = answer["items"].as_array().unwrap();
        assert_eq!(items.len(), 2);
        for item in items {
            let place =
                item["start"].as_u64().unwrap() as usize..item["end"].as_u64().unwrap() as usize;
            let there: String = changed[place].iter().collect();
            assert_eq!(item["text"], there);
        }
    }
    let (status, nothing) = post("/anonymize", json!({"text": "", "analyzer_results": []})).await;
    assert_eq!((status, nothing), (200, json!({"text": "", "items": []})));
}

#[tokio::test]
async fn what_was_encrypted_comes_back() {
    let text = "आधार of Jane, and Ravi";
    let operators = |kind: &str| json!({"DEFAULT": {"type": kind, "key": "1111111111111111"}, "B": {"type": kind, "key": "2222222222222222"}});
    let (_, sealed) = post("/anonymize", json!({
        "text": text, "anonymizers": operators("encrypt"), "analyzer_results": [found(8, 12, "A"), found(18, 22, "B")],
    }))
    .await;
    assert!(!sealed["text"].as_str().unwrap().contains("Jane"));
    let (status, back) = post("/deanonymize", json!({
        "text": sealed["text"], "deanonymizers": operators("decrypt"), "anonymizer_results": sealed["items"],
    }))
    .await;
    assert_eq!((status, &back["text"]), (200, &text.into()));
    // Written by Presidio's own library.
    let theirs = "e6HnOMnIxbd4a8Qea44LshQDnjvxwzBIaAz+YqHNnMW2mC5r3AWoay8Spsoajyyy";
    let (_, back) = post(
        "/deanonymize",
        json!({
            "text": theirs, "deanonymizers": {"N": {"type": "decrypt", "key": "1111111111111111"}},
            "anonymizer_results": [{"start": 0, "end": theirs.len(), "entity_type": "N"}],
        }),
    )
    .await;
    assert_eq!(back["text"], "text_for_encryption");
}

proptest! {
    #[test]
    fn whatever_spans_come_the_answer_tells_where_each_change_is(
        text in "[a-d\u{e9}\u{1f600} ]{0,24}",
        spans in prop::collection::vec((0_usize..26, 0_usize..9, 0_usize..3, 0_u8..4), 0..8),
    ) {
        let count = text.chars().count();
        let results: Vec<Value> = spans
            .iter()
            .map(|(start, length, kind, score)| {
                let (kind, score) = (["A", "B", "C"][*kind], f64::from(*score) / 4.0);
                json!({"start": start, "end": start + length, "entity_type": kind, "score": score})
            })
            .collect();
        let outside = spans.iter().any(|(start, length, ..)| start + length > count);
        let body = json!({"text": text, "analyzer_results": results, "anonymizers": {"A": {"type": "keep"}, "B": {"type": "redact"}}});
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (status, answer) = runtime.block_on(post("/anonymize", body));
        prop_assert_eq!(status, if outside { 422 } else { 200 }, "{}", answer);
        if !outside {
            let changed: Vec<char> = answer["text"].as_str().unwrap().chars().collect();
            for item in answer["items"].as_array().unwrap() {
                let place = item["start"].as_u64().unwrap() as usize..item["end"].as_u64().unwrap() as usize;
                let there: String = changed[place].iter().collect();
                prop_assert_eq!(item["text"].as_str().unwrap(), there);
            }
        }
    }
}

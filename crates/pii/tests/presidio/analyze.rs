//! `/analyze`.

use serde_json::{Value, json};

use super::post;

#[tokio::test]
async fn positions_count_characters_and_a_list_gets_a_list() {
    let texts = [
        "mail ravi@example.in",
        "\u{1f600}\u{1f600} é mail ravi@example.in",
        "nothing",
    ];
    let (status, answer) = post("/analyze", json!({"text": texts, "language": "en"})).await;
    assert_eq!(status, 200);
    let places: Vec<Vec<(u64, u64)>> = answer
        .as_array()
        .unwrap()
        .iter()
        .map(|list| {
            let list = list.as_array().unwrap();
            let place =
                |hit: &Value| (hit["start"].as_u64().unwrap(), hit["end"].as_u64().unwrap());
            list.iter().map(place).collect()
        })
        .collect();
    assert_eq!(places, [vec![(5, 20)], vec![(10, 25)], vec![]]);
    let (_, one) = post("/analyze", json!({"text": texts[0], "language": "hi"})).await;
    assert_eq!(one, answer[0]);
    let members: Vec<&String> = one[0].as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "analysis_explanation",
            "end",
            "entity_type",
            "score",
            "start"
        ]
    );
    assert!(one[0]["analysis_explanation"].is_null());
}

#[tokio::test]
async fn the_decision_is_explained_where_asked() {
    let body = json!({"text": "card 4111 1111 1111 1111", "language": "en", "return_decision_process": true});
    let (_, answer) = post("/analyze", body).await;
    let told = &answer[0]["analysis_explanation"];
    assert_eq!(told["recognizer"], "CreditCardRecognizer");
    assert_eq!(told["validation_result"], true);
    assert_eq!(told["score"], answer[0]["score"]);
    assert!(
        told["textual_explanation"]
            .as_str()
            .unwrap()
            .contains("luhn")
    );
}

#[tokio::test]
async fn kinds_and_scores_are_chosen_by_the_request() {
    let text = "ravi@example.in, 192.0.2.7, https://example.in/a";
    for (more, expected) in [
        (json!({}), vec!["EMAIL_ADDRESS", "IP_ADDRESS"]),
        (
            json!({"entities": ["IP_ADDRESS", "PERSON"]}),
            vec!["IP_ADDRESS"],
        ),
        (json!({"entities": []}), vec!["EMAIL_ADDRESS", "IP_ADDRESS"]),
        (
            json!({"score_threshold": 1.0, "entities": ["PHONE_NUMBER"]}),
            vec![],
        ),
        (json!({"allow_list": ["192.0.2.7"]}), vec!["EMAIL_ADDRESS"]),
        (
            json!({"allow_list": [".*@EXAMPLE.in"], "allow_list_match": "regex"}),
            vec!["IP_ADDRESS"],
        ),
        (
            json!({"allow_list": [".*@EXAMPLE.in"], "allow_list_match": "regex", "regex_flags": 0}),
            vec!["EMAIL_ADDRESS", "IP_ADDRESS"],
        ),
        (
            json!({"allow_list": [".*@example.in"]}),
            vec!["EMAIL_ADDRESS", "IP_ADDRESS"],
        ),
    ] {
        let mut body = json!({"text": text, "language": "en"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let (status, answer) = post("/analyze", body).await;
        assert_eq!(status, 200, "{more}: {answer}");
        let mut kinds: Vec<&str> = answer
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| hit["entity_type"].as_str().unwrap())
            .collect();
        kinds.sort_unstable();
        assert_eq!(kinds, expected, "{more}");
    }
}

#[tokio::test]
async fn a_request_brings_recognizers_of_its_own() {
    let zip = |more: Value| {
        let mut zip = json!({
            "name": "Zip", "supported_language": "en", "supported_entity": "ZIP",
            "patterns": [{"name": "five digits", "regex": r"\b\d{5}\b", "score": 0.01}],
        });
        zip.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        zip
    };
    let titles = json!({"name": "Titles", "supported_entity": "TITLE", "deny_list": ["Mr.", "Dr"]});
    for (recognizers, text, more, expected) in [
        (
            json!([zip(json!({}))]),
            "at 10023 é",
            json!({}),
            json!([["ZIP", 3, 8, 0.01]]),
        ),
        (
            json!([zip(json!({"context": ["zip"]}))]),
            "é Zip code: 10023",
            json!({}),
            json!([["ZIP", 12, 17, 0.4]]),
        ),
        (
            json!([zip(json!({"context": ["zip"]}))]),
            "at 10023",
            json!({"context": ["ZIPCODE"]}),
            json!([["ZIP", 3, 8, 0.4]]),
        ),
        (
            json!([zip(json!({"context": ["zip"]}))]),
            "at 10023",
            json!({"context": ["street"]}),
            json!([["ZIP", 3, 8, 0.01]]),
        ),
        (
            json!([zip(json!({}))]),
            "at 10023",
            json!({"score_threshold": 0.5}),
            json!([]),
        ),
        (
            json!([zip(json!({"supported_language": "de"}))]),
            "at 10023",
            json!({}),
            json!([]),
        ),
        (
            json!([zip(json!({}))]),
            "at 10023",
            json!({"entities": ["EMAIL_ADDRESS"]}),
            json!([]),
        ),
        (
            json!([zip(json!({}))]),
            "at 10023",
            json!({"entities": ["ZIP"]}),
            json!([["ZIP", 3, 8, 0.01]]),
        ),
        (
            json!([titles]),
            "mr. Drew, dr Who",
            json!({}),
            json!([["TITLE", 0, 3, 1.0], ["TITLE", 10, 12, 1.0]]),
        ),
    ] {
        let mut body = json!({"text": text, "language": "en", "ad_hoc_recognizers": recognizers});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let (status, answer) = post("/analyze", body).await;
        assert_eq!(status, 200, "{answer}");
        let told: Vec<Value> = answer
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| json!([hit["entity_type"], hit["start"], hit["end"], hit["score"]]))
            .collect();
        assert_eq!(Value::Array(told), expected, "{text} {more}");
    }
}

#[tokio::test]
async fn a_word_of_the_requests_context_raises_what_is_faint() {
    let text = "it is 2341 2341 2346 or 234123412346";
    let body = |context: Value| json!({"text": text, "language": "en", "entities": ["IN_AADHAAR"], "context": context, "score_threshold": 0.95, "return_decision_process": true});
    let (_, without) = post("/analyze", body(json!(["weather"]))).await;
    let (_, with) = post("/analyze", body(json!(["weather", "aadhaar"]))).await;
    assert_eq!(without, json!([]));
    assert!(!with.as_array().unwrap().is_empty());
    let told = &with[0]["analysis_explanation"];
    assert_eq!(told["supportive_context_word"], "aadhaar");
    assert!(told["score_context_improvement"].as_f64().unwrap() > 0.0);
}

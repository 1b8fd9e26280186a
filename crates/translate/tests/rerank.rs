//! Rerank in Cohere's shape, whoever ranks.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::catalogue::Quirks;
use bartizan_translate::{Target, TranslateLayer, Unknown};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Got, exchange, post};

fn layer() -> TranslateLayer {
    TranslateLayer::new().to(Target::new(Dialect::TeiRerank, "bge"))
}

const REPLY: &str =
    r#"[{"index":1,"score":0.90},{"index":2,"score":5e-1},{"index":0,"score":0.1}]"#;

async fn ask(request: Value, reply: &str) -> Got {
    exchange(
        &layer(),
        post("/v2/rerank", request.to_string()),
        support::json(200, reply),
    )
    .await
}

fn request(members: Value) -> Value {
    let mut request =
        json!({"model": "house", "query": "q", "documents": ["a", {"text": "b"}, "c"]});
    for (key, value) in members.as_object().unwrap() {
        request[key] = value.clone();
    }
    request
}

#[tokio::test]
async fn documents_go_out_as_texts_and_scores_come_back_as_they_were_spelled() {
    let got = ask(request(json!({"top_n": 2, "max_tokens_per_doc": 9})), REPLY).await;
    let sent = got.sent.clone().unwrap();
    assert_eq!(sent.uri, "/rerank");
    assert_eq!(sent.json(), json!({"query": "q", "texts": ["a", "b", "c"]}));
    assert_eq!(got.dropped(), "max_tokens_per_doc");
    assert_eq!(
        got.text,
        r#"{"results":[{"index":1,"relevance_score":0.90},{"index":2,"relevance_score":5e-1}],"meta":{"api_version":{"version":"2"}}}"#
    );
}

#[tokio::test]
async fn the_documents_stand_in_the_answer_where_they_are_wanted() {
    let got = ask(request(json!({"return_documents": true})), REPLY)
        .await
        .json();
    let documents: Vec<&Value> = got["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rank| &rank["document"])
        .collect();
    assert_eq!(
        documents,
        [
            &json!({"text": "b"}),
            &json!({"text": "c"}),
            &json!({"text": "a"})
        ]
    );
}

#[tokio::test]
async fn the_best_stands_first_whatever_the_order_in_which_it_came() {
    for reply in [
        json!([{"index": 0, "score": -3.5}, {"index": 2, "score": 1}, {"index": 1, "score": 1}]),
        json!({"data": [{"index": 0, "relevance_score": -3.5}, {"index": 2, "relevance_score": 1}, {"index": 1, "relevance_score": 1}]}),
        json!({"results": [{"index": 2, "relevance_score": 1, "document": {"text": "c"}}, {"index": 1, "relevance_score": 1}, {"index": 0, "relevance_score": -3.5}]}),
    ] {
        let got = ask(request(json!({})), &reply.to_string()).await.json();
        let order: Vec<u64> = got["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rank| rank["index"].as_u64().unwrap())
            .collect();
        assert_eq!(order, [2, 1, 0]);
    }
}

#[tokio::test]
async fn what_is_billed_is_told() {
    for (reply, meta) in [
        (
            json!({"results": [], "usage": {"total_tokens": 17}}),
            json!({"tokens": {"input_tokens": 17}}),
        ),
        (
            json!({"results": [], "meta": {"billed_units": {"search_units": 1.0}}}),
            json!({"billed_units": {"search_units": 1.0}}),
        ),
    ] {
        let mut got = ask(request(json!({})), &reply.to_string()).await.json();
        got["meta"].as_object_mut().unwrap().remove("api_version");
        assert_eq!(got["meta"], meta);
    }
    let got = ask(
        request(json!({})),
        r#"{"results":[],"usage":{"total_tokens":1,"cost":3.4e-7}}"#,
    )
    .await;
    assert_eq!(got.json()["bartizan_dropped"], json!(["usage.cost"]));
}

#[tokio::test]
async fn an_answer_without_scores_or_with_a_strangers_is_none() {
    for reply in [
        r#"[{"index":3,"score":1}]"#,
        r#"[{"index":0}]"#,
        r#"[{"score":1}]"#,
        r#"[{"index":-1,"score":1}]"#,
        r#"[{"index":0,"score":"1"}]"#,
        "{}",
    ] {
        let got = ask(request(json!({})), reply).await;
        assert_eq!(got.status, 502, "{reply}");
    }
}

#[tokio::test]
async fn what_can_not_be_ranked_there_is_refused_by_name() {
    for (members, place) in [
        (json!({"rank_fields": ["title"]}), "rank_fields"),
        (json!({"documents": [{"image": "x"}]}), "documents[0].image"),
        (json!({"documents": [{"title": "x"}]}), "documents[0].title"),
        (json!({"documents": []}), "documents"),
        (json!({"documents": [1]}), "documents"),
        (json!({"query": ""}), "query"),
        (json!({"top_n": 0}), "top_n"),
        (json!({"sideways": 1}), "sideways"),
    ] {
        let got = ask(request(members), REPLY).await;
        assert!(got.sent.is_none());
        assert_eq!(got.status, 400);
        let said = got.refusal.unwrap().message().to_owned();
        assert!(said.starts_with(&format!("{place}: ")), "{said}");
    }
    let layer = layer().unknown(Unknown::Drop);
    let got = exchange(
        &layer,
        post(
            "/v1/rerank",
            request(json!({"sideways": 1, "priority": 0, "truncation": true})).to_string(),
        ),
        support::json(200, REPLY),
    )
    .await;
    assert_eq!(got.dropped(), "sideways, priority");
    assert_eq!(got.sent.unwrap().json()["truncate"], true);
}

#[tokio::test]
async fn amazon_bedrock_has_the_model_in_its_path() {
    let target = Target::new(Dialect::CohereRerank, "cohere.rerank-v3-5:0")
        .path("/model/{model}/invoke")
        .unwrap();
    let layer = TranslateLayer::new().to(target);
    let reply = r#"{"results":[{"index":0,"relevance_score":0.5}]}"#;
    let asked = post("/v2/rerank", request(json!({"top_n": 1})).to_string());
    let got = exchange(&layer, asked, support::json(200, reply)).await;
    let sent = got.sent.clone().unwrap();
    assert_eq!(sent.uri, "/model/cohere.rerank-v3-5%3A0/invoke");
    assert_eq!(
        sent.json(),
        json!({"api_version": 2, "query": "q", "documents": ["a", "b", "c"], "top_n": 1})
    );
    assert_eq!(got.json()["results"][0]["relevance_score"], 0.5);
}

#[tokio::test]
async fn voyage_has_its_own_word_for_how_many() {
    let quirks = Quirks::default().rename("top_n", "top_k").unwrap();
    let layer =
        TranslateLayer::new().to(Target::new(Dialect::CohereRerank, "rerank-2.5").quirks(quirks));
    let reply = r#"{"object":"list","data":[{"index":1,"relevance_score":0.5}],"model":"rerank-2.5","usage":{"total_tokens":9}}"#;
    let asked = post("/v2/rerank", request(json!({"top_n": 1})).to_string());
    let got = exchange(&layer, asked, support::json(200, reply)).await;
    let sent = got.sent.clone().unwrap().json();
    assert_eq!((&sent["top_k"], sent.get("top_n")), (&json!(1), None));
    assert_eq!(
        got.json()["results"],
        json!([{"index": 1, "relevance_score": 0.5}])
    );
    assert_eq!(got.json()["meta"]["tokens"]["input_tokens"], 9);
}

#[tokio::test]
async fn an_error_keeps_its_class_in_coheres_shape() {
    let got = exchange(
        &layer(),
        post("/v2/rerank", request(json!({})).to_string()),
        support::json(413, r#"{"error":"batch size 64 > maximum allowed batch size 32","error_type":"Validation"}"#),
    )
    .await;
    assert_eq!(got.status, 413);
    assert!(got.json()["message"].is_string(), "{}", got.text);
}

/// Recorded answers have scores that this reads.
#[tokio::test]
async fn recorded_answers_are_read() {
    for name in ["cohere.rerank", "openrouter.rerank"] {
        for exchanged in support::recorded(name) {
            let request = support::body(&exchanged["request"]).unwrap();
            let reply = support::body(&exchanged["response"]).unwrap();
            let said: Value = serde_json::from_str(&reply).unwrap();
            let got = exchange(
                &layer(),
                post("/v2/rerank", request),
                support::json(200, reply),
            )
            .await
            .json();
            let scores = |answer: &Value| -> Vec<(u64, String)> {
                let results = answer["results"].as_array().unwrap().iter();
                results
                    .map(|rank| {
                        (
                            rank["index"].as_u64().unwrap(),
                            rank["relevance_score"].to_string(),
                        )
                    })
                    .collect()
            };
            assert_eq!(scores(&got), scores(&said), "{name}");
            assert_eq!(
                got["meta"]["tokens"]["input_tokens"],
                said["usage"]["total_tokens"]
            );
        }
    }
}

proptest! {
    /// Whatever a client says ends in a refusal or in a request.
    #[test]
    fn any_members_end_in_a_refusal_or_a_request(
        member in prop_oneof!["query", "documents", "top_n", "return_documents", "priority", "truncation", "max_tokens_per_doc"],
        value in prop_oneof![
            Just(json!(null)), Just(json!(1)), Just(json!(-1.5)), Just(json!("a")), Just(json!(["a"])), Just(json!([{"text": "a"}])),
            Just(json!(true)), Just(json!({})), Just(json!([[]])), Just(json!([{}])), Just(json!([null])),
        ],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let got = runtime.block_on(ask(request(json!({member: value})), REPLY));
        match got.sent {
            Some(sent) => prop_assert!(sent.json().is_object()),
            None => prop_assert_eq!(got.status, 400),
        }
    }
}

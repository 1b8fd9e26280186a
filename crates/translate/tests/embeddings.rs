//! Embeddings, whichever API asks and whichever answers.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::{Body, Dialect};
use bartizan_translate::catalogue::{Quirk, Quirks};
use bartizan_translate::{Target, TranslateLayer, Unknown};
use http::{Request, Response};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Got, body, exchange, post, recorded};

const OPENAI: &str = "/v1/embeddings";
const GEMINI: &str = "/v1beta/models/house:embedContent";
const GEMINI_BATCH: &str = "/v1beta/models/house:batchEmbedContents";
const COHERE: &str = "/v2/embed";

fn layer(dialect: Dialect, model: &str) -> TranslateLayer {
    TranslateLayer::new().to(Target::new(dialect, model))
}

/// What a provider of `dialect` answers to `count` texts.
fn answer(dialect: Dialect, count: usize) -> String {
    let vector = json!([0.5, -0.25]);
    let all = || vec![vector.clone(); count];
    match dialect {
        Dialect::OpenAiEmbeddings => {
            let data: Vec<Value> = (0..count)
                .map(|index| json!({"object": "embedding", "index": index, "embedding": vector}))
                .collect();
            json!({"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}})
        }
        Dialect::GeminiEmbeddings => {
            json!({"embeddings": all().into_iter().map(|values| json!({"values": values})).collect::<Vec<_>>()})
        }
        Dialect::VertexPredict => json!({"predictions": all().into_iter().map(|values| {
            json!({"embeddings": {"values": values, "statistics": {"token_count": 2, "truncated": false}}})
        }).collect::<Vec<_>>()}),
        Dialect::CohereEmbed => {
            json!({"id": "e", "embeddings": {"float": all()}, "meta": {"billed_units": {"input_tokens": 3}}})
        }
        Dialect::OllamaEmbed => json!({"model": "m", "embeddings": all(), "prompt_eval_count": 3}),
        _ => json!({"embedding": vector, "inputTextTokenCount": 3}),
    }
    .to_string()
}

async fn ask(to: Dialect, model: &str, path: &str, request: Value, count: usize) -> Got {
    let answer = support::json(200, answer(to, count));
    exchange(&layer(to, model), post(path, request.to_string()), answer).await
}

/// What went out, and what was reported.
async fn sent(
    to: Dialect,
    model: &str,
    path: &str,
    request: Value,
    count: usize,
) -> (Value, String) {
    let got = ask(to, model, path, request, count).await;
    assert_eq!(got.status, 200, "{}", got.text);
    (got.sent.clone().unwrap().json(), got.dropped().to_owned())
}

async fn refused(to: Dialect, model: &str, path: &str, request: Value) -> String {
    let got = ask(to, model, path, request, 1).await;
    assert!(got.sent.is_none(), "nothing goes out: {}", got.text);
    assert_eq!(got.status, 400, "{}", got.text);
    got.refusal.unwrap().message().to_owned()
}

#[tokio::test]
async fn a_request_of_openais_clients_goes_out_in_each_providers_words() {
    let request = json!({"model": "house", "input": ["a", "b"], "dimensions": 256, "encoding_format": "base64", "user": "u"});
    for (to, model, out, dropped) in [
        (
            Dialect::GeminiEmbeddings,
            "gemini-embedding-001",
            json!({"requests": [
                {"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "a"}]}, "outputDimensionality": 256},
                {"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "b"}]}, "outputDimensionality": 256},
            ]}),
            "user",
        ),
        (
            Dialect::VertexPredict,
            "text-embedding-005",
            json!({"instances": [{"content": "a"}, {"content": "b"}], "parameters": {"outputDimensionality": 256}}),
            "user",
        ),
        (
            Dialect::CohereEmbed,
            "embed-v4.0",
            json!({"model": "embed-v4.0", "texts": ["a", "b"], "input_type": "search_document", "embedding_types": ["float"], "output_dimension": 256}),
            "user, input_type;changed",
        ),
        (
            Dialect::OllamaEmbed,
            "embeddinggemma",
            json!({"model": "embeddinggemma", "input": ["a", "b"], "dimensions": 256}),
            "user",
        ),
    ] {
        let (sent, told) = sent(to, model, OPENAI, request.clone(), 2).await;
        assert_eq!((sent, told.as_str()), (out, dropped), "{to:?}");
    }
}

#[tokio::test]
async fn amazons_models_get_one_text_a_call() {
    let one = json!({"model": "house", "input": ["a"], "dimensions": 256});
    let (titan, dropped) = sent(
        Dialect::AmazonEmbed,
        "amazon.titan-embed-text-v2:0",
        OPENAI,
        one.clone(),
        1,
    )
    .await;
    assert_eq!(titan, json!({"inputText": "a", "dimensions": 256}));
    assert_eq!(dropped, "");
    let nova = ask(
        Dialect::AmazonEmbed,
        "amazon.nova-2-multimodal-embeddings-v1:0",
        OPENAI,
        one,
        1,
    )
    .await;
    assert_eq!(
        nova.sent.unwrap().json(),
        json!({"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": {
            "embeddingPurpose": "GENERIC_INDEX", "embeddingDimension": 256, "text": {"truncationMode": "NONE", "value": "a"}}})
    );
}

#[tokio::test]
async fn cohere_at_amazon_gets_no_model_whoever_asks() {
    for (path, request) in [
        (
            OPENAI,
            json!({"model": "house", "input": ["a"], "input_type": "query"}),
        ),
        (
            COHERE,
            json!({"model": "house", "texts": ["a"], "input_type": "search_query"}),
        ),
    ] {
        let (out, _) = sent(
            Dialect::CohereEmbed,
            "us.cohere.embed-v4:0",
            path,
            request,
            1,
        )
        .await;
        assert_eq!(
            out,
            json!({"texts": ["a"], "input_type": "search_query", "embedding_types": ["float"]})
        );
    }
}

#[tokio::test]
async fn compatible_servers_get_their_own_words() {
    let quirks = || Quirks::default();
    for (quirks, out, dropped) in [
        (
            quirks()
                .rename("dimensions", "output_dimension")
                .unwrap()
                .drop("user")
                .unwrap(),
            json!({"model": "m", "input": ["a"], "encoding_format": "base64", "output_dimension": 2}),
            "user",
        ),
        (
            quirks().drop("encoding_format").unwrap(),
            json!({"model": "m", "input": ["a"], "dimensions": 2, "user": "u"}),
            "",
        ),
    ] {
        let layer =
            TranslateLayer::new().to(Target::new(Dialect::OpenAiEmbeddings, "m").quirks(quirks));
        let request = json!({"model": "house", "input": "a", "encoding_format": "base64", "dimensions": 2, "user": "u"});
        let answer = support::json(200, answer(Dialect::OpenAiEmbeddings, 1));
        let got = exchange(&layer, post(OPENAI, request.to_string()), answer).await;
        assert_eq!(got.sent.clone().unwrap().json(), out);
        assert_eq!(got.dropped(), dropped);
        // Asked for or not, base64 is what the client gets.
        assert_eq!(got.json()["data"][0]["embedding"], "AAAAPwAAgL4=");
    }
    let quirks = Quirks::default().refuse("dimensions").unwrap();
    let layer =
        TranslateLayer::new().to(Target::new(Dialect::OpenAiEmbeddings, "m").quirks(quirks));
    let request = json!({"model": "house", "input": "a", "dimensions": 2}).to_string();
    let got = exchange(&layer, post(OPENAI, request), support::json(200, "{}")).await;
    assert_eq!((got.status, got.sent.is_none()), (400, true));
}

#[tokio::test]
async fn perplexitys_signed_bytes_become_numbers() {
    let quirks = Quirks::default().with(Quirk::Int8Vectors);
    let layer =
        TranslateLayer::new().to(Target::new(Dialect::OpenAiEmbeddings, "m").quirks(quirks));
    for exchanged in recorded("perplexity.embeddings") {
        let request = body(&exchanged["request"]).unwrap();
        let reply = body(&exchanged["response"]).unwrap();
        let got = exchange(
            &layer,
            post(OPENAI, request),
            support::json(200, reply.clone()),
        )
        .await;
        assert_eq!(
            got.sent.clone().unwrap().json().get("encoding_format"),
            None
        );
        let theirs: Value = serde_json::from_str(&reply).unwrap();
        let got = got.json();
        for (ours, theirs) in got["data"]
            .as_array()
            .unwrap()
            .iter()
            .zip(theirs["data"].as_array().unwrap())
        {
            let numbers: Vec<i64> = ours["embedding"]
                .as_array()
                .unwrap()
                .iter()
                .map(|number| number.as_i64().unwrap())
                .collect();
            assert_eq!(
                numbers.len(),
                theirs["embedding"]
                    .as_str()
                    .unwrap()
                    .trim_end_matches('=')
                    .len()
                    * 3
                    / 4
            );
            assert!(numbers.iter().all(|number| (-128..=127).contains(number)));
        }
    }
}

#[tokio::test]
async fn a_batch_over_a_providers_limit_is_refused_with_the_number() {
    for (to, model, most) in [
        (Dialect::OpenAiEmbeddings, "m", 2_048),
        (Dialect::GeminiEmbeddings, "m", 100),
        (Dialect::VertexPredict, "text-embedding-005", 250),
        (Dialect::VertexPredict, "gemini-embedding-001", 1),
        (Dialect::CohereEmbed, "m", 96),
        (Dialect::AmazonEmbed, "amazon.titan-embed-text-v2:0", 1),
    ] {
        let (path, field) = match to {
            Dialect::OpenAiEmbeddings => (COHERE, "texts"),
            _ => (OPENAI, "input"),
        };
        let says = refused(
            to,
            model,
            path,
            json!({"model": "house", field: vec!["a"; most + 1]}),
        )
        .await;
        assert!(says.starts_with(&format!("{field}: ")), "{to:?}: {says}");
        assert!(says.contains(&format!("at most {most} ")), "{to:?}: {says}");
        let got = ask(
            to,
            model,
            path,
            json!({"model": "house", field: vec!["a"; most]}),
            most,
        )
        .await;
        assert_eq!(got.status, 200, "{to:?}: {}", got.text);
    }
}

#[tokio::test]
async fn tokens_go_only_where_they_mean_the_same() {
    for input in [json!([1, 2, 3]), json!([[1], [2, 3]])] {
        let request = json!({"model": "house", "input": input});
        for to in [
            Dialect::GeminiEmbeddings,
            Dialect::CohereEmbed,
            Dialect::OllamaEmbed,
        ] {
            let says = refused(to, "m", OPENAI, request.clone()).await;
            assert!(says.contains("tokens"), "{says}");
        }
    }
    for bad in [
        json!([1.5]),
        json!([-1]),
        json!(["a", 1]),
        json!([[1], 2]),
        json!([]),
        json!({}),
        json!(1),
        json!([["a"]]),
    ] {
        refused(
            Dialect::OllamaEmbed,
            "m",
            OPENAI,
            json!({"model": "house", "input": bad}),
        )
        .await;
    }
}

#[tokio::test]
async fn what_a_vector_is_for_is_said_in_the_targets_words() {
    for (word, gemini, cohere, changed) in [
        ("search_query", "RETRIEVAL_QUERY", "search_query", ""),
        ("query", "RETRIEVAL_QUERY", "search_query", ""),
        ("passage", "RETRIEVAL_DOCUMENT", "search_document", ""),
        ("clustering", "CLUSTERING", "clustering", ""),
        (
            "SEMANTIC_SIMILARITY",
            "SEMANTIC_SIMILARITY",
            "search_document",
            "input_type;changed",
        ),
        (
            "CODE_RETRIEVAL_QUERY",
            "CODE_RETRIEVAL_QUERY",
            "search_query",
            "input_type;changed",
        ),
    ] {
        let request = json!({"model": "house", "input": "a", "input_type": word});
        let (out, dropped) = sent(Dialect::GeminiEmbeddings, "m", OPENAI, request.clone(), 1).await;
        assert_eq!(out["requests"][0]["taskType"], gemini);
        assert_eq!(dropped, "");
        let (out, dropped) = sent(Dialect::CohereEmbed, "m", OPENAI, request, 1).await;
        assert_eq!(out["input_type"], cohere);
        assert_eq!(dropped, changed, "{word}");
    }
    let request = json!({"model": "house", "input": "a", "input_type": "some"});
    let says = refused(Dialect::GeminiEmbeddings, "m", OPENAI, request).await;
    assert!(says.starts_with("input_type: "), "{says}");
}

#[tokio::test]
async fn too_long_a_text_is_cut_where_the_caller_says() {
    for (to, member, never, end) in [
        (
            Dialect::CohereEmbed,
            "/truncate",
            json!("NONE"),
            json!("END"),
        ),
        (Dialect::OllamaEmbed, "/truncate", json!(false), json!(true)),
        (
            Dialect::VertexPredict,
            "/parameters/autoTruncate",
            json!(false),
            json!(true),
        ),
    ] {
        for (said, out) in [("NONE", &never), ("END", &end)] {
            let request = json!({"model": "house", "texts": ["a"], "input_type": "search_query", "truncate": said});
            let (sent, _) = if to == Dialect::CohereEmbed {
                let request = json!({"model": "house", "input": "a", "truncate": said});
                sent(to, "m", OPENAI, request, 1).await
            } else {
                sent(to, "m", COHERE, request, 1).await
            };
            assert_eq!(sent.pointer(member), Some(out), "{to:?}");
        }
    }
    let start = json!({"model": "house", "texts": ["a"], "truncate": "START"});
    refused(Dialect::OllamaEmbed, "m", COHERE, start).await;
}

#[tokio::test]
async fn a_request_of_geminis_clients_goes_out_in_each_providers_words() {
    let one = json!({"content": {"parts": [{"text": "a"}]}, "taskType": "RETRIEVAL_DOCUMENT", "title": "t", "output_dimensionality": 8});
    let (out, dropped) = sent(Dialect::OpenAiEmbeddings, "m", GEMINI, one.clone(), 1).await;
    assert_eq!(
        out,
        json!({"model": "m", "input": ["a"], "encoding_format": "float", "dimensions": 8})
    );
    assert_eq!(dropped, "taskType, title");
    let (out, _) = sent(Dialect::VertexPredict, "m", GEMINI, one.clone(), 1).await;
    assert_eq!(
        out,
        json!({"instances": [{"content": "a", "task_type": "RETRIEVAL_DOCUMENT", "title": "t"}], "parameters": {"outputDimensionality": 8}})
    );
    let batch = json!({"requests": [one, {"model": "models/house", "content": {"role": "user", "parts": [{"text": "b"}]}}]});
    for to in [Dialect::OpenAiEmbeddings, Dialect::CohereEmbed] {
        let says = refused(to, "m", GEMINI_BATCH, batch.clone()).await;
        assert!(says.contains("one for the whole batch"), "{says}");
    }
}

#[tokio::test]
async fn one_text_of_geminis_goes_to_geminis_path_for_many() {
    let one = json!({"model": "models/house", "content": {"parts": [{"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}, "taskType": "CLUSTERING"});
    let got = ask(
        Dialect::GeminiEmbeddings,
        "gemini-embedding-2",
        GEMINI,
        one,
        1,
    )
    .await;
    let sent = got.sent.clone().unwrap();
    assert_eq!(
        sent.uri,
        "/v1beta/models/gemini-embedding-2:batchEmbedContents"
    );
    assert_eq!(
        sent.json(),
        json!({"requests": [{"model": "models/gemini-embedding-2",
            "content": {"parts": [{"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}, "taskType": "CLUSTERING"}]})
    );
    assert_eq!(got.json(), json!({"embedding": {"values": [0.5, -0.25]}}));
}

#[tokio::test]
async fn images_go_where_they_can_be_seen() {
    let image = "data:image/png;base64,AAAA";
    let request = json!({"model": "house", "images": [image], "input_type": "image"});
    let (out, _) = sent(Dialect::GeminiEmbeddings, "m", COHERE, request.clone(), 1).await;
    assert_eq!(
        out["requests"][0]["content"]["parts"],
        json!([{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}])
    );
    for to in [
        Dialect::OpenAiEmbeddings,
        Dialect::OllamaEmbed,
        Dialect::VertexPredict,
        Dialect::AmazonEmbed,
    ] {
        let says = refused(to, "m", COHERE, request.clone()).await;
        assert!(says.contains("texts only"), "{says}");
    }
    let mixed = json!({"content": {"parts": [{"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}});
    let (out, _) = sent(Dialect::CohereEmbed, "m", GEMINI, mixed, 1).await;
    assert_eq!(
        out["inputs"],
        json!([{"content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": image}}]}])
    );
}

#[tokio::test]
async fn an_unknown_member_is_refused_or_reported_as_the_layer_says() {
    let request = json!({"model": "house", "input": "a", "sideways": 1, "metadata": {}, "normalized": true, "output_dtype": "float"});
    let says = refused(Dialect::OllamaEmbed, "m", OPENAI, request.clone()).await;
    assert!(says.starts_with("sideways: "), "{says}");
    let layer = layer(Dialect::OllamaEmbed, "m").unknown(Unknown::Drop);
    let answer = support::json(200, answer(Dialect::OllamaEmbed, 1));
    let got = exchange(&layer, post(OPENAI, request.to_string()), answer).await;
    assert_eq!(got.dropped(), "metadata, sideways");
    for (member, value) in [
        ("output_dtype", json!("int8")),
        ("encoding_format", json!("hex")),
        ("dimensions", json!(0)),
    ] {
        let says = refused(
            Dialect::OllamaEmbed,
            "m",
            OPENAI,
            json!({"model": "house", "input": "a", member: value}),
        )
        .await;
        assert!(says.starts_with(member), "{says}");
    }
    let says = refused(
        Dialect::OllamaEmbed,
        "m",
        COHERE,
        json!({"model": "house", "texts": ["a"], "embedding_types": ["int8"]}),
    )
    .await;
    assert!(says.starts_with("embedding_types: "), "{says}");
}

#[tokio::test]
async fn each_client_gets_its_own_shape_whoever_answers() {
    for (to, tokens) in [
        (Dialect::OpenAiEmbeddings, Some(3)),
        (Dialect::GeminiEmbeddings, None),
        (Dialect::VertexPredict, Some(4)),
        (Dialect::CohereEmbed, Some(3)),
        (Dialect::OllamaEmbed, Some(3)),
    ] {
        let vector = json!([0.5, -0.25]);
        if to != Dialect::OpenAiEmbeddings {
            let got = ask(
                to,
                "m",
                OPENAI,
                json!({"model": "house", "input": ["a", "b"]}),
                2,
            )
            .await
            .json();
            assert_eq!(
                got["data"],
                json!([{"object": "embedding", "index": 0, "embedding": vector}, {"object": "embedding", "index": 1, "embedding": vector}])
            );
            assert_eq!(got["object"], "list");
            assert_eq!(got["usage"]["total_tokens"].as_u64(), tokens, "{to:?}");
            assert_eq!(got.get("usage").is_some(), tokens.is_some());
        }
        let batch = json!({"requests": [{"content": {"parts": [{"text": "a"}]}}, {"content": {"parts": [{"text": "b"}]}}]});
        let got = ask(to, "m", GEMINI_BATCH, batch, 2).await.json();
        assert_eq!(
            got["embeddings"],
            json!([{"values": vector}, {"values": vector}])
        );
        assert_eq!(got["usageMetadata"]["promptTokenCount"].as_u64(), tokens);
        if to != Dialect::CohereEmbed {
            let request = json!({"model": "house", "texts": ["a", "b"], "embedding_types": ["float", "base64"]});
            let got = ask(to, "m", COHERE, request, 2).await.json();
            assert_eq!(got["embeddings"]["float"], json!([vector, vector]));
            assert_eq!(
                got["embeddings"]["base64"],
                json!(["AAAAPwAAgL4=", "AAAAPwAAgL4="])
            );
            assert_eq!(got["meta"]["billed_units"]["input_tokens"].as_u64(), tokens);
        }
    }
}

#[tokio::test]
async fn the_model_is_called_what_the_caller_calls_it_where_the_provider_says_nothing() {
    let got = ask(
        Dialect::GeminiEmbeddings,
        "gemini-embedding-001",
        OPENAI,
        json!({"model": "house", "input": "a"}),
        1,
    )
    .await;
    assert_eq!(got.json()["model"], "house");
}

#[tokio::test]
async fn vectors_stand_in_the_order_of_the_texts() {
    let answer = json!({"data": [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}], "model": "m"});
    let request = json!({"requests": [{"content": {"parts": [{"text": "a"}]}}, {"content": {"parts": [{"text": "b"}]}}]});
    let layer = layer(Dialect::OpenAiEmbeddings, "m");
    let got = exchange(
        &layer,
        post(GEMINI_BATCH, request.to_string()),
        support::json(200, answer.to_string()),
    )
    .await;
    assert_eq!(
        got.json()["embeddings"],
        json!([{"values": [1.0]}, {"values": [2.0]}])
    );
}

#[tokio::test]
async fn an_answer_that_is_not_what_was_asked_for_is_none() {
    for answer in [
        json!({"data": []}),
        json!({"data": [{"index": 0, "embedding": [1.0]}]}),
        json!({"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]}),
        json!({"data": [{"index": 0, "embedding": [1.0]}, {"index": 7, "embedding": [1.0]}]}),
        json!({"data": [{"embedding": [1.0]}, {"embedding": "AAA"}]}),
        json!({"data": [{"embedding": [1.0]}, {"embedding": [null]}]}),
        json!({"data": [{"embedding": [1.0]}, {}]}),
        json!({}),
        json!([]),
    ] {
        let request = json!({"requests": [{"content": {"parts": [{"text": "a"}]}}, {"content": {"parts": [{"text": "b"}]}}]});
        let layer = layer(Dialect::OpenAiEmbeddings, "m");
        let got = exchange(
            &layer,
            post(GEMINI_BATCH, request.to_string()),
            support::json(200, answer.to_string()),
        )
        .await;
        assert_eq!(got.status, 502, "{answer}");
    }
}

#[tokio::test]
async fn a_count_of_tokens_in_amazons_header_is_the_usage() {
    let answer = Response::builder()
        .header("content-type", "application/json")
        .header("x-amzn-bedrock-input-token-count", "10")
        .body(Body::from(
            r#"{"embeddings":[{"embeddingType":"TEXT","embedding":[1.0]}]}"#,
        ))
        .unwrap();
    let layer = layer(
        Dialect::AmazonEmbed,
        "amazon.nova-2-multimodal-embeddings-v1:0",
    );
    let got = exchange(
        &layer,
        post(OPENAI, r#"{"model":"house","input":"a"}"#),
        answer,
    )
    .await;
    assert_eq!(
        got.json()["usage"],
        json!({"prompt_tokens": 10, "total_tokens": 10})
    );
}

#[tokio::test]
async fn what_the_provider_says_beside_the_vectors_is_declared_where_it_is_left_out() {
    let answer = json!({"predictions": [{"embeddings": {"values": [1.0], "statistics": {"token_count": 9, "truncated": true}}}]});
    let layer = layer(Dialect::VertexPredict, "m");
    let got = exchange(
        &layer,
        post(OPENAI, r#"{"model":"house","input":"a"}"#),
        support::json(200, answer.to_string()),
    )
    .await;
    assert_eq!(
        got.json()["bartizan_dropped"],
        json!(["statistics.truncated"])
    );
    assert!(
        got.trail
            .iter()
            .any(|note| note.contains("of=answer statistics.truncated=dropped")),
        "{:?}",
        got.trail
    );
}

#[tokio::test]
async fn an_error_keeps_its_class_in_the_callers_dialect() {
    let layer = layer(Dialect::CohereEmbed, "m");
    for (status, told) in [(400, 400), (401, 401), (429, 429), (500, 500)] {
        let answer = support::json(status, r#"{"id":"x","message":"texts: too many"}"#);
        let got = exchange(
            &layer,
            post(OPENAI, r#"{"model":"house","input":"a"}"#),
            answer,
        )
        .await;
        assert_eq!(got.status, told, "{}", got.text);
        assert!(got.json()["error"]["message"].is_string());
    }
    let answer = support::json(200, r#"{"message":"no"}"#);
    let got = exchange(
        &layer,
        post(OPENAI, r#"{"model":"house","input":"a"}"#),
        answer,
    )
    .await;
    assert_eq!(got.status, 502);
}

/// Every recorded answer with a vector, as each client gets it.
#[tokio::test]
async fn recorded_vectors_reach_every_client_to_the_last_bit() {
    let mut seen = 0;
    for (name, dialect) in [
        ("openai.embeddings", Dialect::OpenAiEmbeddings),
        ("azure.embeddings", Dialect::OpenAiEmbeddings),
        ("mistral.embeddings", Dialect::OpenAiEmbeddings),
        ("openrouter.embeddings", Dialect::OpenAiEmbeddings),
        ("cohere.embeddings", Dialect::CohereEmbed),
        ("bedrock.invoke", Dialect::AmazonEmbed),
    ] {
        for exchanged in recorded(name) {
            if exchanged["response"]["status"] != 200 {
                continue;
            }
            let model = exchanged["model"].as_str().unwrap_or_default();
            let path = exchanged["request"]["path"].as_str().unwrap();
            let (dialect, model) = match path {
                _ if path.contains("cohere") => (Dialect::CohereEmbed, "cohere"),
                _ if path.contains("nova") => (dialect, "amazon.nova-2"),
                _ => (dialect, model),
            };
            let said = body(&exchanged["response"]).unwrap();
            let vectors = recorded_vectors(&serde_json::from_str(&said).unwrap());
            let texts = vec!["a"; vectors.len()];
            let requests: Vec<Value> = texts
                .iter()
                .map(|text| json!({"content": {"parts": [{"text": text}]}}))
                .collect();
            let layer = layer(dialect, model);
            let asked = [
                (
                    OPENAI,
                    json!({"model": "house", "input": texts, "encoding_format": "float"}),
                ),
                (
                    OPENAI,
                    json!({"model": "house", "input": texts, "encoding_format": "base64"}),
                ),
                (GEMINI_BATCH, json!({"requests": requests})),
                (
                    COHERE,
                    json!({"model": "house", "texts": texts, "embedding_types": ["float"], "input_type": "search_query"}),
                ),
            ];
            for (path, request) in asked {
                // The same dialect passes as it is.
                if (path == OPENAI && dialect == Dialect::OpenAiEmbeddings)
                    || (path == COHERE && dialect == Dialect::CohereEmbed)
                {
                    continue;
                }
                let answer = support::json(200, said.clone());
                let got = exchange(&layer, post(path, request.to_string()), answer).await;
                assert_eq!(got.status, 200, "{name}: {}", got.text);
                assert_eq!(recorded_vectors(&got.json()), vectors, "{name} {path}");
                seen += 1;
            }
        }
    }
    eprintln!("{seen} answers retold");
    assert!(seen == 0 || seen >= 40, "{seen}");
}

/// The vectors of an answer of any dialect.
fn recorded_vectors(answer: &Value) -> Vec<Vec<f32>> {
    use base64::Engine as _;
    let read = |vector: &Value| match vector {
        Value::String(text) => {
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(text)
                .unwrap();
            bytes
                .chunks_exact(4)
                .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
                .collect()
        }
        // By way of the text: a number of JSON has more bits than the float.
        list => list
            .as_array()
            .unwrap()
            .iter()
            .map(|number| number.to_string().parse().unwrap())
            .collect(),
    };
    if let Some(data) = answer["data"].as_array() {
        data.iter().map(|item| read(&item["embedding"])).collect()
    } else if let Some(floats) = answer["embeddings"]["float"].as_array() {
        floats.iter().map(read).collect()
    } else if let Some(all) = answer["embeddings"].as_array() {
        all.iter()
            .map(|item| read(item.get("values").or(item.get("embedding")).unwrap()))
            .collect()
    } else {
        vec![read(&answer["embedding"])]
    }
}

/// Every recorded request of OpenAI's dialect finds its way to every provider, or is refused with the reason.
#[tokio::test]
async fn recorded_requests_go_to_every_provider() {
    let (mut sent, mut refused) = (0, 0);
    for name in [
        "openai.embeddings",
        "azure.embeddings",
        "mistral.embeddings",
        "openrouter.embeddings",
        "cohere.embeddings",
    ] {
        for exchanged in recorded(name) {
            let path = exchanged["request"]["path"].as_str().unwrap();
            let request = body(&exchanged["request"]).unwrap();
            let said: Value = serde_json::from_str(&request).unwrap();
            for to in [
                Dialect::GeminiEmbeddings,
                Dialect::VertexPredict,
                Dialect::OllamaEmbed,
                Dialect::CohereEmbed,
                Dialect::AmazonEmbed,
            ] {
                if path == COHERE && to == Dialect::CohereEmbed {
                    continue;
                }
                let count = said["input"]
                    .as_array()
                    .or(said["texts"].as_array())
                    .map_or(1, Vec::len);
                let answer = support::json(200, answer(to, count));
                let got = exchange(
                    &layer(to, "m"),
                    Request::post(path)
                        .header("content-type", "application/json")
                        .body(Body::from(request.clone()))
                        .unwrap(),
                    answer,
                )
                .await;
                let tokens = said["input"][0].is_number() || said["input"][0].is_array();
                let many = to == Dialect::AmazonEmbed && count > 1;
                let bad = said["encoding_format"] == "invalid_format";
                if tokens || many || bad {
                    assert_eq!(got.status, 400, "{to:?}: {request}");
                    refused += 1;
                } else {
                    assert_eq!(got.status, 200, "{to:?}: {request}: {}", got.text);
                    sent += 1;
                }
            }
        }
    }
    eprintln!("{sent} sent, {refused} refused");
}

proptest! {
    /// Whatever a client says ends in a refusal or in a request.
    #[test]
    fn any_members_end_in_a_refusal_or_a_request(
        member in prop_oneof!["input", "dimensions", "encoding_format", "user", "input_type", "truncate", "texts", "inputs", "images",
            "embedding_types", "content", "requests", "taskType", "title", "output_dtype", "max_tokens"],
        value in prop_oneof![
            Just(json!(null)), Just(json!(1)), Just(json!(-1.5)), Just(json!("a")), Just(json!(["a"])), Just(json!([1, 2])), Just(json!([[1]])),
            Just(json!({"parts": [{"text": "a"}]})), Just(json!([{"content": {"parts": [{"text": "a"}]}}])), Just(json!([{"content": [{"type": "text", "text": "a"}]}])),
            Just(json!(true)), Just(json!({})), Just(json!([[]])), Just(json!([{}])), Just(json!("data:image/png;base64,AA==")),
        ],
        to in 0..5_usize,
        from in 0..4_usize,
    ) {
        let to = [Dialect::OpenAiEmbeddings, Dialect::GeminiEmbeddings, Dialect::VertexPredict, Dialect::CohereEmbed, Dialect::OllamaEmbed][to];
        let path = [OPENAI, GEMINI, GEMINI_BATCH, COHERE][from];
        let mut request = match from {
            0 => json!({"model": "house", "input": "a"}),
            1 => json!({"content": {"parts": [{"text": "a"}]}}),
            2 => json!({"requests": [{"content": {"parts": [{"text": "a"}]}}]}),
            _ => json!({"model": "house", "texts": ["a"]}),
        };
        request[member] = value;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let got = runtime.block_on(ask(to, "m", path, request, 1));
        match got.sent {
            Some(sent) => prop_assert!(sent.json().is_object()),
            None => prop_assert_eq!(got.status, 400),
        }
    }
}
